//! A proxy that sends each client to the same server, by a hash of or a look-up with what tells it apart.

use super::ID;
use crate::facts::cells::World;
use crate::facts::model::Prov;
use crate::facts::steering::{Forward, Means};
use crate::finding::{ChecklistItem, Confidence, Finding, Role, Severity};
use crate::rules::evidence::{self, Told};

pub fn check(w: &World<'_>) -> Vec<Finding> {
    w.facts.steering.forwards.iter().filter_map(|forward| judge(w, forward)).collect()
}

fn judge(w: &World<'_>, forward: &Forward) -> Option<Finding> {
    let node = w.facts.node(forward.node);
    let to = w.graph.resolve(forward.to, node.def);
    // An address that a proxy is given as such holds nothing else of the client; a URL may name it in its path.
    let by_client = to.has(Prov::PICKED) || forward.means == Means::Peer && to.has(Prov::CLIENT);
    if !by_client || !w.graph.phase(forward.node).requested() {
        return None;
    }
    let (entry, path) = evidence::entries(w, forward.node).into_iter().next()?;
    let label = evidence::entry_label(w, entry);
    let location = evidence::node_location(w, forward.node, forward.span);
    let verb = "goes to a server that its client decides";
    let told = Told {
        rule: ID,
        item: ChecklistItem::Affinity,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        reason: "reporting because the server is chosen by a cookie, a session or the address of the client".into(),
        message: format!("a client loses what its server remembers when that server goes: {label} sends each client back to the same one"),
        witness: vec![evidence::way_to(w, entry, &path, Role::Sent, verb, location.clone())],
        home: "shared cache",
        help: "let any server answer any request, and keep what they remember of clients in a shared store",
    };
    Some(told.at(node.def, format!("{}::server", w.p.path(node.def)), location, w))
}
