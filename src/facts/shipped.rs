//! What settings start with as the service is shipped: `impl Default`, `#[default]`, the attributes of
//! serde and clap, and the functions and constants that these name.

use super::configured::{Configuration, Said};
use crate::names::Name;
use crate::resolve::paths::Space;
use crate::resolve::{DefId, DefKind, FileId, ModId, Program, Res, Ty};
use crate::syntax::hir::{self, Attr, ExprId, ExprKind, Lit, Span, UnOp};

/// Functions and constants followed for one default.
const MAX_STEPS: u32 = 8;

#[derive(Clone, PartialEq, Debug)]
pub enum Shipped {
    Bool(bool),
    Text(String),
    Variant(DefId),
    /// An option that is `None`.
    Absent,
}

/// Where it is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Code(FileId, Span),
    /// Index into the values of the configuration.
    Configuration(u32),
}

/// A default and where it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct Default {
    pub value: Shipped,
    pub origin: Origin,
}

/// What a field starts with, by the configuration of the tree or else by its code; `None` where nothing says it.
pub fn field(p: &Program, configuration: &Configuration, holder: DefId, name: Name) -> Option<Default> {
    match configuration.of(p, holder, name) {
        Some(Said::Value(value, index)) => Some(Default { value, origin: Origin::Configuration(index) }),
        Some(Said::Disagree) => None,
        None => in_code(p, holder, name),
    }
}

fn in_code(p: &Program, holder: DefId, name: Name) -> Option<Default> {
    let file = p.def(holder).file;
    let (_, fields) = p.fields_of(holder)?;
    let field = fields.fields.iter().find(|f| p.name_in(file, f.name) == name)?;
    let ty = p.field_type(holder, &[], name).unwrap_or(Ty::Unknown);
    let here = |value| Default { value, origin: Origin::Code(file, field.span) };
    if let Some(value) = by_attribute(p, holder, &field.attrs, &ty) {
        return Some(here(value));
    }
    if let Some(found) = by_impl(p, holder, name) {
        return Some(found);
    }
    let hir = &p.file(file).hir;
    let says = |attrs: &[Attr], path: &str, word: &str| attrs.iter().any(|a| hir.str(a.path) == path && hir.str(a.args).contains(word));
    let derived = says(&p.item(holder).attrs, "derive", "Default") || says(&field.attrs, "serde", "default");
    let parsed = ["Parser", "Args", "StructOpt"].iter().any(|word| says(&p.item(holder).attrs, "derive", word));
    // A flag of a command line is off, and an option absent, until somebody gives it.
    let plain = matches!(&ty, Ty::Ext(n, _) if !p.text(*n).ends_with("Option"));
    (derived || parsed && !plain).then(|| of_type(p, &ty)).flatten().map(here)
}

fn of_type(p: &Program, ty: &Ty) -> Option<Shipped> {
    match ty {
        Ty::Adt(def, _) => variant(p, *def, 0).map(Shipped::Variant),
        Ty::Prim(name) => (p.text(*name) == "bool").then_some(Shipped::Bool(false)),
        Ty::Ext(name, _) => p.text(*name).ends_with("Option").then_some(Shipped::Absent),
        _ => None,
    }
}

/// The variant that an enum starts with.
fn variant(p: &Program, def: DefId, steps: u32) -> Option<DefId> {
    let hir::ItemKind::Enum { variants, .. } = &p.item(def).kind else { return None };
    let hir = &p.file(p.def(def).file).hir;
    let marked = variants.iter().position(|v| v.attrs.iter().any(|a| hir.str(a.path) == "default"));
    if let Some(at) = marked {
        return p.variants.get(&def)?.get(at).copied();
    }
    match body_of_default(p, def).and_then(|(file, module, expr)| constant(p, file, module, Some(def), expr, steps + 1))? {
        Shipped::Variant(variant) => Some(variant),
        _ => None,
    }
}

fn by_attribute(p: &Program, holder: DefId, attrs: &[Attr], ty: &Ty) -> Option<Shipped> {
    let hir = &p.file(p.def(holder).file).hir;
    let module = p.scope_of(holder).module;
    attrs.iter().find_map(|attr| {
        let args = hir.str(attr.args);
        match hir.str(attr.path).rsplit("::").next().unwrap_or_default() {
            "serde" => {
                let (_, rest) = args.split_once("default")?;
                let path = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?.split('"').next()?;
                let names: Vec<Name> = path.split("::").map(|s| p.names.intern(s.trim())).collect();
                let Res::Def(function) = p.resolve(module, &names, false, Space::Value)? else { return None };
                result(p, function, 0)
            }
            "arg" | "clap" | "structopt" => {
                let (_, rest) = args.split_once("default_value")?;
                let rest = rest.trim_start_matches("_t").trim_start().strip_prefix('=')?.trim_start();
                let text = match rest.strip_prefix('"') {
                    Some(quoted) => quoted.split('"').next()?,
                    None => rest.split([',', ')']).next()?.trim().rsplit("::").next()?.trim(),
                };
                Some(named(p, ty, text))
            }
            _ => None,
        }
    })
}

