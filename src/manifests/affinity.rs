//! Affinity in trees: annotations by catalog, and the structures that load balancers are told with.

use super::catalog;
use super::facts::AffinityKind;
use super::tree::{Entry, Node, Span, is_true, walk};

pub struct Hit {
    pub kind: AffinityKind,
    pub span: Span,
    pub detail: String,
    /// The keys that lead to the place, the last one its own.
    pub path: Vec<String>,
}

/// Every affinity below `node`, in the order of the text.
pub fn scan(node: &Node) -> Vec<Hit> {
    let mut hits = Vec::new();
    walk(node, &mut Vec::new(), &mut |path, parent, entry| {
        if let Some((kind, detail)) = affinity(path, parent, entry) {
            hits.push(Hit { kind, span: entry.span(), detail, path: path.iter().map(|key| (*key).to_owned()).collect() });
        }
    });
    hits
}

fn affinity(path: &[&str], parent: &Node, entry: &Entry) -> Option<(AffinityKind, String)> {
    match entry.text() {
        Some(text) => scalar(path, parent, &entry.key, text.trim()),
        None => structure(path, entry),
    }
}

fn scalar(path: &[&str], parent: &Node, key: &str, text: &str) -> Option<(AffinityKind, String)> {
    if let Some(kind) = catalog::affinity_of(key, text) {
        return Some((kind, format!("{key}: {text}")));
    }
    let lower = text.to_ascii_lowercase();
    let under = |name: &str| path.iter().rev().nth(1).is_some_and(|parent| *parent == name);
    let resource = path.iter().find(|part| part.starts_with("resource "));
    let kind = match key {
        // Envoy's filter that sends a client back by a cookie or a header.
        "name" if lower == "envoy.filters.http.stateful_session" => AffinityKind::SessionPersistence,
        "affinityType" if !matches!(lower.as_str(), "" | "none") => AffinityKind::Platform,
        "strategy" if under("loadBalancerPolicy") && lower == "cookie" => AffinityKind::IngressCookie,
        "hash_on" if matches!(lower.as_str(), "cookie" | "ip" | "consumer" | "header") => AffinityKind::ConsistentHash,
        "policy" if under("selection_policy") && matches!(lower.as_str(), "cookie" | "ip_hash" | "client_ip_hash" | "header") => {
            AffinityKind::CaddyPolicy
        }
        "session_affinity" if resource.is_some() && !is_off(&lower) => AffinityKind::Platform,
        "cookie_based_affinity" if lower == "enabled" => AffinityKind::Platform,
        "client_affinity_enabled" | "clientAffinityEnabled" if is_true(&lower) => AffinityKind::Platform,
        "sticky_sessions" if resource.is_some() && is_true(&lower) => AffinityKind::Platform,
        "type" if under("sticky_sessions") && resource.is_some() && lower == "cookies" => AffinityKind::Platform,
        "type"
            if under("stickiness")
                && resource.is_some_and(|name| is_target_group(name))
                && parent.text_at(&["enabled"]).is_none_or(|on| !is_off(on)) =>
        {
            AffinityKind::TargetGroup
        }
        _ => return None,
    };
    Some((kind, format!("{key} = {text}")))
}

fn structure(path: &[&str], entry: &Entry) -> Option<(AffinityKind, String)> {
    let node = entry.value.as_ref();
    match entry.key.as_str() {
        "consistentHash" => {
            let by = ["httpCookie", "httpHeaderName", "httpQueryParameterName", "cookie", "header"]
                .into_iter()
                .find(|key| node.get(key).is_some());
            let source = node.text_at(&["useSourceIp"]).is_some_and(is_true);
            let kind = node.text_at(&["type"]).filter(|kind| matches!(*kind, "SourceIP" | "Header" | "Headers" | "Cookie"));
            let by = by.or(source.then_some("useSourceIp")).or(kind)?;
            Some((AffinityKind::ConsistentHash, format!("consistentHash on {by}")))
        }
        "hash_policy" | "hashPolicy" => {
            let by = node
                .items()
                .iter()
                .find_map(|item| ["cookie", "header", "connection_properties"].into_iter().find(|key| item.get(key).is_some()))?;
            Some((AffinityKind::ConsistentHash, format!("{} on {by}", entry.key)))
        }
        "hashOn" => {
            let by = ["cookie", "header", "input"].into_iter().find(|key| node.get(key).is_some())?;
            Some((AffinityKind::ConsistentHash, format!("hashOn {by}")))
        }
        "sessionAffinity" => {
            let by = node.text_at(&["type"]).filter(|by| !is_off(by))?;
            Some((AffinityKind::Platform, format!("sessionAffinity by {by}")))
        }
        "sessionPersistence" if node.is_map() => Some((AffinityKind::SessionPersistence, "sessionPersistence".to_owned())),
        "sticky" | "stickiness"
            if path.iter().any(|key| matches!(*key, "loadBalancer" | "loadbalancer" | "services" | "weighted"))
                && (node.get("cookie").is_some() || entry.key == "stickiness") =>
        {
            Some((AffinityKind::TraefikSticky, format!("{} cookie", entry.key)))
        }
        "TargetGroupAttributes" => {
            let on = node
                .items()
                .iter()
                .any(|item| item.text_at(&["Key"]) == Some("stickiness.enabled") && item.text_at(&["Value"]).is_some_and(is_true));
            on.then(|| (AffinityKind::TargetGroup, "stickiness.enabled: true".to_owned()))
        }
        "LBCookieStickinessPolicy" | "AppCookieStickinessPolicy" if !node.items().is_empty() => {
            Some((AffinityKind::TargetGroup, entry.key.clone()))
        }
        key if key.starts_with("resource aws_lb_cookie_stickiness_policy ")
            || key.starts_with("resource aws_app_cookie_stickiness_policy ") =>
        {
            Some((AffinityKind::TargetGroup, key.trim_start_matches("resource ").to_owned()))
        }
        _ => None,
    }
}

fn is_target_group(key: &str) -> bool {
    key.starts_with("resource aws_lb_target_group ") || key.starts_with("resource aws_alb_target_group ")
}

fn is_off(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "" | "none" | "false" | "disabled" | "null")
}
