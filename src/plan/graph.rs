//! Which step needs which.

use crate::diagnostic::Diagnostic;
use crate::language::Program;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// The steps of a program, by their index in it, with an edge from each step to those that read it.
#[derive(Clone, Debug)]
pub struct Plan {
    graph: DiGraph<usize, ()>,
    order: Vec<usize>,
}

impl Plan {
    /// E0612 where steps wait for each other or refer to one that is not there: the check of the language forbids both.
    pub fn new(program: &Program) -> Result<Self, Diagnostic> {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..program.steps.len()).map(|step| graph.add_node(step)).collect();
        let by_name: BTreeMap<&str, NodeIndex> =
            program.steps.iter().map(|step| step.name.as_str()).zip(nodes.iter().copied()).collect();
        for (step, node) in program.steps.iter().zip(&nodes) {
            let mut reads = BTreeSet::new();
            for (field, reference) in step.references() {
                let Some(read) = by_name.get(reference.step.as_str()) else {
                    let message =
                        format!("`{}.{field}` refers to `{}`, which is no step of this file", step.name, reference.step);
                    return Err(Diagnostic::error("E0612", message).label(step.span, "in this block"));
                };
                reads.insert(*read);
            }
            for read in reads {
                graph.add_edge(read, *node, ());
            }
        }
        let mut plan = Self { graph, order: Vec::new() };
        plan.order = plan.sorted();
        let ordered: BTreeSet<usize> = plan.order.iter().copied().collect();
        if let Some(step) = (0..program.steps.len()).find(|step| !ordered.contains(step)).and_then(|at| program.steps.get(at)) {
            let message = format!("`{}` waits for itself, by way of the blocks that it reads", step.name);
            return Err(Diagnostic::error("E0612", message).label(step.span, "in this block"));
        }
        Ok(plan)
    }

    /// All steps so that each stands behind those that it needs, and otherwise as the file has them.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The steps that one reads, in the order of the file.
    pub fn needs(&self, step: usize) -> Vec<usize> {
        self.neighbours(step, Direction::Incoming)
    }

    /// The given steps and all that they need.
    pub fn with_needs(&self, steps: &[usize]) -> BTreeSet<usize> {
        let mut wanted = BTreeSet::new();
        let mut open = steps.to_vec();
        while let Some(step) = open.pop() {
            if wanted.insert(step) {
                open.extend(self.needs(step));
            }
        }
        wanted
    }

    fn neighbours(&self, step: usize, direction: Direction) -> Vec<usize> {
        let mut found: Vec<usize> =
            self.graph.neighbors_directed(NodeIndex::new(step), direction).map(|node| node.index()).collect();
        found.sort_unstable();
        found
    }

    /// The first of the ready steps at a time, so that the order is the file's wherever it can be. Steps on a cycle stay out.
    fn sorted(&self) -> Vec<usize> {
        let mut missing: Vec<usize> = (0..self.graph.node_count()).map(|step| self.needs(step).len()).collect();
        let mut ready: BTreeSet<usize> = (0..missing.len()).filter(|step| missing.get(*step) == Some(&0)).collect();
        let mut order = Vec::new();
        while let Some(step) = ready.pop_first() {
            order.push(step);
            for reader in self.neighbours(step, Direction::Outgoing) {
                if let Some(missing) = missing.get_mut(reader) {
                    *missing -= 1;
                    if *missing == 0 {
                        ready.insert(reader);
                    }
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Role, Step, StepField, StepReference, Value};
    use crate::source::Span;

    fn step(name: &str, reads: &[&str]) -> Step {
        let references = reads.iter().map(|step| Value::Step(StepReference { step: (*step).into(), port: None })).collect();
        let field = StepField {
            name: "of".into(),
            role: Role::Identity,
            value: Value::List(references),
            span: Span::default(),
            is_default: false,
        };
        Step { name: name.into(), kind: "kind".into(), fields: vec![field], span: Span::default(), folder: Default::default() }
    }

    #[test]
    fn needs_come_first_and_the_order_is_the_files_otherwise() {
        let steps = vec![step("report", &["gap", "chest"]), step("gap", &["chest"]), step("chest", &[]), step("other", &[])];
        let plan = Plan::new(&Program { steps, ..Program::default() }).unwrap();
        assert_eq!(plan.order(), [2, 1, 0, 3]);
        assert_eq!(plan.with_needs(&[1]), BTreeSet::from([1, 2]));
        assert_eq!(plan.needs(0), [1, 2]);
    }

    #[test]
    fn a_cycle_and_an_unknown_step_are_diagnostics() {
        let steps = vec![step("a", &["b"]), step("b", &["a"])];
        assert_eq!(Plan::new(&Program { steps, ..Program::default() }).unwrap_err().code, "E0612");
        let steps = vec![step("a", &["missing"])];
        assert_eq!(Plan::new(&Program { steps, ..Program::default() }).unwrap_err().code, "E0612");
    }
}
