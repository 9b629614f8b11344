//! Derivations as pages: whole, escaped, and without anything from elsewhere. The pages stay in the folder of the test's
//! temporary files, to be looked at.

mod formulas;

use std::path::PathBuf;

use chainrule::calculus::steps::rules::STEP_RULES;
use chainrule::lang::{Graph, Id};
use chainrule::model::answer::names::name_of;
use chainrule::model::answer::{Answer, Question, Subject};
use chainrule::text::html::{Definition, Formula, Page, Rule, Section, StepRow, Table};
use chainrule::text::print::index::index_form;
use chainrule::text::print::{Style, print};
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

fn page(title: &str, subject: &mut Subject) -> Page {
    let objective = subject.name.clone();
    let graph = &subject.work.graph;
    let root = subject.work.root;
    let definitions = graph.reachable(&[root]).into_iter().filter(|id| !graph.args(*id).is_empty() && *id != root);
    let definitions = definitions.filter_map(|id| Some((graph.name(id)?.to_owned(), id)));
    let definitions = definitions.map(|(name, id)| Definition { name: named(&name), value: written(graph, id) });
    let mut page = Page {
        title: title.to_owned(),
        objective: Definition { name: named(&objective), value: written(graph, root) },
        definitions: definitions.collect(),
        rules: STEP_RULES
            .iter()
            .map(|rule| Rule {
                number: Some(rule.number),
                name: rule.name.to_owned(),
                statement: rule.statement.to_owned(),
            })
            .collect(),
        ..Page::default()
    };
    let questions: Vec<Question> = subject.variables.iter().map(|&id| Question::first(id)).collect();
    for answer in subject.answers(&questions).unwrap_or_else(|(_, refusal)| panic!("{}", refusal.reason())) {
        let section = section(subject, &answer);
        page.sections.push(section);
    }
    page
}

fn section(subject: &mut Subject, answer: &Answer) -> Section {
    let explained = subject.explain(answer).unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
    let write = |id: Id| both(|style| subject.write(id, &explained.names, style).expect("it is a matrix"));
    let definition = |name: &str, id: Id| Definition { name: named(name), value: write(id) };
    let steps = (1..).zip(&explained.lines).map(|(number, line)| StepRow {
        number: Some(number),
        left: both(|style| subject.write_left(line.left, answer, style).expect("it is a matrix")),
        right: write(line.right),
        rules: line.rules.iter().map(|rule| rule.name.to_owned()).collect(),
        defines: line.defines.iter().map(|(name, id, _)| definition(name, *id)).collect(),
    });
    let (objective, variable) = (subject.name.as_str(), subject.name_of(answer.question.wrt));
    let graph = &subject.work.graph;
    let names = |graph: &Graph, id: Id| name_of(graph, &answer.names, id);
    let element = |style: Style| {
        let form = index_form(graph, answer.id, style, &names).ok()?;
        let left = style.partial(&style.name(objective), &form.element(&style.name(variable)));
        (form.text.len() < 3000).then(|| style.equation(&left, &form.text))
    };
    let elements = element(Style::MathMl).zip(element(Style::Text)).map(|(mathml, text)| Formula { mathml, text });
    Section {
        variable: named(variable),
        left: both(|style| style.partial(&style.name(objective), &style.name(variable))),
        gradient: write(answer.id),
        shape: graph.dims.list(graph.shape(answer.id).resolved(&graph.dims).dims()),
        definitions: answer.names.iter().map(|(id, name)| definition(name, *id)).collect(),
        elements,
        steps: steps.collect(),
        check: "Checked: forward mode 2e-16, central differences 3e-10 (largest relative difference)".to_owned(),
    }
}

fn of_model(model: &str) -> Page {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models").join(model);
    let source = std::fs::read_to_string(path).expect("the model");
    page(model, &mut Subject::of_program(&source).unwrap_or_else(|error| panic!("{error:?}")))
}

fn of_expression(title: &str, variables: &str, text: &str) -> Page {
    page(title, &mut formulas::subject(variables, text))
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
    let step =
        StepRow { number: None, left: formula(), right: formula(), rules: vec![evil.to_owned()], defines: vec![] };
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
                definitions: vec![],
                elements: Some(formula()),
                steps: vec![step],
                check: evil.to_owned(),
            }],
            recurrence: Some(Table {
                caption: evil.to_owned(),
                head: vec![evil.to_owned()],
                rows: vec![vec![formula()]],
            }),
            rules: vec![Rule { number: None, name: evil.to_owned(), statement: evil.to_owned() }],
        },
    );
    check(&html);
    assert!(!html.contains("<b>") && !html.contains("=\"<") && html.contains("&lt;b&gt;&quot;&amp;&#39;"));
}
