//! Formulas for tests of printing: from text and shapes to a graph; and a checker of MathML.
#![allow(dead_code, reason = "each test file uses its part")]

use chainrule::lang::dim::Dims;
use chainrule::lang::{Dim, Graph, Id, Role, Shape};
use chainrule::model::answer::{Declaration, Extent, Subject};
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::text::parser::parse_expression;

/// An expression in its graph.
pub(crate) struct Formula {
    pub(crate) graph: Graph,
    pub(crate) scope: Scope,
    pub(crate) root: Id,
    pub(crate) variables: Vec<(String, Id)>,
}

impl Formula {
    /// `variables` as `X=NxD y=Nx1`.
    pub(crate) fn new(variables: &str, text: &str) -> Formula {
        // Dimensions that the expression makes equal must be known before it is built.
        let mut dims = Dims::default();
        loop {
            let before = dims.unifications();
            let formula = Formula::with_dims(variables, text, dims);
            if formula.graph.dims.unifications() == before {
                return formula;
            }
            dims = formula.graph.dims;
        }
    }

    fn with_dims(declared: &str, text: &str, dims: Dims) -> Formula {
        let mut graph = Graph::new();
        graph.dims = dims;
        let mut scope = Scope::default();
        let mut variables = Vec::new();
        for declaration in declared.split_whitespace() {
            let (name, shape) = declaration.split_once('=').expect("a name and a shape");
            let (rows, cols) = shape.split_once('x').expect("rows and columns");
            let [rows, cols] = [rows, cols].map(|extent| dimension(&mut graph, extent));
            let id = graph.variable(name, Role::Input, Shape::matrix(rows, cols));
            scope.bind(name, id);
            variables.push((name.to_owned(), id));
        }
        let (ast, root) = parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let mut builder = Builder::new(&ast, graph);
        let root = builder.expression(Place { ast: &ast, scope: &scope }, root);
        let root = root.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        Formula { graph: builder.graph, scope, root, variables }
    }
}

/// A question's subject; `variables` as in [`Formula::new`].
pub(crate) fn subject(variables: &str, text: &str) -> Subject {
    let declaration = |declaration: &str| {
        let (name, shape) = declaration.split_once('=').expect("a name and a shape");
        let extent = |text: &str| text.parse().map_or_else(|_| Extent::Name(text.to_owned()), Extent::Number);
        Declaration {
            name: name.to_owned(),
            extents: shape.split('x').map(extent).collect(),
            domain: None,
            facts: Vec::new(),
        }
    };
    let declarations: Vec<Declaration> = variables.split_whitespace().map(declaration).collect();
    Subject::of_expression(text, &declarations, &[]).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn dimension(graph: &mut Graph, extent: &str) -> Dim {
    extent.parse().map_or_else(|_| graph.dims.named(extent), Dim::Known)
}

/// The elements of MathML Core that are written, and how many children each needs.
const ELEMENTS: &[(&str, Option<usize>)] = &[
    ("math", None),
    ("mrow", None),
    ("msqrt", None),
    ("mfrac", Some(2)),
    ("msub", Some(2)),
    ("msup", Some(2)),
    ("msubsup", Some(3)),
    ("munder", Some(2)),
];
/// Those that hold text.
const TOKENS: &[&str] = &["mi", "mn", "mo", "mtext"];

/// Checks that elements are known, closed in order, and have the children they need.
pub(crate) fn elements(markup: &str) -> Result<(), String> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut rest = markup.trim();
    while !rest.is_empty() {
        let Some(tail) = rest.strip_prefix('<') else {
            let (text, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            plain(text)?;
            if !open.last().is_some_and(|(name, _)| TOKENS.contains(name)) {
                return Err(format!("text {text:?} outside of a token"));
            }
            rest = tail;
            continue;
        };
        let (tag, tail) = tail.split_once('>').ok_or("a tag that is not closed")?;
        rest = tail;
        if let Some(name) = tag.strip_prefix('/') {
            let (opened, children) = open.pop().ok_or(format!("</{name}> closes nothing"))?;
            let wanted = ELEMENTS.iter().find(|(known, _)| *known == name).and_then(|(_, count)| *count);
            if opened != name || wanted.is_some_and(|count| count != children) {
                return Err(format!("</{name}> closes <{opened}> with {children} children"));
            }
            continue;
        }
        if let Some((_, children)) = open.last_mut() {
            *children += 1;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        check_attributes(attributes.trim_end_matches('/'))?;
        match tag.ends_with('/') {
            true if name == "mspace" => {}
            false if TOKENS.contains(&name) || ELEMENTS.iter().any(|(known, _)| *known == name) => open.push((name, 0)),
            _ => return Err(format!("<{tag}> is unknown")),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} stay open")) }
}

/// `name="value" name="value"`
fn check_attributes(text: &str) -> Result<(), String> {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fault = || format!("attributes {text:?}");
        let (name, value) = rest.split_once("=\"").ok_or_else(fault)?;
        let (value, tail) = value.split_once('"').ok_or_else(fault)?;
        if !name.bytes().all(|b| b.is_ascii_lowercase()) {
            return Err(fault());
        }
        plain(value)?;
        rest = tail.trim_start();
    }
    Ok(())
}

/// Text has no marks of its own: every `&` starts the name of a character.
fn plain(text: &str) -> Result<(), String> {
    let named = |part: &str| part.split_once(';').is_some_and(|(name, _)| name.len() < 8);
    if text.contains('>') || !text.split('&').skip(1).all(named) {
        return Err(format!("{text:?} is not escaped"));
    }
    Ok(())
}
