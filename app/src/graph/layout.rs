//! Places the nodes of a graph: one column for each phase, in the order in which the
//! phases first appear. A pure function of the plan, so that server and browser agree
//! and a node never moves because of what it does.

use std::collections::BTreeMap;

use protocol::{EdgeAdded, EdgeKind, NodeAdded, NodeId};

/// Width of a card. All lengths are in units of the drawing; at scale 1 a unit is a pixel.
pub const CARD_WIDTH: i32 = 216;
/// Height of a card.
pub const CARD_HEIGHT: i32 = 72;

const ROW_GAP: i32 = 34;
const PHASE_GAP: i32 = 38;
/// Between the columns that one phase is wrapped into.
const WRAP_GAP: i32 = 28;
/// Cards below one another before a phase is wrapped.
const ROWS: usize = 6;
/// From a phase's name to its first card.
const LABEL_DROP: i32 = 14;
const LABEL_HEIGHT: i32 = 28;
/// Between two edges that join the same cards in both directions.
const PAIR_GAP: i32 = 16;
/// Between the lowest card and the edges that pass below it.
const LANE_DROP: i32 = 26;
const LANE_GAP: i32 = 12;

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The left upper corner of every node's card, in the order of the nodes.
    pub cards: Vec<Point>,
    /// The phases' names.
    pub phases: Vec<Phase>,
    /// The edges, in their order; one that joins unknown nodes is left out.
    pub wires: Vec<Wire>,
    /// Width of the whole.
    pub width: i32,
    /// Height of the whole.
    pub height: i32,
}

/// A place in the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Downwards.
    pub y: i32,
}

/// The name above a phase's cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// The phase.
    pub name: String,
    /// The left end of its base line.
    pub at: Point,
}

/// An edge as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Index of the edge.
    pub edge: usize,
    /// The line, as SVG path data.
    pub line: String,
    /// Its head, as SVG path data.
    pub head: String,
}

/// The side on which to look for the next card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Smaller x.
    Left,
    /// Larger x.
    Right,
    /// Smaller y.
    Up,
    /// Larger y.
    Down,
}

impl Layout {
    /// Places nodes and edges.
    pub fn new(nodes: &[&NodeAdded], edges: &[&EdgeAdded]) -> Self {
        let index: BTreeMap<&NodeId, usize> =
            nodes.iter().enumerate().map(|(position, node)| (&node.id, position)).collect();
        let columns = columns(nodes, edges, &index);
        let tallest = columns.iter().map(|column| column.rows()).max().unwrap_or(0);
        let body = stack_height(tallest);

        let mut layout = Self { cards: vec![Point::default(); nodes.len()], ..Self::default() };
        let mut x = 0;
        for column in &columns {
            let top = LABEL_HEIGHT + (body - stack_height(column.rows())) / 2;
            layout.phases.push(Phase { name: column.phase.to_owned(), at: Point { x, y: top - LABEL_DROP } });
            for (wrapped, chunk) in column.chunks().enumerate() {
                let x = x + wrapped as i32 * (CARD_WIDTH + WRAP_GAP);
                for (row, node) in chunk.iter().enumerate() {
                    layout.cards[*node] = Point { x, y: top + row as i32 * (CARD_HEIGHT + ROW_GAP) };
                }
            }
            x += column.width() + PHASE_GAP;
        }
        layout.width = (x - PHASE_GAP).max(0);
        layout.height = LABEL_HEIGHT + body;
        layout.draw_wires(edges, &index);
        layout
    }

    /// The nearest card on one side of another.
    pub fn neighbour(&self, card: usize, side: Side) -> Option<usize> {
        let from = *self.cards.get(card)?;
        let distance = |to: Point| {
            let (right, down) = (to.x - from.x, to.y - from.y);
            // Off the axis counts double: straight ahead comes first.
            let (ahead, aside) = match side {
                Side::Right => (right, down),
                Side::Left => (-right, down),
                Side::Down => (down, right),
                Side::Up => (-down, right),
            };
            (ahead > 0).then_some(ahead + 2 * aside.abs())
        };
        let others = self.cards.iter().enumerate();
        others.filter_map(|(other, at)| Some((distance(*at)?, other))).min().map(|(_, other)| other)
    }

    fn draw_wires(&mut self, edges: &[&EdgeAdded], index: &BTreeMap<&NodeId, usize>) {
        let mut lanes = 0;
        for (position, edge) in edges.iter().enumerate() {
            let (Some(from), Some(to)) = (index.get(&edge.from), index.get(&edge.to)) else { continue };
            let is_paired = edges.iter().any(|other| other.from == edge.to && other.to == edge.from);
            let (line, head) = self.route(self.cards[*from], self.cards[*to], is_paired, &mut lanes);
            self.wires.push(Wire { edge: position, line, head });
        }
        if lanes > 0 {
            self.height += LANE_DROP + (lanes - 1) * LANE_GAP + 4;
        }
    }

