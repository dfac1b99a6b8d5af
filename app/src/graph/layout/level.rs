//! The nodes right within one group, or within none, for themselves.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Range,
};

use protocol::{EdgeAdded, EdgeKind, NodeAdded, NodeId};

use super::{Area, CARD_WIDTH, FRAME_HEAD, FRAME_PADDING, Phase, Point, Tree};
use crate::graph::wire::Route;

/// Between cards below one another.
const ROW_GAP: i32 = 34;
/// Between phases.
const PHASE_GAP: i32 = 38;
/// Between the columns that one phase is wrapped into.
const WRAP_GAP: i32 = 28;
/// Cards below one another before a phase is wrapped; of very many, as many as make the phase about as wide as high.
const ROWS: usize = 6;
/// Columns to a row in a phase of very many cards.
const COLUMNS_TO_ROWS: f64 = 0.78;
/// Phases stand side by side up to this width, however they could be arranged.
const LEAST_BAND: i32 = 5_000;
/// How many times as wide as high the phases of a wider plan are.
const BAND_ASPECT: f64 = 2.0;
/// Between two bands of phases.
const BAND_GAP: i32 = 120;
/// From a phase's name to its first card.
const LABEL_DROP: i32 = 14;
/// Height of a phase's name.
const LABEL_HEIGHT: i32 = 28;
/// Between the lowest card and the lines that pass below it.
const LANE_DROP: i32 = 26;
/// Between two of these lines.
const LANE_GAP: i32 = 12;
/// Heights at which lines pass below all cards, at most. Where all are taken, a line passes behind the cards.
const MOST_LANES: usize = 8;

/// The nodes of a level, with what is within those that are open.
pub(super) struct Level {
    pub(super) items: Vec<Item>,
    pub(super) phases: Vec<Phase>,
    pub(super) wires: Vec<Joint>,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A node of a level.
pub(super) struct Item {
    pub(super) node: usize,
    pub(super) area: Area,
    /// What is within it, if it is open.
    pub(super) inner: Option<Level>,
}

/// A line between two items of a level.
pub(super) struct Joint {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) route: Route,
    pub(super) edges: Vec<usize>,
}

/// The edges from one node of a level to another, or between what is within them.
struct Bundle {
    from: usize,
    to: usize,
    edges: Vec<usize>,
    leads_on: bool,
}

