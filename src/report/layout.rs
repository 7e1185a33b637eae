//! Where the cards of a layered drawing stand and how its edges run (after Sugiyama, Tagawa and Toda 1981): layers by the
//! longest way from a source, an order within each layer that keeps crossings few, then heights that keep edges straight.

#![expect(clippy::indexing_slicing, reason = "all indices are positions in lists made here; none comes from the input")]

/// A card's size.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub width: f64,
    pub height: f64,
}

/// An edge, with the heights below the cards' tops at which it leaves and arrives.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub leaves: f64,
    pub arrives: f64,
}

/// The finished drawing's measures.
#[derive(Clone, Debug)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    /// The upper left corner of every node.
    pub positions: Vec<(f64, f64)>,
    /// The points through which every edge runs.
    pub routes: Vec<Vec<(f64, f64)>>,
}

const BETWEEN_LAYERS: f64 = 58.0;
const BETWEEN_CARDS: f64 = 22.0;
const MARGIN: f64 = 6.0;
/// Room for an edge that passes a layer.
const LANE: f64 = 6.0;
/// Passes over all layers in search of heights; the first half looks to one side at a time.
const SWEEPS: usize = 120;
/// More edges than this are not sorted against crossings: nobody follows so many by eye.
const MOST_SORTED: usize = 600;

/// A card, or the place where an edge passes a layer.
#[derive(Clone, Copy)]
struct Item {
    layer: usize,
    size: Node,
    /// How much its neighbours' pull counts: passing edges would rather be straight.
    weight: f64,
}

/// A stretch of an edge from an item to an item of the next layer, with heights below their tops.
#[derive(Clone, Copy)]
struct Link {
    from: usize,
    to: usize,
    leaves: f64,
    arrives: f64,
}

impl Layout {
    /// Edges that name no node or lead backwards (there are none in a checked file) are drawn straight.
    pub fn of(nodes: &[Node], edges: &[Edge]) -> Layout {
        let layers = layers(nodes.len(), edges);
        let mut items: Vec<Item> =
            nodes.iter().zip(&layers).map(|(size, layer)| Item { layer: *layer, size: *size, weight: 1.0 }).collect();
        let mut links = Vec::new();
        // The items through which each edge runs.
        let mut ways: Vec<Vec<usize>> = Vec::new();
        for edge in edges {
            let (Some(first), Some(last)) = (layers.get(edge.from), layers.get(edge.to)) else {
                ways.push(Vec::new());
                continue;
            };
            let mut way = vec![edge.from];
            for layer in first + 1..*last {
                way.push(items.len());
                items.push(Item { layer, size: Node { width: 0.0, height: LANE }, weight: 3.0 });
            }
            way.push(edge.to);
            for (index, pair) in way.windows(2).enumerate() {
                let (from, to) = (pair[0], pair[1]);
                let leaves = if index == 0 { edge.leaves } else { LANE / 2.0 };
                let arrives = if index + 2 == way.len() { edge.arrives } else { LANE / 2.0 };
                links.push(Link { from, to, leaves, arrives });
            }
            ways.push(way);
        }
        let count = layers.iter().max().map_or(0, |last| last + 1);
        let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (index, item) in items.iter().enumerate() {
            order[item.layer].push(index);
        }
        if links.len() <= MOST_SORTED {
            order = uncrossed(order, &items, &links);
        }
        let mut tops = heights(&order, &items, &links);
        for (edge, way) in edges.iter().zip(&ways) {
            straighten(way, edge, &order, &items, &mut tops);
        }
        Self::measured(nodes, edges, &items, &order, &tops, &ways)
    }

    fn measured(
        nodes: &[Node],
        edges: &[Edge],
        items: &[Item],
        order: &[Vec<usize>],
        tops: &[f64],
        ways: &[Vec<usize>],
    ) -> Layout {
        let widths: Vec<f64> =
            order.iter().map(|layer| layer.iter().map(|item| items[*item].size.width).fold(0.0, f64::max)).collect();
        let mut lefts = Vec::with_capacity(widths.len());
        let mut right = MARGIN;
        for width in &widths {
            lefts.push(right);
            right += width + BETWEEN_LAYERS;
        }
        let highest = tops.iter().copied().fold(f64::INFINITY, f64::min);
        let top = |item: usize| tops[item] - highest + MARGIN;
        let lowest = (0..items.len()).map(|item| top(item) + items[item].size.height).fold(0.0, f64::max);
        let positions: Vec<(f64, f64)> = (0..nodes.len()).map(|node| (lefts[items[node].layer], top(node))).collect();
        let routes = edges
            .iter()
            .zip(ways)
            .map(|(edge, way)| {
                let mut points = Vec::new();
                for (index, item) in way.iter().enumerate() {
                    let left = lefts[items[*item].layer];
                    if index == 0 {
                        points.push((left + items[*item].size.width, top(*item) + edge.leaves));
                    } else if index + 1 == way.len() {
                        points.push((left, top(*item) + edge.arrives));
                    } else {
                        let y = top(*item) + LANE / 2.0;
                        points.extend([(left, y), (left + widths[items[*item].layer], y)]);
                    }
                }
                points
            })
            .collect();
        Layout { width: (right - BETWEEN_LAYERS + MARGIN).max(0.0), height: lowest + MARGIN, positions, routes }
    }
}

