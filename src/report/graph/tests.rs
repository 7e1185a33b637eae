use super::*;
use crate::language::{Role, StepField, StepReference, Value};
use crate::source::Span;

fn reads(name: &str, field: &str, references: &[&str], is_default: bool) -> Step {
    let reference = |text: &&str| {
        // A dot inside of brackets is none before a port.
        let (step, port) = match text.rsplit_once('.') {
            Some((step, port)) if ["train", "test"].contains(&port) => (step, Some(port.to_owned())),
            _ => (*text, None),
        };
        Value::Step(StepReference { step: step.to_owned(), port })
    };
    let value = Value::List(references.iter().map(reference).collect());
    let field = StepField { name: field.into(), role: Role::Identity, value, span: Span::default(), is_default };
    Step { name: name.into(), kind: "gan".into(), fields: vec![field], span: Span::default(), folder: Default::default() }
}

fn graph(steps: Vec<Step>, expand: bool) -> Graph {
    let program = Program { steps, ..Program::default() };
    Graph::of_program(&program, &Plan::new(&program).unwrap(), expand)
}

fn sweep(count: usize) -> Vec<Step> {
    let mut steps = vec![reads("chest", "of", &[], false)];
    for seed in 0..count {
        let name = |inner: &str| format!("many[seed={seed}].{inner}");
        steps.push(reads(&name("model"), "data", &["chest.train"], false));
        steps.push(reads(&name("gap"), "real", &[&name("model"), "chest.test"], false));
    }
    let everything: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
    let everything: Vec<&str> = everything.iter().map(String::as_str).collect();
    steps.push(reads("summary", "of", &everything, true));
    steps
}

#[test]
fn references_are_names_with_ports_outside_quotes() {
    assert_eq!(reference("chest.train", "chest"), Some("chest.train"));
    assert_eq!(reference("[a, b_2.test]", "b_2"), Some("b_2.test"));
    assert_eq!(reference("[a, b_2.test, x.b]", "b"), None);
    assert_eq!(reference("gap.auroc_real >= 0.9", "gap"), Some("gap.auroc_real"));
    assert_eq!(reference("f(x, [\"No Finding\", \"chest\"])", "chest"), None);
    assert_eq!(reference("by[seed=1].fake.train", "by[seed=1].fake"), Some("by[seed=1].fake.train"));
}

#[test]
fn many_instances_are_one_node_unless_they_are_asked_for() {
    let titles = |graph: &Graph| graph.nodes.iter().map(Node::title).collect::<Vec<_>>();
    let few = graph(sweep(100), false);
    assert_eq!(titles(&few), ["chest", "many[…].model ×100", "many[…].gap ×100", "summary"]);
    let slot = |field: &str, reference: &str, from| Slot { field: field.into(), reference: reference.into(), from };
    assert_eq!(few.nodes[2].slots, [slot("real", "many[…].model", 1), slot("real", "chest.test", 0)]);
    assert_eq!(few.nodes[3].slots, [slot("of", "many[…].gap", 2)], "what nothing else reads");
    assert_eq!(graph(sweep(100), true).nodes.len(), 202);
    assert_eq!(graph(sweep(2), false).nodes.len(), 6);
}

#[test]
fn text_is_a_tree_in_which_every_step_stands_once() {
    assert_eq!(
        graph(sweep(100), false).text(),
        "chest  gan\n\
         └─ many[…].model ×100  gan  data = chest.train\n   \
            └─ many[…].gap ×100  gan  real = [many[…].model, chest.test]\n      \
               └─ summary  gan  of = many[…].gap\n"
    );
}

#[test]
fn other_languages_get_their_quotes() {
    let odd = || vec![reads("a[t=\"x\\y\"]", "of", &[], false), reads("b", "of", &["a[t=\"x\\y\"]"], false)];
    let dot = graph(odd(), false).dot();
    assert!(dot.contains(r#"n0 [label="a[t=\"x\\y\"]\ngan"];"#) && dot.contains(r#"n0 -> n1 [label="of"];"#), "{dot}");
    assert!(dot.contains("subgraph cluster_0 {\n    label=\"a\";"), "{dot}");
    let mermaid = graph(odd(), false).mermaid();
    assert!(mermaid.contains(r#"n0["a[t=#quot;x\y#quot;]<br/>gan"]"#) && mermaid.contains(r#"n0 -- "of" --> n1"#), "{mermaid}");
}

#[test]
fn a_drawing_that_stands_alone_brings_its_colours() {
    let svg = graph(sweep(4), false).svg();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
    assert!(svg.contains("<style>") && !svg.contains("var("), "{svg}");
    assert!(svg.contains(".stripe.gan{fill:#0f766e}"), "{svg}");
    assert!(svg.contains("many[…].gap ×4"), "{svg}");
}