/// What is laid out.
pub(super) struct Plan<'a> {
    nodes: &'a [&'a NodeAdded],
    tree: &'a Tree,
    open: &'a BTreeSet<usize>,
    /// By the group that they are within; in the order in which the first of each was planned.
    bundles: HashMap<Option<usize>, Vec<Bundle>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        nodes: &'a [&'a NodeAdded],
        edges: &[&EdgeAdded],
        tree: &'a Tree,
        open: &'a BTreeSet<usize>,
    ) -> Self {
        let places: HashMap<&NodeId, usize> =
            nodes.iter().enumerate().map(|(place, node)| (&node.id, place)).collect();
        let mut bundles: HashMap<Option<usize>, Vec<Bundle>> = HashMap::new();
        let mut known: HashMap<(usize, usize), usize> = HashMap::new();
        for (index, edge) in edges.iter().enumerate() {
            let (Some(from), Some(to)) = (places.get(&edge.from), places.get(&edge.to)) else { continue };
            let Some(pair) = tree.beside(*from, *to) else { continue };
            let level = bundles.entry(tree.parent(pair.0)).or_default();
            let at = *known.entry(pair).or_insert_with(|| {
                level.push(Bundle { from: pair.0, to: pair.1, edges: Vec::new(), leads_on: false });
                level.len() - 1
            });
            if let Some(bundle) = level.get_mut(at) {
                bundle.edges.push(index);
                bundle.leads_on |= edge.kind != EdgeKind::Loop;
            }
        }
        Self { nodes, tree, open, bundles }
    }

    /// Lays out what is right within a group, or what is within none.
    pub(super) fn level(&self, group: Option<usize>) -> Level {
        let members = group.map_or(self.tree.roots(), |group| self.tree.children(group));
        let bundles = self.bundles.get(&group).map_or(&[][..], Vec::as_slice);
        let columns = self.columns(members, bundles);
        let blocks: Vec<Block> = columns.into_iter().map(|column| self.block(column)).collect();
        let body = blocks.iter().map(|block| block.height).max().unwrap_or(0);
        // Within a group whose nodes all have one phase, its name says nothing.
        let head = if group.is_some() && blocks.len() < 2 { 0 } else { LABEL_HEIGHT };

        let (mut items, mut phases, mut stacks) = (Vec::new(), Vec::new(), Vec::new());
        let (mut x, mut band, mut width) = (0, 0, 0);
        let widest = widest_band(&blocks, head + body);
        for block in blocks {
            if x > 0 && x + block.width() > widest {
                band += 1;
                x = 0;
            }
            let top = band * (head + body + BAND_GAP) + head + (body - block.height) / 2;
            if head > 0 {
                phases.push(Phase { name: block.phase.to_owned(), at: Point { x, y: top - LABEL_DROP } });
            }
            for stack in block.stacks {
                let start = items.len();
                let mut y = top;
                for item in stack.items {
                    let area = Area { at: Point { x, y }, ..item.area };
                    y += area.height + ROW_GAP;
                    items.push(Item { area, ..item });
                }
                stacks.push(Stack { band, x, width: stack.width, items: start..items.len() });
                x += stack.width + WRAP_GAP;
            }
            x += PHASE_GAP - WRAP_GAP;
            width = width.max(x - PHASE_GAP);
        }
        let (wires, lanes) = joints(&items, &stacks, bundles);
        let below = match lanes {
            0 => 0,
            lanes => LANE_DROP + (lanes as i32 - 1) * LANE_GAP + 4,
        };
        let height = band * (head + body + BAND_GAP) + head + body + below;
        Level { items, phases, wires, width, height }
    }

    fn columns(&self, members: &[usize], bundles: &[Bundle]) -> Vec<(&'a str, Vec<usize>)> {
        let mut columns: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for member in members {
            let Some(node) = self.nodes.get(*member) else { continue };
            let at = *known.entry(&node.phase).or_insert_with(|| {
                columns.push((&node.phase, Vec::new()));
                columns.len() - 1
            });
            columns[at].1.push(*member);
        }
        let mut column_of: HashMap<usize, usize> = HashMap::new();
        for (at, (_, nodes)) in columns.iter().enumerate() {
            column_of.extend(nodes.iter().map(|node| (*node, at)));
        }
        let mut forward: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut onward: HashMap<usize, Vec<usize>> = HashMap::new();
        for bundle in bundles.iter().filter(|bundle| bundle.leads_on && bundle.from != bundle.to) {
            forward.entry(bundle.from).or_default().push(bundle.to);
            if let (Some(from), Some(to)) = (column_of.get(&bundle.from), column_of.get(&bundle.to))
                && from != to
            {
                onward.entry(*from).or_default().push(*to);
            }
        }
        for (_, nodes) in &mut columns {
            *nodes = chained(nodes, &forward);
        }
        // A phase whose nodes appeared late may come before one that was planned from the beginning.
        let next = |phase: usize| onward.get(&phase).map_or(&[][..], Vec::as_slice);
        let order = ordered(columns.len(), next, Next::First);
        order.into_iter().map(|phase| std::mem::take(&mut columns[phase])).collect()
    }

    /// The nodes of one phase, in columns of about the same height.
    fn block(&self, (phase, nodes): (&'a str, Vec<usize>)) -> Block<'a> {
        let rows = rows(nodes.len());
        let stacks: Vec<Sized> = nodes
            .chunks(rows.max(1))
            .map(|chunk| {
                let items: Vec<_> = chunk.iter().map(|node| self.item(*node)).collect();
                let width = items.iter().map(|item| item.area.width).max().unwrap_or(0);
                let height: i32 = items.iter().map(|item| item.area.height + ROW_GAP).sum();
                Sized { items, width, height: (height - ROW_GAP).max(0) }
            })
            .collect();
        let height = stacks.iter().map(|stack| stack.height).max().unwrap_or(0);
        Block { phase, stacks, height }
    }

    /// A node with its size; where it stands is not known yet.
    fn item(&self, node: usize) -> Item {
        if !self.tree.is_group(node) || !self.open.contains(&node) {
            return Item { node, area: Area::card(Point::default()), inner: None };
        }
        let inner = self.level(Some(node));
        let area = Area {
            at: Point::default(),
            width: inner.width.max(CARD_WIDTH) + 2 * FRAME_PADDING,
            height: FRAME_HEAD + inner.height + FRAME_PADDING,
        };
        Item { node, area, inner: Some(inner) }
    }
}

/// The nodes of a phase that stand below one another.
struct Sized {
    items: Vec<Item>,
    width: i32,
    height: i32,
}

/// The nodes of a phase.
struct Block<'a> {
    phase: &'a str,
    stacks: Vec<Sized>,
    height: i32,
}

