//! Derivatives with known answers: every gradient of the files of cases equals the textbook's, judged by the reference
//! evaluator. The cases lie outside of the repository; without them the test says so and passes.

mod evaluator;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chainrule::calculus::sample::{Domain, NAMES, sample};
use chainrule::lang::Shape;
use chainrule::model::cases::{Declaration, gradient};
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
    let declare = |(name, shape): (&String, &Value)| Declaration {
        name: name.clone(),
        shape: Shape::known(size(shape, 0), size(shape, 1)),
        domain: domain(name),
    };
    let declarations = json["vars"].as_object().expect("variables").iter().map(declare).collect();
    Case {
        id: text("id"),
        group: text("group"),
        expr: text("expr"),
        wrt: text("wrt"),
        expected: text("expected"),
        declarations,
    }
}

fn point(case: &Case, seed: u64) -> HashMap<String, Matrix> {
    let draw = |(number, declaration): (usize, &Declaration)| {
        let size = |dim: &chainrule::lang::Dim| match dim {
            chainrule::lang::Dim::Known(n) => *n as usize,
            chainrule::lang::Dim::Symbol(_) => unreachable!("cases have numbers"),
        };
        let sizes: Vec<usize> = declaration.shape.dims().iter().map(size).collect();
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

#[test]
fn gradients_equal_the_textbook() {
    let Some(path) = file() else {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"shared/cases/derivatives.json is not here: the cases are not checked\n",
        );
        return;
    };
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
    let cases: Vec<Case> =
        json.as_array().expect("a list").iter().filter(|c| c["kind"] == "gradient").map(case).collect();
    let mut wrong = String::new();
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut ratios: Vec<(f64, String)> = Vec::new();
    for case in &cases {
        let entry = groups.entry(case.group.clone()).or_default();
        entry.1 += 1;
        let answer = match gradient(&case.expr, &case.declarations, &case.wrt) {
            Ok(answer) => answer.text,
            Err(refusal) => {
                wrong += &format!("{}: refused, {}\n", case.id, refusal.reason());
                continue;
            }
        };
        let difference = (0..3).map(|seed| {
            let names = point(case, 100 + seed);
            value(&case.expected, &names).difference(&value(&answer, &names), 1.0)
        });
        let difference = difference.fold(0.0, f64::max);
        if difference > 1e-9 {
            wrong += &format!("{}: {answer} is not {} ({difference:e})\n", case.id, case.expected);
            continue;
        }
        entry.0 += 1;
        let ratio = tokens(&answer) as f64 / tokens(&case.expected) as f64;
        ratios.push((ratio, format!("{}: {answer}   {}", case.id, case.expected)));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(groups.values().all(|(right, all)| right == all), "{groups:?}");
    // The answers read like the textbook's: half of them are no longer, nine of ten not by more than a quarter.
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let long: Vec<String> =
        ratios.iter().filter(|(r, _)| *r > 1.25).map(|(r, text)| format!("{r:.2} {text}")).collect();
    assert!(ratios[ratios.len() / 2].0 <= 1.0, "{long:#?}");
    assert!(long.len() * 10 <= ratios.len(), "{long:#?}");
}
