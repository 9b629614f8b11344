//! `--var X=5x3` and `--domain X=pos`.

use chainrule::calculus::sample::{Domain, NAMES};
use chainrule::lang::shape::MAX_RANK;
use chainrule::model::answer::Extent;
use chainrule::model::facts;
use chainrule::text::suggest::nearest;

/// A declared variable of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VariableArg {
    pub(crate) name: String,
    /// Two or more.
    pub(crate) extents: Vec<Extent>,
}

impl VariableArg {
    /// May it be a square matrix? Names of extents may stand for the same number only when they are the same.
    pub(crate) fn is_square(&self) -> bool {
        matches!(self.extents.as_slice(), [rows, cols] if rows == cols)
    }
}

/// From where the values of a variable are drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DomainArg {
    pub(crate) name: String,
    pub(crate) domain: Domain,
}

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FactArg {
    pub(crate) name: String,
    /// As it is written.
    pub(crate) fact: &'static str,
}

/// Reads `X=5x3`, `X=[5, 3]`, `X=NxD`, or `t` for a scalar.
pub(crate) fn variable(text: &str) -> Result<VariableArg, String> {
    let (name, shape) = match text.split_once('=') {
        Some((name, shape)) => (name.trim(), shape.trim()),
        None => (text.trim(), "1x1"),
    };
    let name = variable_name(name)?;
    let shape = shape.strip_prefix('[').and_then(|s| s.strip_suffix(']')).unwrap_or(shape);
    let mut readings = readings(shape);
    match (readings.len(), readings.pop()) {
        (1, Some(extents)) if extents.len() > MAX_RANK => {
            Err(format!("`{shape}` has {} extents; a tensor has at most {MAX_RANK}", extents.len()))
        }
        (1, Some(extents)) => Ok(VariableArg { name, extents }),
        (_, Some(_)) => Err(format!("`{shape}` can be read in two ways; write it with commas: `{name}=N,D`")),
        (_, None) if matches!(shape, "1" | "scalar") => {
            Ok(VariableArg { name, extents: vec![Extent::Number(1), Extent::Number(1)] })
        }
        (_, None) if extent(shape).is_ok() => {
            Err(format!("`{shape}` is one extent; write `{name}={shape}x1` for a column, `{name}=1x{shape}` for a row"))
        }
        (_, None) => Err(wrong_shape(&name, shape)),
    }
}

/// All ways to read a shape as two or more extents; an `x` may stand between two or belong to a name.
fn readings(shape: &str) -> Vec<Vec<Extent>> {
    const MOST: usize = 10;
    if shape.contains(',') {
        let extents: Result<Vec<Extent>, String> = shape.split(',').map(extent).collect();
        return extents.into_iter().collect();
    }
    let signs: Vec<(usize, &str)> = shape.match_indices(['x', 'X', '×']).collect();
    if signs.len() > MOST {
        return Vec::new();
    }
    let read = |chosen: usize| {
        let mut extents = Vec::new();
        let mut start = 0;
        for (index, &(at, sign)) in signs.iter().enumerate() {
            if chosen >> index & 1 == 1 {
                extents.push(extent(&shape[start..at]).ok()?);
                start = at + sign.len();
            }
        }
        extents.push(extent(&shape[start..]).ok()?);
        Some(extents)
    };
    (1..1 << signs.len()).filter_map(read).collect()
}

/// Reads `X symmetric`.
pub(crate) fn fact(text: &str) -> Result<FactArg, String> {
    let (name, words) = text.trim().split_once(' ').ok_or("write it as NAME FACT, such as `X symmetric`")?;
    let name = variable_name(name.trim())?;
    let words: Vec<&str> = words.split_whitespace().collect();
    Ok(FactArg { name, fact: facts::find(&words.join(" "))?.written })
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
        variable(text).map(|v| (v.extents[0].clone(), v.extents[1].clone()))
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
    fn tensors_have_more_extents() {
        let numbers = |list: &[u32]| list.iter().map(|&n| Extent::Number(n)).collect::<Vec<_>>();
        assert_eq!(variable("B=2x3x4").map(|v| v.extents), Ok(numbers(&[2, 3, 4])));
        assert_eq!(variable("B=[2, 3, 4, 5]").map(|v| v.extents), Ok(numbers(&[2, 3, 4, 5])));
        assert!(variable("B=NxDxM").unwrap_err().contains("two ways"));
        assert!(variable("B=2x2x2x2x2x2x2").unwrap_err().contains("at most 6"));
    }

    #[test]
    fn facts_are_words_behind_a_name() {
        assert_eq!(fact("Y rows_sum_to 1").map(|f| f.fact), Ok("rows_sum_to 1"));
        assert!(fact("X symetric").unwrap_err().contains("did you mean `symmetric`"));
        assert!(fact("X").unwrap_err().contains("NAME FACT"));
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
