//! What a trained network suffers from.

use chainrule::text::note::Note;
use chainrule::train::numerics::numerics;
use chainrule::train::session::{Outcome, Session};

/// Notes on layers most of whose units are dead: they give 0 for every example, and so do their gradients.
pub(super) fn notes(session: &Session, outcome: &Outcome) -> String {
    // The look costs a pass over a batch for each activation; only ReLUs die for good.
    if !session.program.source.contains("relu") {
        return String::new();
    }
    let report = outcome.last();
    let Ok(found) = numerics(session, &report.parameters, &report.states) else { return String::new() };
    let dead = found.activations.iter().filter(|layer| layer.function == "relu" && 2 * layer.dead > layer.units);
    let notes = dead.map(|layer| {
        let text = format!(
            "{} of {} units of {} are 0 for every example, and learn no more (dead ReLUs): take a smaller rate, or \
             `leaky_relu` in place of `relu`; `chainrule numerics` tells more",
            layer.dead, layer.units, layer.name
        );
        format!("{}\n", Note::new("W701", text))
    });
    notes.collect()
}
