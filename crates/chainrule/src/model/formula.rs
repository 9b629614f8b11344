//! Formulas of regressions: `y ~ b1*(1 - exp(-b2*x))`, in which every name is one number a row.
//!
//! People write these with the operators of numbers, so `*`, `/`, `^` and `**` mean the element-wise ones here. Names of
//! columns are data, the others are parameters; a name with blanks stands in backquotes.

use crate::text::ast::BinaryOp;
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::lexer::{Token, lex};
use crate::text::parser::STATEMENT_WORDS;
use crate::text::suggest::nearest;

/// A formula, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// The response, in the language's own operators.
    pub response: String,
    /// The model, likewise.
    pub model: String,
    /// Columns that are used: their names in the data and in the text.
    pub columns: Vec<(String, String)>,
    /// Does the response use this column (by its place in `columns`)?
    pub responses: Vec<bool>,
    /// Names of the parameters, in order of appearance.
    pub parameters: Vec<String>,
}

/// Reads a formula; `known` are the names of the columns.
///
/// # Errors
/// The text is no formula, or its response is no column.
pub fn read(text: &str, known: &[String]) -> Result<Formula, Diagnostic> {
    let plain = plain(text, known);
    let tokens = lex(&plain)?;
    let all = Span { start: 0, end: plain.len() as u32 };
    let missing =
        || Diagnostic::new("E221", all, "a formula has a `~` between the response and the model").help("y ~ a + b*x");
    let tilde = tokens.iter().position(|(token, _)| *token == Token::Tilde).ok_or_else(missing)?;
    let mut formula = Formula {
        response: String::new(),
        model: String::new(),
        columns: Vec::new(),
        responses: Vec::new(),
        parameters: Vec::new(),
    };
    let mut reader = Reader { text: &plain, known, formula: &mut formula };
    let response = reader.side(&tokens[..tilde], true)?;
    let model = reader.side(&tokens[tilde + 1..], false)?;
    (formula.response, formula.model) = (response, model);
    let (left, right) =
        (tokens[..tilde].is_empty(), tokens[tilde + 1..].iter().all(|(t, _)| matches!(t, Token::End | Token::Newline)));
    if left || right {
        return Err(missing());
    }
    if !formula.responses.contains(&true) {
        let names = known.join(", ");
        let error = Diagnostic::new("E221", all, "the response is no column of the data");
        return Err(error.help(format!("the columns are: {names}")));
    }
    if formula.parameters.is_empty() {
        return Err(Diagnostic::new("E221", all, "the model has no parameters: every name is a column"));
    }
    Ok(formula)
}

/// Powers as `^`, quoted names as words.
fn plain(text: &str, known: &[String]) -> String {
    let mut text = text.replace("**", "^");
    for name in known {
        text = text.replace(&format!("`{name}`"), &word(name, known));
    }
    text
}

/// A name of the language for a column, as none other has.
fn word(name: &str, known: &[String]) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut word: String = name.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        word.insert(0, 'v');
    }
    while (word != name && known.contains(&word)) || STATEMENT_WORDS.contains(&word.as_str()) || word == "N" {
        word.push('_');
    }
    word
}

struct Reader<'a> {
    text: &'a str,
    known: &'a [String],
    formula: &'a mut Formula,
}

