//! The place of every value: how long each lives, which may share memory, and the instructions of each fused unit.

use super::chain::{Chain, Fill, Instruction, Operation, REGISTERS, SLOTS, Slot, Source, Step, SumRows, has_avx2};
use super::fusion::{Unit, pattern, root};
use super::memory::{Allocator, Place};
use super::recomputation::elements;
use crate::network::graph::{Graph, NodeId};
use crate::network::primitives::Elementwise;
use std::collections::{BTreeMap, BTreeSet};

/// Decides for a list of units where each value lives.
pub(super) struct Plan {
    places: BTreeMap<NodeId, Place>,
    /// Values that take the place of one that their unit reads for the last time.
    in_place: BTreeSet<NodeId>,
    /// Elements of the arena.
    pub size: usize,
    /// The place of each output.
    pub outputs: Vec<usize>,
    /// Constants that are read as tensors: place, length, value.
    pub constants: Vec<(usize, usize, f64)>,
}

impl Plan {
    pub fn new(graph: &Graph, units: &[Unit], fed: &[(NodeId, String)], outputs: &[NodeId]) -> Self {
        let mut places: BTreeMap<NodeId, Place> =
            fed.iter().enumerate().map(|(index, (id, _))| (*id, Place::Fed(index))).collect();
        // The last unit that reads a value; only values read outside their own unit, and sums, need memory.
        let mut last: BTreeMap<NodeId, usize> = BTreeMap::new();
        let mut constants: BTreeSet<NodeId> = BTreeSet::new();
        for (index, unit) in units.iter().enumerate() {
            for member in &unit.members {
                for input in &graph.node(*member).inputs {
                    let input = root(graph, *input);
                    if graph.constant_value(input).is_some() {
                        if !unit.fused {
                            constants.insert(input);
                        }
                    } else if unit.members.binary_search(&input).is_err() {
                        last.insert(input, index);
                    }
                }
                if graph.node(*member).primitive.summed_axes().is_some() {
                    last.entry(*member).or_insert(index);
                }
            }
        }
        for output in outputs {
            let output = root(graph, *output);
            match graph.constant_value(output) {
                Some(_) => {
                    constants.insert(output);
                }
                None => {
                    last.insert(output, usize::MAX);
                }
            }
        }

        let mut allocator = Allocator::default();
        let mut filled = Vec::new();
        for id in constants {
            let start = allocator.take(graph.elements(id));
            places.insert(id, Place::Arena(start));
            filled.push((start, graph.elements(id), graph.constant_value(id).unwrap_or(0.0)));
        }
        let mut copies: BTreeMap<NodeId, usize> = BTreeMap::new();
        for output in outputs.iter().map(|output| root(graph, *output)) {
            if let Some(Place::Fed(_)) = places.get(&output) {
                copies.entry(output).or_insert_with(|| allocator.take(graph.elements(output)));
            }
        }
        let mut dying: Vec<Vec<NodeId>> = vec![Vec::new(); units.len()];
        for (id, unit) in last.iter().filter(|(_, unit)| **unit != usize::MAX) {
            dying[*unit].push(*id);
        }
        let mut in_place = BTreeSet::new();
        for (index, unit) in units.iter().enumerate() {
            let mut free: Vec<NodeId> = if unit.fused { inheritable(graph, unit, &dying[index], &places) } else { Vec::new() };
            let mut inherited = BTreeSet::new();
            for member in unit.members.iter().filter(|member| last.contains_key(member)) {
                let elementwise = graph.node(*member).primitive.elementwise().is_some();
                let heir = free.iter().position(|_| unit.fused && elementwise);
                let place = match heir {
                    Some(position) => {
                        let from = free.remove(position);
                        inherited.insert(from);
                        in_place.insert(*member);
                        places[&from]
                    }
                    None => Place::Arena(allocator.take(graph.elements(*member))),
                };
                places.insert(*member, place);
            }
            for id in dying[index].iter().filter(|id| !inherited.contains(id)) {
                if let Some(Place::Arena(start)) = places.get(id) {
                    allocator.give_back(*start, graph.elements(*id));
                }
            }
        }
        let outputs = outputs.iter().map(|output| {
            let output = root(graph, *output);
            match (copies.get(&output), places.get(&output)) {
                (Some(start), _) | (None, Some(Place::Arena(start))) => *start,
                (None, other) => unreachable!("an output at {other:?}"),
            }
        });
        let outputs = outputs.collect();
        Self { places, in_place, size: allocator.size(), outputs, constants: filled }
    }

