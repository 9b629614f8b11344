//! `chainrule show`: what a model text declares, its plan, or the text behind a trained model.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use chainrule::data::batch::Batch;
use chainrule::lang::{Graph, Id, Role};
use chainrule::model::Program;
use chainrule::model::statements::Declared;
use chainrule::optim::Solver;
use chainrule::plan::explain::explain;
use chainrule::text::ast::Statement;
use chainrule::text::diagnostic::Span;
use chainrule::train::compile::{extents, training};
use chainrule::train::session::CONFIG_FACT;
use chainrule::train::source::SourceError;
use chainrule::train::{Data, Dtype, Options};
use serde_json::{Value, json};

use crate::args::ShowArgs;
use crate::errors::Failure;
use crate::models::{model_of_run, read_model, source_failure, train_failure};
use crate::output;
use crate::source::{SourceText, read_text};
use crate::subject::shape_text;

/// A line: its name, its shape, its number of weights, the rest.
type Line = [String; 4];

pub(crate) fn run(args: &ShowArgs, context: &output::Context) -> Result<(), Failure> {
    if is_model_file(&args.model) {
        return model_file(args, context);
    }
    let source = read_text(&args.model)?;
    let program = Program::parse(&source.text).map_err(|diagnostic| Failure::text(&source, diagnostic))?;
    if args.plan {
        return plan(args, &source, &program);
    }
    let text = if args.json { format!("{:#}\n", document(&source.name, &program)) } else { table(&program) };
    context.detail(&format!("{} nodes", program.graph.len()));
    output::answer(&text)
}

/// Told by its beginning: the length of a header, then the header. The folder of a run stands for its model.
fn is_model_file(path: &Path) -> bool {
    if model_of_run(path).is_file() {
        return true;
    }
    let mut start = [1; 9];
    let read = path.as_os_str() != "-" && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok());
    path.extension().is_some_and(|extension| extension == "safetensors") || (read && start[4..] == *b"\0\0\0\0{")
}

/// The text of a trained model, to be edited and trained again; facts on standard error.
fn model_file(args: &ShowArgs, context: &output::Context) -> Result<(), Failure> {
    let trained = read_model(&args.model)?;
    if args.plan {
        return Err(Failure::usage("--plan wants a model text with its data, not a model file"));
    }
    if args.json {
        let name = args.model.display().to_string();
        return output::answer(&format!("{:#}\n", document(&name, &trained.program)));
    }
    if args.config {
        let config = trained.facts.iter().find(|(name, _)| name == CONFIG_FACT);
        return match config {
            Some((_, config)) => output::answer(config),
            None => Err(Failure::usage(format!("{} holds no settings", args.model.display()))
                .help("models of `chainrule train` do")),
        };
    }
    if !context.quiet {
        let dtype = if trained.dtype == Dtype::F32 { "f32" } else { "f64" };
        let networks =
            if trained.members.len() > 1 { format!(" in {} networks", trained.members.len()) } else { String::new() };
        let mut facts = format!("weights   {} ({dtype}){networks}\n", trained.weights());
        if let Some(fitted) = &trained.preprocessing {
            let names: Vec<&str> = fitted.features.iter().map(|feature| feature.name()).collect();
            facts.push_str(&format!("columns   {}\ntarget    {}", names.join(", "), fitted.target.name()));
            if let Some(labels) = fitted.target.labels() {
                facts.push_str(&format!(": {}", labels.join(", ")));
            }
            facts.push('\n');
        }
        for (name, value) in trained.facts.iter().filter(|(name, _)| name != CONFIG_FACT) {
            facts.push_str(&format!("{name:<9} {value}\n"));
        }
        output::progress(&facts);
    }
    output::answer(&trained.program.source)
}

/// The compiled training step on the data of the program.
fn plan(args: &ShowArgs, source: &SourceText, program: &Program) -> Result<(), Failure> {
    let wrong = |error: SourceError| source_failure(error, source);
    let folder = args.model.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let solver = Solver::of_program(program).map_err(|error| Failure::text(source, error))?;
    let rule = match solver {
        Some(Solver::FirstOrder(rule)) => rule,
        Some(_) => return Err(Failure::usage("this solver has a loop of its own, not one plan for a step")),
        None => return Err(Failure::usage("there is no training step: the text has no `train` line")),
    };
    let options = Options::of_program(program).map_err(|error| Failure::text(source, error))?;
    let data = Data::of_program(program, folder).map_err(wrong)?;
    let batch = match args.batch.unwrap_or(options.batch) {
        Batch::All => None,
        Batch::Size(size) => Some((size as usize).min(data.rows())),
    };
    let compiled = extents(program, &data, batch).and_then(|extents| training(program, &rule, &extents));
    let compiled = compiled.map_err(|error| train_failure(&error))?;
    output::answer(&explain(&compiled.plan))
}

