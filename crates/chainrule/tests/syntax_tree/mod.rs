//! Syntax trees as S-expressions.

use chainrule::text::ast::{Argument, Ast, BinaryOp, DefKind, ExprId, ExprKind, Ident, Item, Start, Statement};
use chainrule::text::parser::{parse_expression, parse_program};

/// The tree of an expression.
#[allow(dead_code, reason = "not every test file shows single expressions")]
pub(crate) fn expression(text: &str) -> String {
    match parse_expression(text) {
        Ok((ast, id)) => show(&ast, id),
        Err(error) => format!("{} {}", error.code, error.message),
    }
}

/// The tree of a program, a line for each statement.
pub(crate) fn program(text: &str) -> String {
    match parse_program(text) {
        Ok(ast) => ast.items.iter().map(|item| statement(&ast, item, "")).collect(),
        Err(error) => format!("{} {}", error.code, error.message),
    }
}

fn show(ast: &Ast, id: ExprId) -> String {
    let show_all = |ids: &[ExprId]| ids.iter().map(|&id| show(ast, id)).collect::<Vec<_>>().join(" ");
    match &ast.expr(id).kind {
        ExprKind::Number(value) => value.to_string(),
        ExprKind::Text(text) => format!("\"{text}\""),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Matrix(rows) => {
            format!("[{}]", rows.iter().map(|row| show_all(row)).collect::<Vec<_>>().join("; "))
        }
        ExprKind::Neg(x) => format!("(neg {})", show(ast, *x)),
        ExprKind::Transpose(x) => format!("(' {})", show(ast, *x)),
        ExprKind::Binary(op, _, a, b) => format!("({} {} {})", sign(*op), show(ast, *a), show(ast, *b)),
        ExprKind::Call(name, arguments) => format!("({}{})", name.name, show_arguments(ast, arguments)),
    }
}

fn show_arguments(ast: &Ast, arguments: &[Argument]) -> String {
    let show_one = |argument: &Argument| match &argument.name {
        Some(name) => format!(" {}={}", name.name, show(ast, argument.value)),
        None => format!(" {}", show(ast, argument.value)),
    };
    arguments.iter().map(show_one).collect()
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::MatMul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mul => ".*",
        BinaryOp::ElementDiv => "./",
        BinaryOp::Pow => "^",
        BinaryOp::ElementPow => ".^",
    }
}

fn statement(ast: &Ast, item: &Item, indentation: &str) -> String {
    let show = |id: &ExprId| show(ast, *id);
    let shaped = |name: &Ident, shape: &Option<Vec<ExprId>>| match shape {
        Some(shape) => format!("{} [{}]", name.name, shape.iter().map(show).collect::<Vec<_>>().join(" ")),
        None => name.name.clone(),
    };
    let begin = |start: &Start| match start {
        Start::Value(value) => format!(" = {}", show(value)),
        Start::Draw(value) => format!(" ~ {}", show(value)),
        Start::Default => String::new(),
    };
    let line = match &item.statement {
        Statement::Input { name, shape } => format!("input {}", shaped(name, shape)),
        Statement::Target { name, shape } => format!("target {}", shaped(name, shape)),
        Statement::Const { name, value } => format!("const {} {}", name.name, show(value)),
        Statement::Param { name, shape, start } => format!("param {}{}", shaped(name, shape), begin(start)),
        Statement::State { name, shape, start } => format!("state {}{}", shaped(name, shape), begin(start)),
        Statement::Let { name, value } => format!("let {} {}", name.name, show(value)),
        Statement::Update { name, value } => format!("update {} {}", name.name, show(value)),
        Statement::Predict { value } => format!("predict {}", show(value)),
        Statement::Loss { value } => format!("loss {}", show(value)),
        Statement::Train { optimizer, options } => {
            format!("train {}{}", show(optimizer), show_arguments(ast, options))
        }
        Statement::Fact { name, words } => format!("fact {} {}", name.name, words.name),
        Statement::Claim { left, right } => format!("claim {} == {}", show(left), show(right)),
        Statement::Data { names, value } | Statement::Group { names, value } => {
            let word = if matches!(item.statement, Statement::Data { .. }) { "data" } else { "group" };
            let names: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
            format!("{word} {} {}", names.join(" "), show(value))
        }
        Statement::Result { value } => format!("result {}", show(value)),
        Statement::Define(definition) => {
            let kind = match definition.kind {
                DefKind::Function => "def",
                DefKind::Layer => "layer",
                DefKind::Optimizer => "optimizer",
                DefKind::Schedule => "schedule",
            };
            let formals: Vec<String> = definition
                .formals
                .iter()
                .map(|formal| match &formal.default {
                    Some(value) => format!("{}={}", formal.name.name, show(value)),
                    None => formal.name.name.clone(),
                })
                .collect();
            let body: String = definition.body.iter().map(|item| statement(ast, item, "  ")).collect();
            let name = &definition.name.name;
            return format!("{kind} {name}({}) {:?}\n{body}", formals.join(" "), definition.doc);
        }
    };
    format!("{indentation}{line}\n")
}
