//! `--var X=5x3` and `--domain X=pos`.

use chainrule::calculus::sample::{Domain, NAMES};
use chainrule::model::answer::Extent;
use chainrule::text::suggest::nearest;

/// A declared variable of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VariableArg {
    pub(crate) name: String,
    pub(crate) rows: Extent,
    pub(crate) cols: Extent,
}

/// From where the values of a variable are drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DomainArg {
    pub(crate) name: String,
    pub(crate) domain: Domain,
}

/// Reads `X=5x3`, `X=[5, 3]`, `X=NxD`, or `t` for a scalar.
pub(crate) fn variable(text: &str) -> Result<VariableArg, String> {
    let (name, shape) = match text.split_once('=') {
        Some((name, shape)) => (name.trim(), shape.trim()),
        None => (text.trim(), "1x1"),
    };
    let name = variable_name(name)?;
    let shape = shape.strip_prefix('[').and_then(|s| s.strip_suffix(']')).unwrap_or(shape);
    let pairs = shape.match_indices(['x', 'X', ',', '×']);
    let mut splits =
        pairs.filter_map(|(at, sign)| Some((extent(&shape[..at]).ok()?, extent(&shape[at + sign.len()..]).ok()?)));
    match (splits.next(), splits.next()) {
        (Some((rows, cols)), None) => Ok(VariableArg { name, rows, cols }),
        (Some(_), Some(_)) => Err(format!("`{shape}` can be read in two ways; write it with a comma: `{name}=N,D`")),
        (None, _) if matches!(shape, "1" | "scalar") => {
            Ok(VariableArg { name, rows: Extent::Number(1), cols: Extent::Number(1) })
        }
        (None, _) if extent(shape).is_ok() => {
            Err(format!("`{shape}` is one extent; write `{name}={shape}x1` for a column, `{name}=1x{shape}` for a row"))
        }
        (None, _) => Err(wrong_shape(&name, shape)),
    }
}

/// Reads `X=pos`.
pub(crate) fn domain(text: &str) -> Result<DomainArg, String> {
    let (name, kind) = text.split_once('=').ok_or("write it as NAME=KIND, such as `X=pos`")?;
    let name = variable_name(name.trim())?;
    let kind = kind.trim();
    if let Some(&(_, domain)) = NAMES.iter().find(|(known, _)| *known == kind) {
        return Ok(DomainArg { name, domain });
    }
    let kinds: Vec<&str> = NAMES.iter().map(|(known, _)| *known).collect();
    Err(match nearest(kind, kinds.iter().copied()) {
        Some(near) => format!("there is no kind `{kind}`; did you mean `{near}`?"),
        None => format!("there is no kind `{kind}`; there are: {}", kinds.join(", ")),
    })
}

fn wrong_shape(name: &str, shape: &str) -> String {
    let numbers = shape.split(['x', ',']).filter(|part| part.trim().starts_with(|c: char| c.is_ascii_digit()));
    let usual = format!("`{shape}` is not a shape; write rows and columns, such as `{name}=5x3` or `{name}=NxD`");
    numbers.filter_map(|number| extent(number).err()).next().unwrap_or(usual)
}

fn variable_name(name: &str) -> Result<String, String> {
    if is_identifier(name) {
        return Ok(name.to_owned());
    }
    Err(format!("`{name}` cannot be the name of a variable; names have letters, digits and `_`"))
}

fn is_identifier(text: &str) -> bool {
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    letters && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

fn extent(text: &str) -> Result<Extent, String> {
    let text = text.trim();
    if text.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
        return match text.parse::<u32>() {
            Ok(0) => Err("an extent must be at least 1".to_owned()),
            Ok(n) => Ok(Extent::Number(n)),
            Err(_) => Err(format!("`{text}` is not a whole number from 1 to {}", u32::MAX)),
        };
    }
    if is_identifier(text) { Ok(Extent::Name(text.to_owned())) } else { Err("not an extent".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Result<(Extent, Extent), String> {
        variable(text).map(|v| (v.rows, v.cols))
    }

    #[test]
    fn shapes_have_numbers_and_names() {
        let name = |text: &str| Extent::Name(text.to_owned());
        assert_eq!(shape("X=5x3"), Ok((Extent::Number(5), Extent::Number(3))));
        assert_eq!(shape("X=[5, 3]"), Ok((Extent::Number(5), Extent::Number(3))));
        assert_eq!(shape("X=NxD"), Ok((name("N"), name("D"))));
        assert_eq!(shape("X=N,max"), Ok((name("N"), name("max"))));
        assert_eq!(shape("t"), Ok((Extent::Number(1), Extent::Number(1))));
    }

    #[test]
    fn wrong_shapes_say_what_is_wrong() {
        assert!(shape("X=5").unwrap_err().contains("`X=5x1` for a column"));
        assert!(shape("X=NxxxD").unwrap_err().contains("two ways"));
        assert!(shape("X=0x3").unwrap_err().contains("at least 1"));
        assert!(shape("X=5x4294967296").unwrap_err().contains("whole number"));
        assert!(shape("X=").unwrap_err().contains("not a shape"));
        assert!(shape("1X=5x3").unwrap_err().contains("name of a variable"));
        assert!(domain("X=poss").unwrap_err().contains("did you mean `pos`"));
    }
}
