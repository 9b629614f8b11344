//! Derivations as pages: whole, escaped, and without anything from elsewhere. The pages stay in the folder of the test's
//! temporary files, to be looked at.

mod formulas;

use std::path::PathBuf;

use chainrule::calculus::derivation::Phase;
use chainrule::calculus::derive;
use chainrule::lang::{Graph, Id};
use chainrule::model::Program;
use chainrule::text::html::{Definition, Formula, Page, Rule, Section, StepRow, Table};
use chainrule::text::print::index::index_form;
use chainrule::text::print::{Style, differential, print};
use formulas::elements;

fn both(write: impl Fn(Style) -> String) -> Formula {
    Formula { mathml: write(Style::MathMl), text: write(Style::Text) }
}

fn written(graph: &Graph, id: Id) -> Formula {
    both(|style| print(graph, id, style).expect("it is a matrix"))
}

fn named(name: &str) -> Formula {
    both(|style| style.name(name))
}

fn page(title: &str, objective: &str, graph: &mut Graph, root: Id, variables: &[(String, Id)]) -> Page {
    let names = |graph: &Graph, id: Id| graph.name(id).map(str::to_owned);
    let definitions = graph.reachable(&[root]).into_iter().filter(|id| !graph.args(*id).is_empty() && *id != root);
    let definitions = definitions.filter_map(|id| Some((graph.name(id)?.to_owned(), id)));
    let definitions = definitions.map(|(name, id)| Definition { name: named(&name), value: written(graph, id) });
    let mut page = Page {
        title: title.to_owned(),
        objective: Definition { name: named(objective), value: written(graph, root) },
        definitions: definitions.collect(),
        ..Page::default()
    };
    for (name, wrt) in variables {
        let derivation = derive(graph, root, &[*wrt]);
        let gradient = derivation.gradients[0];
        let mut steps = Vec::new();
        for (number, step) in derivation.steps.iter().enumerate() {
            let (rule, statement) = step.rule.split_once(": ").unwrap_or((&step.rule, ""));
            if !page.rules.iter().any(|known| known.name == rule) {
                page.rules.push(Rule { name: rule.to_owned(), statement: statement.to_owned() });
            }
            let left = match step.phase {
                Phase::Differential if step.node == root => both(|style| match style {
                    Style::Text => format!("d{objective}"),
                    _ => {
                        format!("<mi mathvariant=\"normal\">d</mi><mspace width=\"0.17em\"/>{}", style.name(objective))
                    }
                }),
                Phase::Differential => both(|style| differential(graph, step.node, style).expect("it is a matrix")),
                Phase::Transpose => written(graph, step.before),
            };
            let right = written(graph, step.after);
            steps.push(StepRow { number: Some(number + 1), left, right, rule: rule.to_owned() });
        }
        let left = both(|style| style.partial(&style.name(objective), &style.name(name)));
        let element = |style: Style| {
            let form = index_form(graph, gradient, style, &names).ok()?;
            let left = style.partial(&style.name(objective), &form.element(&style.name(name)));
            (form.text.len() < 2000).then(|| style.equation(&left, &form.text))
        };
        let elements = element(Style::MathMl).zip(element(Style::Text)).map(|(mathml, text)| Formula { mathml, text });
        page.sections.push(Section {
            variable: named(name),
            left,
            gradient: written(graph, gradient),
            shape: graph.dims.list(graph.shape(*wrt).resolved(&graph.dims).dims()),
            elements,
            steps,
            check: "Checked: forward mode 2e-16, central differences 3e-10 (largest relative difference)".to_owned(),
        });
    }
    page
}

fn of_model(model: &str) -> Page {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models").join(model);
    let mut program = Program::parse(&std::fs::read_to_string(path).expect("the model")).expect("it is right");
    let loss = program.loss.expect("it has a loss");
    let variables: Vec<(String, Id)> =
        program.parameters.iter().map(|p| (program.graph.as_variable(p.id).expect("one").name.clone(), p.id)).collect();
    page(model, "loss", &mut program.graph, loss, &variables)
}

fn of_expression(title: &str, variables: &str, text: &str) -> Page {
    let mut formula = formulas::Formula::new(variables, text);
    page(title, "f", &mut formula.graph, formula.root, &formula.variables)
}

fn save(name: &str, page: &Page) -> String {
    let html = page.html();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(path, &html).expect("the page can be written");
    html
}

/// Nothing is fetched or run, and every formula is well-formed.
fn check(html: &str) {
    for word in ["<script", "src=", "http:", "https:", "@import", "url(", "<link"] {
        assert!(!html.contains(word), "{word}");
    }
    for link in html.split("href=\"").skip(1) {
        let target = link.split('"').next().expect("it ends").strip_prefix('#').expect("a place of the page");
        assert!(html.contains(&format!("id=\"{target}\"")), "{target}");
    }
    let mut count = 0;
    for formula in html.split("<math").skip(1) {
        let end = formula.find("</math>").expect("it ends");
        let whole = format!("<math{}</math>", &formula[..end]);
        elements(&whole).unwrap_or_else(|error| panic!("{error}\n{whole}"));
        count += 1;
    }
    assert!(count > 3);
    balanced(html);
}

/// All elements of the page close in order.
fn balanced(html: &str) {
    let (_, body) = html.split_once("</style>").expect("a head");
    let mut open = vec!["html", "head"];
    for tag in body.split('<').skip(1).map(|rest| rest.split('>').next().expect("a tag")) {
        let name = tag.split(' ').next().expect("a name");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "<{tag}>"),
            None if tag.ends_with('/') => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn models_and_expressions_become_pages() {
    check(&save("two_layer.html", &of_model("two_layer.cr")));
    check(&save("higham.html", &of_model("higham.cr")));
    check(&save("attention.html", &of_expression("Attention", "Q=NxD K=NxD V=NxD", "sum(softmax(Q*K'/sqrt(D))*V)")));
}

#[test]
fn everything_is_escaped() {
    let evil = "<b>\"&'";
    let formula = || Formula { mathml: "<mi>x</mi>".to_owned(), text: evil.to_owned() };
    let step = StepRow { number: None, left: formula(), right: formula(), rule: evil.to_owned() };
    let html = save(
        "escaped.html",
        &Page {
            title: evil.to_owned(),
            objective: Definition { name: formula(), value: formula() },
            definitions: vec![],
            sections: vec![Section {
                variable: formula(),
                left: formula(),
                gradient: formula(),
                shape: evil.to_owned(),
                elements: Some(formula()),
                steps: vec![step],
                check: evil.to_owned(),
            }],
            recurrence: Some(Table {
                caption: evil.to_owned(),
                head: vec![evil.to_owned()],
                rows: vec![vec![formula()]],
            }),
            rules: vec![Rule { name: evil.to_owned(), statement: evil.to_owned() }],
        },
    );
    check(&html);
    assert!(!html.contains("<b>") && !html.contains("=\"<") && html.contains("&lt;b&gt;&quot;&amp;&#39;"));
}
