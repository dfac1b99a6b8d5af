//! Places the nodes of a graph: one column for each phase, in the order in which the
//! phases first appear; what is within an open group inside of the group's frame. A pure function of the plan and of
//! which groups are open, so that server and browser agree and a node never moves because of what it does.

mod level;

use std::collections::BTreeSet;

use protocol::{EdgeAdded, NodeAdded};

use self::level::{Level, Plan};
use super::{tree::Tree, wire};

/// Width of a card. All lengths are in units of the drawing; at scale 1 a unit is a pixel.
pub const CARD_WIDTH: i32 = 216;
/// Height of a card.
pub const CARD_HEIGHT: i32 = 72;
/// Height of what stands above the nodes in an open group.
pub const FRAME_HEAD: i32 = 40;
/// Between the edge of an open group and the nodes in it.
const FRAME_PADDING: i32 = 16;

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The nodes that are drawn as cards.
    pub cards: Vec<Card>,
    /// The groups that are open, each behind those that it is within.
    pub frames: Vec<Frame>,
    /// The phases' names.
    pub phases: Vec<Phase>,
    /// The lines. Edges within a group that is not open have none, nor has one that joins unknown nodes.
    pub wires: Vec<Wire>,
    /// Width of the whole.
    pub width: i32,
    /// Height of the whole.
    pub height: i32,
    /// Where each node is seen.
    seen: Vec<Option<Seen>>,
}

/// A place in the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Downwards.
    pub y: i32,
}

impl Point {
    fn moved(self, by: Point) -> Self {
        Self { x: self.x + by.x, y: self.y + by.y }
    }
}

/// A rectangle of the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Its left upper corner.
    pub at: Point,
    /// Its width.
    pub width: i32,
    /// Its height.
    pub height: i32,
}

impl Area {
    fn card(at: Point) -> Self {
        Self { at, width: CARD_WIDTH, height: CARD_HEIGHT }
    }

    /// Its right edge.
    pub fn right(&self) -> i32 {
        self.at.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> i32 {
        self.at.y + self.height
    }

    /// Where lines begin and end at its sides: in its middle, or, of a large one, at its head.
    pub(super) fn middle(&self) -> i32 {
        self.at.y + (self.height / 2).min(CARD_HEIGHT / 2)
    }

    /// The smallest area around it whose edges are at multiples of `step`.
    pub fn in_steps(&self, step: i32) -> Self {
        let (left, top) = (self.at.x.div_euclid(step) * step, self.at.y.div_euclid(step) * step);
        let up = |edge: i32| (edge.div_euclid(step) + 1) * step;
        Self {
            at: Point { x: left, y: top },
            width: up(self.right()) - left,
            height: up(self.bottom()) - top,
        }
    }

    /// Whether any of it is in another.
    pub fn meets(&self, other: &Self) -> bool {
        self.at.x <= other.right()
            && other.at.x <= self.right()
            && self.at.y <= other.bottom()
            && other.at.y <= self.bottom()
    }
}

/// A node that is drawn as a card; a group that is not open, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which node.
    pub node: usize,
    /// Its left upper corner.
    pub at: Point,
}

impl Card {
    /// What it covers.
    pub fn area(&self) -> Area {
        Area::card(self.at)
    }
}

/// An open group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which node.
    pub node: usize,
    /// What it covers.
    pub area: Area,
}

/// The name above a phase's cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// The phase.
    pub name: String,
    /// The left end of its base line.
    pub at: Point,
}

/// A line: an edge, or all edges between what two folded groups hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Indices of the edges; at least one.
    pub edges: Vec<usize>,
    /// What it covers, roughly.
    pub area: Area,
    /// The line, as SVG path data.
    pub line: String,
    /// Its head, as SVG path data.
    pub head: String,
}

impl Wire {
    /// The index of its first edge. No two lines have the same.
    pub fn first(&self) -> usize {
        self.edges.first().copied().unwrap_or_default()
    }
}

