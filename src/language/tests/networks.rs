//! Networks: mistakes of shape with code and place, and what expansion makes.

use super::{HEAD, Value, check_with, only, places};
use crate::network::NetworkProgram;
use std::sync::Arc;

/// Lines before the network: of the head, and of the classifier that uses it.
const LINES: usize = 9;

/// A classifier that uses a network `mine` with this text behind it; the network's first line is line 1.
fn with_network(network: &str) -> String {
    format!("{HEAD}classifier c {{ network = mine, train = chest.train, valid = chest.valid }}\n{network}")
}

fn mine(body: &str) -> String {
    with_network(&format!("network mine(image: tensor[c, h, w], labels: int) -> tensor[labels] {{\n{body}\n}}"))
}

fn found(text: &str) -> Vec<String> {
    places(text)
        .iter()
        .map(|place| {
            let (code, rest) = place.split_once(' ').unwrap();
            let (line, column) = rest.split_once(':').unwrap();
            format!("{code} {}:{column}", line.parse::<usize>().unwrap() as i64 - LINES as i64)
        })
        .collect()
}

fn program(text: &str) -> Arc<NetworkProgram> {
    let (checked, _, _) = check_with(text, &[]);
    let program = checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    match &program.step("c").unwrap().field("network").unwrap().value {
        Value::Network(network) => network.clone(),
        other => panic!("{other:?}"),
    }
}

fn paths(program: &NetworkProgram) -> Vec<&str> {
    program.calls.iter().map(|call| call.path.as_str()).collect()
}

#[test]
fn shapes_that_layers_refuse() {
    assert_eq!(found(&mine("return image |> dense(labels)")), ["E0310 2:8"]);
    assert_eq!(found(&mine("return image |> downsample(3) |> flatten |> dense(labels)")), ["E0310 2:17"]);
    assert_eq!(found(&mine("x = image |> conv(8, 3)\nreturn x + (image |> conv(3, 1))")), ["E0311 3:8"]);
    assert_eq!(found(&mine("return image + (image |> global_average_pool |> dense(2))")), ["E0311 2:8"]);
    assert_eq!(found(&mine("return concat(image, image, image |> flatten)")), ["E0310 2:8"]);
    assert_eq!(found(&mine("return concat(image, image, 3)")), ["E0207 2:29"]);
    assert_eq!(found(&mine("return concat(image)")), ["E0214 2:8"]);
    assert_eq!(found(&mine("return concat(image, image, b = image)")), ["E0213 2:33"]);
    assert_eq!(found(&mine("return 1 / (image |> flatten |> dense(labels))")), ["E0311 2:8"]);
    assert_eq!(found(&mine("return image |> flatten |> dense(labels + 1)")), ["E0314 2:8"]);
    assert_eq!(found(&mine("return image |> reshape([4, 4])")), ["E0310 2:17"]);
    assert_eq!(found(&mine("return image |> conv(999_999_999, 3) |> flatten |> dense(labels)")), ["E0319 2:22"]);
    assert_eq!(found(&mine("if image > 1 { return image }\nreturn image |> flatten |> dense(labels)")), ["E0317 2:4"]);
    assert_eq!(found(&mine("for i in 1..image { x = i }\nreturn image |> flatten |> dense(labels)")), ["E0317 2:13"]);
    assert_eq!(found(&mine("return image |> flatten |> dense(image)")), ["E0317 2:34"]);
    assert_eq!(found(&mine("x = image |> flatten |> dense(labels)")), ["E0318 1:9"]);
    assert_eq!(found(&mine("return mine(image, labels)")), ["E0221 2:8"]);
}

#[test]
fn a_mistake_of_shape_shows_the_chain_and_what_asked_for_it() {
    let found = only(&mine("x = image |> conv(8, 3) |> downsample(2)\nreturn x |> downsample(3) |> flatten |> dense(labels)"));
    assert_eq!(found.code, "E0310");
    assert_eq!(found.notes, ["shapes: image[1, 32, 32] → [8, 32, 32] → [8, 16, 16]"]);
    let labels: Vec<&str> = found.labels.iter().skip(1).map(|label| label.text.as_str()).collect();
    assert_eq!(labels, ["the network of `c`", "`chest` decides c = 1, h = 32, w = 32", "`chest` decides labels = 4"]);
}