/// The layer of each node: one behind the last of what it reads.
fn layers(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut layers = vec![0; nodes];
    for _ in 0..nodes {
        let mut moved = false;
        for edge in edges {
            let (Some(from), Some(to)) = (layers.get(edge.from).copied(), layers.get_mut(edge.to)) else { continue };
            if *to <= from && from + 1 < nodes {
                *to = from + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    layers
}

/// Orders every layer by the mean position of its neighbours, to and fro, and keeps the order with the fewest crossings.
fn uncrossed(mut order: Vec<Vec<usize>>, items: &[Item], links: &[Link]) -> Vec<Vec<usize>> {
    let mut best = (crossings(&order, items, links), order.clone());
    for sweep in 0..12 {
        let forward = sweep % 2 == 0;
        let count = order.len();
        for step in 1..count {
            let layer = if forward { step } else { count - 1 - step };
            let places = places(&order, items.len());
            let mut keyed: Vec<(f64, usize)> = order[layer]
                .iter()
                .map(|item| {
                    let neighbours: Vec<f64> = links
                        .iter()
                        .filter_map(|link| match forward {
                            true if link.to == *item => Some(places[link.from] + link.leaves / 1e4),
                            false if link.from == *item => Some(places[link.to] + link.arrives / 1e4),
                            _ => None,
                        })
                        .collect();
                    let mean = neighbours.iter().sum::<f64>() / neighbours.len() as f64;
                    (if neighbours.is_empty() { places[*item] } else { mean }, *item)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[layer] = keyed.into_iter().map(|(_, item)| item).collect();
        }
        let found = crossings(&order, items, links);
        if found < best.0 {
            best = (found, order.clone());
        }
    }
    best.1
}

/// The place of every item in its layer.
fn places(order: &[Vec<usize>], items: usize) -> Vec<f64> {
    let mut places = vec![0.0; items];
    for layer in order {
        for (place, item) in layer.iter().enumerate() {
            places[*item] = place as f64;
        }
    }
    places
}

/// Pairs of links between the same two layers that cross.
fn crossings(order: &[Vec<usize>], items: &[Item], links: &[Link]) -> usize {
    let places = places(order, items.len());
    let mut count = 0;
    for (index, a) in links.iter().enumerate() {
        for b in &links[index + 1..] {
            if items[a.from].layer == items[b.from].layer {
                let start = places[a.from] - places[b.from];
                let end = (places[a.to] - places[b.to]) * 1e4 + (a.arrives - b.arrives) * f64::from(u8::from(a.to == b.to));
                count += usize::from(start * end < 0.0);
            }
        }
    }
    count
}

/// The top of every item: near where its edges would be straight, in the layer's order, with room between.
fn heights(order: &[Vec<usize>], items: &[Item], links: &[Link]) -> Vec<f64> {
    let mut tops = vec![0.0; items.len()];
    for layer in order {
        let mut top = 0.0;
        for item in layer {
            tops[*item] = top;
            top += items[*item].size.height + BETWEEN_CARDS;
        }
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        for step in 0..order.len() {
            let layer = if forward { &order[step] } else { &order[order.len() - 1 - step] };
            let wanted: Vec<(f64, f64)> = layer
                .iter()
                .map(|item| {
                    let (mut sum, mut weights) = (0.0, 0.0);
                    for link in links {
                        let weight = items[link.from].weight * items[link.to].weight;
                        if link.to == *item && (forward || sweep > SWEEPS / 2) {
                            sum += weight * (tops[link.from] + link.leaves - link.arrives);
                            weights += weight;
                        }
                        if link.from == *item && (!forward || sweep > SWEEPS / 2) {
                            sum += weight * (tops[link.to] + link.arrives - link.leaves);
                            weights += weight;
                        }
                    }
                    (if weights > 0.0 { sum / weights } else { tops[*item] }, weights.max(1.0))
                })
                .collect();
            let sizes: Vec<f64> = layer.iter().map(|item| items[*item].size.height).collect();
            for (item, top) in layer.iter().zip(spaced(&wanted, &sizes)) {
                tops[*item] = top;
            }
        }
    }
    tops
}

/// Lets an edge pass all layers between its ends at one height, where their cards leave room for it: the height at which it
/// arrives, or the nearest to it that is free.
fn straighten(way: &[usize], edge: &Edge, order: &[Vec<usize>], items: &[Item], tops: &mut [f64]) {
    let [_, passed @ .., last] = way else { return };
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for item in passed {
        let layer = &order[items[*item].layer];
        let place = layer.iter().position(|other| other == item).unwrap_or(0);
        if let Some(above) = place.checked_sub(1).map(|above| layer[above]) {
            low = low.max(tops[above] + items[above].size.height + BETWEEN_CARDS / 2.0);
        }
        if let Some(below) = layer.get(place + 1) {
            high = high.min(tops[*below] - LANE - BETWEEN_CARDS / 2.0);
        }
    }
    if low <= high {
        let wanted = tops[*last] + edge.arrives - LANE / 2.0;
        for item in passed {
            tops[*item] = wanted.clamp(low, high);
        }
    }
}

/// The tops nearest to the wanted ones (weighted least squares) that keep order and room: isotonic regression by pooling
/// adjacent violators.
fn spaced(wanted: &[(f64, f64)], sizes: &[f64]) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(sizes.len());
    let mut offset = 0.0;
    for size in sizes {
        offsets.push(offset);
        offset += size + BETWEEN_CARDS;
    }
    // Blocks of (mean, weight, items).
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((top, weight), offset) in wanted.iter().zip(&offsets) {
        let mut block = (top - offset, *weight, 1);
        while let Some(before) = blocks.last().copied().filter(|before| before.0 > block.0) {
            blocks.pop();
            let weight = before.1 + block.1;
            block = ((before.0 * before.1 + block.0 * block.1) / weight, weight, before.2 + block.2);
        }
        blocks.push(block);
    }
    let means = blocks.into_iter().flat_map(|(mean, _, count)| std::iter::repeat_n(mean, count));
    means.zip(&offsets).map(|(mean, offset)| mean + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: usize, to: usize) -> Edge {
        Edge { from, to, leaves: 20.0, arrives: 50.0 }
    }

    fn overlap(layout: &Layout, nodes: &[Node]) -> bool {
        let boxes: Vec<_> = layout.positions.iter().zip(nodes).collect();
        boxes.iter().enumerate().any(|(index, ((ax, ay), a))| {
            boxes[index + 1..].iter().any(|((bx, by), b)| {
                ax < &(bx + b.width) && bx < &(ax + a.width) && ay < &(by + b.height) && by < &(ay + a.height)
            })
        })
    }

    #[test]
    fn cards_do_not_overlap_and_edges_run_to_the_right() {
        let nodes = vec![Node { width: 100.0, height: 60.0 }; 9];
        let edges: Vec<Edge> = [(0, 1), (0, 2), (1, 2), (0, 3), (2, 4), (3, 5), (4, 5), (0, 5), (5, 6), (5, 7), (0, 8)]
            .map(|(from, to)| edge(from, to))
            .to_vec();
        let layout = Layout::of(&nodes, &edges);
        assert!(!overlap(&layout, &nodes), "{layout:?}");
        for route in &layout.routes {
            assert!(route.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{route:?}");
        }
        for ((x, y), node) in layout.positions.iter().zip(&nodes) {
            assert!(*x >= 0.0 && *y >= 0.0 && x + node.width <= layout.width && y + node.height <= layout.height);
        }
    }

    #[test]
    fn crossings_that_can_be_undone_are_undone() {
        let nodes = vec![Node { width: 10.0, height: 10.0 }; 4];
        let layout = Layout::of(&nodes, &[edge(0, 3), edge(1, 2)]);
        let y = |node: usize| layout.positions[node].1;
        assert_eq!(y(0) < y(1), y(3) < y(2));
    }

    #[test]
    fn nothing_and_circles_are_drawn_all_the_same() {
        assert_eq!(Layout::of(&[], &[]).positions.len(), 0);
        let nodes = vec![Node { width: 10.0, height: 10.0 }; 2];
        assert_eq!(Layout::of(&nodes, &[edge(0, 1), edge(1, 0), edge(5, 0)]).positions.len(), 2);
    }
}
