//! Caddyfiles: `lb_policy` by cookie, address or header.

use super::directives::{Directive, Ending, parse};
use super::facts::{Affinity, AffinityKind, Owner};
use super::reader::{Collector, File};
use super::role;

pub fn read(file: &File<'_>, collector: &mut Collector) {
    collector.facts.seen = true;
    visit(file, &parse(file.text, Ending::Line), collector);
}

fn visit(file: &File<'_>, directives: &[Directive], collector: &mut Collector) {
    for directive in directives {
        if directive.name() == "reverse_proxy" {
            read_proxy(file, directive, collector);
        }
        visit(file, &directive.block, collector);
    }
}

fn read_proxy(file: &File<'_>, proxy: &Directive, collector: &mut Collector) {
    let inline = proxy.words.iter().skip(1).filter(|word| !word.starts_with(['/', '@', '*']));
    let listed = proxy.block.iter().filter(|directive| directive.name() == "to").flat_map(|to| to.words.iter().skip(1));
    let hosts: Vec<String> = inline.chain(listed).map(|address| host(address)).collect();
    let foreign = !hosts.is_empty() && hosts.iter().all(|host| role::is_foreign_name(host));
    for directive in proxy.block.iter().filter(|directive| directive.name() == "lb_policy") {
        if matches!(directive.argument(0), "cookie" | "ip_hash" | "client_ip_hash" | "header") {
            let target = hosts.first().cloned();
            collector.facts.affinities.push(Affinity {
                kind: AffinityKind::CaddyPolicy,
                workload: target.as_deref().and_then(|name| collector.workload_named(name)),
                target,
                owner: if foreign { Owner::SomebodyElses } else { Owner::OwnService },
                environment: file.environment,
                location: file.location(directive.span),
                detail: directive.words.join(" "),
            });
        }
    }
}

fn host(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    bare.split([':', '/']).next().unwrap_or(bare).to_owned()
}
