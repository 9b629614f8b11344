//! The subcommands, a file each.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod cv;
pub(crate) mod demo;
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
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod train;
pub(crate) mod tune;
pub(crate) mod verify;
