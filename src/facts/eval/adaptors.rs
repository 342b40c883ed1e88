//! Adaptors: what options, results, iterators and map entries do with their content.

use super::patterns::{is_entry, is_option, is_wrapper};
use super::*;
use crate::catalog::Op;
use crate::facts::hosts::is_data;
use crate::facts::value::{Form, Val};

impl<'a> Eval<'a> {
    /// Adaptors of options, results, iterators and entries, and methods that any value has.
    pub(super) fn adaptor(&mut self, on: &Val, name: &str, args: &'a [ExprId], span: Span) -> Option<Val> {
        if is_entry(&self.p.names, &on.ty) {
            return self.entry_adaptor(on, name, args, span);
        }
        if matches!(name, "is_multiple_of" | "rem_euclid" | "checked_rem" | "wrapping_rem") {
            self.args(args);
            self.uses_of(on, UseKind::Modulo, span);
            return Some(Val::of(Ty::Prim(self.p.names.intern("u64")), Prov::CONST));
        }
        let touched = self.touch(on.clone(), span);
        let on = &touched;
        if matches!(
            name,
            "elapsed"
                | "duration_since"
                | "saturating_duration_since"
                | "checked_duration_since"
                | "signed_duration_since"
                | "is_expired"
                | "has_expired"
        ) {
            self.age(on, span);
        }
        let wrapped = is_wrapper(&self.p.names, &on.ty);
        let inner_ty = if wrapped { on.ty.arg(0) } else { on.ty.clone() };
        let content = || {
            let mut value = on.clone();
            value.ty = inner_ty.clone();
            value.form = Form::Plain;
            value
        };
        match name {
            "clone" | "cloned" | "copied" | "as_ref" | "as_mut" | "as_deref" | "as_deref_mut" | "to_owned" | "borrow" | "into"
            | "try_into" | "by_ref" | "boxed" | "fuse" | "as_slice" | "as_str" | "value" | "value_mut" | "pair" | "get_ref" | "deref"
            | "deref_mut" | "upgrade" | "downgrade" | "into_boxed_slice" | "as_bytes" | "iter" | "iter_mut" | "into_iter"
            | "into_inner" | "flatten" | "rev" | "skip" | "take" | "step_by" | "chain" | "peekable" | "inspect_err" | "ok" | "or"
            | "to_vec" | "instrument" | "in_current_span" | "map_err" | "context" | "with_context" | "filter" | "skip_while"
            | "take_while" | "or_else" | "collect" | "try_collect" | "sorted" | "unique" | "catch_unwind" | "shared" | "compat"
            | "fmt_err" => {
                for &arg in args {
                    let hint = self.element(on, span);
                    self.arg(arg, &[hint]);
                }
                let mut value = on.clone();
                // What is done to a copy of data is not done to the original.
                if matches!(name, "clone" | "cloned" | "copied" | "to_owned" | "to_vec") && is_data(self.p, self.cat, &inner_ty) {
                    value.place = None;
                }
                if name == "ok" && wrapped {
                    value.ty = Ty::Ext(self.p.names.intern("std::option::Option"), [inner_ty].into());
                }
                if matches!(name, "iter" | "into_iter" | "iter_mut") {
                    let ty = self.peel(&on.ty);
                    value.ty = Ty::Ext(self.p.names.intern("std::iter::Iterator"), [ty.arg(0)].into());
                }
                if matches!(name, "collect" | "try_collect") {
                    value.place = None;
                }
                if name == "map_err" && value.store().is_some() {
                    return Some(value);
                }
                Some(value)
            }
            "to_string" | "len" | "trim" | "to_lowercase" | "to_uppercase" | "as_secs" | "as_millis" | "to_vec_u8" | "abs"
            | "wrapping_add" | "saturating_sub" | "saturating_add" | "checked_add" | "min" | "max" | "into_bytes" | "elapsed" | "hash"
            | "finish" => {
                let values = self.args(args);
                if name == "hash" {
                    self.hashed(on, span);
                }
                let given = self.merge(&values);
                let mut value = on.derived(if matches!(on.ty, Ty::Prim(_)) && name != "to_string" { on.ty.clone() } else { Ty::Unknown });
                value.prov = value.prov.or(given.prov);
                value.add_reads(&given.reads);
                value.form = Form::Plain;
                if let Some(text) = on.str() {
                    value.extra().literal = Some(Literal::Str(text.to_string()));
                }
                Some(value)
            }
            "unwrap" | "expect" | "unwrap_unchecked" => {
                self.args(args);
                Some(self.peel_required(on.clone(), span))
            }
            // Of a poisoned lock: the guard, in either case.
            "unwrap_or_else" if !wrapped && on.guard().is_some() => {
                self.args(args);
                Some(content())
            }
            "ok_or" | "ok_or_else" => {
                self.args(args);
                self.uses_of(on, UseKind::Required, span);
                let mut value = content();
                value.ty = Ty::Ext(self.p.names.intern("std::result::Result"), [inner_ty].into());
                Some(value)
            }
            "unwrap_or" | "unwrap_or_default" | "unwrap_or_else" | "map_or" | "map_or_else" | "map_or_default"
                if wrapped || on.form == Form::Option =>
            {
                let before = self.body.loads;
                let effects = self.facts.effects.len();
                let hint = content();
                let values: Vec<Val> = args.iter().map(|&a| self.arg(a, std::slice::from_ref(&hint))).collect();
                let loads = (self.body.loads && !before)
                    || self.facts.effects[effects..].iter().any(|e| matches!(e.kind, EffectKind::Store { .. }));
                self.uses_of(on, UseKind::Defaulted(loads), span);
                let given = self.merge(&values);
                let mut value =
                    if name.starts_with("map_or") { on.derived(values.last().map_or(Ty::Unknown, |v| v.ty.clone())) } else { content() };
                value.prov = value.prov.or(given.prov);
                if name == "unwrap_or_else" && given.prov.has(Prov::RANDOM) {
                    value.prov = value.prov.or(Prov::RANDOM);
                }
                value.form = Form::Plain;
                if name.starts_with("unwrap_or") || name == "map_or" {
                    self.defaulted(&mut value, on, values.first());
                }
                Some(value)
            }
            "is_some" | "is_ok" | "is_none" | "is_err" | "is_some_and" | "is_none_or" | "is_ok_and" if args.is_empty() || wrapped => {
                let hint = content();
                for &arg in args {
                    self.arg(arg, std::slice::from_ref(&hint));
                }
                self.only_probed(on);
                let mut value = on.derived(Ty::Prim(self.p.names.intern("bool")));
                value.form = Form::Bool { negated: matches!(name, "is_none" | "is_err" | "is_none_or") };
                Some(value)
            }
            "map"
            | "and_then"
            | "then"
            | "inspect"
            | "filter_map"
            | "flat_map"
            | "for_each"
            | "fold"
            | "for_each_concurrent"
            | "map_while"
            | "any"
            | "all"
            | "find"
            | "find_map"
            | "position"
            | "next"
            | "last"
            | "nth"
            | "max_by_key"
            | "min_by_key"
            | "max_by"
            | "min_by"
            | "count"
            | "sum"
            | "partition"
            | "zip"
            | "enumerate"
            | "sort_by"
            | "sort_by_key"
            | "retain"
            | "first"
            | "get"
            | "is_empty"
            | "contains"
            | "try_for_each"
            | "try_fold"
            | "scan"
            | "buffered"
            | "buffer_unordered"
            | "windows"
            | "chunks" => self.iterate(on, wrapped, name, args),
            _ => None,
        }
    }