#[test]
fn a_generator_of_the_wrong_resolution_points_to_the_argument_and_to_the_data() {
    let found = only(&format!(
        "{HEAD}gan g {{ data = chest.train, generator = cpd.generator(channels = 64, resolution = 64), discriminator = cpd.discriminator(), budget = 1kimg }}"
    ));
    assert_eq!((found.code, found.message.as_str()), ("E0312", "the generator makes 1×64×64 images, but `chest` holds 1×32×32"));
    assert_eq!(found.help.as_deref(), Some("leave `resolution` out and it follows the data"));
    assert_eq!(
        found.notes,
        ["shapes: z[512] → [516] → [1024] → [64, 4, 4] → [64, 8, 8] → [64, 16, 16] → [64, 32, 32] → [64, 64, 64] → [1, 64, 64]"]
    );
    let labels: Vec<&str> = found.labels.iter().map(|label| label.text.as_str()).collect();
    assert_eq!(labels, ["1×64×64 is asked for here", "`chest` says 1×32×32 here"]);
}

#[test]
fn inputs_and_sizes_that_do_not_fit() {
    let wrong = only(&format!(
        "{HEAD}gan g {{ data = chest.train, generator = cpd.generator(labels = 5), discriminator = cpd.discriminator(), budget = 1kimg }}"
    ));
    assert_eq!(wrong.message, "the generator reads `y` of size 5, but `chest` has 4 labels");
    assert_eq!(
        found(&with_network("network mine(z: tensor[n], image: tensor[c, h, w]) -> tensor[4] { return z }")),
        ["E0302 0:26"]
    );
    let open = "network mine(image: tensor[c, h, w], labels: int, deep: int) -> tensor[labels] { return image |> flatten |> dense(labels) }";
    assert_eq!(found(&with_network(open)), ["E0303 0:26"]);
    let rank = "network mine(image: tensor[n], labels: int) -> tensor[labels] { return image |> dense(labels) }";
    assert_eq!(found(&with_network(rank)), ["E0312 0:26"]);
    let half = "network mine(image: tensor[c, h, w], labels: int) -> tensor[labels] { return half(image) |> flatten |> dense(labels) }\nnetwork half(x: tensor[c, h, w]) -> tensor[c / 2, h, w] { return x }";
    assert_eq!(found(&with_network(half)), ["E0319 2:44"]);
    let inner = "network mine(image: tensor[c, h, w], labels: int) -> tensor[labels] { return both(image, image |> conv(2, 1)) |> flatten |> dense(labels) }\nnetwork both(x: tensor[c, h, w], y: tensor[c, h, w]) -> tensor[c, h, w] { return x }";
    assert_eq!(found(&with_network(inner)), ["E0315 1:90"]);
}

#[test]
fn ranges_hold_for_inferred_sizes() {
    let text = HEAD.replace("gray(32)", "gray(4)");
    let found = places(&format!(
        "{text}gan g {{ data = chest.train, generator = cpd.generator(), discriminator = cpd.discriminator(), budget = 1kimg }}"
    ));
    assert_eq!(found, ["E0210 9:41", "E0210 9:74"]);
}

#[test]
fn networks_that_nothing_uses_are_looked_at_too() {
    let text = format!("{HEAD}network idle(x: tensor[k]) -> tensor[k] {{\n  y = x |> rleu\n}}");
    assert_eq!(places(&text), ["E0205 10:12", "E0318 9:9"]);
}

#[test]
fn loops_bind_outer_names_again_and_paths_are_unique() {
    let text = mine(
        "x = image
for depth in 1..=2 { wide = depth * 4
  x = x |> conv(wide, 3) |> relu }
for depth in 1..=1 { x = x |> conv(3, 1) }
if h > 16 { x = x |> downsample(2) } else { x = x }
return x |> flatten |> dense(labels)",
    );
    let program = program(&text);
    assert_eq!(
        paths(&program),
        [
            "mine/for.depth=1/conv_0",
            "mine/for.depth=1/relu_0",
            "mine/for.depth=2/conv_0",
            "mine/for.depth=2/relu_0",
            "mine/for.depth=1/conv_1",
            "mine/downsample_0",
            "mine/flatten_0",
            "mine/dense_0"
        ]
    );
    assert_eq!(program.output_shape(), Some(&vec![4]));
    assert_eq!(found(&mine("for depth in 1..=2 { wide = depth }\nreturn image |> flatten |> dense(wide)")), ["E0205 3:34"]);
}

