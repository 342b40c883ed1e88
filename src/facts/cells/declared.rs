//! How a cell is declared: its symbol, type and place, and what it lies in.

use super::*;

impl World<'_> {
    pub(super) fn cell(&self, key: CellKey, ids: Vec<AccessId>, uses: Vec<Use>) -> Cell {
        let mut seen = FxHashSet::default();
        let mut accesses: Vec<AccessId> = Vec::new();
        // A callee's access seen through several callers is one access.
        for id in &ids {
            let access = self.facts.access(*id);
            let origin = access.via.unwrap_or(*id);
            if access.via.is_some() && self.key(self.facts.access(origin)).as_ref() == Some(&key) {
                continue;
            }
            if seen.insert((origin, access.via.is_some().then_some(access.node))) {
                accesses.push(*id);
            }
        }
        let aged = uses.iter().any(|u| u.kind == UseKind::Aged);
        let made_to_expire = |def: DefId, name: Name| self.lookup.inits(self.facts, def, name).any(|i| i.expires);
        let expires = aged
            || ids.iter().any(|&i| self.facts.access(i).expires)
            || matches!(&key, CellKey::Field(def, name) if made_to_expire(*def, *name));
        let first = self.facts.access(ids[0]);
        let mut cell = Cell {
            key: key.clone(),
            symbol: String::new(),
            ty_text: String::new(),
            ty: first.ty.clone(),
            file: self.facts.node(first.node).file,
            span: first.span,
            package: String::new(),
            host: None,
            uncertain: false,
            accesses,
            uses,
            expires,
            holder: None,
        };
        match &key {
            CellKey::Static(def) => {
                cell.symbol = self.p.path(*def);
                self.declare(&mut cell, *def);
                cell.host = Some(Host::Static(*def));
                if let hir::ItemKind::Static { ty: Some(ty), .. } = &self.p.item(*def).kind {
                    cell.ty = self.p.lower_type(self.p.def(*def).file, *ty, &self.p.scope_of(*def));
                }
            }
            CellKey::Field(def, name) => self.field_cell(&mut cell, *def, *name),
            CellKey::Plain(ty, krate) => self.plain_cell(&mut cell, ty, *krate),
            CellKey::Local(node, span) => {
                let def = self.facts.node(*node).def;
                cell.file = self.facts.node(*node).file;
                cell.span = *span;
                // A value without a name is told from others by its type, which stays where lines move.
                let name = self.facts.starts.get(&(*node, *span)).and_then(|(_, name)| *name);
                let name = name.map_or_else(|| format!("<{}>", self.describe(&cell.ty)), |n| self.p.text(n).to_string());
                cell.symbol = format!("{}::{name}", self.p.path(def));
                cell.package = self.package(def);
            }
        }
        cell.accesses.sort_by_key(|&a| {
            let access = self.facts.access(a);
            (self.facts.node(access.node).file, access.span.line, access.span.column, a)
        });
        if cell.ty_text.is_empty() {
            cell.ty_text = self.describe(&cell.ty);
        }
        cell.holder = self.holder(&cell);
        cell
    }

    pub(super) fn holder(&self, cell: &Cell) -> Option<Holder> {
        let CellKey::Field(def, _) = &cell.key else { return None };
        let text = matches!(&cell.ty, Ty::Ext(name, _) if self.p.text(*name) == "std::string::String");
        let own = is_shared(self.p, self.cat, &cell.ty) || matches!(self.class(&cell.ty), "map" | "set" | "seq" | "cache");
        let part = text || !own;
        // What has a lock of its own within some larger state is found where it is declared, not at that state's static.
        let within = is_shared(self.p, self.cat, &cell.ty) && self.hosts.held.contains_key(def);
        if let Some(Host::Static(of)) = cell.host
            && !within
        {
            let (file, span) = (self.p.def(of).file, self.p.item(of).span);
            return Some(Holder { symbol: self.p.path(of), file, span, part });
        }
        let mut at = match self.p.def(*def).kind {
            DefKind::Variant(_) => self.p.def(*def).parent?,
            _ => *def,
        };
        for _ in 0..MAX_CLIMB {
            let &(holder, name) = self.hosts.held.get(&at).filter(|_| part && !self.hosts.shared.contains(&at))?;
            let ty = self.p.field_type(holder, &[], name)?;
            if is_shared(self.p, self.cat, &ty) {
                let file = self.p.def(holder).file;
                let (_, fields) = self.p.fields_of(holder)?;
                let field = fields.fields.iter().find(|f| self.p.name_in(file, f.name) == name)?;
                let span = if fields.tuple { self.p.item(holder).span } else { field.span };
                let symbol = if fields.tuple { self.p.path(holder) } else { format!("{}.{}", self.p.path(holder), self.p.text(name)) };
                return Some(Holder { symbol, file, span, part });
            }
            at = holder;
        }
        None
    }

    fn declare(&self, cell: &mut Cell, def: DefId) {
        cell.file = self.p.def(def).file;
        cell.span = self.p.item(def).span;
        cell.package = self.package(def);
    }

    fn package(&self, def: DefId) -> String {
        self.p.package_of(def).to_string()
    }

    fn field_cell(&self, cell: &mut Cell, def: DefId, name: Name) {
        let owner = match self.p.def(def).kind {
            DefKind::Variant(_) => self.p.def(def).parent.unwrap_or(def),
            _ => def,
        };
        self.declare(cell, def);
        cell.symbol = format!("{}.{}", self.p.path(def), self.p.text(name));
        cell.host = self.hosts.types.get(&owner).cloned();
        cell.uncertain = self.hosts.uncertain.contains(&owner);
        let file = self.p.def(def).file;
        if let Some((_, fields)) = self.p.fields_of(def)
            && let Some(field) = fields.fields.iter().find(|f| self.p.name_in(file, f.name) == name)
        {
            // A tuple field has no name to point at: the struct is the declaration.
            cell.span = if fields.tuple { self.p.item(def).span } else { field.span };
            if fields.tuple {
                cell.symbol = self.p.path(def);
            }
            if let Some(ty) = self.p.field_type(def, &[], name) {
                cell.ty = ty;
            }
        }
    }

    fn plain_cell(&self, cell: &mut Cell, ty: &Ty, krate: CrateId) {
        let near = |def: DefId| {
            let other = self.p.def(def).krate;
            (other != krate, self.p.krate(other).package != self.p.krate(krate).package)
        };
        let alias = self.p.alias_of.iter().filter(|(t, d)| self.state_type(t) == *ty && !near(**d).1).map(|(_, &d)| d).min();
        cell.ty = ty.clone();
        let hosts = self.hosts.plain.iter().filter(|(t, _)| same_state(self.p, &self.state_type(t), ty));
        cell.host = hosts
            .map(|(_, h)| h)
            .min_by_key(|h| match h {
                Host::Registered(i) => (0, *i),
                Host::Static(d) => (1, d.0),
                Host::Extracted(e) | Host::Service(e) | Host::Looped(e) => (2, e.0),
            })
            .cloned();
        let registrations = self.facts.registrations.iter().enumerate();
        let registered = registrations
            .filter(|(_, r)| same_state(self.p, &self.state_type(&r.ty), ty))
            .map(|(i, r)| (near(self.facts.node(r.node).def), i, r))
            .filter(|(n, _, _)| !n.1)
            .min_by_key(|(n, i, _)| (*n, *i));
        if let Some((_, index, _)) = registered {
            cell.host = Some(Host::Registered(index as u32));
        }
        let registered = registered.map(|(_, _, r)| (r, r.span));
        if let Some(alias) = alias {
            self.declare(cell, alias);
            cell.symbol = self.p.path(alias);
        } else if let Some((registration, span)) = registered {
            let node = self.facts.node(registration.node);
            cell.file = node.file;
            cell.span = match &registration.place {
                Some(Place { root: Root::Local(_, made), .. }) => *made,
                _ => span,
            };
            cell.package = self.package(node.def);
            cell.symbol = format!("{}::<{}>", self.p.path(node.def), self.describe(ty));
        } else {
            let def = self.facts.node(self.facts.access(cell.accesses[0]).node).def;
            cell.package = self.package(def);
            cell.symbol = format!("{}::<{}>", self.p.path(def), self.describe(ty));
        }
    }
}
