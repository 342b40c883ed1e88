//! What a file's place and name say about the environment it describes.

use super::facts::Environment;

/// Documentation and what is laid aside deploy nothing either.
const DEVELOPMENT: [&str; 36] = [
    "dev",
    "devel",
    "develop",
    "development",
    "local",
    "localhost",
    "test",
    "tests",
    "testing",
    "testdata",
    "ci",
    "e2e",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "override",
    "devcontainer",
    "integration",
    "bench",
    "benchmark",
    "benchmarks",
    "kind",
    "minikube",
    "k3d",
    "tilt",
    "playground",
    "playwright",
    "cypress",
    "debug",
    "tutorial",
    "doc",
    "docs",
    "archive",
    "archived",
];
const PRODUCTION: [&str; 4] = ["prod", "production", "live", "release"];

/// The nearest word of the path that speaks of an environment decides.
pub fn of_path(path: &str) -> Environment {
    let lower = path.to_ascii_lowercase();
    lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .rev()
        .find_map(|word| {
            if DEVELOPMENT.contains(&word) {
                Some(Environment::Development)
            } else if PRODUCTION.contains(&word) {
                Some(Environment::Production)
            } else {
                None
            }
        })
        .unwrap_or(Environment::Unknown)
}
