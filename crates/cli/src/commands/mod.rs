//! The subcommands, a file each.

pub(crate) mod check;
pub(crate) mod dependence;
pub(crate) mod derive;
pub(crate) mod emit;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod fit;
pub(crate) mod gradients;
pub(crate) mod importance;
pub(crate) mod learning_curve;
pub(crate) mod lr_find;
pub(crate) mod numerics;
pub(crate) mod plot;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod show;
pub(crate) mod train;
pub(crate) mod verify;
