//! Clients of backing stores: what opens one, and the chains of calls that say what is asked of it.

use super::externals::CONSTRUCTORS;
use super::*;
use crate::catalog::StoreKind;
use crate::facts::sql;
use crate::facts::value::{Form, StoreCall, Val};
use crate::resolve::Res;
use crate::resolve::paths::Space;
use crate::syntax::hir::ExprKind;

/// Methods by which a synchronous client carries out what was built.
const TERMINAL: &[&str] = &[
    "execute",
    "load",
    "get_result",
    "get_results",
    "first",
    "get_value",
    "query_row",
    "query_map",
    "query_one",
    "query_opt",
    "exec",
    "exec_drop",
    "exec_first",
    "exec_map",
    "query_drop",
    "query_first",
    "send",
    "call",
    "batch_execute",
    "execute_batch",
    "query",
    "insert",
    "save",
    "update",
    "delete",
    "remove",
    "get",
    "set",
    "flush",
    "commit",
    "fetch_one",
    "fetch_all",
    "fetch_optional",
];

/// What is noted of options that open a file only to read it.
const READ_ONLY: &str = "opened to be read";

impl<'a> Eval<'a> {
    /// A function of a store crate: a client, or a request that something will carry out.
    pub(super) fn client_function(&mut self, path: Name, kind: StoreKind, values: Vec<Val>, mut value: Val, span: Span) -> Val {
        let text = self.p.text(path);
        let last = text.rsplit("::").next().unwrap_or(text).to_string();
        let owner = text.rsplit_once("::").map_or(text, |(o, _)| o);
        let is_type = owner.rsplit("::").next().is_some_and(|o| o.starts_with(char::is_uppercase));
        value.ty = if is_type { Ty::ext(self.p.names.intern(owner)) } else { Ty::ext(path) };
        value.place = None;
        self.function_reads(text, &values, value.prov, span);
        let told = values.first().and_then(|v| v.str()).is_some_and(|url| url.starts_with("sqlite:"));
        let any = owner.rsplit("::").next().is_some_and(|o| o.starts_with("Any")) || text == "sea_orm::Database::connect";
        if any && !told && opens(text) {
            self.facts.openers.push((self.body.node, span));
        }
        if (kind == StoreKind::Embedded || text.to_ascii_lowercase().contains("sqlite") || any && told) && opens(text) {
            let literal = values.first().and_then(|v| v.str()).map(str::to_string);
            let data = values.first().map_or(Prov::NONE, |v| v.prov);
            self.effect(EffectKind::Library("embedded-database".into()), text, span, data, data, literal, None);
        }
        if is_type && CONSTRUCTORS.contains(&last.as_str()) {
            value.prov = Prov::CONFIG;
            value.reads.clear();
            return value;
        }
        let literal = values.iter().find_map(|v| v.str()).map(str::to_string);
        let text_param = wrappers::takes_text(&last).then(|| values.first().and_then(Val::text_param)).flatten();
        value.extra().store = Some(StoreCall { kind, text: literal, text_param, verbs: vec![last] });
        value
    }

    /// `ConnectionManager::<SqliteConnection>::new(url)`: the engine is named by a type argument alone.
    pub(super) fn open_typed(&mut self, path: Name, written: &'a hir::Path, span: Span) {
        let text = self.p.text(path);
        if self.cat.store(text) != Some(StoreKind::Sql) || !opens(text) || text.to_ascii_lowercase().contains("sqlite") {
            return;
        }
        let types = written.segments.iter().flat_map(|s| &s.args).filter_map(|arg| match arg {
            hir::GenericArg::Type(ty) => Some(self.lower(*ty)),
            _ => None,
        });
        let engine = types.chain(self.behind_alias(written)).filter_map(|ty| match ty {
            Ty::Ext(name, _) => Some(self.p.text(name)).filter(|t| t.to_ascii_lowercase().contains("sqlite")),
            _ => None,
        });
        if let Some(engine) = engine.collect::<Vec<&str>>().first() {
            self.effect(EffectKind::Library("embedded-database".into()), engine, span, Prov::CONFIG, Prov::NONE, None, None);
        }
    }

