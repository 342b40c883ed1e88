//! Request data or service state whose home is the instance's own disk.

use super::evidence;
use crate::catalog::{FnEffect, StoreKind};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::finding::*;
use crate::resolve::DefId;
use rustc_hash::FxHashSet;

pub const ID: &str = "local-file";

pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut done: FxHashSet<DefId> = FxHashSet::default();
    let mut findings = Vec::new();
    for effect in &w.facts.effects {
        let writes = match &effect.kind {
            EffectKind::File(FnEffect::FileWrite | FnEffect::FileCopy) => true,
            EffectKind::Library(rule) => rule == ID,
            _ => false,
        };
        let def = w.facts.node(effect.node).def;
        // A temporary name and its rename, or several files of one store, are one way to disk.
        if writes && !done.contains(&def)
            && let Some(finding) = judge(effect, w)
        {
            done.insert(def);
            findings.push(finding);
        }
    }
    findings
}

/// Whether the function first looks for the file and then fetches what it writes: a cache on disk.
fn refetched(effect: &Effect, w: &World<'_>) -> bool {
    let def = w.facts.node(effect.node).def;
    let before = |e: &Effect| w.facts.node(e.node).def == def && e.order < effect.order;
    let looks = w.facts.effects.iter().any(|e| before(e) && e.kind == EffectKind::File(FnEffect::FileRead));
    let fetches = w.facts.effects.iter().any(|e| before(e) && matches!(e.kind, EffectKind::Store { writes: false, .. }));
    let calls = w.facts.calls.iter().any(|c| w.facts.node(c.node).def == def && c.order < effect.order && w.facts.loading.contains(&c.target));
    looks && (fetches || calls)
}

fn judge(effect: &Effect, w: &World<'_>) -> Option<Finding> {
    let library = matches!(effect.kind, EffectKind::Library(_));
    let def = w.facts.node(effect.node).def;
    if !library && !w.graph.phase(effect.node).requested() {
        return None;
    }
    if refetched(effect, w) {
        return None;
    }
    let entry = evidence::entries(w, effect.node).into_iter().next();
    if entry.is_none() && !library {
        return None;
    }
    let mut steps = Vec::new();
    let by = match &entry {
        Some((id, path)) => {
            let label = evidence::entry_label(w, *id);
            let facts = w.facts.entry(*id);
            steps.push(Step { role: Role::Entered, entry: Some(label.clone()), message: format!("{label} starts here"), location: evidence::location(w, facts.file, facts.span) });
            steps.extend(evidence::calls(w, path, &label));
            label
        }
        None => "the service".to_string(),
    };
    let what = effect.what.rsplit("::").take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("::");
    steps.push(Step { role: Role::Written, entry: None, message: format!("`{what}` writes to this instance's disk"), location: evidence::node_location(w, effect.node, effect.span) });
    let krate = |node: NodeId| w.p.def(w.facts.node(node).def).krate;
    let in_store = |e: &Effect, changes: bool| matches!(e.kind, EffectKind::Store { kind: StoreKind::Object, writes } if writes == changes);
    let reader = evidence::nearest(w, def, true, |e| match e.kind {
        EffectKind::File(FnEffect::FileRead) => !library && krate(e.node) == krate(effect.node),
        _ => library && in_store(e, false),
    });
    let mut witness = vec![steps];
    if library && let Some(writer) = evidence::nearest(w, def, false, |e| in_store(e, true)) {
        witness.push(evidence::effect_path(w, writer, Role::Written, "written through"));
    }
    if let Some(reader) = reader {
        let path = evidence::effect_path(w, reader, Role::Read, "read back");
        witness[0].extend(path.last().cloned());
        witness.push(path);
    }
    Some(Finding {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Error,
        confidence: if effect.path.has(Prov::REQUEST) || reader.is_some() { Confidence::High } else { Confidence::Medium },
        persona: Persona::Regular,
        reason: format!("reporting because {by} reaches this write and the file outlives the request"),
        package: w.p.krate(w.p.def(def).krate).package.clone(),
        symbol: format!("{}::{what}", w.p.path(def)),
        ty: None,
        message: format!("what {by} stores is gone with this instance and absent on every other: `{what}` puts it on local disk"),
        location: evidence::node_location(w, effect.node, effect.span),
        witness,
        home: Some("object store".into()),
        help: Some("put the bytes into an object store or the database and keep only a key; use local disk for temporary files alone".into()),
        related: Vec::new(),
    })
}