    /// Where a value (a root, not a view) lives.
    pub fn place(&self, id: NodeId) -> Place {
        match self.places.get(&id) {
            Some(place) => *place,
            None => unreachable!("node {id:?} was given no memory"),
        }
    }

    /// Where a value lives, if it is kept in memory at all.
    pub fn kept(&self, id: NodeId) -> Option<Place> {
        self.places.get(&id).copied()
    }

    /// Whether a value takes the place of one that its unit reads for the last time.
    pub fn is_in_place(&self, id: NodeId) -> bool {
        self.in_place.contains(&id)
    }

    pub fn arena_place(&self, id: NodeId) -> usize {
        match self.place(id) {
            Place::Arena(start) => start,
            Place::Fed(_) => unreachable!("node {id:?} is written to the caller's memory"),
        }
    }

    /// The instructions of a fused unit.
    pub fn chain(&self, graph: &Graph, unit: &Unit) -> Chain {
        let mut compiler = ChainCompiler {
            plan: self,
            graph,
            elements: elements(graph, unit),
            sources: Vec::new(),
            constants: Vec::new(),
            steps: Vec::new(),
            slots: BTreeMap::new(),
            members: unit.members.iter().copied().collect(),
        };
        let mut stores = Vec::new();
        let mut sums = Vec::new();
        let mut sum_pattern = Vec::new();
        for member in &unit.members {
            let node = graph.node(*member);
            let shape = &node.shape;
            let operation = match node.primitive.elementwise() {
                Some(Elementwise::Unary(function)) => Operation::Unary(function, compiler.operand(node.inputs[0], shape)),
                Some(Elementwise::Binary(function)) => {
                    let (a, b) = (compiler.operand(node.inputs[0], shape), compiler.operand(node.inputs[1], shape));
                    Operation::Binary(function, a, b)
                }
                Some(Elementwise::Select) => {
                    let [condition, a, b] = [0, 1, 2].map(|index| compiler.operand(node.inputs[index], shape));
                    Operation::Select(condition, a, b)
                }
                Some(Elementwise::Broadcast) => Operation::Copy(compiler.operand(node.inputs[0], shape)),
                None => {
                    let from = graph.shape(node.inputs[0]);
                    let slot = compiler.operand(node.inputs[0], from);
                    sums.push((slot, self.arena_place(*member)));
                    sum_pattern = pattern(from, node.primitive.summed_axes().unwrap_or(&[]));
                    continue;
                }
            };
            let stored = self.places.contains_key(member);
            // A repeated operand is in a register already; nothing is left to do unless it is wanted in memory.
            if let (Operation::Copy(slot), false) = (operation, stored) {
                compiler.slots.insert((*member, Vec::new()), slot);
                continue;
            }
            let source = match stored && !self.in_place.contains(member) {
                true => Source::Written(self.arena_place(*member)),
                false => Source::Register(usize::MAX),
            };
            let output = compiler.slot(source);
            if self.in_place.contains(member) {
                stores.push((output, self.arena_place(*member)));
            }
            compiler.slots.insert((*member, Vec::new()), output);
            compiler.steps.push(Step::Run(Instruction { operation, output }));
        }
        let ChainCompiler { mut sources, constants, steps, elements, .. } = compiler;
        assert!(sources.len() <= SLOTS, "a chain of {} values", sources.len());
        assign_registers(&mut sources, &constants, &steps, &stores, &sums);
        let sum_rows = SumRows::new(&sum_pattern);
        Chain { elements, sources, constants, steps, stores, sums, pattern: sum_pattern, sum_rows, avx2: has_avx2() }
    }
}

/// The values in the arena that die in this unit and are read by it element by element only: a result may take their place.
fn inheritable(graph: &Graph, unit: &Unit, dying: &[NodeId], places: &BTreeMap<NodeId, Place>) -> Vec<NodeId> {
    let elements = elements(graph, unit);
    let mut free: Vec<NodeId> = dying.to_vec();
    free.retain(|id| {
        !unit.members.contains(id) && graph.elements(*id) == elements && matches!(places.get(id), Some(Place::Arena(_)))
    });
    free
}

