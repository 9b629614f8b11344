//! The subcommands, a file each.

pub(crate) mod check;
pub(crate) mod derive;
pub(crate) mod emit;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod fit;
pub(crate) mod gradients;
pub(crate) mod init;
pub(crate) mod lr_find;
pub(crate) mod manual;
pub(crate) mod numerics;
pub(crate) mod predict;
pub(crate) mod resume;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod train;
pub(crate) mod verify;
