//! The rules as a reader meets them: `rules/<id>.md`, TOML front matter between `+++` lines and a
//! Markdown page. The one source for `explain`, `rules`, SARIF help and the README table.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::{ChecklistItem, Confidence, Persona, Severity};

/// One rule's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleInfo {
    pub id: String,
    /// One line without a full stop.
    pub title: String,
    pub item: ChecklistItem,
    pub severity: Severity,
    pub confidence: Confidence,
    pub persona: Persona,
    /// Where such state belongs, e.g. `shared cache`.
    pub home: String,
    /// Weakness numbers, e.g. 488 for CWE-488.
    pub cwe: Vec<u32>,
    /// The version that brought the rule.
    pub since: String,
    /// What the rule is known not to see.
    pub limits: Vec<String>,
    /// The Markdown after the front matter, trimmed.
    pub page: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    id: String,
    title: String,
    item: ChecklistItem,
    severity: Severity,
    confidence: Confidence,
    persona: Persona,
    home: String,
    #[serde(default)]
    cwe: Vec<u32>,
    since: String,
    #[serde(default)]
    limits: Vec<String>,
}

/// A rule page that cannot be used.
#[derive(Debug, PartialEq)]
pub struct PageError {
    pub id: String,
    pub message: String,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rules/{}.md: {}", self.id, self.message)
    }
}

impl std::error::Error for PageError {}

/// All rules, sorted by id.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    rules: Vec<RuleInfo>,
}

impl Rulebook {
    /// Parses `(id, page)` pairs. The first page that is malformed, or a second one of the same id,
    /// is an error.
    pub fn parse(pages: &[(&str, &str)]) -> Result<Self, PageError> {
        let mut rules = pages.iter().map(|(id, page)| RuleInfo::parse(id, page)).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        for rule in &rules {
            if !seen.insert(rule.id.clone()) {
                return Err(PageError { id: rule.id.clone(), message: "there are two pages of this id".into() });
            }
        }
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { rules })
    }

    pub fn iter(&self) -> std::slice::Iter<'_, RuleInfo> {
        self.rules.iter()
    }

    pub fn get(&self, id: &str) -> Option<&RuleInfo> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The position in id order, as SARIF wants it.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.id == id)
    }

    /// The id that a misspelt one was probably meant to be.
    pub fn closest(&self, id: &str) -> Option<&str> {
        self.rules
            .iter()
            .map(|rule| (strsim::jaro_winkler(&rule.id, id), rule.id.as_str()))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, id)| id)
    }
}

impl RuleInfo {
    fn parse(id: &str, text: &str) -> Result<Self, PageError> {
        let error = |message: String| PageError { id: id.to_owned(), message };
        let (front, page) = split(text).ok_or_else(|| error("must start with TOML front matter between two `+++` lines".into()))?;
        let front: Front = toml::from_str(front).map_err(|e| error(e.message().to_owned()))?;
        if front.id != id {
            return Err(error(format!("says that its id is `{}`", front.id)));
        }
        if front.title.is_empty() || front.title.contains('\n') || front.title.ends_with('.') {
            return Err(error("the title must be one line without a full stop".into()));
        }
        let page = page.trim();
        if page.is_empty() {
            return Err(error("has no page after the front matter".into()));
        }
        Ok(Self {
            id: front.id,
            title: front.title,
            item: front.item,
            severity: front.severity,
            confidence: front.confidence,
            persona: front.persona,
            home: front.home,
            cwe: front.cwe,
            since: front.since,
            limits: front.limits,
            page: page.to_owned(),
        })
    }
}

fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("+++\n").or_else(|| text.strip_prefix("+++\r\n"))?;
    let mut offset = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "+++" {
            return Some((rest.get(..offset)?, rest.get(offset + line.len()..)?));
        }
        offset += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "+++\nid = \"local-file\"\ntitle = \"request data on the instance's own disk\"\n\
        item = \"instance-kill\"\nseverity = \"error\"\nconfidence = \"high\"\npersona = \"regular\"\n\
        home = \"object store\"\ncwe = [552]\nsince = \"0.1.0\"\n+++\n\n## What it reports\n\nFiles.\n";

    #[test]
    fn a_page_gives_its_front_matter_and_its_text() {
        let book = Rulebook::parse(&[("local-file", PAGE)]).unwrap();
        let rule = book.get("local-file").unwrap();
        assert_eq!(rule.item, ChecklistItem::InstanceKill);
        assert_eq!(rule.cwe, [552]);
        assert!(rule.limits.is_empty());
        assert!(rule.page.starts_with("## What it reports") && rule.page.ends_with("Files."));
    }

    #[test]
    fn malformed_pages_are_refused_with_the_file_and_the_reason() {
        let refused = |id: &str, page: &str| Rulebook::parse(&[(id, page)]).unwrap_err().to_string();
        assert!(refused("local-file", "# no front matter").contains("rules/local-file.md: must start with"));
        assert!(refused("local-file", "+++\nid = \"local-file\"\n").contains("must start with"));
        assert!(refused("other", PAGE).contains("says that its id is `local-file`"));
        assert!(refused("local-file", &PAGE.replace("instance-kill", "kill")).contains("unknown variant"));
        assert!(refused("local-file", &PAGE.replace("since", "sicne")).contains("unknown field"));
        assert!(refused("local-file", &PAGE.replace("own disk\"", "own disk.\"")).contains("without a full stop"));
        let twice = Rulebook::parse(&[("local-file", PAGE), ("local-file", PAGE)]).unwrap_err();
        assert!(twice.to_string().contains("two pages"));
    }

    #[test]
    fn a_misspelt_id_finds_its_neighbour_and_nonsense_finds_nobody() {
        let book = Rulebook::parse(&[("local-file", PAGE)]).unwrap();
        assert_eq!(book.closest("local-flie"), Some("local-file"));
        assert_eq!(book.closest("zzz"), None);
    }
}