    fn route(&self, from: Point, to: Point, is_paired: bool, lanes: &mut i32) -> (String, String) {
        let step = CARD_HEIGHT + ROW_GAP;
        match (to.x - from.x, to.y - from.y) {
            (0, down) if down == step => below(from, to, is_paired),
            (0, up) if up == -step => above(from, to, is_paired),
            (0, down) if down > 0 => around(from, to, CARD_WIDTH, 1),
            (0, _) => around(from, to, 0, -1),
            (right, _) if right > 0 && !self.is_blocked(from, to) => across(from, to),
            (right, _) if right > 0 => {
                *lanes += 1;
                let floor = self.cards.iter().map(|card| card.y).max().unwrap_or(0) + CARD_HEIGHT;
                underneath(from, to, floor + LANE_DROP + (*lanes - 1) * LANE_GAP)
            }
            _ => back(from, to),
        }
    }

    /// Whether a card stands where the line between two cards would pass.
    fn is_blocked(&self, from: Point, to: Point) -> bool {
        let (start, end) = (f64::from(from.x + CARD_WIDTH), f64::from(to.x));
        let (high, low) = (f64::from(from.y + CARD_HEIGHT / 2), f64::from(to.y + CARD_HEIGHT / 2));
        self.cards.iter().any(|card| {
            let (left, right) = (f64::from(card.x), f64::from(card.x + CARD_WIDTH));
            if left < start || right > end {
                return false;
            }
            // The curve is steepest in the middle: its ends run level.
            let height_at = |x: f64| {
                let t = (x - start) / (end - start);
                high + (low - high) * t * t * (3.0 - 2.0 * t)
            };
            let (a, b) = (height_at(left), height_at(right));
            let top = f64::from(card.y) - 6.0;
            let bottom = f64::from(card.y + CARD_HEIGHT) + 6.0;
            a.max(b) > top && a.min(b) < bottom
        })
    }
}

/// The nodes of one phase, in the order in which they stand.
struct Column<'a> {
    phase: &'a str,
    nodes: Vec<usize>,
}

impl Column<'_> {
    /// Cards below one another. A wrapped phase is filled evenly.
    fn rows(&self) -> usize {
        let wraps = self.nodes.len().div_ceil(ROWS).max(1);
        self.nodes.len().div_ceil(wraps)
    }

    fn chunks(&self) -> impl Iterator<Item = &[usize]> {
        self.nodes.chunks(self.rows().max(1))
    }

    fn width(&self) -> i32 {
        let wraps = self.chunks().count().max(1) as i32;
        wraps * CARD_WIDTH + (wraps - 1) * WRAP_GAP
    }
}

fn columns<'a>(
    nodes: &[&'a NodeAdded],
    edges: &[&EdgeAdded],
    index: &BTreeMap<&NodeId, usize>,
) -> Vec<Column<'a>> {
    let mut columns: Vec<Column<'a>> = Vec::new();
    for (position, node) in nodes.iter().enumerate() {
        match columns.iter_mut().find(|column| column.phase == node.phase) {
            Some(column) => column.nodes.push(position),
            None => columns.push(Column { phase: &node.phase, nodes: vec![position] }),
        }
    }
    let forward: Vec<(usize, usize)> = edges
        .iter()
        .filter(|edge| edge.kind != EdgeKind::Loop)
        .filter_map(|edge| Some((*index.get(&edge.from)?, *index.get(&edge.to)?)))
        .collect();
    for column in &mut columns {
        column.nodes = chained(&column.nodes, &forward);
    }
    columns
}

/// The nodes of a phase with every chain in one piece and from its first to its last
/// node; apart from that in the order of the plan.
fn chained(nodes: &[usize], forward: &[(usize, usize)]) -> Vec<usize> {
    let mut order = Vec::with_capacity(nodes.len());
    let mut waiting: Vec<usize> = nodes.to_vec();
    let is_free = |node: usize, waiting: &[usize]| {
        !forward.iter().any(|(from, to)| *to == node && *from != node && waiting.contains(from))
    };
    while !waiting.is_empty() {
        // What follows the last one goes on its chain; else the next that waits for nobody.
        // In a circle without a loop edge there is none: then the first in the plan.
        let follows = |node: usize| {
            order.last().is_some_and(|last| forward.iter().any(|(from, to)| from == last && *to == node))
        };
        let next = waiting
            .iter()
            .position(|node| follows(*node) && is_free(*node, &waiting))
            .or_else(|| waiting.iter().position(|node| is_free(*node, &waiting)))
            .unwrap_or(0);
        order.push(waiting.remove(next));
    }
    order
}

