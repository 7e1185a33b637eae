//! The graph in the language of Graphviz: `dot -Tpdf`.

use super::Graph;
use std::fmt::Write as _;

pub fn write(graph: &Graph) -> String {
    let mut text = "digraph study {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n".to_owned();
    let node = |index: usize| {
        let node = graph.nodes.get(index)?;
        Some(format!("n{index} [label=\"{}\\n{}\"];", quoted(&node.title()), quoted(&node.kind)))
    };
    for (cluster, (sweep, members)) in graph.sweeps().into_iter().enumerate() {
        let nodes = members.into_iter().filter_map(node);
        match sweep {
            None => nodes.for_each(|node| {
                let _ = writeln!(text, "  {node}");
            }),
            Some(sweep) => {
                let _ = writeln!(text, "  subgraph cluster_{cluster} {{\n    label=\"{}\";", quoted(sweep));
                nodes.for_each(|node| {
                    let _ = writeln!(text, "    {node}");
                });
                text.push_str("  }\n");
            }
        }
    }
    for (to, node) in graph.nodes.iter().enumerate() {
        for slot in &node.slots {
            let _ = writeln!(text, "  n{} -> n{to} [label=\"{}\"];", slot.from, quoted(&slot.field));
        }
    }
    text + "}\n"
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
