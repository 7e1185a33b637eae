//! Which nodes run together: elementwise nodes over the same number of elements, and the sums of their values, are one
//! pass over memory, as long as nothing outside has to run in between.

use crate::network::graph::{Graph, NodeId};
use std::collections::BTreeSet;

/// Nodes that run as one; in the order of the graph.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub members: Vec<NodeId>,
    /// Elementwise nodes and sums; otherwise one node of another primitive.
    pub fused: bool,
}

/// A sum's dimensions, those of one element left out and neighbours of a kind joined: `(size, whether it is summed)`.
pub(super) type Pattern = Vec<(usize, bool)>;

/// Members and values read by a unit together, at most: a block's values stay in the first-level cache.
pub(super) const MAXIMUM_VALUES: usize = 40;

pub(super) fn pattern(shape: &[usize], axes: &[usize]) -> Pattern {
    let mut pattern: Pattern = Vec::new();
    for (axis, size) in shape.iter().enumerate().filter(|(_, size)| **size != 1) {
        let summed = axes.contains(&axis);
        match pattern.last_mut() {
            Some((joined, kind)) if *kind == summed => *joined *= size,
            _ => pattern.push((*size, summed)),
        }
    }
    if pattern.is_empty() {
        pattern.push((1, true));
    }
    pattern
}

/// The node whose memory a view shows.
pub(super) fn root(graph: &Graph, mut node: NodeId) -> NodeId {
    while graph.node(node).primitive.is_view() {
        node = graph.node(node).inputs[0];
    }
    node
}

struct Group {
    members: Vec<NodeId>,
    elements: usize,
    sums: Option<Pattern>,
}

struct Fusion<'a> {
    graph: &'a Graph,
    groups: Vec<Group>,
    /// The group of each node, if it has one.
    group_of: Vec<Option<usize>>,
    /// Marks of the last search that came by, for nodes and groups.
    seen_node: Vec<usize>,
    seen_group: Vec<usize>,
    search: usize,
}

/// Divides the nodes that are asked for into units, in an order in which they can run.
pub(super) fn units(graph: &Graph, live: &[bool]) -> Vec<Unit> {
    let mut fusion = Fusion {
        graph,
        groups: Vec::new(),
        group_of: vec![None; graph.len()],
        seen_node: vec![0; graph.len()],
        seen_group: Vec::new(),
        search: 0,
    };
    let computed = |id: NodeId| {
        let node = graph.node(id);
        live[id.0] && node.constant.is_none() && node.primitive.input_name().is_none() && !node.primitive.is_view()
    };
    for id in (0..graph.len()).map(NodeId).filter(|id| computed(*id)) {
        let primitive = &graph.node(id).primitive;
        if primitive.elementwise().is_some() || primitive.summed_axes().is_some() {
            fusion.place(id);
        }
    }
    let mut units: Vec<Unit> = Vec::new();
    let mut unit_of: Vec<Option<usize>> = vec![None; graph.len()];
    for mut group in fusion.groups.into_iter().filter(|group| !group.members.is_empty()) {
        group.members.sort_unstable();
        group.members.iter().for_each(|member| unit_of[member.0] = Some(units.len()));
        units.push(Unit { members: group.members, fused: true });
    }
    for id in (0..graph.len()).map(NodeId).filter(|id| computed(*id)) {
        if unit_of[id.0].is_none() {
            unit_of[id.0] = Some(units.len());
            units.push(Unit { members: vec![id], fused: false });
        }
    }
    in_order(graph, &units, &unit_of)
}

