//! A progress bar that only a person at a terminal sees, and only when a run takes long.

use std::fmt;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long a run is silent before the bar appears.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts finished files. Cheap to clone and to tick from many threads; the default one is silent.
#[derive(Clone, Default)]
pub struct Progress {
    inner: Option<Arc<Inner>>,
    /// When each stage began, for benchmarks.
    stages: Option<Arc<Mutex<Vec<Stage>>>>,
}

type Stage = (&'static str, Instant);

struct Inner {
    bar: ProgressBar,
    started: Instant,
    done: AtomicU64,
}

impl Progress {
    /// A bar on standard error, silent if that is no terminal.
    pub fn stderr() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::default();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:24} {pos}/{len} files") {
            bar.set_style(style);
        }
        Self { inner: Some(Arc::new(Inner { bar, started: Instant::now(), done: AtomicU64::new(0) })), stages: None }
    }

    /// Shows nothing and notes when each stage begins.
    pub fn timed() -> Self {
        Self { inner: None, stages: Some(Arc::default()) }
    }

    /// How long each stage took that has ended, in order.
    pub fn times(&self) -> Vec<(&'static str, Duration)> {
        let Some(Ok(stages)) = self.stages.as_ref().map(|s| s.lock()) else { return Vec::new() };
        stages.windows(2).map(|pair| (pair[0].0, pair[1].1 - pair[0].1)).collect()
    }

    fn note(&self, stage: &'static str) {
        if let Some(Ok(mut stages)) = self.stages.as_ref().map(|s| s.lock()) {
            stages.push((stage, Instant::now()));
        }
    }

    /// Says what is being done, and of how many files; of none if it is not done file by file.
    pub fn begin(&self, what: &'static str, files: u64) {
        self.note(what);
        if let Some(inner) = &self.inner {
            inner.done.store(0, Ordering::Relaxed);
            inner.bar.set_length(files);
            inner.bar.set_position(0);
            inner.bar.set_message(what);
        }
    }

    /// One more file is done.
    pub fn tick(&self) {
        let Some(inner) = &self.inner else { return };
        let done = inner.done.fetch_add(1, Ordering::Relaxed) + 1;
        if inner.started.elapsed() < PATIENCE {
            return;
        }
        if inner.bar.is_hidden() {
            inner.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        inner.bar.set_position(done);
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        self.note("report");
        if let Some(inner) = &self.inner {
            inner.bar.finish_and_clear();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("shown", &self.inner.is_some()).finish()
    }
}