/// A word for a value of this type: a flag, a variant in any spelling, or text.
pub(super) fn named(p: &Program, ty: &Ty, text: &str) -> Shipped {
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    if let Ty::Adt(def, _) = ty {
        let found = p.variants.get(def).into_iter().flatten().find(|v| plain(p.text(p.def(**v).name)) == plain(text));
        if let Some(&variant) = found {
            return Shipped::Variant(variant);
        }
    }
    match text {
        "true" => Shipped::Bool(true),
        "false" => Shipped::Bool(false),
        _ => Shipped::Text(text.to_string()),
    }
}

/// The field's value in the struct literal that `default()` ends with.
fn by_impl(p: &Program, holder: DefId, name: Name) -> Option<Default> {
    let (file, module, expr) = body_of_default(p, holder)?;
    let ExprKind::Struct { fields, .. } = &p.file(file).hir.expr(expr).kind else { return None };
    let init = fields.iter().find(|f| p.name_in(file, f.name) == name)?;
    let value = constant(p, file, module, None, init.value, 0)?;
    Some(Default { value, origin: Origin::Code(file, p.file(file).hir.expr(init.value).span) })
}

/// What a setting inside others starts with, in the struct literals that the outermost default nests.
pub fn nested(p: &Program, outer: DefId, path: &[Name]) -> Option<Default> {
    let (file, module, mut expr) = body_of_default(p, outer)?;
    for &name in path {
        let ExprKind::Struct { fields, .. } = &p.file(file).hir.expr(expr).kind else { return None };
        expr = fields.iter().find(|f| p.name_in(file, f.name) == name)?.value;
    }
    let value = constant(p, file, module, None, expr, 0)?;
    Some(Default { value, origin: Origin::Code(file, p.file(file).hir.expr(expr).span) })
}

/// What `Default::default` of a type ends with.
fn body_of_default(p: &Program, def: DefId) -> Option<(FileId, ModId, ExprId)> {
    let method = p.methods_on(&Ty::adt(def), p.names.intern("default")).into_iter().next()?;
    let body = p.function(method)?.body?;
    let file = p.def(method).file;
    Some((file, p.scope_of(method).module, last(p, file, body)?))
}

/// The expression that a block comes to.
fn last(p: &Program, file: FileId, expr: ExprId) -> Option<ExprId> {
    match &p.file(file).hir.expr(expr).kind {
        ExprKind::Block { block, .. } => last(p, file, block.last()?),
        ExprKind::Return(Some(inner)) => last(p, file, *inner),
        _ => Some(expr),
    }
}

/// What a function without arguments gives.
fn result(p: &Program, function: DefId, steps: u32) -> Option<Shipped> {
    let file = p.def(function).file;
    let body = last(p, file, p.function(function)?.body?)?;
    constant(p, file, p.scope_of(function).module, p.def(function).parent, body, steps + 1)
}

fn constant(p: &Program, file: FileId, module: ModId, own: Option<DefId>, expr: ExprId, steps: u32) -> Option<Shipped> {
    if steps > MAX_STEPS {
        return None;
    }
    let hir = &p.file(file).hir;
    let again = |expr| constant(p, file, module, own, expr, steps + 1);
    match &hir.expr(expr).kind {
        ExprKind::Lit(Lit::Bool(value)) => Some(Shipped::Bool(*value)),
        ExprKind::Lit(Lit::Str(text)) => Some(Shipped::Text(hir.str(*text).to_string())),
        ExprKind::Unary { op: UnOp::Not, expr } => match again(*expr)? {
            Shipped::Bool(value) => Some(Shipped::Bool(!value)),
            _ => None,
        },
        ExprKind::Ref { expr, .. } => again(*expr),
        ExprKind::Method { recv, name, .. } if matches!(hir.str(*name), "to_string" | "to_owned" | "into" | "clone") => again(*recv),
        ExprKind::Path(path) => {
            let names: Vec<Name> = path.segments.iter().map(|s| p.name_in(file, s.name)).collect();
            if let (Some(own), [first, variant]) = (own, names.as_slice())
                && p.text(*first) == "Self"
                && let Some(Res::Def(def)) = p.variant(own, *variant)
            {
                return Some(Shipped::Variant(def));
            }
            if names.len() == 1 && p.text(names[0]) == "None" {
                return Some(Shipped::Absent);
            }
            let Res::Def(def) = p.resolve(module, &names, path.global, Space::Value)? else { return None };
            match (p.def(def).kind, &p.item(def).kind) {
                (DefKind::Variant(_), _) => Some(Shipped::Variant(def)),
                (_, hir::ItemKind::Const { init: Some(init), .. } | hir::ItemKind::Static { init: Some(init), .. }) => {
                    constant(p, p.def(def).file, p.scope_of(def).module, None, *init, steps + 1)
                }
                _ => None,
            }
        }
        ExprKind::Call { callee, args } => {
            let ExprKind::Path(path) = &hir.expr(*callee).kind else { return None };
            let names: Vec<Name> = path.segments.iter().map(|s| p.name_in(file, s.name)).collect();
            if let ([.., from], [only]) = (names.as_slice(), args.as_slice())
                && matches!(p.text(*from), "from" | "new")
            {
                return again(*only);
            }
            match p.resolve(module, &names, path.global, Space::Value)? {
                Res::Def(def) if args.is_empty() && p.def(def).kind == DefKind::Fn => result(p, def, steps + 1),
                // A variant with a payload is still the one that is chosen.
                Res::Def(def) if matches!(p.def(def).kind, DefKind::Variant(_)) => Some(Shipped::Variant(def)),
                _ => None,
            }
        }
        _ => None,
    }
}
