//! The compact form of one file: flat arenas with `u32` ids, file-local symbols and file-relative
//! spans. Nothing here refers to syn or to another file, so a lowered file can be sent between
//! threads and stored.

mod body;
mod stored;

pub use body::*;
pub use stored::{decode, encode};

use serde::{Deserialize, Deserializer, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident in $arena:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
        pub struct $name(pub u32);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = u32::deserialize(deserializer)?;
                stored::note(stored::Arena::$arena, number);
                Ok($name(number))
            }
        }
    )*};
}
ids! {
    /// A name or a string of one file, an index into [`File::symbols`].
    Sym in Symbols,
    /// Index into [`File::items`].
    ItemId in Items,
    /// Index into [`File::exprs`].
    ExprId in Exprs,
    /// Index into [`File::pats`].
    PatId in Pats,
    /// Index into [`File::types`].
    TypeId in Types,
}

/// A range of source text: 1-based lines, 1-based columns in characters, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

impl Span {
    /// Whether another span of the same file lies within this one.
    pub fn holds(self, other: Span) -> bool {
        (self.line, self.column) <= (other.line, other.column) && (other.end_line, other.end_column) <= (self.end_line, self.end_column)
    }
}

/// One lowered source file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct File {
    pub symbols: Vec<Box<str>>,
    pub items: Vec<Item>,
    /// The items at the top level of the file, in source order.
    pub root: Vec<ItemId>,
    /// Inner attributes of the file (`#![..]`).
    pub attrs: Vec<Attr>,
    pub exprs: Vec<Expr>,
    pub pats: Vec<Pat>,
    pub types: Vec<Type>,
    /// Ordinary and doc comments in source order; strings that look like comments are not among them.
    pub comments: Vec<Comment>,
    /// Parts that could not be understood; everything else is still here.
    pub problems: Vec<Problem>,
    /// Number of source lines.
    pub lines: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Comment {
    pub span: Span,
    /// The text without the comment marks, trimmed.
    pub text: Box<str>,
    /// Whether nothing but white space stands before it on its line.
    pub alone: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    pub line: u32,
    pub message: String,
    /// True if a part of the file was lost, false for a remark.
    pub lost: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attr {
    /// The path as written, segments joined by `::`, e.g. `tokio::main`.
    pub path: Sym,
    /// The tokens inside the delimiters, or after `=`, as text; empty if there are none.
    pub args: Sym,
    /// The first string literal among the tokens, unquoted.
    pub literal: Option<Sym>,
    pub span: Span,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Item {
    pub kind: ItemKind,
    /// The declared name; empty string for impls, uses and anonymous items.
    pub name: Sym,
    pub name_span: Span,
    /// The whole item without its outer attributes and doc comments.
    pub span: Span,
    pub attrs: Vec<Attr>,
    /// Whether the item says `pub` in some form.
    pub public: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum ItemKind {
    Fn(Function),
    Struct {
        generics: Generics,
        fields: Fields,
    },
    Enum {
        generics: Generics,
        variants: Vec<Variant>,
    },
    Union {
        generics: Generics,
        fields: Fields,
    },
    Trait {
        generics: Generics,
        supertraits: Vec<Path>,
        items: Vec<ItemId>,
    },
    Impl {
        generics: Generics,
        trait_path: Option<Path>,
        self_ty: TypeId,
        items: Vec<ItemId>,
    },
    /// `type A<T> = ..;`, in a module, trait or impl. An associated type may have no type.
    TypeAlias {
        generics: Generics,
        ty: Option<TypeId>,
    },
    /// `lazy` names the macro that declared it: `lazy_static`, `thread_local`, `static_init`, ..
    Static {
        ty: Option<TypeId>,
        mutable: bool,
        init: Option<ExprId>,
        lazy: Option<Sym>,
    },
    Const {
        ty: Option<TypeId>,
        init: Option<ExprId>,
    },
    /// A `use` tree, flattened.
    Use(Vec<UseEntry>),
    /// `Inline` has items; otherwise the module is in another file, perhaps named by `#[path]`.
    Mod {
        items: Option<Vec<ItemId>>,
        path_attr: Option<Sym>,
    },
    ExternCrate {
        alias: Option<Sym>,
    },
    /// A macro call in item position that was not understood; its arguments as far as they parse.
    MacroCall {
        path: Sym,
        args: Vec<ExprId>,
        items: Vec<ItemId>,
        text: Option<Sym>,
    },
    MacroRules,
    Other,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UseEntry {
    /// The segments as written, `crate`, `self`, `super` included; without the trailing `self` of `a::{self}`.
    pub path: Vec<Sym>,
    /// The name it binds; for a glob or `as _` there is none.
    pub name: Option<Sym>,
    pub glob: bool,
    /// Whether the path starts with `::`.
    pub global: bool,
    pub public: bool,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Generics {
    /// Type parameters with the bounds from the list and from the where clause.
    pub params: Vec<GenericParam>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GenericParam {
    pub name: Sym,
    pub bounds: Vec<Path>,
    pub default: Option<TypeId>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Fields {
    pub fields: Vec<Field>,
    pub tuple: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Field {
    /// The name, or the index for a tuple field.
    pub name: Sym,
    pub ty: TypeId,
    /// The field without attributes.
    pub span: Span,
    pub attrs: Vec<Attr>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Variant {
    pub name: Sym,
    pub fields: Fields,
    pub span: Span,
    pub attrs: Vec<Attr>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Function {
    pub generics: Generics,
    /// How `self` is taken, if it is.
    pub receiver: Option<Receiver>,
    /// Parameters without `self`.
    pub params: Vec<Param>,
    pub ret: Option<TypeId>,
    pub body: Option<ExprId>,
    pub is_async: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receiver {
    Value,
    Ref,
    RefMut,
    /// `self: Arc<Self>` and the like.
    Typed(TypeId),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Param {
    pub pat: PatId,
    /// Absent for closure parameters without a type.
    pub ty: Option<TypeId>,
    pub attrs: Vec<Attr>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Path {
    pub segments: Vec<Segment>,
    /// Whether it starts with `::`.
    pub global: bool,
    /// `<T as Trait>::x`: the type, and how many leading segments belong to the trait.
    pub qself: Option<(TypeId, u32)>,
    pub span: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segment {
    pub name: Sym,
    pub args: Vec<GenericArg>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum GenericArg {
    Type(TypeId),
    Const(ExprId),
    /// `Item = T`
    Assoc(Sym, TypeId),
    /// `Fn(A, B) -> C`
    FnSugar(Vec<TypeId>, Option<TypeId>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Type {
    Path(Path),
    Ref { mutable: bool, ty: TypeId },
    Ptr(TypeId),
    Tuple(Vec<TypeId>),
    Slice(TypeId),
    Array { elem: TypeId, len: ExprId },
    Fn { params: Vec<TypeId>, ret: Option<TypeId> },
    Impl(Vec<Path>),
    Dyn(Vec<Path>),
    Never,
    Infer,
    Other,
}

impl File {
    /// The text of a symbol.
    pub fn str(&self, sym: Sym) -> &str {
        &self.symbols[sym.0 as usize]
    }
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id.0 as usize]
    }
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
    pub fn pat(&self, id: PatId) -> &Pat {
        &self.pats[id.0 as usize]
    }
    pub fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}
