//! Handlers that no router was seen to serve: routes in the arguments of an attribute or in a macro, a
//! reference to the function given to a method of the tree. What their parameters are says what they are.

use super::*;
use crate::resolve::Res;

impl Eval<'_> {
    /// Declares the async functions that take something out of a request and that nobody calls.
    pub(super) fn unrouted_entries(&mut self) {
        let called: FxHashSet<DefId> = self
            .facts
            .calls
            .iter()
            .filter(|c| c.kind != CallKind::Value && self.facts.node(c.node).def != c.target)
            .map(|c| c.target)
            .collect();
        let extracted = self.extracted_types();
        for number in 0..self.p.defs.len() as u32 {
            let def = DefId(number);
            let Some(function) = self.p.function(def) else { continue };
            if !function.is_async || called.contains(&def) || self.entry_of.contains_key(&def) {
                continue;
            }
            let (mut handles, mut around) = (false, false);
            for ty in self.by_value(def, function) {
                handles |= self.is_extracted(&ty, &extracted);
                around |= matches!(&ty, Ty::Ext(path, _) if self.cat.runs_around(self.p.text(*path)));
            }
            // Somebody has to make the value whose method it is, and that is not seen here.
            if function.receiver.is_some() {
                self.facts.unrouted += u64::from(handles && function.body.is_some());
            } else if around {
                self.declare(def, None, None, "middleware", true);
            } else if handles {
                self.declare(def, None, None, "handler", false);
            }
        }
    }

    /// Types of the tree that a framework makes of a request.
    fn extracted_types(&self) -> FxHashSet<Res> {
        let made =
            |own: &&crate::resolve::program::Impl| matches!(own.trait_, Some(Res::Ext(path)) if self.cat.is_parameter(self.p.text(path)));
        self.p.impls.iter().filter(made).filter_map(|own| own.self_ty.head()).collect()
    }

    /// The types of the parameters that a function is given to keep.
    fn by_value(&self, def: DefId, function: &hir::Function) -> Vec<Ty> {
        let (file, scope) = (self.p.def(def).file, self.p.scope_of(def));
        let hir = &self.p.file(file).hir;
        let owned = function.params.iter().filter_map(|p| p.ty).filter(|&ty| !matches!(hir.ty(ty), hir::Type::Ref { .. }));
        owned.map(|ty| self.p.lower_type(file, ty, &scope)).collect()
    }

    fn is_extracted(&self, ty: &Ty, own: &FxHashSet<Res>) -> bool {
        match ty {
            Ty::Ext(path, args) if matches!(self.p.text(*path), "std::option::Option" | "std::result::Result") => {
                args.first().is_some_and(|inner| self.is_extracted(inner, own))
            }
            Ty::Ext(path, _) => self.cat.is_parameter(self.p.text(*path)),
            _ => ty.head().is_some_and(|head| own.contains(&head)),
        }
    }
}

impl Eval<'_> {
    /// A socket from which the code itself takes what comes in: one of the standard library or a runtime, or one of
    /// which nothing is known, in a loop.
    pub(super) fn note_accept(&mut self, on: &Ty, span: Span) {
        let socket = match self.peel(on) {
            Ty::Ext(path, _) => {
                matches!(crate::catalog::short(self.p.text(path)), ("std" | "tokio" | "async_std" | "smol", "TcpListener" | "UdpSocket"))
            }
            ty => ty.is_unknown() && self.body.endless > 0,
        };
        if socket {
            self.facts.accepts.push((self.body.node, span));
        }
    }
}
