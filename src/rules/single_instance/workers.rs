//! A server that is told to run one worker: a sign that its state is one worker's.

use super::ID;
use crate::facts::cells::World;
use crate::finding::{ChecklistItem, Confidence, Finding, Persona, Role, Severity, Step};
use crate::rules::evidence;
use crate::syntax::hir::{ExprKind, Lit};

/// actix-web's `HttpServer::workers` sets the number of threads that serve, each with state of its own:
/// <https://docs.rs/actix-web/4/actix_web/struct.HttpServer.html#method.workers>.
const FRAMEWORK: &str = "actix_web";

pub fn check(w: &World<'_>) -> Vec<Finding> {
    let Some(framework) = w.p.names.get(FRAMEWORK) else { return Vec::new() };
    let mut findings = Vec::new();
    for (number, node) in w.facts.nodes.iter().enumerate() {
        let krate = w.p.krate(w.p.def(node.def).krate);
        let id = crate::facts::model::NodeId(number as u32);
        if node.parent.is_some() || !krate.externs.contains_key(&framework) || !w.graph.phase(id).has(crate::facts::phases::Phases::STARTUP)
        {
            continue;
        }
        let hir = &w.p.file(node.file).hir;
        for expr in hir.exprs.iter().filter(|e| e.span.line >= node.span.line && e.span.end_line <= node.span.end_line) {
            let ExprKind::Method { name, name_span, args, .. } = &expr.kind else { continue };
            let one = matches!(args.as_slice(), [only] if matches!(hir.expr(*only).kind, ExprKind::Lit(Lit::Int(Some(1)))));
            if hir.str(*name) != "workers" || !one {
                continue;
            }
            let location = evidence::location(w, node.file, *name_span);
            findings.push(Finding {
                rule: ID,
                item: ChecklistItem::TwoInstance,
                severity: Severity::Note,
                confidence: Confidence::Low,
                persona: Persona::Pedantic,
                reason: "reporting for discussion only, because one worker may be a choice of speed and not of state".into(),
                package: krate.package.clone(),
                symbol: format!("{}::workers", w.p.path(node.def)),
                ty: None,
                message:
                    "what works with one worker may fail with two, and with two instances: `workers(1)` keeps all requests in one thread"
                        .into(),
                location: location.clone(),
                witness: vec![vec![Step::new(Role::Configured, "one worker is asked for here", location)]],
                home: Some("two or more instances".into()),
                help: Some("take the limit out and see which state is missed by the second worker".into()),
                related: Vec::new(),
            });
        }
    }
    findings
}
