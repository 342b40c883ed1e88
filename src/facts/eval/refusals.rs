//! Arms that say no, and arms that only pass on that nothing was found.

use super::*;
use crate::syntax::hir::{ExprKind, Lit, PatKind, Stmt};

impl<'a> Eval<'a> {
    /// The variable that a statement binds to a refusal.
    pub(super) fn bound_refusal(&self, stmt: &Stmt) -> Option<hir::Sym> {
        let Stmt::Let { pat, init: Some(init), .. } = stmt else { return None };
        match &self.hir().pat(*pat).kind {
            PatKind::Bind { name, .. } if self.refuses(*init, 1, &[]) => Some(*name),
            _ => None,
        }
    }

    /// Whether an arm only tells the caller that nothing was found, in a function that gives back an option.
    pub(super) fn passes_on(&self, id: ExprId) -> bool {
        let none = |path: &hir::Path| path.segments.last().is_some_and(|s| self.text(s.name) == "None");
        self.body.passes_absence
            && match &self.hir().expr(id).kind {
                ExprKind::Return(Some(inner)) => self.passes_on(*inner),
                ExprKind::Block { block, .. } => block.last().is_some_and(|e| self.passes_on(e)),
                ExprKind::Path(path) => none(path),
                ExprKind::Call { callee, args } => match (&self.hir().expr(*callee).kind, args.as_slice()) {
                    (ExprKind::Path(path), [only]) => {
                        path.segments.last().is_some_and(|s| self.text(s.name) == "Ok") && self.passes_on(*only)
                    }
                    _ => false,
                },
                _ => false,
            }
    }

    /// Whether an arm says no: an error, a refusing status or nothing, in its last expression, or one of the
    /// variables that hold one.
    pub(super) fn refuses(&self, id: ExprId, depth: u32, said: &[hir::Sym]) -> bool {
        if depth > 8 {
            return false;
        }
        let again = |id: ExprId| self.refuses(id, depth + 1, said);
        match &self.hir().expr(id).kind {
            ExprKind::Return(Some(inner)) | ExprKind::Break(Some(inner)) => again(*inner),
            ExprKind::Block { block, .. } => block.last().is_some_and(again),
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Ref { expr: inner, .. } => again(*inner),
            ExprKind::Lit(Lit::Bool(false)) => depth > 0,
            ExprKind::Path(path) => self.refusing_path(path) || matches!(path.segments.as_slice(), [only] if said.contains(&only.name)),
            ExprKind::Call { callee, args } => again(*callee) || args.iter().any(|&a| again(a)),
            ExprKind::Method { recv, name, args, .. } => {
                let name = self.text(*name);
                refusing_word(name)
                    || (name.contains("status") || name.starts_with("respond_error")) && args.iter().any(|&a| self.is_refusing_status(a))
                    || again(*recv)
                    || args.iter().any(|&a| again(a))
            }
            // One of several values that is false is a value.
            ExprKind::Tuple(elems) => elems.iter().any(|&e| !matches!(self.hir().expr(e).kind, ExprKind::Lit(_)) && again(e)),
            ExprKind::Struct { path, .. } => self.refusing_path(path),
            ExprKind::Macro(call) => matches!(self.text(call.path).rsplit("::").next(), Some("bail" | "panic" | "anyhow" | "abort")),
            _ => false,
        }
    }

    /// A status by its number: of the client's fault, or of the server's.
    fn is_refusing_status(&self, id: ExprId) -> bool {
        matches!(&self.hir().expr(id).kind, ExprKind::Lit(Lit::Int(Some(number))) if (400..600).contains(number))
    }

    fn refusing_path(&self, path: &hir::Path) -> bool {
        path.segments.iter().any(|s| refusing_word(self.text(s.name)))
    }
}

/// Names by which Rust code says no: results, HTTP statuses and their usual spellings.
fn refusing_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "Err",
        "None",
        "NOT_FOUND",
        "NotFound",
        "UNAUTHORIZED",
        "Unauthorized",
        "FORBIDDEN",
        "Forbidden",
        "CONFLICT",
        "Conflict",
        "BAD_REQUEST",
        "BadRequest",
        "TOO_MANY_REQUESTS",
        "TooManyRequests",
        "GONE",
        "Gone",
        "UNPROCESSABLE_ENTITY",
        "UnprocessableEntity",
        "not_found",
        "unauthorized",
        "forbidden",
        "bad_request",
        "reject",
        "rejected",
        "Unauthenticated",
        "unauthenticated",
        "PermissionDenied",
        "permission_denied",
        "AlreadyExists",
        "already_exists",
        "ResourceExhausted",
        "resource_exhausted",
        "Failure",
        "Error",
        "error",
        "Invalid",
        "invalid_argument",
        "LOCKED",
        "PRECONDITION_FAILED",
        "SERVICE_UNAVAILABLE",
        "fail",
    ];
    WORDS.contains(&word) || word.ends_with("Error") || word.ends_with("NotFound") || word.ends_with("Exists") || word.ends_with("Taken")
}
