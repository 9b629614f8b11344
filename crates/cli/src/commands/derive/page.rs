//! A derivation as one HTML page.

use chainrule::calculus::steps::rules::STEP_RULES;
use chainrule::text::html::{Definition as Row, Formula as Typeset, Page, Rule, Section, StepRow, Table};

use super::report::{checked, shared};
use super::{Definition, Derived, Shown, ShownStep};
use crate::subject::Formula;

/// Formulas by indices that are longer help nobody.
const LONGEST_ELEMENTS: usize = 3000;

pub(super) fn page(derived: &Derived) -> Page {
    let rule = |rule: &&chainrule::calculus::steps::rules::StepRule| Rule {
        number: Some(rule.number),
        name: rule.name.to_owned(),
        statement: rule.statement.to_owned(),
    };
    let deltas = shared(derived);
    let rows: Vec<Vec<Typeset>> = deltas.iter().map(|d| vec![typeset(&d.name), typeset(&d.value)]).collect();
    let recurrence = (!rows.is_empty()).then(|| Table {
        caption: "Parts that several derivatives share, each from those before it: the recurrence of back-propagation."
            .to_owned(),
        head: vec!["Name".to_owned(), "Value".to_owned()],
        rows,
    });
    Page {
        title: derived.source.clone(),
        objective: Row { name: typeset(&derived.name), value: typeset(&derived.formula) },
        definitions: derived.definitions.iter().map(row).collect(),
        sections: derived.answers.iter().map(section).collect(),
        recurrence,
        rules: STEP_RULES.iter().map(rule).collect(),
    }
}

fn typeset(formula: &Formula) -> Typeset {
    Typeset { mathml: formula.mathml.clone(), text: formula.text.clone() }
}

fn row(definition: &Definition) -> Row {
    Row { name: typeset(&definition.name), value: typeset(&definition.value) }
}

fn section(shown: &Shown) -> Section {
    let elements = shown.elements.as_ref().filter(|formula| formula.text.len() <= LONGEST_ELEMENTS);
    Section {
        variable: typeset(&shown.wrt),
        left: typeset(&shown.left),
        gradient: typeset(&shown.value),
        shape: format!("{}, {}", shown.shape, shown.answer.layout),
        definitions: shown.definitions.iter().map(row).collect(),
        elements: elements.map(typeset),
        steps: (1..).zip(&shown.steps).map(|(number, step)| line(number, step)).collect(),
        check: format!("Checked: {}.", checked(shown)),
    }
}

fn line(number: usize, step: &ShownStep) -> StepRow {
    StepRow {
        number: Some(number),
        left: typeset(&step.left),
        right: typeset(&step.right),
        rules: step.rules.iter().map(|rule| rule.name.to_owned()).collect(),
        defines: step.defines.iter().map(row).collect(),
    }
}
