//! Which files, by their names, may configure or deploy a service.

/// A file that is not Rust and that somebody may want to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    Configuration,
    /// JSON, which is data far more often than configuration.
    Data,
}

impl Other {
    pub(super) fn max_bytes(self) -> u64 {
        match self {
            Self::Configuration => 1 << 20,
            Self::Data => 512 << 10,
        }
    }
}

/// Files of tools that build, format or check, and never run with the service.
const TOOLING: [&str; 17] = [
    "Cargo.toml",
    "Cross.toml",
    "Trunk.toml",
    "clippy.toml",
    "deny.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "stateless.toml",
    "typos.toml",
    "biome.json",
    "composer.json",
    "deno.json",
    "jsconfig.json",
    "npm-shrinkwrap.json",
    "package.json",
    "renovate.json",
    "sqlx-data.json",
];

/// Hidden folders in which tools look for deployments; all others are passed over.
const DEPLOYMENT_FOLDERS: [&str; 12] =
    [".aws", ".deploy", ".deployment", ".do", ".docker", ".fly", ".helm", ".infra", ".k8s", ".kube", ".kubernetes", ".nomad"];

pub(super) fn deploys(folder: &str) -> bool {
    DEPLOYMENT_FOLDERS.contains(&folder)
}

/// Endings of files from which a tool or a person makes the file itself.
const TEMPLATES: [&str; 8] = [".tpl", ".tmpl", ".template", ".j2", ".jinja", ".example", ".sample", ".dist"];

/// The name without such an ending.
pub fn without_template(name: &str) -> &str {
    TEMPLATES.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

pub(super) fn other(name: &str) -> Option<Other> {
    if name == ".env" || name.starts_with(".env.") || name.starts_with(".env-") || name.starts_with(".env_") {
        return Some(Other::Configuration);
    }
    let lock_file = name.contains("-lock.");
    if name.starts_with('.') || TOOLING.contains(&name) || name.starts_with("tsconfig") || lock_file {
        return None;
    }
    let special = ["Dockerfile", "Containerfile", "docker-compose", "Caddyfile"];
    if special.iter().any(|start| name.starts_with(start)) || name == "Procfile" {
        return (!name.ends_with(".rs")).then_some(Other::Configuration);
    }
    match without_template(name).rsplit_once('.')?.1 {
        "yml" | "yaml" | "toml" | "conf" | "cfg" | "tf" | "tofu" | "tfvars" | "hcl" | "nomad" | "env" | "Dockerfile" => {
            Some(Other::Configuration)
        }
        "json" => Some(Other::Data),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Other, other};

    #[test]
    fn names_of_deployment_and_configuration_are_candidates() {
        for name in [
            "compose.yaml",
            "nginx.conf",
            "main.tf",
            "Dockerfile.prod",
            "Caddyfile",
            ".env",
            ".env.example",
            "prod.env",
            "Procfile",
            "Rocket.toml",
            "haproxy.cfg",
            "deployment.yaml.tpl",
            "nginx.conf.template",
            "shop.nomad",
            "shop.nomad.hcl",
            "main.tofu",
            "prod.tfvars",
        ] {
            assert_eq!(other(name), Some(Other::Configuration), "{name}");
        }
        assert_eq!(other("settings.json"), Some(Other::Data));
    }

    #[test]
    fn tooling_and_source_are_not() {
        for name in [
            "Cargo.toml",
            "rustfmt.toml",
            ".rustfmt.toml",
            "clippy.toml",
            "deny.toml",
            "rust-toolchain.toml",
            "package-lock.json",
            "pnpm-lock.yaml",
            "tsconfig.base.json",
            "README.md",
            "Cargo.lock",
            "main.rs",
            ".envrc",
        ] {
            assert_eq!(other(name), None, "{name}");
        }
    }
}
