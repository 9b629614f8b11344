//! The end of the default network: what is predicted from its last layer `Z`, and the loss.

use super::family::Call;
use super::{Choices, TableShape, Unfit};
use crate::data::preprocess::WEIGHTS;
use crate::data::target::{Target, Transform};

/// What a loss is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Classes,
    Numbers,
    Counts,
}

/// A loss that the default network may have.
pub(super) struct Head {
    pub(super) loss: &'static str,
    of: Of,
    predict: &'static str,
}

/// The first of each kind is the default. Not here are losses of probabilities and of targets in another code, which need
/// another network: a model text says them.
#[rustfmt::skip]
pub(super) static HEADS: &[Head] = &[
    Head { loss: "cross_entropy", of: Of::Classes, predict: "softmax(Z)" },
    Head { loss: "focal", of: Of::Classes, predict: "softmax(Z)" },
    Head { loss: "multiclass_hinge", of: Of::Classes, predict: "softmax(Z)" },
    Head { loss: "mse", of: Of::Numbers, predict: "Z" },
    Head { loss: "mae", of: Of::Numbers, predict: "Z" },
    Head { loss: "huber", of: Of::Numbers, predict: "Z" },
    Head { loss: "smooth_l1", of: Of::Numbers, predict: "Z" },
    Head { loss: "log_cosh", of: Of::Numbers, predict: "Z" },
    Head { loss: "quantile", of: Of::Numbers, predict: "Z" },
    Head { loss: "poisson", of: Of::Counts, predict: "exp(Z)" },
];

impl Of {
    fn target(target: &Target) -> Of {
        match target {
            Target::Classes { .. } => Of::Classes,
            Target::Numbers { columns } if columns.iter().all(|c| c.transform == Transform::Count) => Of::Counts,
            Target::Numbers { .. } => Of::Numbers,
        }
    }

    fn about(self) -> &'static str {
        match self {
            Of::Classes => "classes",
            Of::Numbers => "numbers",
            Of::Counts => "counts",
        }
    }
}

fn head(wish: &Call, of: Of) -> Result<&'static Head, Unfit> {
    let fits = || HEADS.iter().filter(|head| head.of == of);
    if wish.name.is_empty() {
        return fits().next().ok_or_else(|| Unfit("no loss is known for this target".to_owned()));
    }
    fits().find(|head| head.loss == wish.name).ok_or_else(|| {
        let there: Vec<&str> = fits().map(|head| head.loss).collect();
        Unfit(format!(
            "the default network has no loss `{}` for {}; there are: {}",
            wish.name,
            of.about(),
            there.join(", ")
        ))
    })
}

/// The lines of the prediction and of the loss.
pub(super) fn lines(shape: &TableShape, choices: &Choices) -> Result<String, Unfit> {
    let of = Of::target(shape.target);
    let wish = Call::of(choices.loss.as_deref().unwrap_or_default());
    let head = head(&wish, of)?;
    let mut loss = Call { name: head.loss, ..wish };
    let mut first = vec!["Z".to_owned(), "Y".to_owned()];
    if let Some(smoothing) = choices.label_smoothing.filter(|&share| share > 0.0) {
        if head.loss != "cross_entropy" {
            return Err(Unfit("labels are smoothed for the loss `cross_entropy` only".to_owned()));
        }
        loss.name = "cross_entropy_smooth";
        first.push(format!("smoothing = {smoothing}"));
    }
    let weights = class_weights(shape, choices)?;
    let mut text = String::new();
    if let Some(weights) = &weights {
        let row: Vec<String> = weights.iter().map(f64::to_string).collect();
        text.push_str(&format!("\nstate class_weight : [1, {}] = [{}]", row.len(), row.join(", ")));
    }
    let factors =
        [shape.weights.map(|_| WEIGHTS.to_owned()), weights.map(|_| "class_weights(Y, class_weight)".to_owned())];
    let factors: Vec<String> = factors.into_iter().flatten().collect();
    if !factors.is_empty() {
        first.push(format!("weights = {}", factors.join(" .* ")));
    }
    text.push_str(&format!("\npredict {}\nloss    {}\n", head.predict, loss.with(&first)));
    Ok(text)
}

/// The weight of each class; none if all are the same.
fn class_weights(shape: &TableShape, choices: &Choices) -> Result<Option<Vec<f64>>, Unfit> {
    if !choices.balanced && choices.class_weights.is_empty() {
        return Ok(None);
    }
    let Target::Classes { labels, .. } = shape.target else {
        return Err(Unfit("only classes have weights, and the target is a number".to_owned()));
    };
    if let Some(unknown) = choices.class_weights.keys().find(|label| !labels.contains(label)) {
        let classes = labels.iter().take(10).map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        return Err(Unfit(format!("there is no class `{unknown}`; the classes are {classes}")));
    }
    let rows: usize = shape.counts.iter().sum();
    let weight = |(label, &count): (&String, &usize)| {
        let given = choices.class_weights.get(label).copied().unwrap_or(1.0);
        // Each class has the same sum of weights, and the mean weight is 1 (King, Zeng 2001).
        let fair = if choices.balanced { rows as f64 / (labels.len() * count.max(1)) as f64 } else { 1.0 };
        // Four digits are enough for a weight, and can be read.
        format!("{:.3e}", given * fair).parse().unwrap_or(given * fair)
    };
    Ok(Some(labels.iter().zip(shape.counts).map(weight).collect()))
}