impl Block<'_> {
    fn width(&self) -> i32 {
        let widths: i32 = self.stacks.iter().map(|stack| stack.width + WRAP_GAP).sum();
        (widths - WRAP_GAP).max(0)
    }
}

/// How wide phases may stand side by side before they go on in a band below: a plan of very many phases becomes about
/// twice as wide as high, and no strip.
fn widest_band(blocks: &[Block], height: i32) -> i32 {
    let all: i64 = blocks.iter().map(|block| i64::from(block.width() + PHASE_GAP)).sum();
    let area = all as f64 * f64::from(height + BAND_GAP);
    (area * BAND_ASPECT).sqrt().max(f64::from(LEAST_BAND)) as i32
}

/// Items that stand below one another.
struct Stack {
    band: i32,
    x: i32,
    width: i32,
    items: Range<usize>,
}

/// Cards below one another. A wrapped phase is filled evenly.
fn rows(count: usize) -> usize {
    let most = ROWS.max((count as f64 / COLUMNS_TO_ROWS).sqrt().ceil() as usize);
    count.div_ceil(count.div_ceil(most).max(1))
}

/// The nodes of a phase with every chain in one piece and from its first to its last
/// node; apart from that in the order of the plan.
fn chained(nodes: &[usize], forward: &HashMap<usize, Vec<usize>>) -> Vec<usize> {
    let places: HashMap<usize, usize> =
        nodes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
    let next: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| {
            let next = forward.get(node).into_iter().flatten();
            next.filter_map(|next| places.get(next).copied()).collect()
        })
        .collect();
    ordered(nodes.len(), |place| &next[place], Next::OfChain).into_iter().map(|place| nodes[place]).collect()
}

/// Which of the places comes next that wait for no other.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// The first.
    First,
    /// One that the last one leads to, and else the first.
    OfChain,
}

/// The places from 0 to `count`, each behind those that lead to it. In a circle, the first comes first.
fn ordered<'a>(count: usize, next: impl Fn(usize) -> &'a [usize], which: Next) -> Vec<usize> {
    let mut before = vec![0_usize; count];
    for place in 0..count {
        next(place).iter().for_each(|place| before[*place] += 1);
    }
    let mut free: BTreeSet<usize> = (0..count).filter(|place| before[*place] == 0).collect();
    let mut waiting: BTreeSet<usize> = (0..count).collect();
    let mut order: Vec<usize> = Vec::with_capacity(count);
    while let Some(first) = waiting.first().copied() {
        let last = order.last().filter(|_| which == Next::OfChain);
        let follows = last.and_then(|last| next(*last).iter().filter(|place| free.contains(*place)).min());
        let place = follows.copied().or_else(|| free.first().copied()).unwrap_or(first);
        free.remove(&place);
        waiting.remove(&place);
        for place in next(place) {
            before[*place] = before[*place].saturating_sub(1);
            if before[*place] == 0 && waiting.contains(place) {
                free.insert(*place);
            }
        }
        order.push(place);
    }
    order
}