    /// Methods that go through content: of an option or result once, of an iterator for each element.
    fn iterate(&mut self, on: &Val, wrapped: bool, name: &str, args: &'a [ExprId]) -> Option<Val> {
        let iterator = matches!(&on.ty, Ty::Ext(path, _) if self.p.text(*path) == "std::iter::Iterator");
        let known = wrapped || iterator || matches!(on.ty, Ty::Seq(_));
        if !known && on.reads.is_empty() {
            return None;
        }
        let mut elem = on.derived(if wrapped || iterator || matches!(on.ty, Ty::Seq(_)) { on.ty.arg(0) } else { Ty::Unknown });
        elem.place.clone_from(&on.place);
        elem.form = Form::Plain;
        elem.extra().inside = on.inside();
        let hints: Vec<Val> = match name {
            "fold" | "try_fold" | "scan" => vec![elem.derived(Ty::Unknown), elem.clone()],
            _ => vec![elem.clone(), elem.clone()],
        };
        let over = u32::from(iterator || matches!(on.ty, Ty::Seq(_)));
        self.body.iterating += over;
        let values: Vec<Val> = args.iter().map(|&a| self.arg(a, &hints)).collect();
        self.body.iterating -= over;
        let produced = values.last().cloned().unwrap_or_else(Val::unknown);
        if let Some(effect) = produced.spawn().filter(|_| name != "for_each") {
            self.mark_awaited(effect);
        }
        let mut value = on.derived(Ty::Unknown);
        value.prov = value.prov.or(produced.prov);
        value.add_reads(&produced.reads);
        let names = &self.p.names;
        let same = |ty: Ty| match &on.ty {
            Ty::Ext(path, _) => Ty::Ext(*path, [ty].into()),
            _ => Ty::Ext(names.intern("std::iter::Iterator"), [ty].into()),
        };
        match name {
            "map" => {
                value.ty = same(produced.ty);
                value.place = produced.place;
            }
            "and_then" | "filter_map" | "flat_map" | "find_map" | "map_while" => {
                let inner = if is_wrapper(names, &produced.ty) { produced.ty.arg(0) } else { produced.ty };
                value.ty = same(inner);
            }
            "find" | "next" | "last" | "nth" | "max_by_key" | "min_by_key" | "max_by" | "min_by" | "first" | "get" => {
                value.ty = Ty::Ext(names.intern("std::option::Option"), [on.ty.arg(0)].into());
                value.place.clone_from(&on.place);
                value.extra().inside = on.inside();
                value.form = Form::Option;
            }
            "position" => {
                value.ty = Ty::Ext(names.intern("std::option::Option"), [Ty::Prim(names.intern("usize"))].into());
                value.form = Form::Option;
            }
            "any" | "contains" => value.form = Form::Bool { negated: false },
            "all" | "is_empty" => value.form = Form::Bool { negated: true },
            "enumerate" => {
                value.ty = same(Ty::Tuple([Ty::Prim(names.intern("usize")), on.ty.arg(0)].into()));
                value.place.clone_from(&on.place);
                value.extra().inside = on.inside();
            }
            "inspect" | "buffered" | "buffer_unordered" => value.ty = on.ty.clone(),
            "count" | "sum" => value.prov = value.prov.or(Prov::COUNT),
            _ => {}
        }
        if is_option(names, &on.ty) && matches!(name, "map" | "and_then" | "filter") {
            value.form = on.form;
        }
        Some(value)
    }