fn stack_height(rows: usize) -> i32 {
    let rows = rows as i32;
    (rows * (CARD_HEIGHT + ROW_GAP) - ROW_GAP).max(0)
}

fn middle(card: Point) -> i32 {
    card.y + CARD_HEIGHT / 2
}

fn below(from: Point, to: Point, is_paired: bool) -> (String, String) {
    let x = from.x + CARD_WIDTH / 2 + if is_paired { PAIR_GAP } else { 0 };
    let (start, end) = (from.y + CARD_HEIGHT, to.y);
    (format!("M{x} {start}V{end}"), format!("M{} {}l4 6l4 -6", x - 4, end - 6))
}

fn above(from: Point, to: Point, is_paired: bool) -> (String, String) {
    let x = from.x + CARD_WIDTH / 2 - if is_paired { PAIR_GAP } else { 0 };
    let (start, end) = (from.y, to.y + CARD_HEIGHT);
    (format!("M{x} {start}V{end}"), format!("M{} {}l4 -6l4 6", x - 4, end + 6))
}

/// Past the cards between two of the same column, on the side where `direction` points.
fn around(from: Point, to: Point, edge: i32, direction: i32) -> (String, String) {
    let (x, start, end) = (from.x + edge, middle(from), middle(to));
    let bow = x + direction * 34;
    (
        format!("M{x} {start}C{bow} {start} {bow} {end} {x} {end}"),
        format!("M{} {}l{} 4l{} 4", x + direction * 6, end - 4, -direction * 6, direction * 6),
    )
}

fn across(from: Point, to: Point) -> (String, String) {
    let (start, end) = (from.x + CARD_WIDTH, to.x);
    let (high, low) = (middle(from), middle(to));
    let bend = ((end - start) / 2).max(16);
    (
        format!("M{start} {high}C{} {high} {} {low} {end} {low}", start + bend, end - bend),
        format!("M{} {}l6 4l-6 4", end - 6, low - 4),
    )
}

/// Below all cards, on a lane of its own.
fn underneath(from: Point, to: Point, lane: i32) -> (String, String) {
    let (start, end) = (from.x + CARD_WIDTH, to.x);
    let (high, low) = (middle(from), middle(to));
    let (down, up) = (start + PHASE_GAP / 2, end - PHASE_GAP / 2);
    (
        format!(
            "M{start} {high}C{down} {high} {start} {lane} {down} {lane}H{up}C{end} {lane} {up} {low} {end} {low}"
        ),
        format!("M{} {}l6 4l-6 4", end - 6, low - 4),
    )
}

/// To a column further left.
fn back(from: Point, to: Point) -> (String, String) {
    let (start, end) = (from.x, to.x + CARD_WIDTH);
    let (high, low) = (middle(from), middle(to));
    let bend = ((start - end) / 2).max(16);
    (
        format!("M{start} {high}C{} {high} {} {low} {end} {low}", start - bend, end + bend),
        format!("M{} {}l-6 4l6 4", end + 6, low - 4),
    )
}

#[cfg(test)]
mod tests {
    use protocol::NodeKind;

    use super::*;

    fn node(id: &str, phase: &str) -> NodeAdded {
        NodeAdded {
            id: id.parse().unwrap(),
            label: id.into(),
            role: "agent".into(),
            kind: NodeKind::Agent,
            phase: phase.into(),
            scope: None,
            owner: None,
            tier: None,
            planned_visits: 1,
        }
    }

    fn edge(from: &str, to: &str, kind: EdgeKind) -> EdgeAdded {
        EdgeAdded { from: from.parse().unwrap(), to: to.parse().unwrap(), kind, condition: None }
    }

    fn lay_out(nodes: &[NodeAdded], edges: &[EdgeAdded]) -> Layout {
        Layout::new(&nodes.iter().collect::<Vec<_>>(), &edges.iter().collect::<Vec<_>>())
    }

    fn overlapping(cards: &[Point]) -> Option<(usize, usize)> {
        let touches =
            |a: &Point, b: &Point| (a.x - b.x).abs() < CARD_WIDTH && (a.y - b.y).abs() < CARD_HEIGHT;
        (0..cards.len())
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .find(|(a, b)| touches(&cards[*a], &cards[*b]))
    }

