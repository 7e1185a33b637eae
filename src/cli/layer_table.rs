//! The table of `synth describe`: one line a layer, indented below the loops and networks that it stands in.

use crate::language::Value;
use crate::network::{Description, LayerCall, LayerDescription, NetworkProgram};
use crate::training::TrainingMemory;
use std::io::IsTerminal;

/// A network and what its layers cost.
pub struct LayerTable<'a> {
    pub network: &'a NetworkProgram,
    pub description: &'a Description,
    /// Levels that are shown; all where it is not given.
    pub depth: Option<usize>,
}

/// How the table is set.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub colour: bool,
    /// Columns that a line may take.
    pub width: usize,
}

impl Style {
    /// As standard output takes it: the terminal's width, and colour unless `NO_COLOR` is set; elsewhere plain and whole.
    pub fn for_standard_output() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let columns = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
        Self { colour: terminal && !plain, width: columns.filter(|_| terminal).unwrap_or(usize::MAX) }
    }

    fn dim(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// One line.
struct Row {
    /// Steps of the path above it that are told on lines of their own.
    level: usize,
    cells: [String; COLUMNS],
    /// The head of a loop or a network, whose layers follow.
    is_group: bool,
}

const COLUMNS: usize = 6;
const HEAD: [&str; COLUMNS] = ["layer", "window", "output", "parameters", "multiply-adds", "activations"];
/// Columns that a narrow terminal does without, the first first.
const SPARED: [usize; 4] = [1, 5, 4, 2];
/// The least columns for the names of layers.
const LEAST_NAME: usize = 16;
/// Between two columns.
const GAP: usize = 2;

impl LayerTable<'_> {
    /// The table with its totals. Every line ends in a line break.
    pub fn render(&self, title: &str, memory: &TrainingMemory, style: Style) -> String {
        let inputs: Vec<String> = self.network.inputs.iter().map(|(name, shape)| format!("{name}[{}]", sizes(shape))).collect();
        let output = self.network.output_shape().map_or_else(String::new, |shape| sizes(shape));
        let mut text = format!("{}  {}\n", style.bold(title), self.network.name);
        text += &format!("{} → [{output}]\n\n", inputs.join(", "));
        text += &set(&self.rows(), style);
        text + "\n" + &totals(&self.description.total(), memory, style)
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        let mut layers = self.network.calls.iter().zip(&self.description.layers).peekable();
        while let Some((call, layer)) = layers.next() {
            let path = within(call);
            let (groups, name) = path.split_at(path.len().saturating_sub(1));
            let known = open.iter().zip(groups).take_while(|(open, group)| open == group).count();
            open.truncate(known);
            let shown = self.depth.unwrap_or(usize::MAX).max(1);
            for group in groups.iter().skip(known).take(shown.saturating_sub(known + 1)) {
                rows.push(Row { level: open.len(), cells: headed(group), is_group: true });
                open.push(group);
            }
            if groups.len() < shown {
                let name = name.first().copied().unwrap_or(&call.layer);
                rows.push(Row { level: open.len(), cells: cells(name, window(call), &call.shape, layer), is_group: false });
                continue;
            }
            // What stands below the levels that are shown is summed up; its last layer is what comes out.
            let Some(group) = groups.get(shown - 1) else { continue };
            let (mut sum, mut last) = (layer.clone(), call);
            while let Some((next, layer)) = layers.next_if(|(next, _)| within(next).get(..shown) == path.get(..shown)) {
                (sum, last) = (LayerDescription::sum([&sum, layer]), next);
            }
            rows.push(Row { level: open.len(), cells: cells(group, String::new(), &last.shape, &sum), is_group: false });
        }
        rows
    }
}

/// Where a layer stands in its network: `for.stage=3`, `conv_0`.
fn within(call: &LayerCall) -> Vec<&str> {
    call.path.split('/').skip(1).collect()
}

fn headed(group: &str) -> [String; COLUMNS] {
    let mut cells = [const { String::new() }; COLUMNS];
    if let Some(first) = cells.first_mut() {
        *first = group.to_owned();
    }
    cells
}

fn cells(name: &str, window: String, shape: &[usize], layer: &LayerDescription) -> [String; COLUMNS] {
    let known = |value: u64, text: String| if value == 0 { "–".to_owned() } else { text };
    [
        name.to_owned(),
        window,
        sizes(shape),
        known(layer.parameters, count(layer.parameters)),
        known(layer.multiply_adds, short(layer.multiply_adds)),
        known(layer.activations, bytes(layer.activations * 4)),
    ]
}

/// The window of a convolution or pooling, its steps behind a stroke; the factor of a change of size.
fn window(call: &LayerCall) -> String {
    let whole = |name: &str| match call.arguments.get(name) {
        Some(Value::Integer(value)) => Some(*value),
        _ => None,
    };
    let pair = |name: &str| call.arguments.pair(name).ok();
    let stride = match pair("stride") {
        None | Some([1, 1]) => String::new(),
        Some([down, right]) if down == right => format!(" /{down}"),
        Some([down, right]) => format!(" /{down}×{right}"),
    };
    match (pair("kernel").or(pair("size")), whole("factor")) {
        (Some([rows, columns]), _) => format!("{rows}×{columns}{stride}"),
        (None, Some(factor)) if call.layer == "upsample" => format!("×{factor}"),
        (None, Some(factor)) if call.layer == "downsample" => format!("/{factor}"),
        _ => String::new(),
    }
}

