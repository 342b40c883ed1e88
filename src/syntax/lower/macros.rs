//! Macro calls in expression position.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Ident, Token};

use super::text::text_of;
use super::{Lower, close, range, start};
use crate::syntax::hir::*;

/// How deep macro bodies are looked into.
pub const MAX_MACRO_DEPTH: u32 = 16;

/// Macros whose body is code for later, not for here.
const TEMPLATES: [&str; 4] = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

/// An argument, and its name if it is written `name = value`.
struct Arg {
    name: Option<String>,
    value: syn::Expr,
}

struct Branch {
    pat: Option<syn::Pat>,
    future: Option<syn::Expr>,
    guard: Option<syn::Expr>,
    body: syn::Expr,
}

impl Lower {
    pub fn expr_macro(&mut self, mac: &syn::Macro) -> ExprId {
        let path = self.path_sym(&mac.path);
        let first = mac.path.segments.first().map_or(mac.bang_token.span, |segment| segment.ident.span());
        let span = range(start(first), close(mac.delimiter.span()));
        if let Some(written) = self.expanded(mac, syn::Block::parse_within) {
            let mut block = self.nested(|lower| lower.stmts(&written));
            if let (true, Some(tail)) = (block.stmts.is_empty(), block.tail.take_if(|_| written.len() == 1)) {
                return tail;
            }
            return self.add_expr(ExprKind::Block { kind: BlockKind::Plain, block }, span);
        }
        let pairs = if last_name(mac) == "json" { self.json(path, &mac.tokens) } else { None };
        let args = pairs.unwrap_or_else(|| self.nested(|lower| lower.macro_args(mac)));
        self.add_expr(ExprKind::Macro(MacroCall { path, args }), span)
    }

    fn macro_args(&mut self, mac: &syn::Macro) -> MacroArgs {
        let name = last_name(mac);
        if self.macro_depth > MAX_MACRO_DEPTH || TEMPLATES.contains(&name.as_str()) {
            let text = self.sym(&text_of(&mac.tokens));
            return MacroArgs::Opaque(Vec::new(), text);
        }
        if name.starts_with("select")
            && let Some(branches) = parsed(branches, mac)
        {
            return self.select(&branches);
        }
        if name == "matches"
            && let Some((value, guard)) = parsed(matches_args, mac)
        {
            let mut exprs = vec![self.expr(&value)];
            exprs.extend(guard.map(|guard| self.expr(&guard)));
            return MacroArgs::Exprs(exprs);
        }
        let formats = takes_format(&name);
        // A body in braces is more often statements than a list.
        let brace = matches!(mac.delimiter, syn::MacroDelimiter::Brace(_)) && !formats;
        if brace && let Some(block) = self.statements(mac) {
            return MacroArgs::Block(block);
        }
        let bracket = matches!(mac.delimiter, syn::MacroDelimiter::Bracket(_));
        if let Some(args) = parsed(|input: ParseStream| arguments(input, bracket), mac) {
            return MacroArgs::Exprs(self.arguments(&args, formats));
        }
        if !brace && let Some(block) = self.statements(mac) {
            return MacroArgs::Block(block);
        }
        let exprs = self.opaque(&mac.tokens);
        let text = self.sym(&text_of(&mac.tokens));
        MacroArgs::Opaque(exprs, text)
    }

    /// The arguments of an item macro, if they are comma-separated expressions.
    pub fn item_macro_args(&mut self, mac: &syn::Macro) -> Option<Vec<ExprId>> {
        let args = parsed(|input: ParseStream| arguments(input, false), mac)?;
        Some(self.arguments(&args, false))
    }

    fn arguments(&mut self, args: &[Arg], formats: bool) -> Vec<ExprId> {
        let mut exprs: Vec<ExprId> = args.iter().map(|arg| self.expr(&arg.value)).collect();
        if formats {
            let format = args.iter().zip(&exprs).find_map(|(arg, id)| match &arg.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if arg.name.is_none() => {
                    Some((text.value(), self.expr_span(*id)))
                }
                _ => None,
            });
            if let Some((format, span)) = format {
                let mut names = captures(&format);
                names.retain(|name| !args.iter().any(|arg| arg.name.as_deref() == Some(*name)));
                for name in names {
                    let segments = vec![Segment { name: self.sym(name), args: Vec::new() }];
                    let path = Path { segments, global: false, qself: None, span };
                    exprs.push(self.add_expr(ExprKind::Path(path), span));
                }
            }
        }
        exprs
    }

    fn statements(&mut self, mac: &syn::Macro) -> Option<Block> {
        let stmts = parsed(syn::Block::parse_within, mac)?;
        Some(self.stmts(&stmts))
    }

    fn select(&mut self, branches: &[Branch]) -> MacroArgs {
        let mut arms = Vec::with_capacity(branches.len());
        for branch in branches {
            let pat = branch.pat.as_ref().map(|pat| self.pat(pat));
            let future = branch.future.as_ref().map(|future| self.expr(future));
            let guard = branch.guard.as_ref().map(|guard| self.expr(guard));
            arms.push(SelectArm { pat, future, guard, body: self.expr(&branch.body) });
        }
        MacroArgs::Select(arms)
    }
}

/// The last segment of the macro's path.
pub fn last_name(mac: &syn::Macro) -> String {
    mac.path.segments.last().map(|segment| super::attrs::plain(&segment.ident)).unwrap_or_default()
}

