//! Floor 5: from syntax to mathematics. The builder makes graphs from expressions, the program holds what a model file
//! declares, the prelude is the language's own library.

pub mod answer;
pub mod builder;
mod einsum;
pub mod facts;
pub mod formula;
pub mod functions;
pub mod initialise;
pub mod mode;
pub mod prelude;
pub mod preset;
pub mod program;
pub mod statements;
pub mod verify;

pub use program::Program;
