//! A library's session store that keeps sessions in this process.

use super::evidence::{self, Told};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::finding::*;

pub const ID: &str = "memory-session-store";

pub fn check(w: &World<'_>) -> Vec<Finding> {
    w.libraries(ID).map(|e| finding(e, w)).collect()
}

fn finding(effect: &Effect, w: &World<'_>) -> Finding {
    let def = w.facts.node(effect.node).def;
    let location = evidence::node_location(w, effect.node, effect.span);
    let keeps = w.cat.library(&effect.what).map_or("sessions".to_string(), |l| l.keeps.clone());
    let what = evidence::last_two(&effect.what);
    let told = Told {
        rule: ID,
        item: ChecklistItem::CacheWriteBack,
        severity: Severity::Error,
        confidence: Confidence::High,
        reason: format!("reporting because `{what}` keeps {keeps} in the memory of the process that builds it"),
        message: format!(
            "a client loses its session when the next request reaches another instance or this one restarts: `{what}` keeps {keeps} in memory"
        ),
        witness: evidence::built(
            Step::new(Role::Declared, format!("{keeps} are kept here"), location.clone()),
            evidence::put_to_use(w, effect),
            evidence::handled(w, def, ID, &keeps),
        ),
        home: "shared cache",
        help: "use the library's Redis or database store, or keep the session in a signed cookie",
    };
    told.at(def, format!("{}::{what}", w.p.path(def)), location, w)
}
