//! What the name of a step says of the sweep that it is of: `by_classes[gan=cpd, classes=4].gap` has the path
//! `by_classes.gap` and the axes `gan=cpd` and `classes=4`. With it many instances are named by few words, and listed as one.

/// A name taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Without what stands in square brackets.
    pub path: String,
    /// What stands in them, in their order.
    pub axes: Vec<(String, String)>,
}

impl Instance {
    /// Any text is a name: one without brackets has no axes.
    pub fn of(name: &str) -> Self {
        let (mut path, mut axes) = (String::new(), Vec::new());
        let (mut depth, mut quoted, mut piece) = (0_usize, false, String::new());
        for character in name.chars() {
            quoted ^= character == '"';
            match character {
                '[' if !quoted && depth == 0 => depth = 1,
                ']' if !quoted && depth == 1 => {
                    depth = 0;
                    axes.extend(axis(&std::mem::take(&mut piece)));
                }
                ',' if !quoted && depth == 1 => axes.extend(axis(&std::mem::take(&mut piece))),
                _ if depth == 0 => path.push(character),
                _ => {
                    match character {
                        '[' | '(' if !quoted => depth += 1,
                        ']' | ')' if !quoted => depth -= 1,
                        _ => {}
                    }
                    piece.push(character);
                }
            }
        }
        axes.extend(axis(&piece));
        Self { path, axes }
    }

    /// Whether a name given by a person means the step with this one: the same path or one above it, and no axis but
    /// the step's own. `by_classes`, `by_classes.gap` and `by_classes[classes=4]` all mean `by_classes[classes=4, seed=1].gap`.
    pub fn means(&self, step: &Instance) -> bool {
        let below = step.path.strip_prefix(self.path.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            && self.axes.iter().all(|axis| step.axes.contains(axis))
    }
}

fn axis(piece: &str) -> Option<(String, String)> {
    let piece = piece.trim();
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    (!piece.is_empty()).then(|| (name.trim().to_owned(), value.trim().to_owned()))
}

/// A name with `[…]` for everything in square brackets: the same for all instances of a family. Also of names in a sentence.
pub fn family(name: &str) -> String {
    let (mut text, mut depth) = (String::new(), 0_usize);
    for character in name.chars() {
        match character {
            '[' => {
                depth += 1;
                if depth == 1 {
                    text.push_str("[…]");
                }
            }
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => text.push(character),
            _ => {}
        }
    }
    text
}

/// Names in a sentence: several instances of a step as one with their number, and of many names the first few.
pub fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const MOST: usize = 4;
    let mut groups: Vec<(String, &str, usize)> = Vec::new();
    for name in names {
        let family = family(name);
        // Instances of one step need not stand together, but in a list of many they do nearly always.
        match groups.iter_mut().rev().take(64).find(|(known, ..)| *known == family) {
            Some((_, _, count)) => *count += 1,
            None => groups.push((family, name, 1)),
        }
    }
    let shown = |(family, name, count): &(String, &str, usize)| match count {
        1 => (*name).to_owned(),
        count => format!("{family} ×{count}"),
    };
    let mut text = groups.iter().take(MOST).map(shown).collect::<Vec<_>>().join(", ");
    if groups.len() > MOST {
        text += &format!(" and {} more", groups.len() - MOST);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stay_short() {
        assert_eq!(listed(["a", "m[x=1].b", "c", "m[x=2].b"]), "a, m[…].b ×2, c");
        assert_eq!(listed(["a", "m[x=1].b"]), "a, m[x=1].b");
        assert_eq!(listed(["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
    }

    #[test]
    fn names_are_taken_apart() {
        let instance = Instance::of("by_classes[gan=cpd, size=gray(4, 5), title=\"a, ]b\"].gap");
        assert_eq!(instance.path, "by_classes.gap");
        let axes: Vec<String> = instance.axes.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        assert_eq!(axes, ["gan:cpd", "size:gray(4, 5)", "title:\"a, ]b\""]);
        assert_eq!(Instance::of("chest"), Instance { path: "chest".into(), axes: vec![] });
        assert_eq!(family("a[x=1].b[y=2] and c"), "a[…].b[…] and c");
        for odd in ["", "[", "]", "a[", "a]]", "a[[b=", "a[(]"] {
            let _ = (Instance::of(odd), family(odd));
        }
    }

    #[test]
    fn few_words_mean_many_instances() {
        let step = Instance::of("by_classes[gan=cpd, classes=4, seed=1001].gap");
        for given in ["by_classes", "by_classes.gap", "by_classes[classes=4]", "by_classes[seed=1001,gan=cpd].gap"] {
            assert!(Instance::of(given).means(&step), "{given}");
        }
        for other in ["by", "by_classes[classes=5]", "by_classes.gap.more", "gap", "by_classes[depth=1]"] {
            assert!(!Instance::of(other).means(&step), "{other}");
        }
    }
}
