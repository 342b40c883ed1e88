//! The HIR as short text, for comparisons.

use crate::syntax::hir::*;

pub struct Dump<'a>(pub &'a File);

impl Dump<'_> {
    pub fn path(&self, path: &Path) -> String {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| {
                let args: Vec<String> = segment.args.iter().map(|arg| self.arg(arg)).collect();
                let args = if args.is_empty() { String::new() } else { format!("<{}>", args.join(",")) };
                format!("{}{args}", self.0.str(segment.name))
            })
            .collect();
        let global = if path.global { "::" } else { "" };
        match path.qself {
            Some((ty, position)) => format!("<{}@{position}>{}", self.ty(ty), segments.join("::")),
            None => format!("{global}{}", segments.join("::")),
        }
    }

    fn arg(&self, arg: &GenericArg) -> String {
        match arg {
            GenericArg::Type(ty) => self.ty(*ty),
            GenericArg::Const(expr) => format!("const {}", self.expr(*expr)),
            GenericArg::Assoc(name, ty) => format!("{}={}", self.0.str(*name), self.ty(*ty)),
            GenericArg::FnSugar(params, ret) => {
                format!("({})->{}", self.tys(params), ret.map_or(String::new(), |ty| self.ty(ty)))
            }
        }
    }

    fn tys(&self, ids: &[TypeId]) -> String {
        ids.iter().map(|id| self.ty(*id)).collect::<Vec<_>>().join(",")
    }

    pub fn ty(&self, id: TypeId) -> String {
        let bounds = |paths: &[Path]| paths.iter().map(|path| self.path(path)).collect::<Vec<_>>().join("+");
        match self.0.ty(id) {
            Type::Path(path) => self.path(path),
            Type::Ref { mutable, ty } => {
                format!("&{}{}", if *mutable { "mut " } else { "" }, self.ty(*ty))
            }
            Type::Ptr(ty) => format!("*{}", self.ty(*ty)),
            Type::Tuple(tys) => format!("({})", self.tys(tys)),
            Type::Slice(ty) => format!("[{}]", self.ty(*ty)),
            Type::Array { elem, len } => format!("[{};{}]", self.ty(*elem), self.expr(*len)),
            Type::Fn { params, .. } => format!("fn({})", self.tys(params)),
            Type::Impl(paths) => format!("impl {}", bounds(paths)),
            Type::Dyn(paths) => format!("dyn {}", bounds(paths)),
            other => format!("{other:?}"),
        }
    }

    pub fn pat(&self, id: PatId) -> String {
        let list = |ids: &[PatId]| ids.iter().map(|id| self.pat(*id)).collect::<Vec<_>>().join(",");
        match &self.0.pat(id).kind {
            PatKind::Wild => "_".into(),
            PatKind::Rest => "..".into(),
            PatKind::Bind { name, by_ref, mutable, sub } => format!(
                "{}{}{}{}",
                if *by_ref { "ref " } else { "" },
                if *mutable { "mut " } else { "" },
                self.0.str(*name),
                sub.map_or(String::new(), |sub| format!("@{}", self.pat(sub)))
            ),
            PatKind::Path(path) => self.path(path),
            PatKind::Tuple(ids) => format!("({})", list(ids)),
            PatKind::TupleStruct { path, elems } => format!("{}({})", self.path(path), list(elems)),
            PatKind::Struct { path, fields, rest } => {
                let fields: Vec<String> = fields.iter().map(|(name, pat)| format!("{}:{}", self.0.str(*name), self.pat(*pat))).collect();
                format!("{}{{{}{}}}", self.path(path), fields.join(","), if *rest { ",.." } else { "" })
            }
            PatKind::Ref(id) => format!("&{}", self.pat(*id)),
            PatKind::Slice(ids) => format!("[{}]", list(ids)),
            PatKind::Or(ids) => ids.iter().map(|id| self.pat(*id)).collect::<Vec<_>>().join("|"),
            PatKind::Const(ids) => format!("const {}", self.exprs(ids)),
            PatKind::Typed(id, ty) => format!("{}:{}", self.pat(*id), self.ty(*ty)),
            PatKind::Other => "?".into(),
        }
    }

    pub fn exprs(&self, ids: &[ExprId]) -> String {
        ids.iter().map(|id| self.expr(*id)).collect::<Vec<_>>().join(", ")
    }

    pub fn block(&self, block: &Block) -> String {
        let mut parts: Vec<String> = block
            .stmts
            .iter()
            .map(|stmt| match stmt {
                Stmt::Let { pat, init, otherwise, .. } => format!(
                    "let {}={}{};",
                    self.pat(*pat),
                    init.map_or(String::new(), |id| self.expr(id)),
                    otherwise.map_or(String::new(), |id| format!(" else {}", self.expr(id)))
                ),
                Stmt::Expr(id) => format!("{};", self.expr(*id)),
                Stmt::Item(id) => format!("item {};", self.0.str(self.0.item(*id).name)),
            })
            .collect();
        parts.extend(block.tail.map(|id| self.expr(id)));
        format!("{{{}}}", parts.join(" "))
    }

    pub fn expr(&self, id: ExprId) -> String {
        let opt = |id: &Option<ExprId>| id.map_or(String::new(), |id| self.expr(id));
        match &self.0.expr(id).kind {
            ExprKind::Lit(Lit::Str(text)) => format!("{:?}", self.0.str(*text)),
            ExprKind::Lit(Lit::Int(Some(int))) => int.to_string(),
            ExprKind::Lit(lit) => format!("{lit:?}"),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Call { callee, args } => {
                format!("{}({})", self.expr(*callee), self.exprs(args))
            }
            ExprKind::Method { recv, name, generics, args, .. } => {
                let generics = if generics.is_empty() { String::new() } else { format!("::<{}>", self.tys(generics)) };
                format!("{}.{}{generics}({})", self.expr(*recv), self.0.str(*name), self.exprs(args))
            }
            ExprKind::Macro(call) => {
                let args = match &call.args {
                    MacroArgs::Exprs(ids) => format!("({})", self.exprs(ids)),
                    MacroArgs::Block(block) => self.block(block),
                    MacroArgs::Select(arms) => arms
                        .iter()
                        .map(|arm| {
                            let pat = arm.pat.map_or(String::new(), |pat| self.pat(pat));
                            format!("[{pat}={} if {} => {}]", opt(&arm.future), opt(&arm.guard), self.expr(arm.body))
                        })
                        .collect(),
                    MacroArgs::Pairs(pairs) => {
                        let of = |(key, value): &(Option<Sym>, ExprId)| {
                            key.map_or(self.expr(*value), |key| format!("{}: {}", self.0.str(key), self.expr(*value)))
                        };
                        format!("{{{}}}", pairs.iter().map(of).collect::<Vec<_>>().join(", "))
                    }
                    MacroArgs::Opaque(ids, _) => format!("?({})", self.exprs(ids)),
                };
                format!("{}!{args}", self.0.str(call.path))
            }
            ExprKind::Field { base, name, .. } => {
                format!("{}.{}", self.expr(*base), self.0.str(*name))
            }
            ExprKind::Index { base, index } => {
                format!("{}[{}]", self.expr(*base), self.expr(*index))
            }
            ExprKind::Unary { op, expr } => format!("{op:?} {}", self.expr(*expr)),
            ExprKind::Binary { op, lhs, rhs } => {
                format!("({op:?} {} {})", self.expr(*lhs), self.expr(*rhs))
            }
            ExprKind::Assign { lhs, rhs } => format!("{}={}", self.expr(*lhs), self.expr(*rhs)),
            ExprKind::AssignOp { op, lhs, rhs } => {
                format!("{} {op:?}= {}", self.expr(*lhs), self.expr(*rhs))
            }
            ExprKind::Ref { mutable, expr } => {
                format!("&{}{}", if *mutable { "mut " } else { "" }, self.expr(*expr))
            }
            ExprKind::Cast { expr, ty } => format!("({} as {})", self.expr(*expr), self.ty(*ty)),
            ExprKind::Await(id) => format!("{}.await", self.expr(*id)),
            ExprKind::Try(id) => format!("{}?", self.expr(*id)),
            ExprKind::Block { kind, block } => format!("{kind:?}{}", self.block(block)),
            ExprKind::If { cond, then, otherwise } => {
                format!("if {} {} else {}", self.expr(*cond), self.block(then), opt(otherwise))
            }
            ExprKind::Let { pat, expr } => format!("let {}={}", self.pat(*pat), self.expr(*expr)),
            ExprKind::Match { on, arms } => {
                let arms: Vec<String> =
                    arms.iter().map(|arm| format!("{} if {} => {}", self.pat(arm.pat), opt(&arm.guard), self.expr(arm.body))).collect();
                format!("match {} [{}]", self.expr(*on), arms.join("; "))
            }
            ExprKind::While { cond, body } => {
                format!("while {} {}", self.expr(*cond), self.block(body))
            }
            ExprKind::Loop { body } => format!("loop {}", self.block(body)),
            ExprKind::For { pat, iter, body } => {
                format!("for {} in {} {}", self.pat(*pat), self.expr(*iter), self.block(body))
            }
            ExprKind::Closure(closure) => {
                let params: Vec<String> = closure.params.iter().map(|param| self.pat(param.pat)).collect();
                let marks = format!("{}{}", if closure.is_async { "async " } else { "" }, if closure.is_move { "move " } else { "" });
                format!("{marks}|{}| {}", params.join(","), self.expr(closure.body))
            }
            ExprKind::Return(id) => format!("return {}", opt(id)),
            ExprKind::Break(id) => format!("break {}", opt(id)),
            ExprKind::Yield(id) => format!("yield {}", opt(id)),
            ExprKind::Struct { path, fields, rest } => {
                let fields: Vec<String> =
                    fields.iter().map(|field| format!("{}:{}", self.0.str(field.name), self.expr(field.value))).collect();
                format!("{}{{{}..{}}}", self.path(path), fields.join(","), opt(rest))
            }
            ExprKind::Tuple(ids) => format!("({})", self.exprs(ids)),
            ExprKind::Array(ids) => format!("[{}]", self.exprs(ids)),
            ExprKind::Repeat { value, len } => {
                format!("[{};{}]", self.expr(*value), self.expr(*len))
            }
            ExprKind::Range { start, end } => format!("{}..{}", opt(start), opt(end)),
            ExprKind::Other(ids) => format!("?({})", self.exprs(ids)),
            other => format!("{other:?}"),
        }
    }
}
