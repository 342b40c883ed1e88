//! HAProxy: persistence by cookie, by stick table or by the source address, in back ends.

use super::facts::{Affinity, AffinityKind, Owner};
use super::reader::{Collector, File};
use super::role;
use super::tree::Span;

struct Section {
    name: String,
    balances: bool,
    servers: Vec<String>,
    hits: Vec<(Span, String)>,
}

pub fn read(file: &File<'_>, collector: &mut Collector) {
    let mut section: Option<Section> = None;
    for (index, line) in file.text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let Some(keyword) = words.first() else {
            continue;
        };
        if !line.starts_with([' ', '\t']) && is_section(keyword) {
            close(file, section.take(), collector);
            section = Some(Section {
                name: words.get(1).copied().unwrap_or_default().to_owned(),
                balances: matches!(*keyword, "backend" | "listen"),
                servers: Vec::new(),
                hits: Vec::new(),
            });
            continue;
        }
        let Some(section) = &mut section else {
            continue;
        };
        if *keyword == "server" {
            section.servers.extend(words.iter().skip(1).take(2).map(|word| (*word).to_owned()));
        }
        if is_persistence(&words) {
            section.hits.push((whole_line(line, index, &words), words.join(" ")));
        }
    }
    close(file, section, collector);
}

fn is_section(keyword: &str) -> bool {
    matches!(
        keyword,
        "global"
            | "defaults"
            | "frontend"
            | "backend"
            | "listen"
            | "resolvers"
            | "peers"
            | "userlist"
            | "cache"
            | "program"
            | "http-errors"
            | "ring"
    )
}

/// A stick table alone counts requests; only `stick on`, `match` and `store-request` send clients back.
fn is_persistence(words: &[&str]) -> bool {
    match words {
        ["cookie", ..] => true,
        ["stick", how, ..] => matches!(*how, "on" | "match"),
        ["appsession", ..] => true,
        ["balance", "source", ..] => true,
        ["balance", "hash", by, ..] => ["src", "req.cook", "req.hdr", "cook", "hdr"].iter().any(|start| by.starts_with(start)),
        ["balance", algorithm, ..] => algorithm.starts_with("hdr(") || algorithm.starts_with("rdp-cookie"),
        ["hash-balance-factor", ..] => false,
        _ => false,
    }
}

fn whole_line(line: &str, index: usize, words: &[&str]) -> Span {
    let column = line.chars().take_while(|c| c.is_whitespace()).count() as u32 + 1;
    let end = words.last().and_then(|word| line.rfind(word).map(|at| at + word.len()));
    let end = line.get(..end.unwrap_or(line.len())).unwrap_or(line).chars().count() as u32 + 1;
    let line = index as u32 + 1;
    Span { line, column, end_line: line, end_column: end }
}

fn close(file: &File<'_>, section: Option<Section>, collector: &mut Collector) {
    let Some(section) = section else { return };
    if !section.balances {
        return;
    }
    collector.facts.seen = true;
    let foreign = role::is_foreign_name(&section.name)
        || !section.servers.is_empty()
            && section
                .servers
                .chunks(2)
                .all(|server| server.iter().any(|word| role::is_foreign_name(word.split(':').next().unwrap_or_default())));
    for (span, detail) in section.hits {
        collector.facts.affinities.push(Affinity {
            kind: AffinityKind::HaproxyPersistence,
            workload: collector.workload_named(&section.name),
            target: Some(section.name.clone()),
            owner: if foreign { Owner::SomebodyElses } else { Owner::OwnService },
            environment: file.environment,
            location: file.location(span),
            detail,
        });
    }
}
