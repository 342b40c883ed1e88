//! What is compiled only with features that no build of the tree switches on.

use super::program::*;

impl Program {
    /// For each definition, whether a `cfg` on it, or around it, leaves it out. Linear in the definitions.
    pub fn left_out(&self) -> Vec<bool> {
        let mut out: Vec<bool> = Vec::with_capacity(self.defs.len());
        if self.crates.iter().all(|krate| krate.features_off.is_empty()) {
            return vec![false; self.defs.len()];
        }
        for number in 0..self.defs.len() as u32 {
            let def = self.def(DefId(number));
            let module = self.module(def.module).def;
            // What encloses a definition stands before it.
            let around = [def.parent, module].into_iter().flatten().filter(|d| d.0 < number).any(|d| out[d.0 as usize]);
            out.push(around || self.is_left_out(DefId(number)));
        }
        out
    }

    fn is_left_out(&self, def: DefId) -> bool {
        let off = &self.krate(self.def(def).krate).features_off;
        let hir = &self.file(self.def(def).file).hir;
        let holds = |text: &str| Predicate { text, off }.parse(0).map(|(value, _)| value);
        self.item(def).attrs.iter().any(|a| hir.str(a.path) == "cfg" && holds(hir.str(a.args)) == Some(Some(false)))
    }
}

/// A `cfg` predicate as text: features are known where they are off, anything else is not.
#[derive(Clone, Copy)]
struct Predicate<'a> {
    text: &'a str,
    off: &'a rustc_hash::FxHashSet<String>,
}

/// Predicates inside predicates that are read.
const MAX_DEPTH: u32 = 32;

impl<'a> Predicate<'a> {
    fn at(self, text: &'a str) -> Self {
        Predicate { text: text.trim_start(), ..self }
    }

    /// The value, if it is known, and the text behind the predicate; nothing where the text is no predicate.
    fn parse(self, depth: u32) -> Option<(Option<bool>, &'a str)> {
        let text = self.text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, rest) = (&text[..end], text[end..].trim_start());
        if name.is_empty() || depth > MAX_DEPTH {
            return None;
        }
        if let Some(value) = rest.strip_prefix('=') {
            let (value, rest) = value.trim_start().strip_prefix('"')?.split_once('"')?;
            return Some(((name == "feature" && self.off.contains(value)).then_some(false), rest));
        }
        let Some(mut rest) = rest.strip_prefix('(') else { return Some((None, rest)) };
        let mut values = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(behind) = rest.strip_prefix(')') {
                rest = behind;
                break;
            }
            let (value, behind) = self.at(rest).parse(depth + 1)?;
            values.push(value);
            rest = behind.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        let value = match name {
            "not" => values.first().copied().flatten().map(|v| !v),
            "all" if values.contains(&Some(false)) => Some(false),
            "any" if !values.is_empty() && values.iter().all(|v| *v == Some(false)) => Some(false),
            _ => None,
        };
        Some((value, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::Predicate;

    #[test]
    fn a_predicate_is_false_where_a_feature_that_is_off_decides() {
        let off = ["sqlite".to_string()].into_iter().collect();
        let value = |text| Predicate { text, off: &off }.parse(0).and_then(|(value, _)| value);
        assert_eq!(value("feature = \"sqlite\""), Some(false));
        assert_eq!(value("feature = \"postgres\""), None);
        assert_eq!(value("not (feature = \"sqlite\")"), Some(true));
        assert_eq!(value("all (unix , feature = \"sqlite\")"), Some(false));
        assert_eq!(value("any (feature = \"sqlite\" , feature = \"postgres\")"), None);
        assert_eq!(value("any (feature = \"sqlite\" , )"), Some(false));
        assert_eq!(value("all (((((("), None);
        assert_eq!(value(&"not (".repeat(100_000)), None);
    }
}