    /// `.set(users::updated_at.eq(now))`: a query builder is given one column, and it is a moment.
    fn sets_a_moment(&self, args: &[ExprId]) -> bool {
        let [only] = args else { return false };
        let ExprKind::Method { recv, name, .. } = &self.hir().expr(*only).kind else { return false };
        let ExprKind::Path(column) = &self.hir().expr(*recv).kind else { return false };
        self.text(*name) == "eq" && column.segments.last().is_some_and(|s| sql::is_moment(&self.text(s.name).to_ascii_uppercase()))
    }

    /// A statement that queues commands in a pipeline kept in a variable: they are carried out with it.
    pub(super) fn queued(&mut self, value: Val, span: Span) -> Val {
        let queues = value.store().is_some_and(|c| c.verbs.len() > 1 && c.verbs.first().is_some_and(|v| v == PIPELINE));
        if queues { self.carry_out(value, span) } else { value }
    }

    /// The type arguments that an alias gives to the type whose function is called: `type Manager = ConnectionManager<SqliteConnection>`.
    fn behind_alias(&self, written: &'a hir::Path) -> Vec<Ty> {
        let Some((_, owner)) = written.segments.split_last() else { return Vec::new() };
        let owner: Vec<Name> = owner.iter().map(|s| self.name(s.name)).collect();
        let Some(Res::Def(def)) = self.p.resolve(self.body.scope.module, &owner, written.global, Space::Type) else { return Vec::new() };
        match self.p.alias_type(def) {
            Some(Ty::Ext(_, args)) => args.to_vec(),
            _ => Vec::new(),
        }
    }

    /// What this body has opened last is only read: no data has its home there.
    fn only_asked(&mut self) {
        let (node, mut effects) = (self.body.node, self.facts.effects.iter_mut().rev());
        let opened = |e: &&mut Effect| e.node == node && matches!(&e.kind, EffectKind::Library(rule) if rule == "embedded-database");
        if let Some(effect) = effects.find(opened) {
            effect.kind = EffectKind::Store { kind: StoreKind::Embedded, writes: false };
        }
    }

