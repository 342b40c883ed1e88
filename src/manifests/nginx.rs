//! nginx: `ip_hash`, `sticky` and `hash` of what belongs to a client, in upstreams.

use super::directives::{Directive, Ending, parse};
use super::facts::{Affinity, AffinityKind, Owner};
use super::reader::{Collector, File};
use super::role;

pub fn read(file: &File<'_>, collector: &mut Collector) {
    // Other programs have `.conf` files too; only a balancer's has upstreams or servers in blocks.
    let directives = parse(file.text, Ending::Semicolon);
    visit(file, &directives, collector);
}

fn visit(file: &File<'_>, directives: &[Directive], collector: &mut Collector) {
    for directive in directives {
        match directive.name() {
            "upstream" => read_upstream(file, directive, collector),
            "http" | "stream" => visit(file, &directive.block, collector),
            "server" if !directive.block.is_empty() => collector.facts.seen = true,
            _ => {}
        }
    }
}

fn read_upstream(file: &File<'_>, upstream: &Directive, collector: &mut Collector) {
    collector.facts.seen = true;
    let name = upstream.argument(0);
    for directive in &upstream.block {
        let by_client = match directive.name() {
            "ip_hash" | "sticky" => true,
            "hash" => is_client(directive.argument(0)),
            _ => false,
        };
        if by_client {
            collector.facts.affinities.push(Affinity {
                kind: AffinityKind::NginxHash,
                workload: collector.workload_named(name),
                target: Some(name.to_owned()),
                owner: owner(name, upstream),
                environment: file.environment,
                location: file.location(directive.span),
                detail: directive.words.join(" "),
            });
        }
    }
}

/// A hash of the address, a cookie or a header follows the client; one of the URI spreads a cache.
fn is_client(key: &str) -> bool {
    let key = key.replace(['{', '}'], "");
    ["$remote_addr", "$binary_remote_addr", "$cookie_", "$http_", "$proxy_protocol_addr", "$realip_remote_addr", "$arg_session", "$jwt"]
        .iter()
        .any(|start| key.starts_with(start))
}

/// Somebody else's when the upstream or every server in it is.
fn owner(name: &str, upstream: &Directive) -> Owner {
    let mut servers = upstream.block.iter().filter(|directive| directive.name() == "server").peekable();
    let hosts_foreign =
        servers.peek().is_some() && servers.all(|server| role::is_foreign_name(server.argument(0).split(':').next().unwrap_or_default()));
    if hosts_foreign || role::is_foreign_name(name) { Owner::SomebodyElses } else { Owner::OwnService }
}