/// The body as the parser sees it, if it takes all of it.
pub fn parsed<T>(parser: impl FnOnce(ParseStream) -> syn::Result<T>, mac: &syn::Macro) -> Option<T> {
    parser.parse2(mac.tokens.clone()).ok()
}

pub fn parsed_tokens<T: Parse>(tokens: TokenStream) -> Option<T> {
    T::parse.parse2(tokens).ok()
}

fn arguments(input: ParseStream, bracket: bool) -> syn::Result<Vec<Arg>> {
    let mut args = Vec::new();
    while !input.is_empty() {
        let name = argument_name(input)?;
        if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
        } else if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
        }
        let value = input.parse::<syn::Expr>()?;
        // These are statements or items of a grammar of its own.
        if matches!(value, syn::Expr::Let(_) | syn::Expr::Verbatim(_)) {
            return Err(input.error("not an argument"));
        }
        args.push(Arg { name, value });
        if input.is_empty() {
            break;
        }
        if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
        } else if bracket && args.len() == 1 && input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        } else {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(args)
}

/// Steps over `name =`, `a.b.c =`, `"name" =` or `name:`.
fn argument_name(input: ParseStream) -> syn::Result<Option<String>> {
    let fork = input.fork();
    let mut name = String::new();
    if fork.peek(syn::LitStr) {
        name = fork.parse::<syn::LitStr>()?.value();
    } else {
        while fork.peek(Ident) || (!name.is_empty() && fork.peek(Token![type])) {
            name.push_str(&fork.call(syn::ext::IdentExt::parse_any as fn(ParseStream) -> syn::Result<Ident>)?.to_string());
            if !fork.peek(Token![.]) || fork.peek(Token![..]) {
                break;
            }
            fork.parse::<Token![.]>()?;
            name.push('.');
        }
    }
    if name.is_empty() {
        return Ok(None);
    }
    if fork.peek(Token![=]) && !fork.peek(Token![==]) && !fork.peek(Token![=>]) {
        fork.parse::<Token![=]>()?;
    } else if fork.peek(Token![:]) && !fork.peek(Token![::]) {
        fork.parse::<Token![:]>()?;
    } else {
        return Ok(None);
    }
    syn::parse::discouraged::Speculative::advance_to(input, &fork);
    Ok(Some(name))
}

fn matches_args(input: ParseStream) -> syn::Result<(syn::Expr, Option<syn::Expr>)> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    syn::Pat::parse_multi_with_leading_vert(input)?;
    let guard = if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok((value, guard))
}

/// The grammar of `select!` in tokio and futures, and of crossbeam's operations.
fn branches(input: ParseStream) -> syn::Result<Vec<Branch>> {
    if input.peek(Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    let mut branches = Vec::new();
    while !input.is_empty() {
        let (mut pat, mut future, mut guard) = (None, None, None);
        let lone = input.peek(Ident) && input.peek2(Token![=>]);
        if input.peek(Token![else]) {
            input.parse::<Token![else]>()?;
        } else if lone {
            let word: Ident = input.parse()?;
            if word != "complete" && word != "default" {
                future = Some(syn::Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: word.into() }));
            }
        } else {
            let fork = input.fork();
            let assigned = syn::Pat::parse_multi_with_leading_vert(&fork);
            if let (Ok(assigned), true) = (assigned, fork.peek(Token![=]) && !fork.peek(Token![=>])) {
                syn::parse::discouraged::Speculative::advance_to(input, &fork);
                input.parse::<Token![=]>()?;
                pat = Some(assigned);
                future = Some(input.parse()?);
                if input.peek(Token![,]) {
                    input.parse::<Token![,]>()?;
                    input.parse::<Token![if]>()?;
                    guard = Some(input.parse()?);
                }
            } else {
                future = Some(input.parse()?);
                if input.peek(Token![->]) {
                    input.parse::<Token![->]>()?;
                    pat = Some(syn::Pat::parse_single(input)?);
                }
            }
        }
        input.parse::<Token![=>]>()?;
        let body = if input.peek(syn::token::Brace) {
            // As in a `match`, the braces end the handler unless an operator or a dot follows.
            let fork = input.fork();
            let block: syn::ExprBlock = fork.parse()?;
            if fork.peek(Token![.]) || fork.peek(Token![?]) {
                input.parse()?
            } else {
                syn::parse::discouraged::Speculative::advance_to(input, &fork);
                syn::Expr::Block(block)
            }
        } else {
            input.parse()?
        };
        branches.push(Branch { pat, future, guard, body });
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(branches)
}

/// Whether the first string among the arguments of such a macro is a format.
fn takes_format(name: &str) -> bool {
    ["format", "print", "write", "panic", "assert"].iter().any(|part| name.contains(part))
        || ["trace", "debug", "info", "warn", "error", "event", "log", "todo", "unreachable", "unimplemented"].contains(&name)
        || ["anyhow", "bail", "ensure", "eyre"].contains(&name)
        || name.ends_with("span")
}

/// The names a format string captures, once each, in order.
fn captures(format: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('{') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let end = rest.find(['}', ':']).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().trim();
        let starts_well = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
        let is_name = starts_well && name.chars().all(|char| char.is_alphanumeric() || char == '_');
        if is_name && name != "_" && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
