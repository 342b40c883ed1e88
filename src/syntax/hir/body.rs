//! What bodies are made of: expressions, statements, macro calls and patterns.

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Serialize, Deserialize)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Lit {
    Str(Sym),
    ByteStr(Sym),
    /// The value, or `None` beyond 128 bits; the suffix is dropped.
    Int(Option<i128>),
    Float(f64),
    Bool(bool),
    Char(char),
    Other,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum ExprKind {
    Lit(Lit),
    Path(Path),
    Call {
        callee: ExprId,
        args: Vec<ExprId>,
    },
    /// The expression's span covers the whole chain; `name_span` the method's name.
    Method {
        recv: ExprId,
        name: Sym,
        name_span: Span,
        generics: Vec<TypeId>,
        args: Vec<ExprId>,
    },
    Macro(MacroCall),
    /// Tuple fields are named by their index.
    Field {
        base: ExprId,
        name: Sym,
        name_span: Span,
    },
    Index {
        base: ExprId,
        index: ExprId,
    },
    Unary {
        op: UnOp,
        expr: ExprId,
    },
    Binary {
        op: BinOp,
        lhs: ExprId,
        rhs: ExprId,
    },
    Assign {
        lhs: ExprId,
        rhs: ExprId,
    },
    AssignOp {
        op: BinOp,
        lhs: ExprId,
        rhs: ExprId,
    },
    Ref {
        mutable: bool,
        expr: ExprId,
    },
    Cast {
        expr: ExprId,
        ty: TypeId,
    },
    Await(ExprId),
    Try(ExprId),
    Block {
        kind: BlockKind,
        block: Block,
    },
    If {
        cond: ExprId,
        then: Block,
        otherwise: Option<ExprId>,
    },
    /// `let PAT = EXPR` as a condition.
    Let {
        pat: PatId,
        expr: ExprId,
    },
    Match {
        on: ExprId,
        arms: Vec<Arm>,
    },
    While {
        cond: ExprId,
        body: Block,
    },
    Loop {
        body: Block,
    },
    For {
        pat: PatId,
        iter: ExprId,
        body: Block,
    },
    Closure(Closure),
    Return(Option<ExprId>),
    Break(Option<ExprId>),
    Continue,
    Yield(Option<ExprId>),
    Struct {
        path: Path,
        fields: Vec<FieldInit>,
        rest: Option<ExprId>,
    },
    Tuple(Vec<ExprId>),
    Array(Vec<ExprId>),
    Repeat {
        value: ExprId,
        len: ExprId,
    },
    Range {
        start: Option<ExprId>,
        end: Option<ExprId>,
    },
    Infer,
    Other(Vec<ExprId>),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct FieldInit {
    pub name: Sym,
    pub value: ExprId,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Arm {
    pub pat: PatId,
    pub guard: Option<ExprId>,
    pub body: ExprId,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Closure {
    pub params: Vec<Param>,
    pub ret: Option<TypeId>,
    pub body: ExprId,
    pub is_move: bool,
    pub is_async: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    Plain,
    Async,
    Unsafe,
    Const,
    Try,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Block {
    pub stmts: Vec<Stmt>,
    /// The last expression without a semicolon.
    pub tail: Option<ExprId>,
}

impl Block {
    /// The expression that it comes to: the tail, or the last statement if that is one.
    pub fn last(&self) -> Option<ExprId> {
        self.tail.or_else(|| match self.stmts.last() {
            Some(Stmt::Expr(expr)) => Some(*expr),
            _ => None,
        })
    }

    /// The expressions of its statements and its tail, in order.
    pub fn parts(&self) -> impl Iterator<Item = ExprId> {
        let of_stmt = |stmt: &Stmt| match stmt {
            Stmt::Let { init, .. } => *init,
            Stmt::Expr(expr) => Some(*expr),
            Stmt::Item(_) => None,
        };
        self.stmts.iter().filter_map(of_stmt).chain(self.tail)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Stmt {
    Let { pat: PatId, ty: Option<TypeId>, init: Option<ExprId>, otherwise: Option<ExprId>, span: Span },
    Expr(ExprId),
    Item(ItemId),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct MacroCall {
    /// The path as written, segments joined by `::`, without `!`.
    pub path: Sym,
    pub args: MacroArgs,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum MacroArgs {
    /// Comma-separated expressions; the names that a format string captures inline follow as paths.
    /// `name = expr` arguments appear as their expression.
    Exprs(Vec<ExprId>),
    /// The body is statements, e.g. `stream! { .. }`.
    Block(Block),
    /// `select!`: pattern, awaited expression, precondition and handler of each branch.
    Select(Vec<SelectArm>),
    /// Anything else: the expressions that could be recognised inside, in order, and the text.
    Opaque(Vec<ExprId>, Sym),
    /// `json!` of an object: its values by their keys; a key that is computed has no name and comes before its value.
    Pairs(Vec<(Option<Sym>, ExprId)>),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SelectArm {
    /// Absent for `else` and `complete`.
    pub pat: Option<PatId>,
    pub future: Option<ExprId>,
    pub guard: Option<ExprId>,
    pub body: ExprId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnOp {
    Deref,
    Not,
    Neg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    BitXor,
    BitAnd,
    BitOr,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Pat {
    pub kind: PatKind,
    pub span: Span,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum PatKind {
    Wild,
    /// `..` inside a tuple or slice.
    Rest,
    /// A lone lower-case name; whether it is a constant or a unit variant is for the resolver to say.
    Bind {
        name: Sym,
        by_ref: bool,
        mutable: bool,
        sub: Option<PatId>,
    },
    Path(Path),
    Tuple(Vec<PatId>),
    TupleStruct {
        path: Path,
        elems: Vec<PatId>,
    },
    Struct {
        path: Path,
        fields: Vec<(Sym, PatId)>,
        rest: bool,
    },
    Ref(PatId),
    Slice(Vec<PatId>),
    Or(Vec<PatId>),
    /// Literals and ranges.
    Const(Vec<ExprId>),
    /// `x: T`, in closure parameters.
    Typed(PatId, TypeId),
    Other,
}