impl Reader<'_> {
    fn side(&mut self, tokens: &[(Token, Span)], response: bool) -> Result<String, Diagnostic> {
        let mut out = String::new();
        let mut last = tokens.first().map_or(0, |(_, span)| span.start as usize);
        for (index, &(token, span)) in tokens.iter().enumerate() {
            if matches!(token, Token::End | Token::Newline) {
                continue;
            }
            let (start, end) = (span.start as usize, span.end as usize);
            out.push_str(&self.text[last.min(start)..start]);
            last = end;
            let letters = &self.text[start..end];
            match token {
                Token::Operator(op) => out.push_str(element_wise(op, letters)),
                Token::Name => {
                    let call = tokens.get(index + 1).is_some_and(|(next, _)| *next == Token::OpenParen);
                    out.push_str(&if call { letters.to_owned() } else { self.name(letters, span, response)? });
                }
                Token::Number(_) | Token::OpenParen | Token::CloseParen | Token::Comma => out.push_str(letters),
                _ => {
                    let error = Diagnostic::new("E221", span, format!("`{letters}` does not belong in a formula"));
                    return Err(error.label("numbers, names, functions and + - * / ^ only"));
                }
            }
        }
        Ok(out)
    }

    fn name(&mut self, name: &str, span: Span, response: bool) -> Result<String, Diagnostic> {
        let column = self.known.iter().find(|known| *known == name || word(known, self.known) == name);
        if let Some(column) = column {
            let word = word(column, self.known);
            let at = self.formula.columns.iter().position(|(known, _)| known == column).unwrap_or_else(|| {
                self.formula.columns.push((column.clone(), word.clone()));
                self.formula.responses.push(false);
                self.formula.columns.len() - 1
            });
            self.formula.responses[at] |= response;
            return Ok(word);
        }
        if name == "pi" {
            return Ok(name.to_owned());
        }
        if response {
            let error =
                Diagnostic::new("E221", span, format!("the data has no column `{name}`")).label("in the response");
            return Err(match nearest(name, self.known.iter().map(String::as_str)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("the columns are: {}", self.known.join(", "))),
            });
        }
        if STATEMENT_WORDS.contains(&name) || name == "N" {
            return Err(Diagnostic::new("E221", span, format!("`{name}` cannot be the name of a parameter")));
        }
        if !self.formula.parameters.iter().any(|known| known == name) {
            self.formula.parameters.push(name.to_owned());
        }
        Ok(name.to_owned())
    }
}

fn element_wise(op: BinaryOp, letters: &str) -> &str {
    match op {
        BinaryOp::MatMul => ".*",
        BinaryOp::Div => "./",
        BinaryOp::Pow => ".^",
        _ => letters,
    }
}

impl Formula {
    /// The model text of the regression, with starting values of the parameters and the name of a column of weights.
    #[must_use]
    pub fn program(&self, starts: &[f64], weights: Option<&str>) -> String {
        let mut text = String::new();
        for ((_, word), response) in self.columns.iter().zip(&self.responses) {
            let kind = if *response { "target" } else { "input " };
            text.push_str(&format!("{kind} {word} : [N, 1]\n"));
        }
        if weights.is_some() {
            text.push_str("input  weights_ : [N, 1]\n");
        }
        for (name, start) in self.parameters.iter().zip(starts) {
            text.push_str(&format!("param  {name} : [1, 1] = {start:?}\n"));
        }
        let weight = if weights.is_some() { "weights_.*" } else { "" };
        text.push_str(&format!("response_ = {}\nmodel_ = ({}).*ones(N, 1)\n", self.response, self.model));
        text.push_str(&format!("predict model_\nloss    sum({weight}(model_ - response_).^2)/2\n"));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn columns_are_data_and_the_rest_are_parameters() {
        let formula = read("log(y) ~ b1 - b2*x1*exp(-b3*x2)**2/pi", &names(&["y", "x1", "x2", "z"])).unwrap();
        assert_eq!(formula.parameters, ["b1", "b2", "b3"]);
        assert_eq!(formula.response.trim(), "log(y)");
        assert_eq!(formula.model.trim(), "b1 - b2.*x1.*exp(-b3.*x2).^2./pi");
        let columns: Vec<&str> = formula.columns.iter().map(|c| c.0.as_str()).collect();
        assert_eq!(columns, ["y", "x1", "x2"]);
        assert_eq!(formula.responses, [true, false, false]);
    }

    #[test]
    fn odd_names_of_columns_are_quoted() {
        let formula = read("`net weight` ~ a + b*`2nd`", &names(&["net weight", "2nd"])).unwrap();
        assert_eq!(formula.columns[1], ("2nd".to_owned(), "v2nd".to_owned()));
        assert_eq!(formula.model.trim(), "a + b.*v2nd");
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        let columns = names(&["y", "x"]);
        for text in
            ["y = a*x", "y", "~ a*x", "y ~", "z ~ a*x", "y ~ x", "y ~ a*x'", "y ~ a*[1, 2]", "y ~ loss*x", "1 ~ a"]
        {
            assert!(read(text, &columns).is_err(), "{text}");
        }
    }
}
