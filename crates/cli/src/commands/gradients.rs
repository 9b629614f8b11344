//! `chainrule train --check-gradients`: the gradient of each parameter on the first batch, before the first step.

use chainrule::train::probe::check_gradients;
use chainrule::train::session::Session;

use crate::errors::{Failure, REQUIREMENT};
use crate::models::train_failure;
use crate::output::{self, small};

/// Relative differences above this are no rounding, and not the few kinks that a small step crosses.
const TOLERANCE: f64 = 1e-4;

pub(super) fn check(session: &Session, context: &output::Context) -> Result<(), Failure> {
    let checked = check_gradients(session).map_err(|error| train_failure(&error))?;
    let Some((name, worst)) = checked.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(()) };
    if *worst <= TOLERANCE {
        if !context.quiet {
            let count = checked.len();
            let plural = if count == 1 { "" } else { "s" };
            let worst = small(*worst);
            output::progress(&format!(
                "gradients of {count} parameter{plural} checked on the first batch, largest relative difference {worst} \
                 ({name})\n"
            ));
        }
        return Ok(());
    }
    let message =
        format!("the gradient by {name} was not confirmed on the first batch: it differs by {}", small(*worst));
    let help = "the loss may have kinks or jumps near the starting values; `chainrule check` tries other points";
    Err(Failure::new(REQUIREMENT, "E603", message).help(help))
}
