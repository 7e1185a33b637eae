//! Blocks that need one another in a circle.

use super::check::Checker;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use std::collections::BTreeMap;

/// Reports every circle of references once.
pub(super) fn check(checker: &mut Checker<'_>) {
    let mut edges: Vec<Vec<(usize, Span)>> = Vec::new();
    for state in &checker.blocks {
        let mut out = Vec::new();
        for field in state.fields() {
            for reference in field.value.references() {
                out.extend(checker.block_index(&reference.step).map(|target| (target, field.span)));
            }
        }
        edges.push(out);
    }
    for circle in circles(&edges) {
        let names: Vec<String> = circle.iter().filter_map(|(block, _)| checker.block_name(*block)).collect();
        let Some(first) = names.first() else { continue };
        let mut diagnostic = Diagnostic::error("E0401", format!("`{first}` needs itself"));
        for (index, (_, span)) in circle.iter().enumerate() {
            let next = names.get((index + 1) % names.len()).cloned().unwrap_or_default();
            let name = names.get(index).cloned().unwrap_or_default();
            diagnostic = diagnostic.label(*span, format!("`{name}` needs `{next}` here"));
        }
        let path = names.iter().chain(std::iter::once(first)).cloned().collect::<Vec<_>>().join(" → ");
        checker.report(diagnostic.note(format!("the circle: {path}")).help("let one of them read something else"));
    }
}

/// Circles, each as its blocks with the place of the reference to the next; every block is in one at most.
fn circles(edges: &[Vec<(usize, Span)>]) -> Vec<Vec<(usize, Span)>> {
    let mut state: Vec<u8> = vec![0; edges.len()];
    let mut found = Vec::new();
    for start in 0..edges.len() {
        // Each entry: the block and the next of its references to look at.
        let mut path: Vec<(usize, usize)> = Vec::new();
        let mut on_path: BTreeMap<usize, usize> = BTreeMap::new();
        if state.get(start) == Some(&0) {
            path.push((start, 0));
            on_path.insert(start, 0);
        }
        while let Some((block, next)) = path.last().copied() {
            if let Some(seen) = state.get_mut(block) {
                *seen = 1;
            }
            match edges.get(block).and_then(|out| out.get(next)) {
                None => {
                    if let Some(seen) = state.get_mut(block) {
                        *seen = 2;
                    }
                    on_path.remove(&block);
                    path.pop();
                }
                Some((target, _)) => {
                    if let Some(last) = path.last_mut() {
                        last.1 += 1;
                    }
                    if let Some(position) = on_path.get(target) {
                        let circle: Vec<(usize, Span)> = path
                            .iter()
                            .skip(*position)
                            .filter_map(|(block, next)| {
                                let (_, span) = edges.get(*block)?.get(next.saturating_sub(1))?;
                                Some((*block, *span))
                            })
                            .collect();
                        let fresh = !found
                            .iter()
                            .flatten()
                            .any(|(block, _): &(usize, Span)| circle.iter().any(|(other, _)| other == block));
                        if fresh {
                            found.push(circle);
                        }
                    } else if state.get(*target) == Some(&0) {
                        on_path.insert(*target, path.len());
                        path.push((*target, 0));
                    }
                }
            }
        }
    }
    found
}
