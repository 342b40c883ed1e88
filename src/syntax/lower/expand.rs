//! Macros by example of the same file: their rules are matched and written out, so that what they
//! declare and call is seen. Names are not made unique: two variables of one name, one of the macro
//! and one of its caller, count as one.

use std::collections::BTreeMap;
use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Token;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};

use super::super::scan::scan;
use super::Lower;
use super::attrs::plain;
use super::macros::MAX_MACRO_DEPTH;

/// Tokens that all expansions of one file may write, so that macros that double cannot fill the memory.
const MAX_TOKENS: usize = 200_000;
/// Tokens that are compared with rules in one file, those of a call once for each rule that is tried.
const MAX_TRIED: usize = 2_000_000;
/// Bytes of stack that reading one expansion may take: they nest [`MAX_MACRO_DEPTH`] deep, in a file that
/// has taken its own share.
const MAX_STACK: u64 = super::super::STACK_BYTES as u64 / 4 / MAX_MACRO_DEPTH as u64;
/// Expansions of fewer tokens stay below that whatever they are.
const SMALL: usize = 300;
/// Nesting of repetitions and groups in a rule.
const MAX_NESTING: u32 = 32;

/// One `(matcher) => { body }`.
pub struct Rule {
    matcher: Vec<Part>,
    body: Vec<Part>,
}

/// A part of a matcher or of a body; a fragment has a kind in the first only.
enum Part {
    Token(TokenTree),
    Group(Delimiter, Vec<Part>),
    Variable {
        name: String,
        kind: String,
    },
    Repeat {
        parts: Vec<Part>,
        separator: Option<TokenTree>,
        op: char,
    },
    /// `$crate`.
    Crate(proc_macro2::Span),
}

#[derive(Clone)]
enum Binding {
    One(TokenStream),
    Many(Vec<Bindings>),
}

type Bindings = BTreeMap<String, Binding>;

impl Lower {
    /// Notes a `macro_rules!`; one whose rules are not understood stays opaque.
    pub fn define_macro(&mut self, name: &Ident, mac: &syn::Macro) {
        if let Ok(rules) = rules.parse2(mac.tokens.clone()) {
            self.macros.insert(plain(name), Rc::new(rules));
        }
    }

    /// What a call of a macro of this file stands for, if it is what `parser` takes.
    pub fn expanded<T>(&mut self, mac: &syn::Macro, parser: impl FnOnce(ParseStream) -> syn::Result<T>) -> Option<T> {
        if self.macro_depth > MAX_MACRO_DEPTH || self.macros.is_empty() {
            return None;
        }
        parser.parse2(self.expansion(mac)?).ok()
    }

    /// The body of the first rule that matches, written out.
    fn expansion(&mut self, mac: &syn::Macro) -> Option<TokenStream> {
        let name = mac.path.get_ident().map(plain).or_else(|| {
            let [first, last] = [mac.path.segments.first()?, mac.path.segments.last()?];
            (mac.path.segments.len() == 2 && matches!(plain(&first.ident).as_str(), "crate" | "self" | "super")).then(|| plain(&last.ident))
        })?;
        let rules = Rc::clone(self.macros.get(&name)?);
        let tokens = weight(&mac.tokens);
        let before = MAX_TOKENS.saturating_sub(self.expanded_tokens);
        let mut left = before;
        let expanded = rules.iter().find_map(|rule| {
            self.tried_tokens += tokens + 1;
            if self.tried_tokens > MAX_TRIED {
                return None;
            }
            let mut bindings = Bindings::new();
            let matches = |input: ParseStream| matched(&rule.matcher, input, &mut bindings);
            matches.parse2(mac.tokens.clone()).ok()?;
            written(&rule.body, &[&bindings], &mut left)
        });
        self.expanded_tokens = MAX_TOKENS - left;
        expanded.filter(|tokens| before - left < SMALL || scan(&tokens.to_string()).is_ok_and(|s| s.stack <= MAX_STACK))
    }
}

fn rules(input: ParseStream) -> syn::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    while !input.is_empty() {
        let TokenTree::Group(matcher) = input.parse()? else { return Err(input.error("a matcher")) };
        input.parse::<Token![=>]>()?;
        let TokenTree::Group(body) = input.parse()? else { return Err(input.error("a body")) };
        rules.push(Rule { matcher: parts(matcher.stream(), true, 0)?, body: parts(body.stream(), false, 0)? });
        input.parse::<Option<Token![;]>>()?;
    }
    Ok(rules)
}

