//! Patterns of paths.

use globset::{Error, GlobBuilder, GlobSet, GlobSetBuilder};

/// Patterns for paths relative to the root with `/`. `*` stays within a folder, `**` does not; a
/// pattern that names a folder stands for all it holds.
#[derive(Debug, Clone, Default)]
pub struct PathGlobs {
    patterns: Vec<String>,
    set: GlobSet,
}

impl PathGlobs {
    /// # Errors
    /// When one of them is no pattern.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Result<Self, Error> {
        let patterns: Vec<String> = patterns.into_iter().collect();
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            let plain = pattern.strip_prefix("./").unwrap_or(pattern);
            set.add(GlobBuilder::new(plain.strip_suffix('/').unwrap_or(plain)).literal_separator(true).build()?);
        }
        Ok(Self { set: set.build()?, patterns })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// As they were written.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// For a walk, which asks about each folder on the way.
    #[must_use]
    pub fn set(&self) -> &GlobSet {
        &self.set
    }

    /// Whether the path or a folder above it is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.filter_map(|end| path.get(..end)).any(|start| self.set.is_match(start))
    }
}