fn table(program: &Program) -> String {
    let mut groups: Vec<(&str, Vec<Line>)> = vec![
        ("inputs", program.inputs.iter().map(|&id| data_line(program, id)).collect()),
        ("targets", program.targets.iter().map(|&id| data_line(program, id)).collect()),
        ("constants", constants(&program.graph)),
        ("parameters", program.parameters.iter().map(|declared| declared_line(program, declared)).collect()),
        ("states", program.states.iter().map(|declared| declared_line(program, declared)).collect()),
    ];
    groups.retain(|(_, lines)| !lines.is_empty());
    let mut out = String::new();
    let column = |index: usize| {
        groups.iter().flat_map(|(_, lines)| lines.iter().map(|line| line[index].chars().count())).max().unwrap_or(0)
    };
    let widths = [column(0), column(1), column(2)];
    for (title, lines) in &groups {
        for (index, [name, shape, count, rest]) in lines.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let [a, b, c] = widths;
            let line = format!("{title:<11} {name:a$}  {shape:b$}  {count:>c$}  {rest}");
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    if !program.parameters.is_empty() {
        out.push_str(&format!("{:11} {}\n", "", total(program)));
    }
    for (title, text) in statements(program) {
        out.push_str(&format!("{title:<11} {text}\n"));
    }
    if out.is_empty() {
        out.push_str("nothing is declared\n");
    }
    out
}

fn data_line(program: &Program, id: Id) -> Line {
    [program.name_of(id).to_owned(), shape_text(&program.graph, id), String::new(), String::new()]
}

fn declared_line(program: &Program, declared: &Declared) -> Line {
    let count = count(&program.graph, declared.id).map_or_else(|| "?".to_owned(), |n| n.to_string());
    let name = program.name_of(declared.id).to_owned();
    [name, shape_text(&program.graph, declared.id), count, declared.start.text(&program.graph.dims)]
}

fn constants(graph: &Graph) -> Vec<Line> {
    let constants = graph.variables.iter().filter(|variable| variable.role == Role::Constant);
    let value = |value: Option<f64>| value.map_or_else(String::new, |value| format!("= {value}"));
    constants.map(|v| [v.name.clone(), String::new(), String::new(), value(v.value)]).collect()
}

/// Number of elements, when every dimension is known.
fn count(graph: &Graph, id: Id) -> Option<u64> {
    graph.shape(id).dims().iter().try_fold(1u64, |product, &dim| product.checked_mul(graph.dims.value(dim)?))
}

fn total(program: &Program) -> String {
    let parameters = program.parameters.len();
    let plural = if parameters == 1 { "" } else { "s" };
    let counts = program.parameters.iter().map(|declared| count(&program.graph, declared.id));
    match counts.into_iter().try_fold(0u64, |sum, n| sum.checked_add(n?)) {
        Some(weights) => format!("{parameters} parameter{plural}, {weights} weights"),
        None => format!("{parameters} parameter{plural}; the number of weights depends on the data"),
    }
}

/// The lines of the program that say what is computed, as they are written.
fn statements(program: &Program) -> Vec<(&'static str, String)> {
    let written = |span: Span, word: &str| {
        let text = program.source.get(span.start as usize..span.end as usize).unwrap_or_default();
        let text = text.strip_prefix(word).unwrap_or(text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut list = Vec::new();
    for item in &program.ast.items {
        let word = match &item.statement {
            Statement::Let { .. } | Statement::Update { .. } => "",
            Statement::Predict { .. } => "predict",
            Statement::Loss { .. } => "loss",
            Statement::Train { .. } => "train",
            Statement::Claim { .. } => "claim",
            Statement::Fact { .. } => "fact",
            Statement::Data { .. } => "data",
            Statement::Group { .. } => "group",
            _ => continue,
        };
        list.push((if word.is_empty() { "formula" } else { word }, written(item.span, word)));
    }
    list
}

fn document(source: &str, program: &Program) -> Value {
    let data = |ids: &[Id]| {
        let list = ids.iter().map(|&id| json!({"name": program.name_of(id), "shape": shape_text(&program.graph, id)}));
        list.collect::<Vec<Value>>()
    };
    let declared = |list: &[Declared]| {
        let list = list.iter().map(|declared| {
            json!({
                "name": program.name_of(declared.id),
                "shape": shape_text(&program.graph, declared.id),
                "weights": count(&program.graph, declared.id),
                "start": declared.start.text(&program.graph.dims),
            })
        });
        list.collect::<Vec<Value>>()
    };
    let constants: Vec<Value> = program
        .graph
        .variables
        .iter()
        .filter(|variable| variable.role == Role::Constant)
        .map(|variable| json!({"name": variable.name, "value": variable.value}))
        .collect();
    let lines: Vec<Value> =
        statements(program).into_iter().map(|(kind, text)| json!({"kind": kind, "text": text})).collect();
    json!({
        "schema": "chainrule.show/1",
        "source": source,
        "inputs": data(&program.inputs),
        "targets": data(&program.targets),
        "constants": constants,
        "parameters": declared(&program.parameters),
        "states": declared(&program.states),
        "statements": lines,
    })
}
