//! Floor 4: the machine. Runs verified plans over one arena; after construction nothing is allocated.

mod machine;

pub use machine::Machine;
