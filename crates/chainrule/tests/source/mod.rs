//! Just enough of a reader of Rust sources: words with their lines, without comments, literals and tests.

/// A word or a sign, and the line it stands on, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path such as `crate::text::print`, one for each leaf of a `use`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UsedPath {
    pub(crate) parts: Vec<String>,
    pub(crate) line: usize,
    /// How many `mod name { ... }` of the same file stand around it.
    pub(crate) inline_modules: usize,
}

/// A function: its name, its first line and how many lines it has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// The words and signs of a source. Literals are left out; `::` is one sign; an inline path starts with a word.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut list, mut index, mut line) = (Vec::new(), 0, 1);
    while index < chars.len() {
        let start = index;
        let c = at(index);
        if c == '/' && at(index + 1) == '/' {
            while index < chars.len() && at(index) != '\n' {
                index += 1;
            }
        } else if c == '/' && at(index + 1) == '*' {
            index = after_comment(&chars, index);
        } else if c == '"' {
            index = after_string(&chars, index);
        } else if c == '\'' {
            index = after_quote(&chars, index);
        } else if is_word(c) {
            while is_word(at(index)) {
                index += 1;
            }
            let word: String = chars[start..index].iter().collect();
            match (word.as_str(), at(index)) {
                ("r" | "br" | "cr", '"' | '#') if raw_string_starts(&chars, index) => {
                    index = after_raw_string(&chars, index);
                }
                ("b" | "c", '"') => index = after_string(&chars, index),
                ("b", '\'') => index = after_quote(&chars, index),
                _ => list.push(Token { text: word, line }),
            }
        } else {
            index += if c == ':' && at(index + 1) == ':' { 2 } else { 1 };
            if !c.is_whitespace() {
                list.push(Token { text: chars[start..index].iter().collect(), line });
            }
        }
        line += chars[start..index.min(chars.len())].iter().filter(|&&c| c == '\n').count();
    }
    list
}

fn after_comment(chars: &[char], mut index: usize) -> usize {
    let mut depth = 0;
    while index < chars.len() {
        match (chars[index], chars.get(index + 1)) {
            ('/', Some('*')) => (depth, index) = (depth + 1, index + 2),
            ('*', Some('/')) => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index
}

fn after_string(chars: &[char], mut index: usize) -> usize {
    index += 1;
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

fn raw_string_starts(chars: &[char], index: usize) -> bool {
    chars[index..].iter().find(|&&c| c != '#') == Some(&'"')
}

fn after_raw_string(chars: &[char], mut index: usize) -> usize {
    let hashes = chars[index..].iter().take_while(|&&c| c == '#').count();
    index += hashes + 1;
    while index < chars.len() {
        let closes =
            chars[index] == '"' && chars[index + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
        index += 1;
        if closes {
            return index + hashes;
        }
    }
    index
}

/// Behind a character literal; a lifetime loses only its quote.
fn after_quote(chars: &[char], index: usize) -> usize {
    match (chars.get(index + 1), chars.get(index + 2)) {
        (Some('\\'), _) => {
            let close = chars[index + 3..].iter().position(|&c| c == '\'');
            close.map_or(chars.len(), |offset| index + 3 + offset + 1)
        }
        (Some(_), Some('\'')) => index + 3,
        _ => index + 1,
    }
}

/// The tokens without the items that are marked `#[cfg(test)]`, and the number of lines that those items have.
pub(crate) fn without_tests(tokens: Vec<Token>) -> (Vec<Token>, usize) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let marked =
        |at: usize| MARK.iter().enumerate().all(|(k, sign)| tokens.get(at + k).is_some_and(|t| t.text == *sign));
    let (mut kept, mut at, mut lines) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        if !marked(at) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let end = item_end(&tokens, at + MARK.len()).min(tokens.len() - 1);
        lines += tokens[end].line - tokens[at].line + 1;
        at = end + 1;
    }
    (kept, lines)
}

/// The last token of the item: a `;` or the `}` of its block.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// Every path of the tokens, those of `use` spelled out.
pub(crate) fn paths(tokens: &[Token]) -> Vec<UsedPath> {
    let mut list = Vec::new();
    let mut blocks: Vec<bool> = Vec::new();
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    let mut at = 0;
    while at < tokens.len() {
        let inline_modules = blocks.iter().filter(|module| **module).count();
        match text(at) {
            // Not `impl Trait + use<'a>`.
            "use" if text(at + 1) != "<" => {
                let mut leaves = Vec::new();
                let end = use_tree(tokens, at + 1, &[], &mut leaves);
                list.extend(leaves.into_iter().map(|(parts, line)| UsedPath { parts, line, inline_modules }));
                at = end;
                continue;
            }
            "{" => blocks.push(at >= 2 && text(at - 2) == "mod"),
            "}" => drop(blocks.pop()),
            word if is_name(word) && text(at + 1) == "::" => {
                let (line, mut parts) = (tokens[at].line, vec![word.to_owned()]);
                while text(at + 1) == "::" && is_name(text(at + 2)) {
                    parts.push(text(at + 2).to_owned());
                    at += 2;
                }
                list.push(UsedPath { parts, line, inline_modules });
            }
            _ => {}
        }
        at += 1;
    }
    list
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one tree of a `use` behind `prefix`; gives the token behind it.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &[String], leaves: &mut Vec<(Vec<String>, usize)>) -> usize {
    let mut parts = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t.text != "}" && t.text != ";") {
                    at = use_tree(tokens, at, &parts, leaves);
                    at += usize::from(tokens.get(at).is_some_and(|t| t.text == ","));
                }
                return at + 1;
            }
            "as" => at += 2,
            "," | ";" | "}" => break,
            "self" if !parts.is_empty() => at += 1,
            name => {
                parts.push(name.to_owned());
                at += 1;
            }
        }
    }
    let line = tokens.get(at.saturating_sub(1)).map_or(0, |t| t.line);
    leaves.push((parts, line));
    at
}

/// Every function with a body.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut list = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(name) = tokens.get(at + 1).filter(|next| token.text == "fn" && is_name(&next.text)) else { continue };
        let end = item_end(tokens, at + 2);
        if let Some(last) = tokens.get(end).filter(|last| last.text == "}") {
            list.push(Function { name: name.text.clone(), line: token.line, lines: last.line - token.line + 1 });
        }
    }
    list
}