/// Orders units so that each runs after what it reads, otherwise as the graph was written.
fn in_order(graph: &Graph, units: &[Unit], unit_of: &[Option<usize>]) -> Vec<Unit> {
    let mut waiting_for = vec![0; units.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (index, unit) in units.iter().enumerate() {
        let inputs = unit.members.iter().flat_map(|member| &graph.node(*member).inputs);
        let sources: BTreeSet<usize> = inputs.filter_map(|input| unit_of[root(graph, *input).0]).collect();
        for source in sources.into_iter().filter(|source| *source != index) {
            readers[source].push(index);
            waiting_for[index] += 1;
        }
    }
    let ready = (0..units.len()).filter(|index| waiting_for[*index] == 0);
    let mut ready: BTreeSet<(NodeId, usize)> = ready.map(|index| (units[index].members[0], index)).collect();
    let mut ordered = Vec::with_capacity(units.len());
    while let Some((_, index)) = ready.pop_first() {
        for reader in &readers[index] {
            waiting_for[*reader] -= 1;
            if waiting_for[*reader] == 0 {
                ready.insert((units[*reader].members[0], *reader));
            }
        }
        ordered.push(units[index].clone());
    }
    assert_eq!(ordered.len(), units.len(), "units that wait for one another");
    ordered
}

impl Fusion<'_> {
    /// Puts a node into a group of its own, then joins it with those of its inputs as far as they fit.
    fn place(&mut self, id: NodeId) {
        let node = self.graph.node(id);
        let (elements, sums) = match node.primitive.summed_axes() {
            Some(axes) => {
                let input = node.inputs[0];
                (self.graph.elements(input), Some(pattern(self.graph.shape(input), axes)))
            }
            None => (self.graph.elements(id), None),
        };
        let own = self.groups.len();
        self.groups.push(Group { members: vec![id], elements, sums });
        self.seen_group.push(0);
        self.group_of[id.0] = Some(own);
        let mut inputs: Vec<NodeId> = node.inputs.iter().map(|input| root(self.graph, *input)).collect();
        inputs.sort_unstable();
        for input in inputs.into_iter().rev() {
            if let Some(other) = self.group_of[input.0].filter(|other| *other != own)
                && self.fits(own, other)
            {
                self.join(own, other);
            }
        }
    }

    fn fits(&mut self, own: usize, other: usize) -> bool {
        let (a, b) = (&self.groups[own], &self.groups[other]);
        if a.elements != b.elements || !(a.sums.is_none() || b.sums.is_none() || a.sums == b.sums) {
            return false;
        }
        if self.values(own, other) > MAXIMUM_VALUES {
            return false;
        }
        !self.waits_for(own, other) && !self.waits_for(other, own)
    }

    /// How many values the two together read and make. One that is repeated counts for each shape that it is repeated to.
    fn values(&self, own: usize, other: usize) -> usize {
        let mut values: BTreeSet<(NodeId, &[usize])> = BTreeSet::new();
        for member in self.groups[own].members.iter().chain(&self.groups[other].members) {
            values.insert((*member, &[]));
            for input in &self.graph.node(*member).inputs {
                let repeated = self.graph.elements(*input) != self.groups[own].elements;
                values.insert((root(self.graph, *input), if repeated { self.graph.shape(*member) } else { &[] }));
            }
        }
        values.len()
    }

    /// Whether group `own` can only run after `other` is complete: it reads a sum of it, or something in between does.
    fn waits_for(&mut self, own: usize, other: usize) -> bool {
        self.search += 1;
        let mut open: Vec<NodeId> = Vec::new();
        for member in &self.groups[own].members {
            for input in &self.graph.node(*member).inputs {
                let input = root(self.graph, *input);
                match self.group_of[input.0] {
                    Some(group) if group == own => {}
                    Some(group) if group == other => {
                        if self.graph.node(input).primitive.summed_axes().is_some() {
                            return true;
                        }
                    }
                    _ => open.push(input),
                }
            }
        }
        while let Some(node) = open.pop() {
            match self.group_of[node.0] {
                Some(group) if group == other => return true,
                Some(group) if self.seen_group[group] == self.search => {}
                Some(group) => {
                    self.seen_group[group] = self.search;
                    let members = &self.groups[group].members;
                    open.extend(members.iter().flat_map(|member| &self.graph.node(*member).inputs).map(|x| root(self.graph, *x)));
                }
                None if self.seen_node[node.0] == self.search => {}
                None => {
                    self.seen_node[node.0] = self.search;
                    open.extend(self.graph.node(node).inputs.iter().map(|x| root(self.graph, *x)));
                }
            }
        }
        false
    }

    fn join(&mut self, own: usize, other: usize) {
        let group = std::mem::replace(&mut self.groups[other], Group { members: Vec::new(), elements: 0, sums: None });
        for member in &group.members {
            self.group_of[member.0] = Some(own);
        }
        self.groups[own].members.extend(group.members);
        self.groups[own].sums = self.groups[own].sums.take().or(group.sums);
    }
}