/// `64×112×112`.
fn sizes(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// Lines with columns that line up. Where the lines are too long, columns that matter least are left out, then names cut.
fn set(rows: &[Row], style: Style) -> String {
    let named = |row: &Row| {
        let name = row.cells.first().map_or("", String::as_str);
        format!("{}{name}", "  ".repeat(row.level))
    };
    let names: Vec<String> = rows.iter().map(named).collect();
    let width_of = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.chars().count());
        cells.chain(HEAD.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let names_width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
    let mut columns: Vec<(usize, usize)> = (1..COLUMNS).map(|column| (column, width_of(column))).collect();
    if rows.iter().all(|row| row.cells.get(1).is_none_or(String::is_empty)) {
        columns.retain(|(column, _)| *column != 1);
    }
    let taken = |columns: &[(usize, usize)]| columns.iter().map(|(_, width)| width + GAP).sum::<usize>();
    for spared in SPARED {
        if taken(&columns) + names_width.min(2 * LEAST_NAME) > style.width {
            columns.retain(|(column, _)| *column != spared);
        }
    }
    let names_width = names_width.min(style.width.saturating_sub(taken(&columns)).max(LEAST_NAME));
    let line = |name: &str, cells: &[&str]| {
        let mut line = format!("{:names_width$}", cut(name, names_width));
        for (column, width) in &columns {
            let cell = cells.get(*column).copied().unwrap_or_default();
            line += &" ".repeat(GAP);
            // Windows read from the left, numbers from the right.
            line += &if *column == 1 { format!("{cell:width$}") } else { format!("{cell:>width$}") };
        }
        line.trim_end().to_owned()
    };
    let mut text = style.bold(&line("layer", &HEAD)) + "\n";
    for (row, name) in rows.iter().zip(&names) {
        let cells: Vec<&str> = row.cells.iter().map(String::as_str).collect();
        let line = line(name, &cells);
        text += &if row.is_group { style.dim(&line) } else { line };
        text.push('\n');
    }
    text
}

/// At most so many characters of a text, with `…` for the rest.
pub fn cut(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn totals(total: &LayerDescription, memory: &TrainingMemory, style: Style) -> String {
    let parts = [
        ("weights", memory.weights),
        ("gradients", memory.gradients),
        ("optimiser", memory.optimiser),
        ("running average", memory.average),
        ("activations", memory.activations),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(_, size)| *size > 0).map(|(name, size)| format!("{name} {}", bytes(*size))).collect();
    let state = match total.state {
        0 => String::new(),
        state => format!(", and {} of state", count(state)),
    };
    let lines = [
        ("parameters", format!("{}{state}", count(total.parameters))),
        ("multiply-adds", format!("{} an image, in convolutions and matrix products", short(total.multiply_adds))),
        ("activations", format!("{} an image, all outputs together", bytes(total.activations * 4))),
        ("training", format!("{} with a batch of {}: {}", bytes(memory.total()), memory.batch, parts.join(", "))),
        ("", "estimated for this network alone with Adam, in 32-bit numbers, buffers as planned".to_owned()),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        let mut name = name;
        for line in wrapped(&value, style.width.saturating_sub(15).max(30)) {
            let space = " ".repeat(15 - name.len().min(15));
            text += &format!("{}{space}{line}", if name.is_empty() { String::new() } else { style.bold(name) });
            text.push('\n');
            name = "";
        }
    }
    text
}

/// Lines of at most so many characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `11_689_512`, as the language writes it.
fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// `1.81 G`: three digits and a thousand's prefix.
fn short(value: u64) -> String {
    scaled(value, 1000.0, &["", " k", " M", " G", " T", " P"])
}

/// `44.6 MiB`.
fn bytes(value: u64) -> String {
    scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
}

fn scaled(value: u64, step: f64, units: &[&str]) -> String {
    let (mut scaled, mut unit) = (value as f64, 0);
    while scaled >= 999.5 && unit + 1 < units.len() {
        (scaled, unit) = (scaled / step, unit + 1);
    }
    let decimals = match scaled {
        _ if unit == 0 => 0,
        small if small < 9.995 => 2,
        medium if medium < 99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.decimals$}{}", units.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_prefix() {
        let shown = [0, 999, 1_000, 1_814_073_344, 99_960, 999_600].map(short);
        assert_eq!(shown, ["0", "999", "1.00 k", "1.81 G", "100 k", "1.00 M"]);
        assert_eq!([512, 1_024, 46_758_048].map(bytes), ["512 B", "1.00 KiB", "44.6 MiB"]);
        assert_eq!([7, 1_000, 11_689_512].map(count), ["7", "1_000", "11_689_512"]);
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_short_names() {
        let layer = LayerDescription { parameters: 1_728, state: 0, multiply_adds: 1_769_472, activations: 65_536 };
        let cells = cells("conv_0", "3×3".into(), &[64, 32, 32], &layer);
        let rows = [Row { level: 0, cells: headed("for.stage=3"), is_group: true }, Row { level: 1, cells, is_group: false }];
        for width in [200, 79, 60, 50, 34] {
            let text = set(&rows, Style { colour: false, width });
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
            assert!(text.contains("  conv_0") && text.contains("1_728"), "{width}:\n{text}");
        }
        assert!(
            set(&rows, Style { colour: false, width: 200 }).contains("  conv_0     3×3     64×32×32       1_728         1.77 M")
        );
    }
}