fn parts(tokens: TokenStream, matcher: bool, depth: u32) -> syn::Result<Vec<Part>> {
    let walk = |input: ParseStream| {
        if depth > MAX_NESTING {
            return Err(input.error("too deeply nested"));
        }
        let mut found = Vec::new();
        while !input.is_empty() {
            if !input.peek(Token![$]) {
                found.push(match input.parse()? {
                    TokenTree::Group(group) => Part::Group(group.delimiter(), parts(group.stream(), matcher, depth + 1)?),
                    token => Part::Token(token),
                });
                continue;
            }
            input.parse::<Token![$]>()?;
            match input.parse()? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                    let parts = parts(group.stream(), matcher, depth + 1)?;
                    let (separator, op) = repetition(input)?;
                    found.push(Part::Repeat { parts, separator, op });
                }
                TokenTree::Ident(name) if name == "crate" => found.push(Part::Crate(name.span())),
                TokenTree::Ident(name) if matcher => {
                    input.parse::<Token![:]>()?;
                    let kind: Ident = input.call(syn::ext::IdentExt::parse_any)?;
                    found.push(Part::Variable { name: plain(&name), kind: kind.to_string() });
                }
                TokenTree::Ident(name) => found.push(Part::Variable { name: plain(&name), kind: String::new() }),
                _ => return Err(input.error("not a variable")),
            }
        }
        Ok(found)
    };
    walk.parse2(tokens)
}

/// `sep op` behind `$(..)`.
fn repetition(input: ParseStream) -> syn::Result<(Option<TokenTree>, char)> {
    let op = |token: &TokenTree| match token {
        TokenTree::Punct(punct) if matches!(punct.as_char(), '*' | '+' | '?') => Some(punct.as_char()),
        _ => None,
    };
    let first: TokenTree = input.parse()?;
    if let Some(found) = op(&first) {
        return Ok((None, found));
    }
    let second: TokenTree = input.parse()?;
    op(&second).map(|found| (Some(first), found)).ok_or_else(|| input.error("not a repetition"))
}

/// Reads what the parts describe, to the end of the input.
fn matched(parts: &[Part], input: ParseStream, bindings: &mut Bindings) -> syn::Result<()> {
    sequence(parts, input, bindings)?;
    if input.is_empty() { Ok(()) } else { Err(input.error("more than the rule takes")) }
}

fn sequence(parts: &[Part], input: ParseStream, bindings: &mut Bindings) -> syn::Result<()> {
    for part in parts {
        match part {
            Part::Token(token) => literal(token, input)?,
            Part::Crate(_) => {
                input.parse::<Token![crate]>()?;
            }
            Part::Group(delimiter, inner) => {
                let TokenTree::Group(group) = input.parse()? else { return Err(input.error("another token")) };
                if group.delimiter() != *delimiter {
                    return Err(input.error("another bracket"));
                }
                let walk = |inside: ParseStream| matched(inner, inside, bindings);
                walk.parse2(group.stream())?;
            }
            Part::Variable { name, kind } => {
                let tokens = fragment(kind, input)?;
                bindings.insert(name.clone(), Binding::One(tokens));
            }
            Part::Repeat { parts, separator, op } => repeated(parts, separator.as_ref(), *op, input, bindings)?,
        }
    }
    Ok(())
}

fn literal(token: &TokenTree, input: ParseStream) -> syn::Result<()> {
    let found: TokenTree = input.parse()?;
    if found.to_string() == token.to_string() { Ok(()) } else { Err(input.error("another token")) }
}

fn repeated(parts: &[Part], separator: Option<&TokenTree>, op: char, input: ParseStream, bindings: &mut Bindings) -> syn::Result<()> {
    let mut rounds: Vec<Bindings> = Vec::new();
    while !input.is_empty() && (op != '?' || rounds.is_empty()) {
        let fork = input.fork();
        let mut own = Bindings::new();
        let separated = match separator {
            Some(token) if !rounds.is_empty() => literal(token, &fork),
            _ => Ok(()),
        };
        // A round that reads nothing would be read for ever.
        if separated.and_then(|()| sequence(parts, &fork, &mut own)).is_err() || fork.cursor() == input.cursor() {
            break;
        }
        input.advance_to(&fork);
        rounds.push(own);
    }
    if op == '+' && rounds.is_empty() {
        return Err(input.error("at least one"));
    }
    for name in names(parts) {
        let each = rounds.iter().map(|round| Bindings::from_iter(round.get(name).map(|b| (name.to_string(), b.clone()))));
        bindings.insert(name.to_string(), Binding::Many(each.collect()));
    }
    Ok(())
}

