//! Calls: of native functions, and of definitions of the program and the prelude.

use rustc_hash::FxHashMap;

use super::every::is_word;
use super::{Builder, MAX_CALLS, Place, Scope};
use crate::lang::Id;
use crate::model::{einsum, functions, prelude};
use crate::text::ast::{Argument, DefKind, ExprId, Formal, Ident};
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::suggest::nearest;

impl<'a> Builder<'a> {
    pub(super) fn call(
        &mut self,
        place: Place<'_, 'a>,
        callee: &Ident,
        args: &[Argument],
        span: Span,
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Id, Diagnostic> {
        if args.iter().any(|arg| is_word(place.ast, arg.value)) {
            return self.over_every(place, callee, args, span, values);
        }
        self.call_with(place, callee, args, span, values)
    }

    /// A call whose arguments all have values.
    pub(super) fn call_with(
        &mut self,
        place: Place<'_, 'a>,
        callee: &Ident,
        args: &[Argument],
        span: Span,
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Id, Diagnostic> {
        let name = callee.name.as_str();
        if let Some((subscripts, operands)) = functions::subscripts(place.ast, callee, args) {
            let operands: Vec<Id> = operands.iter().map(|arg| values[&arg.value]).collect();
            let at = self.place(place.ast.expr(args[0].value).span);
            return einsum::build(self, (subscripts, at), &operands, span);
        }
        let callable = [DefKind::Function, DefKind::Layer, DefKind::Schedule];
        if let Some(defined) = prelude::find(self.own, name, &callable) {
            let bound = self.arguments(defined, callee, args, values)?;
            return self.enter(defined, bound, callee, span);
        }
        let positional: Vec<Id> = args.iter().map(|arg| values[&arg.value]).collect();
        if let ("d", [part]) = (name, positional.as_slice())
            && let Some((_, symbol)) = self.differentials.iter().find(|(node, _)| node == part)
        {
            return Ok(*symbol);
        }
        if let Some(keyword) = args.iter().find_map(|arg| arg.name.as_ref())
            && functions::names().any(|f| f == name)
        {
            let span = self.place(keyword.span);
            return Err(Diagnostic::new("E203", span, format!("`{name}` takes no argument called `{}`", keyword.name))
                .label("unknown argument")
                .help("write its arguments in order, without keywords"));
        }
        if let Some(result) = functions::call(self, name, &positional, span) {
            return result;
        }
        let at = self.place(callee.span);
        let error = Diagnostic::new("E202", at, format!("unknown function `{name}`")).label("not defined");
        let own = prelude::names(self.own, &callable);
        let mut candidates: Vec<&str> = own;
        for native in functions::names() {
            candidates.push(native);
        }
        Err(match nearest(name, candidates.into_iter()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if place.scope.get(name).is_some() => {
                error.help(format!("`{name}` is a variable: write `{name}*(...)` for a product"))
            }
            None => error,
        })
    }

    /// Matches arguments with formal parameters; defaults are built in the definition's own tree.
    ///
    /// # Errors
    /// An argument is unknown or missing.
    pub fn arguments(
        &mut self,
        defined: prelude::Defined<'a>,
        callee: &Ident,
        args: &[Argument],
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Scope, Diagnostic> {
        let formals: &[Formal] = &defined.definition.formals;
        let mut bound: Vec<Option<Id>> = vec![None; formals.len()];
        for (index, arg) in args.iter().enumerate() {
            let slot = match &arg.name {
                None if index < formals.len() => index,
                None => return Err(self.too_many(callee, formals, args.len())),
                Some(keyword) => match formals.iter().position(|f| f.name.name == keyword.name) {
                    Some(slot) => slot,
                    None => return Err(self.unknown_keyword(callee, keyword, formals)),
                },
            };
            bound[slot] = Some(values[&arg.value]);
        }
        let mut scope = Scope::default();
        for (formal, value) in formals.iter().zip(bound) {
            let id = match (value, formal.default) {
                (Some(id), _) => id,
                (None, Some(default)) => self.expression(Place { ast: defined.ast, scope: &scope }, default)?,
                (None, None) => {
                    let message = format!("`{}` needs the argument `{}`", callee.name, formal.name.name);
                    let list: Vec<&str> = formals.iter().map(|f| f.name.name.as_str()).collect();
                    let error = Diagnostic::new("E203", self.place(callee.span), message).label("missing here");
                    return Err(error.help(format!("it takes: {}", list.join(", "))));
                }
            };
            scope.bind(&formal.name.name, id);
        }
        Ok(scope)
    }

    pub(super) fn too_many(&self, callee: &Ident, formals: &[Formal], got: usize) -> Diagnostic {
        let most = formals.len();
        let plural = if most == 1 { "" } else { "s" };
        let message = format!("`{}` takes {most} argument{plural}, got {got}", callee.name);
        let list: Vec<&str> = formals.iter().map(|f| f.name.name.as_str()).collect();
        let error = Diagnostic::new("E203", self.place(callee.span), message).label("this call");
        error.help(format!("it takes: {}", list.join(", ")))
    }

    pub(super) fn unknown_keyword(&self, callee: &Ident, keyword: &Ident, formals: &[Formal]) -> Diagnostic {
        let message = format!("`{}` takes no argument called `{}`", callee.name, keyword.name);
        let error = Diagnostic::new("E203", self.place(keyword.span), message).label("unknown argument");
        match nearest(&keyword.name, formals.iter().map(|f| f.name.name.as_str())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                let list: Vec<&str> = formals.iter().map(|f| f.name.name.as_str()).collect();
                error.help(format!("it takes: {}", list.join(", ")))
            }
        }
    }

    /// The value of a definition whose arguments are bound.
    ///
    /// # Errors
    /// The arguments do not fit it.
    pub fn apply(&mut self, defined: prelude::Defined<'a>, scope: Scope, span: Span) -> Result<Id, Diagnostic> {
        let name = Ident { name: defined.definition.name.name.clone(), span };
        self.enter(defined, scope, &name, span)
    }

    /// Builds the body of a definition; inside the prelude all errors are reported at the user's call.
    pub(super) fn enter(
        &mut self,
        defined: prelude::Defined<'a>,
        scope: Scope,
        callee: &Ident,
        span: Span,
    ) -> Result<Id, Diagnostic> {
        if self.calls >= MAX_CALLS {
            let message = format!("`{}` calls itself, or definitions are nested deeper than {MAX_CALLS}", callee.name);
            return Err(Diagnostic::new("E209", span, message)
                .label("here")
                .help("write the formula without the call of itself"));
        }
        let outer = self.outer;
        if defined.prelude {
            if self.outer.is_none() {
                self.outer_name.clone_from(&callee.name);
            }
            self.outer = Some(self.place(span));
        }
        self.calls += 1;
        let result = self.body(defined, scope);
        self.calls -= 1;
        self.outer = outer;
        result
    }
}