/// How a node is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// On this card: its own, or that of a group that it is within.
    Card(usize),
    /// As this frame.
    Frame(usize),
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
    /// Places nodes and edges, with these groups open.
    pub fn new(nodes: &[&NodeAdded], edges: &[&EdgeAdded], tree: &Tree, open: &BTreeSet<usize>) -> Self {
        let mut layout = Self { seen: vec![None; nodes.len()], ..Self::default() };
        let level = Plan::new(nodes, edges, tree, open).level(None);
        (layout.width, layout.height) = (level.width, level.height);
        layout.place(level, Point::default());
        layout.wires.sort_unstable_by_key(Wire::first);
        // What a folded group hides is seen on its card.
        for node in 0..tree.len() {
            if layout.seen[node].is_none() {
                layout.seen[node] = tree.around(node).find_map(|group| layout.seen[group]);
            }
        }
        layout
    }

    /// Puts a level, which was laid out for itself, where it belongs.
    fn place(&mut self, level: Level, corner: Point) {
        let Level { items, phases, wires, .. } = level;
        let areas: Vec<Area> =
            items.iter().map(|item| Area { at: item.area.at.moved(corner), ..item.area }).collect();
        self.phases.extend(phases.into_iter().map(|phase| Phase { at: phase.at.moved(corner), ..phase }));
        self.wires.extend(wires.into_iter().map(|wire| {
            let (from, to) = (areas[wire.from], areas[wire.to]);
            let route = wire.route.lowered(corner.y);
            let (line, head) = wire::draw(route, from, to);
            let (left, top) = (from.at.x.min(to.at.x), from.at.y.min(to.at.y));
            let (right, bottom) = (from.right().max(to.right()), from.bottom().max(to.bottom()));
            let area = Area {
                at: Point { x: left, y: top },
                width: right - left,
                height: route.lowest().max(bottom) - top,
            };
            Wire { edges: wire.edges, area, line, head }
        }));
        for (item, area) in items.into_iter().zip(areas) {
            match item.inner {
                Some(inner) => {
                    self.seen[item.node] = Some(Seen::Frame(self.frames.len()));
                    self.frames.push(Frame { node: item.node, area });
                    self.place(inner, area.at.moved(Point { x: FRAME_PADDING, y: FRAME_HEAD }));
                }
                None => {
                    self.seen[item.node] = Some(Seen::Card(self.cards.len()));
                    self.cards.push(Card { node: item.node, at: area.at });
                }
            }
        }
    }

    /// Where a node is seen; `None` if there is no such node.
    pub fn area_of(&self, node: usize) -> Option<Area> {
        match self.seen.get(node).copied().flatten()? {
            Seen::Card(card) => self.cards.get(card).map(Card::area),
            Seen::Frame(frame) => {
                let area = self.frames.get(frame)?.area;
                // Its head stands for all of it: the whole may be larger than what is looked at.
                Some(Area { height: area.height.min(CARD_HEIGHT), width: area.width.min(CARD_WIDTH), ..area })
            }
        }
    }

    /// The frame of a group, if it is open.
    pub fn frame_of(&self, node: usize) -> Option<Area> {
        match self.seen.get(node).copied().flatten()? {
            Seen::Frame(frame) => self.frames.get(frame).map(|frame| frame.area),
            Seen::Card(_) => None,
        }
    }

    /// The line of which this is the first edge.
    pub fn wire_of(&self, edge: usize) -> Option<&Wire> {
        let place = self.wires.binary_search_by_key(&edge, |wire| wire.first()).ok()?;
        self.wires.get(place)
    }

    /// The nearest node on one side of another; one that is within an open group, too.
    pub fn neighbour(&self, node: usize, side: Side) -> Option<usize> {
        let from = self.area_of(node)?.at;
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
        let cards = self.cards.iter().map(|card| (card.node, card.at));
        let others = cards.chain(self.frames.iter().map(|frame| (frame.node, frame.area.at)));
        others.filter_map(|(other, at)| Some((distance(at)?, other))).min().map(|(_, other)| other)
    }
}