/// The variables of the parts, those of inner repetitions too.
fn names(parts: &[Part]) -> Vec<&str> {
    let mut found = Vec::new();
    for part in parts {
        match part {
            Part::Variable { name, .. } => found.push(name.as_str()),
            Part::Group(_, inner) | Part::Repeat { parts: inner, .. } => found.extend(names(inner)),
            Part::Token(_) | Part::Crate(_) => {}
        }
    }
    found
}

/// One fragment. Expressions, types and the like come in invisible brackets, as the compiler has them.
fn fragment(kind: &str, input: ParseStream) -> syn::Result<TokenStream> {
    let whole = |tokens: TokenStream| TokenStream::from(TokenTree::Group(Group::new(Delimiter::None, tokens)));
    Ok(match kind {
        "ident" => input.call(syn::ext::IdentExt::parse_any as fn(ParseStream) -> syn::Result<Ident>)?.into_token_stream(),
        "lifetime" => input.parse::<syn::Lifetime>()?.into_token_stream(),
        "tt" => match input.parse::<Option<syn::Lifetime>>()? {
            Some(lifetime) => lifetime.into_token_stream(),
            None => input.parse::<TokenTree>()?.into(),
        },
        "literal" => {
            let minus = input.parse::<Option<Token![-]>>()?;
            let lit = input.parse::<syn::Lit>()?;
            minus.into_token_stream().into_iter().chain(lit.into_token_stream()).collect()
        }
        "expr" | "expr_2021" => whole(input.parse::<syn::Expr>()?.into_token_stream()),
        "ty" => whole(input.parse::<syn::Type>()?.into_token_stream()),
        "path" => input.call(syn::Path::parse_mod_style).or_else(|_| input.parse::<syn::Path>())?.into_token_stream(),
        "pat" => input.call(syn::Pat::parse_multi_with_leading_vert)?.into_token_stream(),
        "pat_param" => input.call(syn::Pat::parse_single)?.into_token_stream(),
        "stmt" => input.parse::<syn::Stmt>()?.into_token_stream(),
        "block" => input.parse::<syn::Block>()?.into_token_stream(),
        "item" => input.parse::<syn::Item>()?.into_token_stream(),
        "meta" => input.parse::<syn::Meta>()?.into_token_stream(),
        "vis" => input.parse::<syn::Visibility>()?.into_token_stream(),
        _ => return Err(input.error("a fragment of another kind")),
    })
}

/// A body with its variables replaced; the innermost round of a repetition comes last in `scopes`.
fn written(parts: &[Part], scopes: &[&Bindings], left: &mut usize) -> Option<TokenStream> {
    let mut out = TokenStream::new();
    for part in parts {
        *left = left.checked_sub(1)?;
        match part {
            Part::Token(token) => out.extend([token.clone()]),
            Part::Crate(span) => out.extend([TokenTree::Ident(Ident::new("crate", *span))]),
            Part::Group(delimiter, inner) => {
                let inner = written(inner, scopes, left)?;
                out.extend([TokenTree::Group(Group::new(*delimiter, inner))]);
            }
            Part::Variable { name, .. } => match scopes.iter().rev().find_map(|scope| scope.get(name)) {
                Some(Binding::One(tokens)) => {
                    *left = left.checked_sub(weight(tokens))?;
                    out.extend(tokens.clone());
                }
                Some(Binding::Many(_)) => return None,
                // A `$name` of a macro that this one defines.
                None => return None,
            },
            Part::Repeat { parts, separator, .. } => {
                let used = names(parts);
                let rounds = used.iter().find_map(|name| match scopes.iter().rev().find_map(|scope| scope.get(*name)) {
                    Some(Binding::Many(rounds)) => Some(rounds.len()),
                    _ => None,
                })?;
                for round in 0..rounds {
                    let mut own = Bindings::new();
                    for name in &used {
                        if let Some(Binding::Many(all)) = scopes.iter().rev().find_map(|scope| scope.get(*name))
                            && let Some(bound) = all.get(round).and_then(|bindings| bindings.get(*name))
                        {
                            own.insert((*name).to_string(), bound.clone());
                        }
                    }
                    if round > 0 {
                        out.extend(separator.clone());
                    }
                    let inner: Vec<&Bindings> = scopes.iter().copied().chain([&own]).collect();
                    out.extend(written(parts, &inner, left)?);
                }
            }
        }
    }
    Some(out)
}

/// The number of tokens at the top level of a fragment, and of those in brackets there.
fn weight(tokens: &TokenStream) -> usize {
    let each = |token| if let TokenTree::Group(group) = token { 1 + weight(&group.stream()) } else { 1 };
    tokens.clone().into_iter().map(each).sum()
}
