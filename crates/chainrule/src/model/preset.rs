//! Presets write model text: what they make can be shown, edited and trained again.

pub mod family;
mod head;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use family::Call;

use crate::data::batch::Batch;
use crate::data::encode::{Encoding, Scaling};
use crate::data::preprocess::{Input, WEIGHTS};
use crate::data::target::{Target, Transform};
use crate::text::ast::DefKind;

/// A table as a network sees it.
#[derive(Clone, Debug)]
pub struct TableShape<'a> {
    /// The inputs.
    pub inputs: &'a [Input],
    /// Rows that are not for the test.
    pub rows: usize,
    /// What is predicted.
    pub target: &'a Target,
    /// Training rows of each class; empty for numbers.
    pub counts: &'a [usize],
    /// The column with the weights of the examples.
    pub weights: Option<&'a str>,
}

/// Why a choice cannot be followed, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

/// What a user chooses of the default network; none for what suits the number of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choices {
    /// Units of each hidden layer.
    pub units: Option<Vec<u32>>,
    /// A function of the language.
    pub activation: Option<String>,
    /// Share of the hidden units that are left out in a step, from 0 to 1.
    pub dropout: Option<f64>,
    /// Intervals of the ramps of each number; 0 for none.
    pub bins: Option<u32>,
    /// Labels that a category may have before it gets an embedding.
    pub one_hot: Option<u32>,
    /// Numbers that stand for a label of a category with an embedding.
    pub embedding: Option<u32>,
    /// The learning rate at the start.
    pub rate: Option<f64>,
    /// Weight decay.
    pub decay: Option<f64>,
    /// Examples in a step.
    pub batch: Option<Batch>,
    /// Double precision.
    pub precise: bool,
    /// Passes over the data.
    pub epochs: Option<u32>,
    /// Epochs without a lower validation loss before a network stops.
    pub patience: Option<u32>,
    /// Networks whose predictions are averaged.
    pub ensemble: Option<u32>,
    /// How numbers are scaled.
    pub scaling: Option<Scaling>,
    /// A loss for the kind of target, perhaps with arguments.
    pub loss: Option<String>,
    /// Every class weighs the same in the loss, however many rows it has.
    pub balanced: bool,
    /// Weights of classes by label.
    pub class_weights: BTreeMap<String, f64>,
    /// Share of each label that is spread over all classes.
    pub label_smoothing: Option<f64>,
    /// An update rule, perhaps with arguments.
    pub optimizer: Option<String>,
    /// The learning rate over time, perhaps with arguments.
    pub schedule: Option<String>,
    /// The longest gradient; a longer one is shortened to it.
    pub clip: Option<f64>,
}

/// What the default network takes where nothing is chosen.
struct Recipe {
    units: &'static [u32],
    dropout: f64,
    bins: u32,
    rate: f64,
    decay: f64,
    batch: u32,
    epochs: u32,
    ensemble: u32,
}

/// Recipes by the number of rows up to which they are for. Few rows: no ramps, which fit noise; many: fewer networks and
/// epochs, since each row says less. `docs/tables.md` has the measurements.
#[rustfmt::skip]
static RECIPES: &[(usize, Recipe)] = &[
    (1000, Recipe { units: &[64, 64], dropout: 0.3, bins: 0, rate: 0.003, decay: 0.1, batch: 32, epochs: 150, ensemble: 5 }),
    (5000, Recipe { units: &[128, 128], dropout: 0.3, bins: 16, rate: 0.003, decay: 0.1, batch: 64, epochs: 64, ensemble: 5 }),
    (50_000, Recipe { units: &[128, 128, 128], dropout: 0.2, bins: 48, rate: 0.003, decay: 0.1, batch: 256, epochs: 100, ensemble: 5 }),
    (500_000, Recipe { units: &[128, 128, 128], dropout: 0.1, bins: 48, rate: 0.003, decay: 0.03, batch: 512, epochs: 24, ensemble: 3 }),
    (usize::MAX, Recipe { units: &[128, 128, 128], dropout: 0.0, bins: 32, rate: 0.003, decay: 0.01, batch: 1024, epochs: 8, ensemble: 1 }),
];

/// The update rule that the rates and decays of the recipes are for.
const OPTIMIZER: &str = "adamw";
/// Labels that a category may have before it gets an embedding.
const ONE_HOT: u32 = 64;
/// Numbers that stand for a label of a category with an embedding.
const EMBEDDING: u32 = 8;
/// From as many rows on a label that is in fewer than [`RARE`] of them has no column of its own.
const ENOUGH: usize = 200;
const RARE: usize = 3;

fn recipe(rows: usize) -> &'static Recipe {
    let found = RECIPES.iter().find(|(most, _)| rows <= *most);
    &found.expect("invariant: the last recipe is for any number of rows").1
}

impl Choices {
    /// Networks of the ensemble.
    #[must_use]
    pub fn members(&self, rows: usize) -> u32 {
        self.ensemble.unwrap_or(recipe(rows).ensemble).max(1)
    }

    /// How columns are encoded.
    #[must_use]
    pub fn encoding(&self, rows: usize) -> Encoding {
        Encoding {
            scaling: self.scaling.unwrap_or(Scaling::Robust),
            bins: self.bins.unwrap_or(recipe(rows).bins),
            one_hot: self.one_hot.unwrap_or(ONE_HOT) as usize,
            rare: if rows < ENOUGH { 1 } else { RARE },
        }
    }
}

