//! Values that are no data: ways to what lies outside the process, and locks by which requests wait for each other.

use super::*;

/// Types inside types that are looked into.
const MAX_DEPTH: u32 = 5;

impl World<'_> {
    /// Whether what a lock or option holds is the way to a store or a peer, which every instance opens for itself.
    pub fn is_connection(&self, ty: &Ty) -> bool {
        self.connects(ty, 0)
    }

    /// Whether a collection holds nothing but such ways, under names or addresses.
    pub fn holds_connections(&self, ty: &Ty) -> bool {
        self.elements(ty).is_some_and(|element| self.connects(&element, 0))
    }

    fn connects(&self, ty: &Ty, depth: u32) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match ty {
            Ty::Ext(name, args) => {
                let text = self.p.text(*name);
                let class = self.cat.type_info(&self.p.names, *name).map(|i| self.cat.class_name(i));
                let held = matches!(class, Some("pointer" | "lock" | "cell" | "once" | "option"));
                // A generated client, `GreeterClient<Channel>`.
                let client = class.is_none() && text.ends_with("Client");
                (held || client) && args.iter().any(|a| self.connects(a, depth + 1)) || self.cat.is_connection(text)
            }
            // A struct around one, with what tells it from others.
            Ty::Adt(def, args) => {
                let fields = self.fields(*def, args);
                let label = |ty: &Ty| self.is_label(ty, depth + 1);
                fields.iter().any(|ty| self.connects(ty, depth + 1)) && fields.iter().all(|ty| self.connects(ty, depth + 1) || label(ty))
            }
            _ => false,
        }
    }

    /// Whether a value only tells one thing from another: plain values without a collection, or a path or address.
    fn is_label(&self, ty: &Ty, depth: u32) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match ty {
            Ty::Prim(_) | Ty::Unit => true,
            Ty::Ext(name, _) if self.p.text(*name) == "std::string::String" => true,
            Ty::Ext(name, args) => {
                let class = self.cat.type_info(&self.p.names, *name).map(|i| self.cat.class_name(i));
                match class {
                    Some("pointer" | "option") => args.iter().all(|a| self.is_label(a, depth + 1)),
                    Some("semaphore" | "notify") => true,
                    Some(_) => false,
                    None => args.iter().all(|a| self.is_label(a, depth + 1)),
                }
            }
            Ty::Adt(def, args) => {
                let variants = self.p.variants.get(def).into_iter().flatten();
                std::iter::once(def).chain(variants).all(|&d| self.fields(d, args).iter().all(|ty| self.is_label(ty, depth + 1)))
            }
            _ => false,
        }
    }

    fn fields(&self, def: DefId, args: &[Ty]) -> Vec<Ty> {
        let Some((_, fields)) = self.p.fields_of(def) else { return Vec::new() };
        let file = self.p.def(def).file;
        let of = |f: &hir::Field| self.p.field_type(def, args, self.p.name_in(file, f.name)).unwrap_or(Ty::Unknown);
        fields.fields.iter().map(of).collect()
    }

    /// What a collection holds, behind the locks and pointers around the collection.
    pub fn elements(&self, ty: &Ty) -> Option<Ty> {
        let mut ty = ty.clone();
        for _ in 0..6 {
            ty = match &ty {
                Ty::Ext(name, args) => {
                    let info = self.cat.type_info(&self.p.names, *name)?;
                    match self.cat.class_name(info) {
                        "map" | "cache" | "set" | "seq" => return args.get(info.value.min(args.len().saturating_sub(1))).cloned(),
                        _ => ty.arg(0),
                    }
                }
                // A collection with a name of its own.
                Ty::Adt(def, args) => match self.fields(*def, args).as_slice() {
                    [only] => only.clone(),
                    _ => return None,
                },
                _ => return None,
            };
        }
        None
    }

    /// Whether a value of this type only makes requests wait for each other, or keeps nothing alive: a lock around
    /// nothing or a flag, a permit, a weak pointer, or a struct of such and of names.
    pub fn only_coordinates(&self, ty: &Ty) -> bool {
        self.coordinates(ty, 0)
    }

    fn coordinates(&self, ty: &Ty, depth: u32) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match ty {
            Ty::Ext(name, args) => {
                if matches!(self.p.text(*name), "std::sync::Weak" | "std::rc::Weak") {
                    return true;
                }
                match self.cat.type_info(&self.p.names, *name).map(|i| self.cat.class_name(i)) {
                    Some("semaphore" | "barrier" | "notify") => true,
                    Some("lock") => {
                        args.first().is_none_or(|a| matches!(a, Ty::Unit) || matches!(a, Ty::Prim(n) if self.p.text(*n) == "bool"))
                    }
                    Some("pointer" | "option") => args.first().is_some_and(|a| self.coordinates(a, depth + 1)),
                    _ => false,
                }
            }
            Ty::Adt(def, args) => {
                let fields = self.fields(*def, args);
                fields.iter().any(|ty| self.coordinates(ty, depth + 1))
                    && fields.iter().all(|ty| self.coordinates(ty, depth + 1) || self.is_label(ty, depth + 1))
            }
            _ => false,
        }
    }
}
