//! Ticks at round numbers, and how they are written.

/// Values between which an axis runs; never equal.
pub type Range = (f64, f64);

/// The range of finite values, `(0, 1)` without any; a single value has room around it.
#[must_use]
pub fn range(values: impl Iterator<Item = f64>) -> Range {
    let finite = values.filter(|v| v.is_finite());
    let (least, most) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    match (least, most) {
        (a, b) if a > b => (0.0, 1.0),
        (a, b) if a == b => (a - 0.5 * a.abs().max(1.0), a + 0.5 * a.abs().max(1.0)),
        pair => pair,
    }
}

/// A tick and what is written beside it.
pub type Tick = (f64, String);

/// About `count` ticks at multiples of 1, 2 or 5 times a power of ten inside of the range.
#[must_use]
pub fn ticks((low, high): Range, count: usize) -> Vec<Tick> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return vec![(low, short(low))];
    }
    let rough = span / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let values: Vec<f64> = (first..=last.min(first + 50)).map(|i| i as f64 * step).collect();
    let largest = values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    values.into_iter().map(|value| (value, written(value, step, largest))).collect()
}

/// Ticks at powers of ten, and at 2 and 5 times them where there are few.
#[must_use]
pub fn log_ticks((low, high): Range) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = last - first;
    let parts: &[f64] = if decades <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = (decades / 7).max(1);
    let mut list = Vec::new();
    for power in (first..=last).filter(|power| (power - first) % every == 0) {
        for part in parts {
            let value = part * 10f64.powi(power);
            if value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9) {
                list.push((value, short(value)));
            }
        }
    }
    list
}

/// A multiple of `step` with as many digits as steps need; thousands and millions are written with k and M.
fn written(value: f64, step: f64, largest: f64) -> String {
    let (unit, letter) = match largest {
        l if l >= 1e15 || (l < 1e-4 && l > 0.0) => return short(value),
        l if l >= 2e9 => (1e9, "G"),
        l if l >= 2e6 => (1e6, "M"),
        l if l >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (-(step / unit).log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
    minus(&format!("{:.digits$}{letter}", value / unit))
}

/// A number in few letters.
#[must_use]
pub fn short(value: f64) -> String {
    let text = match value.abs() {
        0.0 => "0".to_owned(),
        a if (1e5..1e9).contains(&a) => {
            let (unit, letter) = if a < 1e6 { (1e3, "k") } else { (1e6, "M") };
            format!("{:.*}{letter}", usize::from(a / unit < 100.0), value / unit)
        }
        a if !(1e-3..1e5).contains(&a) => {
            let text = format!("{value:.2e}");
            let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
            let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
            format!("{digits}e{power}")
        }
        a if a >= 100.0 => format!("{value:.0}"),
        a if a >= 10.0 => trimmed(&format!("{value:.1}")),
        a if a >= 1.0 => trimmed(&format!("{value:.2}")),
        _ => trimmed(&format!("{value:.3}")),
    };
    minus(&text)
}

fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// With the sign for minus, which is as wide as a digit.
fn minus(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| text.to_owned(), |rest| format!("−{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&ticks((0.0, 1.0), 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&ticks((-3.0, 17.0), 4)), ["0", "5", "10", "15"]);
        assert_eq!(labels(&ticks((14_999.0, 500_001.0), 5)), ["100k", "200k", "300k", "400k", "500k"]);
        assert_eq!(labels(&ticks((-0.02, 0.02), 4)), ["−0.02", "−0.01", "0", "0.01", "0.02"]);
        assert_eq!(labels(&ticks((1e-9, 3e-9), 2)), ["1e-9", "2e-9", "3e-9"]);
        assert_eq!(labels(&ticks((5.0, 5.0), 4)), ["5"]);
        assert!(ticks((-1e300, 1e300), 5).len() > 2);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(134_400.0, "134k"), (-1.34e6, "−1.3M"), (20_640.0, "20640"), (0.25, "0.25"), (2e-9, "2e-9")]
        {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn logarithmic_ticks_are_powers() {
        assert_eq!(labels(&log_ticks((1e-7, 1.0))).len(), 8);
        assert_eq!(labels(&log_ticks((0.9, 11.0))), ["1", "2", "5", "10"]);
    }

    #[test]
    fn ranges_are_never_empty() {
        assert_eq!(range([].into_iter()), (0.0, 1.0));
        assert_eq!(range([f64::NAN, 4.0].into_iter()), (2.0, 6.0));
    }
}