#[test]
fn operators_between_tensors_and_numbers_are_layers() {
    let program = program(&mine("x = image |> flatten |> dense(labels)\nreturn 1 - (x * x + x / 4 - -x) * 50%"));
    let calls: Vec<String> = program
        .calls
        .iter()
        .skip(2)
        .map(|call| {
            format!(
                "{} {:?}",
                call.layer,
                call.arguments.0.iter().map(|(name, value)| format!("{name} {value:?}")).collect::<Vec<_>>()
            )
        })
        .collect();
    assert_eq!(
        calls,
        [
            "multiply []",
            "scale [\"factor Number(0.25)\"]",
            "add []",
            "negate []",
            "subtract []",
            "scale [\"factor Number(0.5)\"]",
            "scale [\"factor Number(-1.0)\"]",
            "shift [\"offset Number(1.0)\"]"
        ]
    );
    let mut paths = paths(&program);
    paths.sort_unstable();
    let all = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), all);
}

#[test]
fn layer_arguments_are_complete_and_in_the_order_of_the_declaration() {
    let program = program(&mine("return image |> conv(kernel = 3, filters = 8) |> flatten |> dense(labels)"));
    let names: Vec<&str> = program.calls[0].arguments.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["filters", "kernel", "stride", "dilation", "padding", "groups", "weights"]);
}

#[test]
fn inputs_are_matched_by_order_where_names_differ() {
    let program = program(&with_network(
        "network mine(picture: tensor[c, h, w], labels: int) -> tensor[labels] { return picture |> flatten |> dense(labels) }",
    ));
    assert_eq!(program.inputs, [("image".to_owned(), vec![1, 32, 32])]);
}

/// The shapes of all tensors of a network with this body on an image of 1×32×32.
fn shapes(body: &str) -> Vec<Vec<usize>> {
    program(&mine(&format!("{body}\nreturn x |> flatten |> dense(labels)"))).calls.iter().map(|call| call.shape.clone()).collect()
}

#[test]
fn sizes_that_are_left_out_are_those_that_people_expect() {
    assert_eq!(shapes("x = image |> conv_transpose(2, 4)")[0], [2, 64, 64]);
    assert_eq!(shapes("x = image |> conv_transpose(2, 3)")[0], [2, 64, 64]);
    assert_eq!(shapes("x = image |> conv_transpose(2, 2)")[0], [2, 64, 64]);
    assert_eq!(shapes("x = image |> conv_transpose(2, 3, stride = 1)")[0], [2, 32, 32]);
    assert_eq!(
        shapes("x = image |> flatten |> reshape([1024, 1, 1]) |> conv_transpose(2, 4, stride = 1, padding = 0)")[2],
        [2, 4, 4]
    );
    assert_eq!(shapes("x = image |> conv(2, 3, dilation = 4)")[0], [2, 32, 32]);
    assert_eq!(shapes("x = image |> conv(2, 3, padding = 0)")[0], [2, 30, 30]);
    assert_eq!(shapes("x = image |> conv(2, 3, stride = 2)")[0], [2, 16, 16]);
    assert_eq!(shapes("x = image |> avg_pool")[0], [1, 16, 16]);
    assert_eq!(shapes("x = image |> conv(8, 3, weights = spectral()) |> group_norm(4)")[1], [8, 32, 32]);
}

#[test]
fn tensors_are_joined_in_any_number_and_layers_counted_as_they_are_written() {
    let program = program(&mine(
        "x = concat(image |> conv(1, 1), image |> conv(2, 1), image |> conv(3, 1), image |> conv(4, 1))
y = concat(x, x, more = [x])
z = image |> concat(x, [y, y])
return (z * (z |> global_average_pool |> reshape([71, 1, 1])) + image) |> flatten |> dense(labels)",
    ));
    let wide: Vec<(&str, usize)> = program.calls.iter().map(|call| (call.layer.as_str(), call.shape[0])).collect();
    let expected = [("conv", 1), ("conv", 2), ("conv", 3), ("conv", 4), ("concat", 10), ("concat", 30), ("concat", 71)];
    assert_eq!(wide[..7], expected);
    assert_eq!(paths(&program)[3], "mine/conv_3");
    assert_eq!(program.calls[4].inputs.len(), 4);
    assert!(program.calls[4].arguments.0.is_empty());
}

