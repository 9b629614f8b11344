//! The subcommands, a file each.

pub(crate) mod check;
pub(crate) mod derive;
pub(crate) mod explain;
pub(crate) mod show;
