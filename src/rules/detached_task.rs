//! Work that a request leaves behind in a task, and that is lost with the instance.

use super::evidence::{self, Told};
use super::work;
use crate::catalog::{Op, StoreKind};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::finding::*;

pub const ID: &str = "detached-task";

/// Entry points that are shown as leaving the same work behind.
const SHOWN_ENTRIES: usize = 8;

pub fn check(w: &World<'_>) -> Vec<Finding> {
    w.facts.effects.iter().filter_map(|effect| judge(effect, w)).collect()
}

/// What a kill loses of the work that a request hands over by this effect and does not wait for.
pub fn lost<'w>(effect: &Effect, w: &'w World<'_>) -> Option<&'w Effect> {
    let EffectKind::Spawn { body, awaited: false, wrapper: false, .. } = effect.kind else { return None };
    // What a loop behind a queue hands on is lost with the queue.
    if !w.graph.direct_phase(effect.node).requested() || serves_connection(w, body) || feeds_caller(effect.node, body, w) {
        return None;
    }
    // A loop that never ends begins again when the process does, and its next round hands over what the last one did.
    let rounds = w.facts.node(effect.node).periodic;
    if repeats(w, body) || rounds.is_some_and(|loop_| loop_.end_line > loop_.line && loop_.holds(effect.span)) {
        return None;
    }
    let mut effects = work::effects(w, body);
    // The next request that changes nothing by its method meets the same copy, or the same lack of it.
    if w.only_gets(effect.node) {
        effects.retain(|e| !keeps_a_copy(e));
    }
    // Acknowledged only when the work is done: a broker brings the message again.
    if effects.iter().any(|e| e.kind == EffectKind::Settle) {
        return None;
    }
    let lost = work::lasting(w, &effects)?;
    if work::claimed(&effects) && !matches!(lost.kind, EffectKind::Store { writes: true, .. }) {
        return None;
    }
    Some(lost)
}

fn judge(effect: &Effect, w: &World<'_>) -> Option<Finding> {
    let lost = lost(effect, w)?;
    let EffectKind::Spawn { body, .. } = effect.kind else { return None };
    let entries: Vec<_> = evidence::entries(w, effect.node).into_iter().take(SHOWN_ENTRIES).collect();
    let label = evidence::entry_label(w, entries.first()?.0);
    let witness = entries
        .iter()
        .map(|(entry, path)| {
            let label = evidence::entry_label(w, *entry);
            let mut steps = vec![evidence::entered(w, *entry)];
            steps.extend(evidence::routed(w, *entry));
            steps.extend(evidence::calls(w, path, &label));
            steps.push(
                Step::new(
                    Role::Spawned,
                    "the work is handed to a task that nobody awaits",
                    evidence::node_location(w, effect.node, effect.span),
                )
                .on(label),
            );
            steps.extend(down(w, body, lost));
            steps.push(Step::new(
                Role::Because,
                format!("{} is what a kill loses", work::name(w, lost)),
                evidence::node_location(w, lost.node, lost.span),
            ));
            steps
        })
        .collect();
    let def = w.facts.node(effect.node).def;
    let told = Told {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        reason: format!("reporting because {label} answers without waiting for this task, which goes on to {}", work::name(w, lost)),
        message: format!(
            "a kill after {label} has answered loses this work for good: {} runs in a task that nothing resumes",
            work::name(w, lost)
        ),
        witness,
        home: "durable queue",
        help: "do it before answering, or put the job into a durable queue or table in the request's transaction \
             and let a worker take it from there",
    };
    Some(told.at(def, format!("{}::spawn", w.p.path(def)), evidence::node_location(w, effect.node, effect.span), w))
}

/// The calls from the task's body down to what it does.
fn down(w: &World<'_>, body: NodeId, lost: &Effect) -> Vec<Step> {
    let path = w.graph.path(body, lost.node);
    path.iter()
        .map(|edge| {
            Step::new(
                Role::Called,
                format!("the task calls `{}`", w.p.text(w.p.def(w.facts.node(edge.to).def).name)),
                evidence::node_location(w, edge.from, edge.span),
            )
        })
        .collect()
}

/// Whether an effect puts a value under its key in a shared cache, or takes it away: once is as good as twice.
fn keeps_a_copy(effect: &Effect) -> bool {
    let plain =
        |verb: &str| matches!(verb, "set" | "set_ex" | "pset_ex" | "set_options" | "mset" | "del" | "unlink" | "expire" | "pexpire");
    let steps = |verb: &str| {
        matches!(verb, "pipe" | "atomic" | "ignore" | "query_async" | "cmd" | "arg" | "exec_async" | "query" | "exec" | "execute")
    };
    let mut verbs = effect.what.split('.').peekable();
    let text = effect.text.as_deref().and_then(|t| t.split_whitespace().next()).unwrap_or("SET").to_ascii_uppercase();
    matches!(effect.kind, EffectKind::Store { kind: StoreKind::Cache, writes: true })
        && verbs.clone().any(|v| plain(v) || v == "cmd")
        && verbs.all(|v| plain(v) || steps(v))
        && (!effect.what.starts_with("cmd") || matches!(text.as_str(), "SET" | "SETEX" | "DEL" | "UNLINK" | "EXPIRE"))
}

/// Whether the body sends to whoever spawned it: it makes the body of the response, or hands back a result.
fn feeds_caller(spawner: NodeId, body: NodeId, w: &World<'_>) -> bool {
    let made_there = |a: &Access| matches!(a.place.root, Root::Local(node, _) if node == spawner);
    let elsewhere = |sent: &Access| {
        let taken = |a: &&Access| a.op == Op::Recv && a.place.root == sent.place.root;
        w.facts.accesses.iter().filter(taken).any(|a| a.node != spawner && matches!(w.facts.node(a.node).kind, NodeKind::Spawned(_)))
    };
    w.facts.accesses.iter().any(|a| a.node == body && matches!(a.op, Op::Send | Op::Reply) && made_there(a) && !elsewhere(a))
}

/// Whether the body pumps a channel or socket: it lives and dies with its connection.
fn serves_connection(w: &World<'_>, body: NodeId) -> bool {
    // The loop may be in a function that the body does nothing but call.
    let listening = listens(w, body) || w.graph.callees(body).any(|e| !e.spawn && listens(w, e.to));
    let pumps = |a: &Access| a.node == body && matches!(a.op, Op::Recv | Op::Subscribe);
    listening || w.facts.accesses.iter().any(pumps)
}

/// Whether a function waits for what a stream or socket brings.
fn listens(w: &World<'_>, node: NodeId) -> bool {
    w.facts.node(node).listens || w.facts.node(node).pumps
}

/// Whether the body, or a function that it does nothing but call, repeats its work for as long as it lives.
fn repeats(w: &World<'_>, body: NodeId) -> bool {
    let loops = |node: NodeId| w.facts.node(node).periodic.is_some();
    loops(body) || w.effects_of(body).is_empty() && w.graph.callees(body).filter(|e| !e.spawn).any(|e| loops(e.to))
}
