//! The prelude: its texts parse, are documented, and every beginning of them ends in an answer.

mod syntax_tree;

use chainrule::text::ast::{DefKind, Definition, Statement};
use chainrule::text::parser::{parse_expression, parse_program};
use syntax_tree::program;

const FILES: [(&str, &str, &[DefKind]); 8] = [
    ("functions", include_str!("../prelude/functions.cr"), &[DefKind::Function]),
    ("activations", include_str!("../prelude/activations.cr"), &[DefKind::Function]),
    ("losses", include_str!("../prelude/losses.cr"), &[DefKind::Function]),
    ("randomness", include_str!("../prelude/randomness.cr"), &[DefKind::Function]),
    ("layers", include_str!("../prelude/layers.cr"), &[DefKind::Layer]),
    ("optimizers", include_str!("../prelude/optimizers.cr"), &[DefKind::Optimizer]),
    ("around", include_str!("../prelude/around.cr"), &[DefKind::Function]),
    ("schedules", include_str!("../prelude/schedules.cr"), &[DefKind::Schedule]),
];

fn definitions(text: &str) -> Vec<Definition> {
    let ast = parse_program(text).unwrap_or_else(|error| panic!("{error:?}"));
    let definition = |statement| match statement {
        Statement::Define(definition) => definition,
        other => panic!("not a definition: {other:?}"),
    };
    ast.items.into_iter().map(|item| definition(item.statement)).collect()
}

#[test]
fn every_definition_has_one_sentence_and_its_source() {
    let mut names = Vec::new();
    for (file, text, kinds) in FILES {
        for definition in definitions(text) {
            let (name, doc) = (&definition.name.name, &definition.doc);
            assert!(kinds.contains(&definition.kind), "{file}: {name}");
            assert!(doc.ends_with(").") && doc.contains(['0', '1', '2']), "{file}: {name} has no source: {doc:?}");
            assert!(!doc.replace("et al. ", "").contains(". "), "{file}: {name} has more than a sentence: {doc:?}");
            names.push((definition.kind as u8, name.clone()));
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "a name is defined twice");
    assert!(count > 50, "{count}");
}

#[test]
fn some_definitions_have_these_trees() {
    let trees: String = FILES.iter().map(|(_, text, _)| program(text)).collect();
    for expected in [
        "  result (mean (neg (rowsum (.* Y (log P)))) weights)\n",
        "  result (/ (.* z (+ 1 (erf (/ z (sqrt 2))))) 2)\n",
        "  update W (- W (/ (* rate V) (- 1 (* bias_correction (^ beta t)))))\n",
        "  update W (- W (./ (* rate G) (+ (sqrt S) epsilon)))\n",
        "  update W (- W (./ (* rate (/ V (- 1 (^ beta1 t)))) (+ (sqrt (/ S (- 1 (^ beta2 t)))) epsilon)))\n",
        "  let ahead (+ (./ (* (- 1 now) G) (- 1 product)) (./ (* next V) (- 1 (* next product))))\n",
        "  result (* rate0 (^ factor (floor (/ epoch every))))\n",
        "  result (+ rate_end (/ (* (- rate0 rate_end) (+ 1 (cos (/ (* pi epoch) epochs)))) 2))\n",
    ] {
        assert!(trees.contains(expected), "{expected}{trees}");
    }
}

#[test]
fn every_beginning_of_the_texts_ends_in_an_answer() {
    for (file, text, _) in FILES {
        let mut good = 0;
        for (end, _) in text.char_indices() {
            match parse_program(&text[..end]) {
                Ok(_) => good += 1,
                Err(error) => {
                    let (start, stop) = (error.span.start as usize, error.span.end as usize);
                    assert!(start <= stop && text[..end].get(start..stop).is_some(), "{file} {end}: {error:?}");
                }
            }
            let _ = parse_expression(&text[end..]);
        }
        assert!(good > 0);
    }
}
