//! What to do when a training diverges, in terms of the `train` line at hand.

use chainrule::model::Program;

/// The learning rate as the `train` line writes it, such as `50` or `cosine(0.003)`.
fn rate(line: &str) -> Option<&str> {
    let at =
        line.match_indices("rate").find(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))?;
    let rest = line[at.0 + "rate".len()..].trim_start().strip_prefix('=')?.trim_start();
    let mut depth = 0;
    let end = rest.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0 || (depth == 0 && (c == ',' || c.is_whitespace()))
    });
    let rate = rest[..end.unwrap_or(rest.len())].trim();
    (!rate.is_empty()).then_some(rate)
}

/// A tenth of the first number of a rate, with the rest of it as it was.
fn tenth(rate: &str) -> Option<String> {
    let from = rate.find(|c: char| c.is_ascii_digit() || c == '.')?;
    let number = |c: char| c.is_ascii_digit() || ".eE-".contains(c);
    let length = rate[from..].find(|c| !number(c)).unwrap_or(rate.len() - from);
    let value: f64 = rate[from..from + length].parse().ok()?;
    // Ten digits keep `0.1 / 10` from becoming 0.010000000000000002.
    let less: f64 = format!("{:.9e}", value / 10.0).parse().ok()?;
    Some(format!("{}{less}{}", &rate[..from], &rate[from + length..]))
}

/// The rate that was too high, and two ways out.
pub(super) fn of(program: &Program) -> String {
    let line =
        program.train.as_ref().and_then(|train| program.source.get(train.span.start as usize..train.span.end as usize));
    let line = line.unwrap_or_default();
    let clipped = line.contains("clip_norm") || line.contains("clip_value");
    let second = if clipped {
        "or let `chainrule lr-find` look for one"
    } else {
        "or bound the step with `clip_norm = 1` behind the optimizer"
    };
    match rate(line).and_then(|rate| Some((rate, tenth(rate)?))) {
        Some((rate, less)) => format!("The rate is {rate}: take `rate = {less}` in the `train` line, {second}"),
        None => format!("Take a smaller rate in the `train` line, a tenth for a start, {second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_a_line_is_found_and_divided() {
        assert_eq!(rate("train sgd(rate = 50), epochs = 20"), Some("50"));
        assert_eq!(rate("train adamw(decay = 0.1, rate=cosine(3e-3, 5), beta = 2)"), Some("cosine(3e-3, 5)"));
        assert_eq!(rate("train sgd(my_rate = 5)"), None);
        assert_eq!(rate("train lbfgs"), None);
        assert_eq!(tenth("50").as_deref(), Some("5"));
        assert_eq!(tenth("0.1").as_deref(), Some("0.01"));
        assert_eq!(tenth("cosine(3e-3, 5)").as_deref(), Some("cosine(0.0003, 5)"));
        assert_eq!(tenth("r"), None);
    }
}