    #[test]
    fn no_two_of_sixty_cards_overlap() {
        let phases = ["Scan", "Analysts", "Debate", "Plan", "Risk", "Decision"];
        for spread in [1, 2, 3, 6] {
            let nodes: Vec<_> =
                (0..60).map(|number| node(&format!("n{number}"), phases[number % spread])).collect();
            let edges: Vec<_> = (1..60)
                .map(|number| edge(&format!("n{}", number / 2), &format!("n{number}"), EdgeKind::Flow))
                .collect();
            let layout = lay_out(&nodes, &edges);
            assert_eq!(overlapping(&layout.cards), None, "{spread} phases");
            assert!(layout.cards.iter().all(|card| card.x >= 0
                && card.y >= 0
                && card.x + CARD_WIDTH <= layout.width
                && card.y + CARD_HEIGHT <= layout.height));
        }
    }

    #[test]
    fn phases_stand_side_by_side_in_order_of_first_appearance() {
        let layout = lay_out(&[node("a", "One"), node("b", "Two"), node("c", "One")], &[]);
        let names: Vec<_> = layout.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["One", "Two"]);
        assert_eq!(layout.cards[0].x, layout.cards[2].x);
        assert!(layout.cards[1].x > layout.cards[0].x + CARD_WIDTH);
        for (phase, first) in layout.phases.iter().zip([0, 1]) {
            assert!(phase.at.x == layout.cards[first].x && phase.at.y < layout.cards[first].y);
        }
    }

    #[test]
    fn a_chain_runs_downwards_whatever_the_order_of_the_plan() {
        let nodes = [node("c", "One"), node("x", "One"), node("a", "One"), node("b", "One")];
        let edges = [edge("a", "b", EdgeKind::Flow), edge("b", "c", EdgeKind::Conditional)];
        let cards = lay_out(&nodes, &edges).cards;
        let step = CARD_HEIGHT + ROW_GAP;
        assert_eq!(cards[3].y - cards[2].y, step, "b right below a");
        assert_eq!(cards[0].y - cards[3].y, step, "c right below b");
    }

    #[test]
    fn a_debate_is_drawn_in_both_directions_side_by_side() {
        let nodes = [node("bull", "Debate"), node("bear", "Debate")];
        let edges = [edge("bull", "bear", EdgeKind::Flow), edge("bear", "bull", EdgeKind::Loop)];
        let layout = lay_out(&nodes, &edges);
        assert_eq!(layout.cards[0].x, layout.cards[1].x);
        assert_eq!(layout.wires.len(), 2);
        assert_eq!(layout.wires[0].line, "M124 100V134");
        assert_eq!(layout.wires[1].line, "M92 134V100");
    }

    #[test]
    fn a_phase_of_seven_is_wrapped_and_one_of_six_is_not() {
        let many = |count: usize| -> Vec<_> { (0..count).map(|n| node(&format!("n{n}"), "One")).collect() };
        let columns = |layout: &Layout| {
            let mut columns: Vec<_> = layout.cards.iter().map(|card| card.x).collect();
            columns.dedup();
            columns.len()
        };
        assert_eq!(columns(&lay_out(&many(6), &[])), 1);
        assert_eq!(columns(&lay_out(&many(7), &[])), 2);
    }

    #[test]
    fn an_edge_to_a_node_that_is_not_there_is_left_out() {
        let layout = lay_out(&[node("a", "One")], &[edge("a", "gone", EdgeKind::Flow)]);
        assert!(layout.wires.is_empty());
    }

    #[test]
    fn an_edge_that_would_cross_a_card_passes_below() {
        let nodes = [node("a", "One"), node("b", "Two"), node("c", "Three")];
        let layout = lay_out(&nodes, &[edge("a", "c", EdgeKind::Conditional)]);
        assert!(layout.wires[0].line.contains('H'), "{}", layout.wires[0].line);
        assert!(layout.height > CARD_HEIGHT + LABEL_HEIGHT);
    }

    #[test]
    fn the_neighbour_is_the_nearest_card_on_that_side() {
        let layout = lay_out(&[node("a", "One"), node("b", "One"), node("c", "Two")], &[]);
        assert_eq!(layout.neighbour(0, Side::Down), Some(1));
        assert_eq!(layout.neighbour(1, Side::Up), Some(0));
        assert_eq!(layout.neighbour(0, Side::Right), Some(2));
        assert_eq!(layout.neighbour(0, Side::Left), None);
    }

    #[test]
    fn an_empty_graph_has_no_size() {
        let layout = lay_out(&[], &[]);
        assert_eq!(layout.width, 0);
        assert!(layout.cards.is_empty());
    }
}
