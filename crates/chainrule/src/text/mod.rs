//! Floor 2: text in, text out. Lexer, parser, syntax tree, diagnostics; printing of graphs; derivations as pages.

pub mod ast;
pub mod diagnostic;
pub mod emit;
pub mod html;
pub mod lexer;
pub mod note;
pub mod parser;
pub mod print;
pub mod suggest;
