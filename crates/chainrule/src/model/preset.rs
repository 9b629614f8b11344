//! Presets write model text: what they make can be shown, edited and trained again.

use crate::data::target::Target;

/// The size of a table as a network sees it.
#[derive(Clone, Debug)]
pub struct TableShape<'a> {
    /// Columns of the encoded features.
    pub features: usize,
    /// Training rows.
    pub rows: usize,
    /// What is predicted.
    pub target: &'a Target,
}

/// The default network for tables: two hidden layers of SiLU units, AdamW with a falling rate, early stopping. A number
/// is predicted by least squares on the standardised target, classes by softmax and cross-entropy.
#[must_use]
pub fn tabular(shape: &TableShape) -> String {
    let TableShape { features, rows, target } = shape;
    let (outputs, head, what) = match target.labels() {
        None => (1, "predict Z\nloss    mse(Z, Y)", format!("the number \"{}\", standardised", target.name())),
        Some(labels) => (
            labels.len(),
            "predict softmax(Z)\nloss    cross_entropy(Z, Y)",
            format!("{} classes of \"{}\"", labels.len(), target.name()),
        ),
    };
    // Few rows: a small net and small batches; many: more units, and batches that keep the machine busy.
    let (units, batch, epochs, decay) = match rows {
        0..=300 => (16, 16, 200, 0.1),
        301..=3000 => (32, 32, 100, 0.1),
        _ => (128, 128, 60, 0.01),
    };
    let patience = epochs / 5;
    format!(
        "# The default network for tables: {what}, from {features} encoded features.\n\
         input  X : [N, {features}]\n\
         target Y : [N, {outputs}]\n\
         \n\
         H1 = silu(dense_he(X, {units}))\n\
         H2 = silu(dense_he(H1, {units}))\n\
         Z  = dense(H2, {outputs})\n\
         \n\
         {head}\n\
         train   adamw(rate = cosine(0.003), decay = {decay}), batch = {batch}, epochs = {epochs}, patience = {patience}, dtype = f32\n"
    )
}
