//! Parts of a service's state that requests are handed by their type alone.

use super::*;

/// `#[derive(FromRef)]` of axum lets a handler ask for the type of any field: by type and crate, the field, if
/// only one has it.
pub(super) fn find(world: &World<'_>) -> FxHashMap<(Ty, CrateId), (DefId, Name)> {
    let p = world.p;
    let mut found: FxHashMap<(Ty, CrateId), Option<(DefId, Name)>> = FxHashMap::default();
    for number in 0..p.defs.len() as u32 {
        let def = DefId(number);
        if p.def(def).kind != DefKind::Struct || !p.derives(def, "FromRef") || !world.hosts.holds(p, def) {
            continue;
        }
        let (file, krate) = (p.def(def).file, p.def(def).krate);
        let hir = &p.file(file).hir;
        let given = |f: &&hir::Field| !f.attrs.iter().any(|a| hir.str(a.path) == "from_ref" && hir.str(a.args).contains("skip"));
        for field in p.fields_of(def).into_iter().flat_map(|(_, fields)| &fields.fields).filter(given) {
            let name = p.name_in(file, field.name);
            if let Some(ty @ Ty::Ext(..)) = p.field_type(def, &[], name) {
                let one = found.entry((world.state_type(&ty), krate)).or_insert(Some((def, name)));
                *one = one.filter(|own| *own == (def, name));
            }
        }
    }
    found.into_iter().filter_map(|(key, one)| Some((key, one?))).collect()
}