#[test]
fn a_network_applied_twice_has_weights_of_its_own_each_time() {
    let program = program(&with_network(
        "network mine(image: tensor[c, h, w], labels: int) -> tensor[labels] { return image |> half |> half |> flatten |> dense(labels) }
network half(x: tensor[c, h, w]) -> tensor[4, _, _] { return x |> conv(4, 3, stride = 2) }",
    ));
    let weights = crate::network::weights(&program).unwrap();
    let names: Vec<&str> = weights.specifications.iter().map(|weight| weight.name.as_str()).collect();
    assert_eq!(names, ["mine/half_0/conv_0/weight", "mine/half_1/conv_0/weight", "mine/dense_0/weight"]);
}

#[test]
fn weights_can_be_named_and_calls_of_one_name_share_them() {
    let program = program(&with_network(
        "network mine(image: tensor[c, h, w], labels: int) -> tensor[labels] {
  x = image |> conv(2, 3) |> conv(4, 3, name = \"stem\")
  y = seen(x, name = \"twin\") + seen(x |> downsample(2), name = \"twin\") + seen(x)
  return y |> dense(labels)
}
network seen(x: tensor[c, h, w]) -> tensor[_] {
  for turn in 1..=2 { x = x |> conv(3, 1) |> batch_norm |> relu }
  return x |> global_average_pool
}",
    ));
    let weights = crate::network::weights(&program).unwrap();
    let names: Vec<&str> = weights
        .specifications
        .iter()
        .filter(|weight| weight.name.ends_with("/weight"))
        .map(|weight| weight.name.trim_end_matches("/weight"))
        .collect();
    let inside = |place: &str| (1..=2).map(|turn| format!("mine/{place}/for.turn={turn}/conv_0")).collect::<Vec<_>>();
    let expected =
        [vec!["mine/conv_0".into(), "mine/stem".into()], inside("twin"), inside("seen_0"), vec!["mine/dense_0".into()]].concat();
    assert_eq!(names, expected);
    assert_eq!(weights.updates.len(), 8, "running statistics of shared weights move once");
}

#[test]
fn weights_that_cannot_be_shared() {
    let name = |x: &str, y: &str| found(&mine(&format!("x = image |> {x}\ny = x |> {y}\nreturn y |> flatten |> dense(labels)")));
    assert_eq!(name("conv(2, 3, name = \"a\")", "conv(2, 3, name = \"a\")"), ["E0321 3:10"]);
    assert_eq!(name("conv(1, 3, name = \"a\")", "conv(1, 1, name = \"a\")"), ["E0321 3:10"]);
    assert_eq!(name("conv(1, 3, name = \"a\")", "conv(1, 3, name = \"a\")"), [""; 0]);
    assert_eq!(name("conv(1, 3, name = \"a\")", "bias(name = \"a\")"), ["E0321 3:10"]);
    assert_eq!(name("conv(1, 3, name = \"conv_0\")", "conv(1, 3)"), ["E0321 3:10"]);
    assert_eq!(name("conv(1, 3)", "conv(1, 3, name = \"conv_0\")"), ["E0321 3:28"]);
    assert_eq!(name("conv(1, 3, name = \"a/b\")", "relu"), ["E0321 2:32"]);
    assert_eq!(name("conv(1, 3, name = 3)", "relu"), ["E0207 2:32"]);
}

#[test]
fn a_shape_is_a_list_or_its_sizes() {
    assert_eq!(shapes("x = image |> flatten |> reshape(4, 16, 16)")[1], [4, 16, 16]);
    assert_eq!(shapes("x = image |> flatten |> reshape([4, 16, 16])")[1], [4, 16, 16]);
    assert_eq!(shapes("sizes = [4, 16, 16]\nx = image |> flatten |> reshape(sizes)")[1], [4, 16, 16]);
    assert_eq!(shapes("x = image |> flatten |> reshape(1024) |> bias")[1], [1024]);
}
