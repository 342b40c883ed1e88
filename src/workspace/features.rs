//! Features that no build of this tree switches on.

use std::collections::BTreeSet;

use super::model::{Link, TargetKind, Workspace};

/// Entries of features followed for one tree; a manifest of more is nobody's.
const MAX_STEPS: usize = 100_000;

impl Workspace {
    /// For each package, the features that neither its own default nor any package that is built with it
    /// switches on. A package whose default names none leaves the choice to whoever builds it: none is off.
    /// Linear in the entries of all feature tables and dependencies.
    pub fn features_off(&self) -> Vec<BTreeSet<&str>> {
        let mut on: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); self.packages.len()];
        let mut pending: Vec<(usize, &str)> = Vec::new();
        let (mut links_to, mut links_of) = (vec![Vec::new(); self.packages.len()], vec![Vec::new(); self.packages.len()]);
        for link in &self.links {
            links_to[link.to].push(link);
            links_of[link.package].push(link);
        }
        for (index, package) in self.packages.iter().enumerate() {
            let used = |link: &&Link| self.packages[link.package].dependencies.get(link.dependency);
            let mut users = links_to[index].iter().filter_map(used).filter(|d| !d.dev).peekable();
            let built = package.targets.iter().any(|t| t.kind == TargetKind::Binary) || users.peek().is_none();
            if built {
                pending.push((index, "default"));
            }
            for dependency in users {
                pending.extend(dependency.default_features.then_some((index, "default")));
                pending.extend(dependency.features.iter().map(|f| (index, f.as_str())));
            }
        }
        let mut steps = 0;
        while let Some((index, feature)) = pending.pop() {
            if !on[index].insert(feature) || steps > MAX_STEPS {
                continue;
            }
            for entry in self.packages[index].features.get(feature).into_iter().flatten() {
                steps += 1;
                match entry.split_once('/') {
                    Some((dependency, feature)) => {
                        let name = dependency.trim_end_matches('?').replace('-', "_");
                        let named = links_of[index]
                            .iter()
                            .filter(|l| self.packages[index].dependencies.get(l.dependency).is_some_and(|d| d.name == name));
                        pending.extend(named.map(|l| (l.to, feature)));
                    }
                    None => pending.push((index, entry.as_str())),
                }
            }
        }
        let mut off: Vec<BTreeSet<&str>> = Vec::with_capacity(self.packages.len());
        for (package, on) in self.packages.iter().zip(&on) {
            let decides = package.features.get("default").is_some_and(|d| !d.is_empty());
            off.push(package.features.keys().map(String::as_str).filter(|f| decides && !on.contains(f)).collect());
        }
        off
    }
}
