//! What claims weigh: an estimate from their type, by the assumptions that the rule's page states.

use crate::facts::cells::World;
use crate::facts::claims::has_word;
use crate::facts::tokens::{Claims, Part};
use crate::resolve::{DefId, DefKind, Ty};

/// Bytes of JSON of one value.
const NUMBER: u32 = 10;
const BOOL: u32 = 5;
const TEXT: u32 = 26;
const UUID: u32 = 38;
/// An RFC 3339 moment in quotes.
const MOMENT: u32 = 26;
/// Entries that a list or map is taken to have.
const ENTRIES: u32 = 16;
/// A header of algorithm and type, an HMAC of 256 bits, two dots.
const ENVELOPE: u32 = 36 + 43 + 2;
/// Structs inside structs are followed so far.
const MAX_DEPTH: u32 = 5;
/// Fields from which a struct inside the claims is a record of its own.
const RECORD: usize = 4;

#[derive(Default)]
pub struct Weight {
    pub json: u32,
    /// Claims that grow with the data.
    pub growing: Vec<String>,
    /// Structs that are whole records.
    pub records: u32,
    /// Claims that could be looked up by the subject.
    pub lookups: Vec<String>,
}

impl Weight {
    /// Header, claims in base64 without padding, and signature.
    pub fn on_the_wire(&self) -> u32 {
        ENVELOPE.saturating_add(self.json.saturating_mul(4).div_ceil(3))
    }
}

pub fn weigh(w: &World<'_>, claims: &Claims) -> Weight {
    let mut weight = Weight::default();
    weight.json = match &claims.ty {
        Ty::Adt(def, _) => fields(w, *def, &claims.ty, "", 0, &mut weight),
        _ => parts(w, &claims.parts, "", 0, &mut weight),
    };
    weight
}

/// Claims that are known by name and value alone.
fn parts(w: &World<'_>, parts_of: &[Part], path: &str, depth: u32, weight: &mut Weight) -> u32 {
    let mut bytes = 2u32;
    for part in parts_of {
        let name = w.p.text(part.name);
        let full = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        let registered = depth == 0 && w.cat.tokens.names.registered.iter().any(|r| r == name);
        let own = if part.parts.is_empty() {
            value(w, &part.ty, &full, depth, registered, weight)
        } else {
            if part.parts.len() >= RECORD {
                weight.records += 1;
                note(&mut weight.lookups, &full);
            }
            parts(w, &part.parts, &full, depth + 1, weight)
        };
        bytes = bytes.saturating_add(own).saturating_add(name.len() as u32 + 4);
    }
    bytes
}

/// The braces, and each field with its quoted name, colon and comma.
fn fields(w: &World<'_>, def: DefId, ty: &Ty, path: &str, depth: u32, weight: &mut Weight) -> u32 {
    let Some((_, fields)) = w.p.fields_of(def) else { return TEXT };
    let file = w.p.def(def).file;
    let hir = &w.p.file(file).hir;
    let mut bytes = 2u32;
    for field in &fields.fields {
        let serde = |word: &str| has_word(hir, field, word);
        if serde("skip") || serde("skip_serializing") {
            continue;
        }
        let name = hir.str(field.name);
        let flat = serde("flatten") || fields.tuple;
        let full = if flat || path.is_empty() { format!("{path}{name}") } else { format!("{path}.{name}") };
        let held = w.p.field_type(def, ty.args(), w.p.name_in(file, field.name)).unwrap_or(Ty::Unknown);
        let registered = depth == 0 && w.cat.tokens.names.registered.iter().any(|r| r == name);
        let own = value(w, &held, if flat && !path.is_empty() { path } else { &full }, depth, registered, weight);
        bytes = bytes.saturating_add(own).saturating_add(if flat { 0 } else { name.len() as u32 + 4 });
    }
    bytes
}

fn value(w: &World<'_>, ty: &Ty, path: &str, depth: u32, registered: bool, weight: &mut Weight) -> u32 {
    match ty {
        Ty::Prim(name) => match w.p.text(*name) {
            "bool" => BOOL,
            "str" => TEXT,
            _ => NUMBER,
        },
        Ty::Adt(def, _) if w.p.def(*def).kind == DefKind::Struct && depth < MAX_DEPTH => {
            let count = w.p.fields_of(*def).map_or(0, |(_, f)| if f.tuple { 0 } else { f.fields.len() });
            if count >= RECORD {
                weight.records += 1;
                note(&mut weight.lookups, path);
            }
            fields(w, *def, ty, path, depth + 1, weight)
        }
        Ty::Ext(name, args) => external(w, w.p.text(*name), args, path, depth, registered, weight),
        Ty::Seq(elem) => many(w, elem, path, depth, registered, weight),
        Ty::Tuple(elems) => elems.iter().map(|e| value(w, e, path, depth + 1, registered, weight) + 1).sum(),
        _ => TEXT,
    }
}

fn external(w: &World<'_>, name: &str, args: &[Ty], path: &str, depth: u32, registered: bool, weight: &mut Weight) -> u32 {
    let class = w.cat.type_info(&w.p.names, w.p.names.intern(name)).map(|i| w.cat.class_name(i));
    match (class, name.rsplit("::").next().unwrap_or(name)) {
        (_, "String" | "Cow") => TEXT,
        (Some("map"), _) => {
            let held = |a: &Ty| if is_json(w, a) { TEXT } else { value(w, a, path, MAX_DEPTH, true, weight) };
            let entry = args.iter().map(held).sum::<u32>() + 2;
            grows(weight, path, registered);
            entry.saturating_mul(ENTRIES)
        }
        (Some("set" | "seq"), _) => many(w, args.first().unwrap_or(&Ty::Unknown), path, depth, registered, weight),
        (_, "Uuid" | "Ulid") => UUID,
        (_, "DateTime" | "OffsetDateTime" | "Timestamp") => MOMENT,
        (_, "Value" | "Map") if name.starts_with("serde_json") => {
            grows(weight, path, registered);
            TEXT * ENTRIES
        }
        _ => args.first().map_or(TEXT, |a| value(w, a, path, depth, registered, weight)),
    }
}

fn is_json(w: &World<'_>, ty: &Ty) -> bool {
    matches!(ty, Ty::Ext(name, _) if w.p.text(*name).starts_with("serde_json"))
}

fn many(w: &World<'_>, elem: &Ty, path: &str, depth: u32, registered: bool, weight: &mut Weight) -> u32 {
    // Bytes are a text.
    if matches!(elem, Ty::Prim(name) if w.p.text(*name) == "u8") {
        return TEXT * 2;
    }
    let one = value(w, elem, path, (depth + 1).max(1), registered, weight) + 1;
    grows(weight, path, registered);
    let record = |def: DefId| w.p.def(def).kind == DefKind::Struct && w.p.fields_of(def).is_some_and(|(_, f)| f.fields.len() > 1);
    if !registered && matches!(elem, Ty::Adt(def, _) if record(*def)) {
        weight.records += 1;
    }
    one.saturating_mul(ENTRIES)
}

fn grows(weight: &mut Weight, path: &str, registered: bool) {
    if !registered {
        note(&mut weight.growing, path);
        note(&mut weight.lookups, path);
    }
}

fn note(list: &mut Vec<String>, path: &str) {
    if !path.is_empty() && !list.iter().any(|p| p == path) {
        list.push(path.to_string());
    }
}
