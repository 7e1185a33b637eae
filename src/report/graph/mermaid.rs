//! The graph in the language of Mermaid, which forges draw in Markdown.

use super::Graph;
use std::fmt::Write as _;

pub fn write(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let node = |index: usize| {
        let node = graph.nodes.get(index)?;
        Some(format!("n{index}[\"{}<br/>{}\"]", quoted(&node.title()), quoted(&node.kind)))
    };
    for (cluster, (sweep, members)) in graph.sweeps().into_iter().enumerate() {
        let nodes: Vec<String> = members.into_iter().filter_map(node).collect();
        match sweep {
            None => nodes.iter().for_each(|node| {
                let _ = writeln!(text, "  {node}");
            }),
            Some(sweep) => {
                let _ = writeln!(text, "  subgraph s{cluster} [\"{}\"]", quoted(sweep));
                nodes.iter().for_each(|node| {
                    let _ = writeln!(text, "    {node}");
                });
                text.push_str("  end\n");
            }
        }
    }
    for (to, node) in graph.nodes.iter().enumerate() {
        for slot in &node.slots {
            let _ = writeln!(text, "  n{} -- \"{}\" --> n{to}", slot.from, quoted(&slot.field));
        }
    }
    text
}

/// Inside of quotes only these mean something else.
fn quoted(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