struct ChainCompiler<'a> {
    plan: &'a Plan,
    graph: &'a Graph,
    elements: usize,
    sources: Vec<Source>,
    constants: Vec<(Fill, Slot)>,
    steps: Vec<Step>,
    /// Slots of values; a repeated one by the shape that it is repeated to.
    slots: BTreeMap<(NodeId, Vec<usize>), Slot>,
    members: BTreeSet<NodeId>,
}

impl ChainCompiler<'_> {
    fn slot(&mut self, source: Source) -> Slot {
        self.sources.push(source);
        self.sources.len() - 1
    }

    /// The slot of an input as an operand of a node of this shape.
    fn operand(&mut self, input: NodeId, shape: &[usize]) -> Slot {
        let graph = self.graph;
        let source = root(graph, input);
        let whole = graph.elements(input) == self.elements;
        let constant = graph.constant_value(source);
        let key = (source, if whole || constant.is_some() { Vec::new() } else { shape.to_vec() });
        if let Some(slot) = self.slots.get(&key) {
            return *slot;
        }
        let slot = if let Some(number) = constant {
            let slot = self.slot(Source::Register(usize::MAX));
            self.constants.push((Fill::Number(number), slot));
            slot
        } else if whole {
            assert!(!self.members.contains(&source), "a member that is read before it is computed");
            self.slot(Source::Read(self.plan.place(source)))
        } else {
            let slot = self.slot(Source::Register(usize::MAX));
            let place = self.plan.place(source);
            if graph.elements(input) == 1 {
                self.constants.push((Fill::Scalar(place), slot));
            } else {
                self.steps.push(Step::Fill(Fill::Repeated(place, repetition(graph.shape(input), shape)), slot));
            }
            slot
        };
        self.slots.insert(key, slot);
        slot
    }
}

/// How a value of one shape is repeated to another: `(size, stride)`, neighbours joined where they are one dimension.
fn repetition(from: &[usize], to: &[usize]) -> Vec<(usize, usize)> {
    let mut dimensions: Vec<(usize, usize)> = Vec::new();
    let mut stride = 1;
    for (from, to) in from.iter().zip(to).rev() {
        let step = if from == to { stride } else { 0 };
        stride *= from;
        if *to == 1 {
            continue;
        }
        match dimensions.last_mut() {
            Some((size, inner)) if step == *inner * *size => *size *= to,
            _ => dimensions.push((*to, step)),
        }
    }
    dimensions.reverse();
    dimensions
}

/// Numbers the registers: one that is read for the last time is free for the next instruction, not for the same one.
fn assign_registers(
    sources: &mut [Source],
    constants: &[(Fill, Slot)],
    steps: &[Step],
    stores: &[(Slot, usize)],
    sums: &[(Slot, usize)],
) {
    let mut last = vec![0; sources.len()];
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Fill(_, slot) => last[*slot] = index,
            Step::Run(Instruction { operation, output }) => {
                last[*output] = index;
                let operands: &[Slot] = match operation {
                    Operation::Unary(_, a) | Operation::Copy(a) => &[*a],
                    Operation::Binary(_, a, b) => &[*a, *b],
                    Operation::Select(condition, a, b) => &[*condition, *a, *b],
                };
                operands.iter().for_each(|slot| last[*slot] = index);
            }
        }
    }
    let to_the_end = stores.iter().chain(sums).map(|(slot, _)| *slot).chain(constants.iter().map(|(_, slot)| *slot));
    to_the_end.for_each(|slot| last[slot] = usize::MAX);
    let mut free: Vec<usize> = (0..REGISTERS).rev().collect();
    let assign = |sources: &mut [Source], free: &mut Vec<usize>, slot: Slot| {
        if let Source::Register(number) = &mut sources[slot] {
            *number = match free.pop() {
                Some(register) => register,
                None => unreachable!("a chain with more than {REGISTERS} values at a time"),
            };
        }
    };
    for (_, slot) in constants {
        assign(sources, &mut free, *slot);
    }
    for (index, step) in steps.iter().enumerate() {
        let (Step::Fill(_, slot) | Step::Run(Instruction { output: slot, .. })) = step;
        assign(sources, &mut free, *slot);
        for (slot, source) in sources.iter().enumerate() {
            if let Source::Register(number) = source
                && last[slot] == index
                && *number != usize::MAX
            {
                free.push(*number);
            }
        }
    }
}