    /// `entry(k).or_insert_with(f)` and relatives.
    fn entry_adaptor(&mut self, on: &Val, name: &str, args: &'a [ExprId], span: Span) -> Option<Val> {
        let (map, key) = match on.extra.as_ref().map(|e| e.elems.as_slice()) {
            Some([map, key]) => (map.clone(), key.clone()),
            _ => return None,
        };
        let mut elem = self.inside(&map, on.ty.arg(0), None);
        let before = self.body.loads;
        let values: Vec<Val> = args.iter().map(|&a| self.arg(a, std::slice::from_ref(&elem))).collect();
        let loads = self.body.loads && !before;
        let given = self.merge(&values);
        match name {
            "or_insert"
            | "or_insert_with"
            | "or_insert_with_key"
            | "or_default"
            | "or_try_insert_with"
            | "or_insert_entry"
            | "or_insert_with_if"
            | "or_try_insert_with_if" => {
                let value = if loads { given.prov.or(Prov::STORE) } else { given.prov.or(Prov::CONST) };
                let access = self.access(&map, Op::LoadThrough, key.prov, value, name, span);
                self.uses_of(&given, UseKind::Kept, span);
                elem.reads.extend(access);
                elem.prov = elem.prov.or(Prov::CELL);
                Some(elem)
            }
            "and_modify" => {
                self.access(&map, Op::Rmw, key.prov, given.prov, name, span);
                Some(on.clone())
            }
            "insert_entry" | "insert" => {
                self.access(&map, Op::Insert, key.prov, given.prov, name, span);
                Some(elem)
            }
            "get" | "get_mut" | "into_mut" => {
                let access = self.access(&map, Op::Get, key.prov, Prov::NONE, name, span);
                elem.reads.extend(access);
                Some(elem)
            }
            "remove" | "remove_entry" => {
                let access = self.access(&map, Op::Remove, key.prov, Prov::NONE, name, span);
                elem.reads.extend(access);
                Some(elem)
            }
            "key" => Some(key),
            _ => None,
        }
    }
}
