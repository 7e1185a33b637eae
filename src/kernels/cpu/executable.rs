//! A graph made ready to run again and again: what is not needed is left out, the order and the place of every value are
//! decided once, elementwise chains are fused, and a run allocates nothing.

use super::chain::Chain;
use super::fusion::{Unit, root, units};
use super::memory::{Memory, Place, arena_length, arena_start};
use super::plan::Plan;
use super::recomputation::recompute;
use super::{Arguments, Call, Element};
use crate::network::graph::{Graph, NodeId};
use crate::network::primitives::Primitive;
use std::sync::Arc;

/// One thing to do in a run.
#[derive(Debug)]
enum Task {
    Chain(Chain),
    Kernel(KernelTask),
    /// A fed value that is asked for as an output.
    Copy {
        from: usize,
        to: usize,
        length: usize,
    },
}

#[derive(Debug)]
struct KernelTask {
    primitive: Arc<dyn Primitive>,
    inputs: Vec<(Place, usize)>,
    shapes: Vec<Vec<usize>>,
    output: (usize, usize),
    output_shape: Vec<usize>,
}

/// What is decided before any memory is taken.
pub(super) struct Planned {
    pub units: Vec<Unit>,
    pub fed: Vec<(NodeId, String)>,
    pub plan: Plan,
}

impl Planned {
    pub fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        let mut live = vec![false; graph.len()];
        outputs.iter().for_each(|output| live[output.0] = true);
        for index in (0..graph.len()).rev() {
            if live[index] {
                graph.node(NodeId(index)).inputs.iter().for_each(|input| live[input.0] = true);
            }
        }
        let fed = (0..graph.len()).map(NodeId).filter(|id| live[id.0]);
        let fed: Vec<(NodeId, String)> =
            fed.filter_map(|id| graph.node(id).primitive.input_name().map(|name| (id, name.to_owned()))).collect();
        let units = recompute(graph, units(graph, &live), outputs);
        let plan = Plan::new(graph, &units, &fed, outputs);
        Self { units, fed, plan }
    }
}

/// How many numbers an executable of these outputs would keep in memory at once, what is fed left out.
pub fn planned_numbers(graph: &Graph, outputs: &[NodeId]) -> usize {
    Planned::new(graph, outputs).plan.size
}

/// A graph compiled for the processor. `T` is `f32` or `f64`.
#[derive(Debug)]
pub struct Executable<T: Element> {
    tasks: Vec<Task>,
    bindings: Vec<String>,
    lengths: Vec<usize>,
    outputs: Vec<(usize, usize)>,
    arena: Vec<T>,
    parts: Vec<T>,
    workspace: Vec<T>,
}

impl<T: Element> Executable<T> {
    /// Plans the computation of `outputs`. What none of them depends on is left out, inputs too.
    pub fn compile(graph: &Graph, outputs: &[NodeId]) -> Self {
        let Planned { units, fed, plan } = Planned::new(graph, outputs);

        let mut tasks = Vec::with_capacity(units.len());
        for unit in &units {
            if unit.fused {
                tasks.push(Task::Chain(plan.chain(graph, unit)));
                continue;
            }
            let id = unit.members[0];
            let node = graph.node(id);
            let input = |input: &NodeId| (plan.place(root(graph, *input)), graph.elements(*input));
            tasks.push(Task::Kernel(KernelTask {
                primitive: node.primitive.clone(),
                inputs: node.inputs.iter().map(input).collect(),
                shapes: node.inputs.iter().map(|input| graph.shape(*input).to_vec()).collect(),
                output: (plan.arena_place(id), graph.elements(id)),
                output_shape: node.shape.clone(),
            }));
        }
        for (output, place) in outputs.iter().zip(&plan.outputs) {
            if let Place::Fed(from) = plan.place(root(graph, *output)) {
                tasks.push(Task::Copy { from, to: *place, length: graph.elements(*output) });
            }
        }
        let parts = tasks.iter().map(|task| if let Task::Chain(chain) = task { chain.workspace() } else { 0 }).max();
        let mut arena = vec![T::ZERO; arena_length(plan.size)];
        let start = arena_start(&arena);
        for (place, length, value) in &plan.constants {
            arena[start + place..start + place + length].fill(T::from_f64(*value));
        }
        Self {
            bindings: fed.iter().map(|(_, name)| name.clone()).collect(),
            lengths: fed.iter().map(|(id, _)| graph.elements(*id)).collect(),
            outputs: outputs.iter().zip(&plan.outputs).map(|(output, place)| (*place, graph.elements(*output))).collect(),
            tasks,
            arena,
            parts: vec![T::ZERO; parts.unwrap_or(0)],
            workspace: Vec::new(),
        }
    }

    /// The names of the inputs that are needed, in the order in which [`Self::run`] wants them.
    pub fn bindings(&self) -> &[String] {
        &self.bindings
    }

    /// Computes the outputs from one slice for each of [`Self::bindings`], row-major. Uses the threads of the pool that it
    /// is called in; results are the same bits on any number of them.
    ///
    /// # Panics
    /// When a slice is missing or its length is not that of its input.
    pub fn run(&mut self, fed: &[&[T]]) {
        assert_eq!(fed.len(), self.bindings.len(), "the inputs are {:?}", self.bindings);
        for ((slice, length), name) in fed.iter().zip(&self.lengths).zip(&self.bindings) {
            assert_eq!(slice.len(), *length, "elements fed to `{name}`");
        }
        let memory = Memory::new(&mut self.arena, fed);
        let (tasks, parts, workspace) = (&self.tasks, &mut self.parts, &mut self.workspace);
        // All tasks from within the pool: from outside, each would be handed over and waited for through the system.
        rayon::scope(|_| {
            for task in tasks {
                match task {
                    Task::Chain(chain) => chain.run(&memory, parts),
                    Task::Kernel(task) => task.run(&memory, workspace),
                    Task::Copy { from, to, length } => {
                        // SAFETY: an output's place is its own, and no task runs meanwhile.
                        unsafe { memory.write(*to, *length) }.copy_from_slice(fed[*from]);
                    }
                }
            }
        });
    }

    /// The value of an output after [`Self::run`], row-major.
    pub fn output(&self, index: usize) -> &[T] {
        let (place, length) = self.outputs[index];
        &self.arena[arena_start(&self.arena) + place..][..length]
    }

    /// Lets fused passes use what every processor has, for tests.
    #[cfg(test)]
    pub(super) fn without_vector_instructions(&mut self) {
        for task in &mut self.tasks {
            if let Task::Chain(chain) = task {
                chain.avx2 = false;
            }
        }
    }

    /// Memory for values and workspaces, in bytes.
    pub fn buffer_bytes(&self) -> usize {
        (self.arena.len() + self.parts.len() + self.workspace.len()) * size_of::<T>()
    }
}

impl KernelTask {
    fn run<T: Element>(&self, memory: &Memory<'_, T>, workspace: &mut Vec<T>) {
        // SAFETY: the plan gives a value that is written a place of its own until its last reader is done.
        let values = |index: usize| unsafe { memory.read(self.inputs[index].0, self.inputs[index].1) };
        // SAFETY: as above.
        let output = unsafe { memory.write(self.output.0, self.output.1) };
        let arguments = Arguments { values: &values, shapes: &self.shapes };
        T::evaluate(&*self.primitive, Call { arguments, output, output_shape: &self.output_shape, workspace });
    }
}
