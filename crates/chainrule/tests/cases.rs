//! Derivatives with known answers: every answer to the files of cases equals the textbook's, judged by the reference
//! evaluator, and every line that leads to it is checked. The cases lie outside of the repository; without them the test
//! says so and passes.

mod evaluator;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chainrule::calculus::sample::{Domain, NAMES, sample};
use chainrule::model::answer::question::LAYOUTS;
use chainrule::model::answer::{Answer, Declaration, Extent, Layout, Order, Question, Structure, Subject};
use evaluator::{Matrix, value};
use serde_json::Value;

fn file() -> Option<PathBuf> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = start.ancestors().flat_map(|up| [up.join("shared/cases"), up.join("../shared/cases")]);
    places.map(|folder| folder.join("derivatives.json")).find(|path| path.exists())
}

struct Case {
    id: String,
    group: String,
    expr: String,
    wrt: String,
    kind: String,
    layout: Option<Layout>,
    expected: String,
    declarations: Vec<Declaration>,
}

fn case(json: &Value) -> Case {
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let domain = |name: &str| {
        let word = json["domain"][name].as_str()?;
        NAMES.iter().find(|(known, _)| *known == word).map(|(_, domain)| *domain)
    };
    let size = |shape: &Value, axis: usize| shape[axis].as_u64().expect("a number") as u32;
    let declare = |(name, shape): (&String, &Value)| {
        Declaration::matrix(name, size(shape, 0), size(shape, 1)).in_domain(domain(name))
    };
    let layout = LAYOUTS.iter().find(|(word, _)| json["layout"] == *word).map(|(_, layout)| *layout);
    let declarations = json["vars"].as_object().expect("variables").iter().map(declare).collect();
    Case {
        id: text("id"),
        group: text("group"),
        expr: text("expr"),
        wrt: text("wrt"),
        kind: text("kind"),
        layout,
        expected: text("expected"),
        declarations,
    }
}

fn point(case: &Case, seed: u64) -> HashMap<String, Matrix> {
    let draw = |(number, declaration): (usize, &Declaration)| {
        let size = |extent: &Extent| match extent {
            Extent::Number(n) => *n as usize,
            Extent::Name(_) => unreachable!("cases have numbers"),
        };
        let sizes: Vec<usize> = declaration.extents.iter().map(size).collect();
        let tensor = sample(declaration.domain.unwrap_or(Domain::Any), &sizes, seed, number as u32, 7);
        (declaration.name.clone(), Matrix::from_tensor(&tensor))
    };
    case.declarations.iter().enumerate().map(draw).collect()
}

/// Names, numbers and signs.
fn tokens(text: &str) -> usize {
    let mut count = 0;
    let mut before = ' ';
    for c in text.chars() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let joined = (word(before) && word(c)) || (before == '.' && "*/^".contains(c));
        count += usize::from(!c.is_whitespace() && !joined);
        before = c;
    }
    count
}

impl Case {
    fn question(&self, subject: &Subject) -> Question {
        let usual = Question { layout: self.layout, ..Question::first(subject.variable(&self.wrt).expect("declared")) };
        match (self.kind.as_str(), self.layout) {
            ("jacobian_vec", None) => Question { layout: Some(Layout::Vec), ..usual },
            ("hessian", _) => Question { order: Order::Second, ..usual },
            ("gradient_sym", _) => Question { structure: Structure::Symmetric, ..usual },
            ("gradient_diag", _) => Question { structure: Structure::Diagonal, ..usual },
            _ => usual,
        }
    }

    /// The answer, and how many lines lead to it.
    fn answer(&self) -> Result<(Answer, usize), String> {
        let subject = Subject::of_expression(&self.expr, &self.declarations, &[&self.wrt]);
        let mut subject = subject.map_err(|error| error.message)?;
        let question = self.question(&subject);
        let answer = subject.answer(question).map_err(|refusal| refusal.reason())?;
        let explained = subject.explain(&answer).map_err(|refusal| format!("its lines: {}", refusal.reason()))?;
        Ok((answer, explained.lines.len()))
    }

    /// The largest difference to the textbook at a few points.
    fn difference(&self, answer: &Answer) -> f64 {
        let at = |seed: u64| {
            let mut names = point(self, 100 + seed);
            for (name, text) in &answer.definitions {
                let defined = value(text, &names);
                names.insert(name.clone(), defined);
            }
            let textbook = value(&self.expected, &names);
            textbook.difference(&value(&answer.text, &names), 1.0)
        };
        (0..3).map(at).fold(0.0, f64::max)
    }
}

#[test]
fn answers_equal_the_textbook() {
    let Some(path) = file() else {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"shared/cases/derivatives.json is not here: the cases are not checked\n",
        );
        return;
    };
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
    let cases: Vec<Case> = json.as_array().expect("a list").iter().map(case).collect();
    let mut wrong = String::new();
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut ratios: Vec<(f64, String)> = Vec::new();
    let mut lines: Vec<(usize, String)> = Vec::new();
    for case in &cases {
        let entry = groups.entry(case.group.clone()).or_default();
        entry.1 += 1;
        let (answer, count) = match case.answer() {
            Ok(answer) => answer,
            Err(reason) => {
                wrong += &format!("{}: refused, {reason}\n", case.id);
                continue;
            }
        };
        let difference = case.difference(&answer);
        if difference > 1e-9 {
            wrong += &format!("{}: {} is not {} ({difference:e})\n", case.id, answer.text, case.expected);
            continue;
        }
        entry.0 += 1;
        let own: usize = answer.definitions.iter().map(|(_, text)| tokens(text) + 2).sum();
        let ratio = (tokens(&answer.text) + own) as f64 / tokens(&case.expected) as f64;
        ratios.push((ratio, format!("{}: {}   {}", case.id, answer.text, case.expected)));
        if "ABCDEF".contains(&case.group) {
            lines.push((count, case.id.clone()));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(groups.values().all(|(right, all)| right == all), "{groups:?}");
    // The answers read like the textbook's: half of them are no longer, nineteen of twenty not by more than a quarter.
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let long: Vec<String> =
        ratios.iter().filter(|(r, _)| *r > 1.25).map(|(r, text)| format!("{r:.2} {text}")).collect();
    assert!(ratios[ratios.len() / 2].0 <= 1.0, "{long:#?}");
    assert!(long.len() * 20 <= ratios.len(), "{long:#?}");
    // Nine of ten derivations have at most twelve lines.
    let many: Vec<&(usize, String)> = lines.iter().filter(|(count, _)| *count > 12).collect();
    assert!(many.len() * 10 <= lines.len(), "{many:?}");
}