    /// A further call on a request to a store: it says what is asked, with which values.
    pub(super) fn client_chain(&mut self, mut recv: Val, name: &str, args: &'a [ExprId], span: Span) -> Val {
        if name == "rows_affected" {
            self.note_inserted_once(span);
        }
        let values = match self.handed_messages(&recv, name, args) {
            Some(values) => values,
            None => self.args(args),
        };
        let given = self.merge(&values);
        let touches = name == "set" && self.sets_a_moment(args);
        self.note_passed_on(&recv, name, &values, span);
        // `db.execute(Statement::from_string(..))`: what was made before says what is asked.
        let made = |call: &StoreCall| call.verbs.len() == 1 && call.verbs[0].starts_with("from_");
        let prepared = |v: &Val| v.store().filter(|call| made(call)).and_then(|call| call.text.clone());
        let literal = values.iter().find_map(|v| v.str()).map(str::to_string).or_else(|| values.iter().find_map(prepared));
        let text_param = wrappers::takes_text(name).then(|| values.first().and_then(Val::text_param)).flatten();
        recv.prov = recv.prov.or(given.prov);
        recv.add_reads(&given.reads);
        recv.form = Form::Plain;
        if let Some(call) = &mut recv.extra().store {
            call.verbs.push(name.to_string());
            call.verbs.extend(Self::adds_up(&values));
            call.verbs.extend(touches.then(|| TOUCHES.to_string()));
            match (&mut call.text, literal) {
                (text @ None, literal) if call.text_param.is_none() => {
                    *text = literal;
                    call.text_param = text_param;
                }
                // `cmd("SET").arg(key).arg("NX")`: words of one command.
                (Some(text), Some(word)) if call.verbs.first().is_some_and(|v| v == "cmd") => {
                    text.push(' ');
                    text.push_str(&word);
                }
                _ => {}
            }
        }
        if matches!(name, "unwrap" | "expect" | "clone" | "as_ref" | "as_mut" | "map_err" | "into") {
            if let Some(call) = &mut recv.extra().store {
                call.verbs.pop();
            }
            let empty = recv.store().is_some_and(|c| c.verbs.is_empty());
            if empty {
                recv.extra().store = None;
            }
            return recv;
        }
        self.set_up_consumer(&mut recv, name, &values, span);
        let reads_only = matches!(name, "read_only" | "immutable") && values.first().and_then(Val::literal) == Some(&Literal::Bool(true));
        if reads_only && let Some(call) = &mut recv.extra().store {
            call.verbs.push(READ_ONLY.into());
        }
        // A pool that is opened by such options.
        if reads_only || values.iter().filter_map(Val::store).any(|c| c.verbs.iter().any(|v| v == READ_ONLY)) {
            self.only_asked();
        }
        if self.consumer(&recv.ty).is_some_and(|c| c.at_once.iter().any(|n| n == name)) {
            return self.carry_out(recv, span);
        }
        let sync = match &recv.ty {
            Ty::Ext(path, _) => is_sync_client(self.p.text(*path)),
            // `conn: &impl GenericClient`: the trait says whose calls these are.
            Ty::Traits(traits) => traits.iter().any(|t| matches!(t, Res::Ext(path) if is_sync_client(self.p.text(*path)))),
            _ => false,
        };
        let http = recv.store().is_some_and(|c| c.kind == StoreKind::Http);
        // Commands of a pipeline wait until it is asked for.
        let queues = recv.store().and_then(|c| c.verbs.first()).is_some_and(|v| v == PIPELINE);
        let terminal = if queues {
            matches!(name, "query" | "execute" | "exec")
        } else if http {
            matches!(name, "send" | "execute" | "call") || name.starts_with("send_")
        } else {
            // `update(rows).set(column.eq(value))` is built further.
            let builds = name == "set" && recv.store().and_then(|c| c.verbs.first()).is_some_and(|v| v == "update");
            TERMINAL.contains(&name) && !builds
        };
        let writes = matches!(&recv.ty, Ty::Ext(path, _) if self.cat.writes_engine(self.p.text(*path), name) == Some(true));
        if sync && terminal || writes {
            return self.carry_out(recv, span);
        }
        recv
    }
}

/// The function that makes a pipeline of Redis: <https://docs.rs/redis/latest/redis/fn.pipe.html>.
const PIPELINE: &str = "pipe";

/// Clients whose calls act without `.await`.
fn is_sync_client(path: &str) -> bool {
    const CRATES: &[&str] = &[
        "diesel",
        "rusqlite",
        "postgres",
        "mysql",
        "r2d2",
        "ureq",
        "sled",
        "redb",
        "rocksdb",
        "heed",
        "r2d2_sqlite",
        "redis",
        "memcache",
        "lettre",
        "duckdb",
    ];
    path.starts_with("reqwest::blocking") || CRATES.contains(&crate::catalog::first(path))
}

/// Whether a function of an embedded database's crate opens one; the crate's values and queries are only means.
fn opens(path: &str) -> bool {
    const HANDLES: &[&str] =
        &["Connection", "Pool", "Manager", "Config", "Options", "Database", "Db", "DB", "Env", "Index", "Client", "Keyspace", "Repo"];
    const VERBS: &[&str] =
        &["open", "create", "connect", "establish", "file", "memory", "new", "from_str", "builder", "try_from", "from_url"];
    let mut parts = path.rsplit("::");
    let (last, owner) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let verb = VERBS.iter().any(|v| last == *v || last.strip_prefix(v).is_some_and(|rest| rest.starts_with('_')));
    let is_type = owner.starts_with(char::is_uppercase);
    let built = owner.strip_suffix("Builder");
    let handle = |name: &str| HANDLES.iter().any(|h| name.ends_with(h)) || name.to_ascii_lowercase().contains("sqlite");
    verb && !last.contains("read_only") && (!is_type || built.is_some_and(|name| name.is_empty() || handle(name)) || handle(owner))
}