/// The lines of a level, and how many heights below all cards they take.
fn joints(items: &[Item], stacks: &[Stack], bundles: &[Bundle]) -> (Vec<Joint>, usize) {
    let mut band_of = vec![0; items.len()];
    for stack in stacks {
        band_of[stack.items.clone()].fill(stack.band);
    }
    let places: BTreeMap<usize, usize> =
        items.iter().enumerate().map(|(place, item)| (item.node, place)).collect();
    let pairs: HashSet<(usize, usize)> = bundles.iter().map(|bundle| (bundle.from, bundle.to)).collect();
    // Where phases stand in several bands, lines pass behind the cards.
    let is_one_band = stacks.iter().all(|stack| stack.band == 0);
    let floor = items.iter().map(|item| item.area.bottom()).max().unwrap_or(0);
    let mut lanes: Vec<Vec<(i32, i32)>> = Vec::new();
    let joints = bundles
        .iter()
        .filter_map(|bundle| {
            let (from, to) = (*places.get(&bundle.from)?, *places.get(&bundle.to)?);
            let (start, end) = (items.get(from)?.area, items.get(to)?.area);
            let is_paired = pairs.contains(&(bundle.to, bundle.from));
            let (above, below) = (band_of.get(from)?, band_of.get(to)?);
            if above != below {
                let route = if above < below { Route::Down } else { Route::Up };
                return Some(Joint { from, to, route, edges: bundle.edges.clone() });
            }
            let route = match (end.at.x - start.at.x, end.at.y - start.at.y) {
                (0, _) if end.at.y - start.bottom() == ROW_GAP => Route::Below { is_paired },
                (0, _) if start.at.y - end.bottom() == ROW_GAP => Route::Above { is_paired },
                (0, down) => Route::Around { is_downwards: down > 0 },
                (right, _) if right < 0 => Route::Back,
                _ if !is_one_band || !is_blocked(items, stacks, start, end) => Route::Across,
                _ => match free_lane(&mut lanes, start.right(), end.at.x) {
                    Some(lane) => Route::Underneath { lane: floor + LANE_DROP + lane as i32 * LANE_GAP },
                    None => Route::Across,
                },
            };
            Some(Joint { from, to, route, edges: bundle.edges.clone() })
        })
        .collect();
    (joints, lanes.len())
}

/// The first height at which no other line passes between these two places.
fn free_lane(lanes: &mut Vec<Vec<(i32, i32)>>, start: i32, end: i32) -> Option<usize> {
    let is_free = |lane: &Vec<(i32, i32)>| lane.iter().all(|(from, to)| end <= *from || *to <= start);
    let lane = lanes.iter().position(is_free).unwrap_or(lanes.len());
    if lane >= MOST_LANES {
        return None;
    }
    if lane == lanes.len() {
        lanes.push(Vec::new());
    }
    lanes[lane].push((start, end));
    Some(lane)
}

/// Whether an item stands where the line between two others would pass.
fn is_blocked(items: &[Item], stacks: &[Stack], from: Area, to: Area) -> bool {
    let (start, end) = (from.right(), to.at.x);
    let length = f64::from((end - start).max(1));
    let (high, low) = (f64::from(from.middle()), f64::from(to.middle()));
    // The curve is steepest in the middle: its ends run level.
    let height_at = |x: i32| {
        let part = f64::from(x - start) / length;
        high + (low - high) * part * part * (3.0 - 2.0 * part)
    };
    let first = stacks.partition_point(|stack| stack.x < start);
    let between = stacks[first..].iter().take_while(|stack| stack.x + stack.width <= end);
    between.flat_map(|stack| &items[stack.items.clone()]).any(|item| {
        let (a, b) = (height_at(item.area.at.x), height_at(item.area.right()));
        let (top, bottom) = (f64::from(item.area.at.y) - 6.0, f64::from(item.area.bottom()) + 6.0);
        a.max(b) > top && a.min(b) < bottom
    })
}
