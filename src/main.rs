use cargo_stateless::analysis::{Analysis, AnalyzeError, AnalyzeOptions};
use cargo_stateless::cli::{self, Engine, Policy};
use cargo_stateless::config::Config;
use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Linter;

impl Engine for Linter {
    fn analyze(&self, root: &Path, options: &AnalyzeOptions) -> Result<(Analysis, Policy), AnalyzeError> {
        let config = Config::load(root, &[]).map_err(|e| AnalyzeError { message: e.to_string() })?;
        let analysis = cargo_stateless::engine::analyze(root, &config, options)?;
        Ok((analysis, Policy::default()))
    }
    fn pages(&self) -> &[(&'static str, &'static str)] {
        &[]
    }
    fn sample_config(&self) -> &str {
        ""
    }
}

fn main() -> ExitCode {
    cli::main(&Linter)
}
