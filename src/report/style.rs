//! The page's style, and parts of it for drawings that stand alone: few programs that show SVG files know variables.

/// The style of the page.
pub const PAGE: &str = include_str!("style.css");

/// The rules of one section, without their closing brackets: `svg .axis { stroke: …;`.
pub fn rules(section: &str) -> impl Iterator<Item = &'static str> + use<> {
    let begin = format!("/* {section} */");
    let rules = PAGE.split_once(begin.as_str()).and_then(|(_, rest)| rest.split_once("/*")).map_or("", |(rules, _)| rules);
    rules.split('}').map(str::trim).filter(|rule| rule.contains('{'))
}

/// The text of all drawings.
pub const TEXT: &str = "svg text { font-family: var(--sans); font-size: 12px; fill: var(--ink); ";

/// Rules as the style of a file: the light colours in place of variables, and no more room than needed.
pub fn of_file<'r>(rules: impl IntoIterator<Item = &'r str>) -> String {
    let mut style = String::new();
    for rule in rules {
        let mut parts = rule.split("var(");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once(')').unwrap_or((part, ""));
            plain += value(name).unwrap_or("currentColor");
            plain += rest;
        }
        let dense = plain.replace("svg ", "").replace(" { ", "{").replace(": ", ":").replace("; ", ";");
        style += &format!("{}}}", dense.trim_end_matches([';', ' ']));
    }
    style
}

/// The light value of a variable.
fn value(name: &str) -> Option<&'static str> {
    let (root, _) = PAGE.split_once('}')?;
    let (_, rest) = root.split_once(&format!("{name}: "))?;
    rest.split(';').next()
}
