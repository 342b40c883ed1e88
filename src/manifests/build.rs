//! What images are built from: folders, and the recipes in Dockerfiles.

use super::facts::{Build, Dockerfile};
use super::reader::{Collector, File};
use super::settings;
use super::tree::{Node, Span};

/// Words of a recipe that are kept; longer files say nothing more.
const MAX_WORDS: usize = 4_000;

/// A build of a compose service: the context, or a map that has one.
pub fn of_compose(file: &File<'_>, build: &Node) -> Build {
    let context = build.text().or_else(|| build.text_at(&["context"])).unwrap_or(".");
    let folder = resolve(file.folder(), context);
    let dockerfile = build.text_at(&["dockerfile"]).unwrap_or("Dockerfile");
    Build {
        dockerfile: folder.as_deref().and_then(|folder| resolve(folder, dockerfile)).unwrap_or_default(),
        folder: folder.unwrap_or_default(),
    }
}

/// A build in `folder` (as written, below `base`) with a Dockerfile given from `base`.
pub fn of_platform(base: &str, folder: Option<&str>, dockerfile: Option<&str>) -> Build {
    let folder = resolve(base, folder.unwrap_or(".")).unwrap_or_default();
    let dockerfile = match dockerfile {
        Some(path) => resolve(base, path),
        None => resolve(&folder, "Dockerfile"),
    };
    Build { folder, dockerfile: dockerfile.unwrap_or_default() }
}

/// A relative path from a folder; `None` where it is computed, a URL, or leads out of the tree.
fn resolve(base: &str, path: &str) -> Option<String> {
    if path.contains(['$', '~', '{', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.trim().split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

pub fn is_dockerfile(name: &str) -> bool {
    ["dockerfile", "containerfile"].iter().any(|start| name.starts_with(start)) || name.ends_with(".dockerfile")
}

/// The words of the recipe, and the environment that it ships with.
pub fn read_dockerfile(file: &File<'_>, collector: &mut Collector) {
    let words = file.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').filter(|word| !word.is_empty());
    let words = words.take(MAX_WORDS).map(str::to_ascii_lowercase).collect();
    collector.facts.dockerfiles.push(Dockerfile { path: file.path.to_owned(), words, runs: started(file.text) });
    for (index, line) in file.text.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("ENV ") else { continue };
        let number = index as u32 + 1;
        let end = line.trim_end().chars().count() as u32 + 1;
        let span = Span { line: number, column: 1, end_line: number, end_column: end };
        for (key, value) in pairs(rest.trim_end_matches('\\').trim()) {
            settings::add(file, key, value.trim_matches(['"', '\'']), span, collector);
        }
    }
}

/// `ENTRYPOINT ["/usr/bin/shop", "--all"]`, or else `CMD shop`: of several the last counts.
fn started(recipe: &str) -> Option<String> {
    let last = |word: &str| recipe.lines().rev().find_map(|line| line.trim_start().strip_prefix(word)?.strip_prefix([' ', '\t', '[']));
    let command = last("ENTRYPOINT").or_else(|| last("CMD"))?;
    let program = command.split([' ', ',', '"', '\'', '[', ']', '\t']).find(|word| !word.is_empty())?;
    Some(program.rsplit('/').next().unwrap_or(program).to_ascii_lowercase())
}

/// `A=1 B=2`, or the old form `A 1`.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    match text.split_once(char::is_whitespace) {
        Some((key, value)) if !key.contains('=') => vec![(key, value.trim())],
        _ => text.split_whitespace().filter_map(|word| word.split_once('=')).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_from_the_file_that_names_them() {
        assert_eq!(resolve("deploy/prod", "../../services/shop/").as_deref(), Some("services/shop"));
        assert_eq!(resolve("", ".").as_deref(), Some(""));
        assert_eq!(resolve("", ".."), None);
        assert_eq!(resolve("deploy", "https://example.com/x.git"), None);
        assert_eq!(resolve("deploy", "${CONTEXT}"), None);
    }

    #[test]
    fn the_program_of_a_recipe_is_its_last_entry_point() {
        assert_eq!(started("FROM x\nCMD [\"serve\"]\nENTRYPOINT [\"/usr/bin/Shop\", \"--all\"]\n").as_deref(), Some("shop"));
        assert_eq!(started("CMD ./run.sh a\nCMD shop -v\n").as_deref(), Some("shop"));
        assert_eq!(started("FROM x\nRUN cargo build\n"), None);
    }

    #[test]
    fn both_forms_of_env_are_read() {
        assert_eq!(pairs("A=1 B=x:y"), [("A", "1"), ("B", "x:y")]);
        assert_eq!(pairs("A 1 2"), [("A", "1 2")]);
    }
}
