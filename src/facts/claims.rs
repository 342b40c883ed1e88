//! What claims are called on the wire: by serde's attributes and through the structs inside them.

use super::tokens::{Claims, Part};
use crate::resolve::{DefId, DefKind, Program, Ty};
use crate::syntax::hir;

/// Structs inside claims that are looked into.
const MAX_DEPTH: u32 = 3;
/// Names of one type of claims: far more than any real one has.
const MAX_NAMES: usize = 256;

/// The names of all claims, with those inside an object after a dot. Linear in the fields, up to [`MAX_NAMES`].
pub fn names(p: &Program, claims: &Claims) -> Vec<String> {
    let mut found = Vec::new();
    match &claims.ty {
        Ty::Adt(def, _) => of_struct(p, *def, "", 0, &mut found),
        _ => of_parts(p, &claims.parts, "", 0, &mut found),
    }
    found
}

fn of_struct(p: &Program, def: DefId, prefix: &str, depth: u32, found: &mut Vec<String>) {
    let Some((_, fields)) = p.fields_of(def) else { return };
    let file = p.def(def).file;
    let hir = &p.file(file).hir;
    for field in &fields.fields {
        let serde = |word: &str| has_word(hir, field, word);
        if serde("skip") || serde("skip_serializing") || found.len() >= MAX_NAMES {
            continue;
        }
        let full = format!("{prefix}{}", written_name(hir, field));
        let inner = match p.field_type(def, &[], p.name_in(file, field.name)) {
            Some(Ty::Adt(inner, _)) if p.def(inner).kind == DefKind::Struct && depth < MAX_DEPTH => Some(inner),
            _ => None,
        };
        if serde("flatten") || fields.tuple {
            if let Some(inner) = inner {
                of_struct(p, inner, prefix, depth + 1, found);
            }
            continue;
        }
        found.push(full.clone());
        if let Some(inner) = inner {
            of_struct(p, inner, &format!("{full}."), depth + 1, found);
        }
    }
}

fn of_parts(p: &Program, parts: &[Part], prefix: &str, depth: u32, found: &mut Vec<String>) {
    for part in parts {
        if found.len() >= MAX_NAMES {
            return;
        }
        let full = format!("{prefix}{}", p.text(part.name));
        let below = format!("{full}.");
        found.push(full);
        match &part.ty {
            Ty::Adt(def, _) if depth < MAX_DEPTH => of_struct(p, *def, &below, depth + 1, found),
            _ if depth < MAX_DEPTH => of_parts(p, &part.parts, &below, depth + 1, found),
            _ => {}
        }
    }
}

/// Whether serde's attribute on a field has a word that stands alone.
pub fn has_word(hir: &hir::File, field: &hir::Field, word: &str) -> bool {
    field.attrs.iter().any(|a| hir.str(a.path) == "serde" && hir.str(a.args).split([',', ' ']).any(|t| t == word))
}

/// The name that serde writes a field with.
pub fn written_name<'h>(hir: &'h hir::File, field: &hir::Field) -> &'h str {
    let renamed = field.attrs.iter().filter(|a| hir.str(a.path) == "serde").find_map(|a| attribute_value(hir.str(a.args), "rename"));
    renamed.map_or(hir.str(field.name), |name| name.trim_matches('"'))
}

/// The value of `key = value` among the tokens of an attribute.
pub fn attribute_value<'t>(args: &'t str, key: &str) -> Option<&'t str> {
    let (_, rest) = args.split_once(key)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let end = match value.strip_prefix('"') {
        Some(text) => text.find('"')? + 2,
        None => value.find(',').unwrap_or(value.len()),
    };
    Some(value.get(..end)?.trim())
}