#[cfg(test)]
mod tests {
    use protocol::{EdgeKind, NodeKind};

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
        lay_out_with(nodes, edges, &[])
    }

    fn lay_out_with(nodes: &[NodeAdded], edges: &[EdgeAdded], open: &[usize]) -> Layout {
        let nodes: Vec<_> = nodes.iter().collect();
        let (tree, open) = (Tree::new(&nodes), open.iter().copied().collect());
        Layout::new(&nodes, &edges.iter().collect::<Vec<_>>(), &tree, &open)
    }

    /// Where the cards stand, by node.
    fn places(layout: &Layout) -> Vec<Point> {
        (0..layout.seen.len()).filter_map(|node| Some(layout.area_of(node)?.at)).collect()
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
            assert_eq!(overlapping(&places(&layout)), None, "{spread} phases");
            assert!(layout.cards.iter().map(Card::area).all(|card| card.at.x >= 0
                && card.at.y >= 0
                && card.right() <= layout.width
                && card.bottom() <= layout.height));
        }
    }

    #[test]
    fn phases_stand_side_by_side_in_order_of_first_appearance() {
        let layout = lay_out(&[node("a", "One"), node("b", "Two"), node("c", "One")], &[]);
        let names: Vec<_> = layout.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["One", "Two"]);
        let cards = places(&layout);
        assert_eq!(cards[0].x, cards[2].x);
        assert!(cards[1].x > cards[0].x + CARD_WIDTH);
        for (phase, first) in layout.phases.iter().zip([0, 1]) {
            assert!(phase.at.x == cards[first].x && phase.at.y < cards[first].y);
        }
    }

    #[test]
    fn a_phase_that_appears_late_stands_where_work_passes_it() {
        let nodes =
            [node("scan", "Scan"), node("decide", "Decide"), node("a", "Analyse"), node("b", "Analyse")];
        let edges = [("scan", "decide"), ("scan", "a"), ("a", "decide"), ("scan", "b"), ("b", "decide")];
        let edges = edges.map(|(from, to)| edge(from, to, EdgeKind::Flow));
        let names = |layout: Layout| layout.phases.into_iter().map(|phase| phase.name).collect::<Vec<_>>();
        assert_eq!(names(lay_out(&nodes, &edges)), ["Scan", "Analyse", "Decide"]);
        // In a circle, the plan's order stands.
        let circle = [edge("scan", "decide", EdgeKind::Flow), edge("decide", "scan", EdgeKind::Conditional)];
        assert_eq!(names(lay_out(&nodes[..2], &circle)), ["Scan", "Decide"]);
    }

    #[test]
    fn a_chain_runs_downwards_whatever_the_order_of_the_plan() {
        let nodes = [node("c", "One"), node("x", "One"), node("a", "One"), node("b", "One")];
        let edges = [edge("a", "b", EdgeKind::Flow), edge("b", "c", EdgeKind::Conditional)];
        let cards = places(&lay_out(&nodes, &edges));
        let step = CARD_HEIGHT + 34;
        assert_eq!(cards[3].y - cards[2].y, step, "b right below a");
        assert_eq!(cards[0].y - cards[3].y, step, "c right below b");
    }

    #[test]
    fn a_debate_is_drawn_in_both_directions_side_by_side() {
        let nodes = [node("bull", "Debate"), node("bear", "Debate")];
        let edges = [edge("bull", "bear", EdgeKind::Flow), edge("bear", "bull", EdgeKind::Loop)];
        let layout = lay_out(&nodes, &edges);
        let cards = places(&layout);
        assert_eq!(cards[0].x, cards[1].x);
        assert_eq!(layout.wires.len(), 2);
        assert_eq!(layout.wires[0].line, "M124 100V134");
        assert_eq!(layout.wires[1].line, "M92 134V100");
    }

    #[test]
    fn a_phase_of_seven_is_wrapped_and_one_of_six_is_not() {
        let many = |count: usize| -> Vec<_> { (0..count).map(|n| node(&format!("n{n}"), "One")).collect() };
        let columns = |layout: &Layout| {
            let mut columns: Vec<_> = layout.cards.iter().map(|card| card.at.x).collect();
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
        assert!(layout.height > CARD_HEIGHT + 28);
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
    fn a_deep_graph_has_few_lines_below_it_however_many_edges_pass_cards() {
        let nodes: Vec<_> =
            (0..200).map(|number| node(&format!("n{number}"), &format!("P{number}"))).collect();
        let edges: Vec<_> = (0..190)
            .map(|number| edge(&format!("n{number}"), &format!("n{}", number + 10), EdgeKind::Conditional))
            .collect();
        let layout = lay_out(&nodes, &edges);
        assert_eq!(layout.wires.len(), 190);
        // Each phase is one card high: a band, and what is between two of them.
        let bands = layout.cards.iter().map(|card| card.at.y).collect::<BTreeSet<_>>().len() as i32;
        assert!(layout.height <= bands * (CARD_HEIGHT + 160), "{} for {bands} bands", layout.height);
        let ratio = f64::from(layout.width) / f64::from(layout.height);
        assert!((1.0..4.0).contains(&ratio), "{} × {}", layout.width, layout.height);
        assert_eq!(overlapping(&places(&layout)), None);
    }

    #[test]
    fn very_many_nodes_of_a_phase_are_about_as_wide_as_high() {
        let nodes: Vec<_> = (0..1_000).map(|number| node(&format!("n{number}"), "One")).collect();
        let layout = lay_out(&nodes, &[]);
        let ratio = f64::from(layout.width) / f64::from(layout.height);
        assert!((1.2..2.4).contains(&ratio), "{} × {}", layout.width, layout.height);
        assert_eq!(overlapping(&places(&layout)), None);
    }

    fn nested() -> (Vec<NodeAdded>, Vec<EdgeAdded>) {
        let nodes = ["plan", "report", "report/1", "report/2", "report/2/search", "end"];
        let edges =
            [("plan", "report"), ("report/1", "report/2"), ("report", "end"), ("report/2/search", "end")];
        let nodes = nodes.into_iter().enumerate().map(|(number, id)| node(id, &format!("P{number}")));
        (nodes.collect(), edges.map(|(from, to)| edge(from, to, EdgeKind::Flow)).into())
    }

    #[test]
    fn a_folded_group_is_one_card_and_stands_for_all_that_is_within_it() {
        let (nodes, edges) = nested();
        let layout = lay_out(&nodes, &edges);
        assert_eq!(layout.cards.iter().map(|card| card.node).collect::<Vec<_>>(), [0, 1, 5]);
        assert!(layout.frames.is_empty());
        assert_eq!(layout.area_of(4), layout.area_of(1));
        // What leads out of it is one line, whoever it comes from.
        assert_eq!(
            layout.wires.iter().map(|wire| wire.edges.clone()).collect::<Vec<_>>(),
            [vec![0], vec![2, 3]]
        );
    }

    #[test]
    fn an_open_group_has_its_nodes_in_its_frame() {
        let (nodes, edges) = nested();
        let layout = lay_out_with(&nodes, &edges, &[1, 3]);
        assert_eq!(layout.frames.iter().map(|frame| frame.node).collect::<Vec<_>>(), [1, 3]);
        let (outer, inner) = (layout.frames[0].area, layout.frames[1].area);
        let is_within = |inner: Area, outer: Area| {
            inner.at.x > outer.at.x
                && inner.at.y >= outer.at.y + FRAME_HEAD
                && inner.right() < outer.right()
                && inner.bottom() < outer.bottom()
        };
        let card = |node: usize| layout.cards.iter().find(|card| card.node == node).unwrap().area();
        assert!(is_within(inner, outer) && is_within(card(2), outer) && is_within(card(4), inner));
        assert!(card(0).right() < outer.at.x && outer.right() < card(5).at.x);
        // The edge within the group is drawn, too.
        assert_eq!(layout.wires.len(), 3);
    }

    #[test]
    fn an_empty_graph_has_no_size() {
        let layout = lay_out(&[], &[]);
        assert_eq!(layout.width, 0);
        assert!(layout.cards.is_empty());
    }
}