/// The default network for tables, as text: see `docs/tables.md` for the reasons and the measurements.
///
/// # Errors
/// A choice does not suit the table.
pub fn tabular(shape: &TableShape, choices: &Choices) -> Result<String, Unfit> {
    let TableShape { inputs, target, .. } = shape;
    let recipe = recipe(shape.rows);
    let units = choices.units.clone().unwrap_or_else(|| recipe.units.to_vec());
    let activation = choices.activation.as_deref().unwrap_or("silu");
    let dropout = choices.dropout.unwrap_or(recipe.dropout);
    let bins = choices.bins.unwrap_or(recipe.bins);
    let mut text = format!("# The default network for tables: {}.\n", about(target));
    let mut first = Vec::new();
    for input in *inputs {
        let columns = input.columns.len();
        let (what, value) = match input.name.as_str() {
            "X" => ("scaled numbers, and labels as 0 and 1".to_owned(), "X".to_owned()),
            "U" => ("the numbers again, as positions among their quantiles".to_owned(), format!("ramps(U, {bins})")),
            name => {
                let column = input.columns.first().and_then(|c| c.split('=').next()).unwrap_or_default();
                (
                    format!("the labels of \"{column}\""),
                    format!("embedding({name}, {})", choices.embedding.unwrap_or(EMBEDDING)),
                )
            }
        };
        text.push_str(&format!("{:<22} # {what}\n", format!("input  {} : [N, {columns}]", input.name)));
        first.push((input.name.as_str(), value));
    }
    text.push_str(&format!("target Y : [N, {}]\n", target.width()));
    if let Some(column) = shape.weights {
        let line = format!("target {WEIGHTS} : [N, 1]");
        text.push_str(&format!("{line:<22} # how much each example counts: \"{column}\"\n"));
    }
    text.push('\n');
    text.push_str(&layers(&first, &units, activation, dropout, target.width()));
    text.push_str(&head::lines(shape, choices)?);
    text.push_str(&train_line(recipe, choices));
    Ok(text)
}

fn about(target: &Target) -> String {
    match target {
        Target::Classes { name, labels, .. } => format!("{} classes of \"{name}\"", labels.len()),
        Target::Numbers { columns } => match &columns[..] {
            [one] if one.transform == Transform::Count => format!("the mean count of \"{}\"", one.name),
            [one] => format!("the number \"{}\", standardised", one.name),
            _ => format!("the numbers \"{}\", standardised", target.name()),
        },
    }
}

fn layers(first: &[(&str, String)], units: &[u32], activation: &str, dropout: f64, outputs: usize) -> String {
    let mut text = String::new();
    let mut before = Vec::new();
    for (name, value) in first {
        if name == value {
            before.push(value.clone());
        } else {
            text.push_str(&format!("E{name}  = {value}\n"));
            before.push(format!("E{name}"));
        }
    }
    let sum = |layer: &str, units: usize| {
        before.iter().map(|value| format!("{layer}({value}, {units})")).collect::<Vec<String>>().join(" + ")
    };
    let drop = |value: String| if dropout > 0.0 { format!("dropout({value}, {dropout})") } else { value };
    for (number, &units) in (1..).zip(units) {
        let affine = match number {
            1 => sum("dense_he", units as usize),
            _ => format!("dense_he(H{}, {units})", number - 1),
        };
        text.push_str(&format!("H{number}  = {}\n", drop(format!("{activation}({affine})"))));
    }
    match units.len() {
        0 => text.push_str(&format!("Z   = {}\n", sum("dense", outputs))),
        last => text.push_str(&format!("Z   = dense(H{last}, {outputs})\n")),
    }
    text
}

fn train_line(recipe: &Recipe, choices: &Choices) -> String {
    let epochs = choices.epochs.unwrap_or(recipe.epochs);
    let patience = choices.patience.unwrap_or((epochs / 4).max(1));
    let ensemble = choices.ensemble.unwrap_or(recipe.ensemble);
    let batch = match choices.batch.unwrap_or(Batch::Size(recipe.batch)) {
        Batch::All => "all".to_owned(),
        Batch::Size(size) => size.to_string(),
    };
    let dtype = if choices.precise { "f64" } else { "f32" };
    let clip = choices.clip.map_or_else(String::new, |clip| format!("clip_norm = {clip}, "));
    format!(
        "train   {}, batch = {batch}, epochs = {epochs}, patience = {patience}, {clip}ensemble = {ensemble}, \
         dtype = {dtype}\n",
        optimizer(recipe, choices),
    )
}

/// The update rule with its rate and its decay, as far as it has them and the choice does not say them itself. Rules other
/// than the default have defaults of their own.
fn optimizer(recipe: &Recipe, choices: &Choices) -> String {
    let call = Call::of(choices.optimizer.as_deref().unwrap_or(OPTIMIZER));
    let own = |argument| family::default(call.name, DefKind::Optimizer, argument);
    let is_default = call.name == OPTIMIZER;
    let open = |argument| family::takes(call.name, DefKind::Optimizer, argument) && !call.has(argument);
    let mut first = Vec::new();
    if open("rate") {
        let rate = choices.rate.or(own("rate").filter(|_| !is_default)).unwrap_or(recipe.rate);
        let schedule = Call::of(choices.schedule.as_deref().unwrap_or("cosine"));
        first.push(match schedule.name {
            "constant" => format!("rate = {rate}"),
            _ => format!("rate = {}", schedule.with(&[rate.to_string()])),
        });
    }
    if open("decay") {
        let decay = choices.decay.or(own("decay").filter(|_| !is_default)).unwrap_or(recipe.decay);
        first.push(format!("decay = {decay}"));
    }
    call.with(&first)
}
