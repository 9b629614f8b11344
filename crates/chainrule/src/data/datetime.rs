//! Dates and times as they stand in tables.

use serde::{Deserialize, Serialize};

use super::table::{Cell, Table};

/// How a date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 2016-03-27.
    YearFirst,
    /// 27/03/2016.
    DayFirst,
    /// 03/27/2016.
    MonthFirst,
}

impl DateOrder {
    /// All of them; the first that reads all values of a column is taken.
    pub const ALL: [DateOrder; 3] = [DateOrder::YearFirst, DateOrder::MonthFirst, DateOrder::DayFirst];

    /// How dates are written in a column in which everything is a date; of several ways that fit the first is taken.
    #[must_use]
    pub fn of_column(table: &Table, column: usize) -> Option<DateOrder> {
        let is_read = |row: usize, order| {
            table.cell(row, column) == Cell::Missing || Moment::parse(table.text(row, column), order).is_some()
        };
        DateOrder::ALL.into_iter().find(|&order| (0..table.rows()).all(|row| is_read(row, order)))
    }

    /// For people.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            DateOrder::YearFirst => "year, month, day",
            DateOrder::DayFirst => "day, month, year",
            DateOrder::MonthFirst => "month, day, year",
        }
    }
}

/// A moment on the calendar that has always been Gregorian, without leap seconds. A time zone, if one is written, moves it
/// to that of Greenwich.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Days since 1970-01-01.
    days: i64,
    /// Days since the first of January.
    of_year: u32,
    /// Seconds since midnight.
    seconds: f64,
    /// Was a time of day written?
    pub with_time: bool,
}

impl Moment {
    /// Reads `2016-03-27`, `27/03/2016 0:53`, `2016-03-27T00:53:12.5+02:00`, `3/27/16 12:53 PM` and their like.
    #[must_use]
    pub fn parse(text: &str, order: DateOrder) -> Option<Moment> {
        let text = text.trim();
        let cut = text.find(['T', ' ']).filter(|&at| at > 0);
        let (date, time) = match cut {
            Some(at) => (&text[..at], text[at + 1..].trim()),
            None => (text, ""),
        };
        let (year, month, day) = parse_date(date, order)?;
        let first = days_from_civil(year, 1, 1);
        let mut days = days_from_civil(year, month, day);
        let mut of_year = days - first;
        let mut seconds = 0.0;
        if !time.is_empty() {
            let (clock, zone) = split_zone(time)?;
            seconds = parse_clock(clock)? - zone;
            let whole = (seconds / DAY).floor();
            (days, of_year, seconds) = (days + whole as i64, of_year + whole as i64, seconds - whole * DAY);
        }
        Some(Moment { days, of_year: of_year.rem_euclid(366) as u32, seconds, with_time: !time.is_empty() })
    }

    /// Seconds since 1970-01-01.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.days as f64 * DAY + self.seconds
    }

    /// Place in the day, from 0 to 1.
    #[must_use]
    pub fn of_day(self) -> f64 {
        self.seconds / DAY
    }

    /// Place in the week that begins on Monday, in whole days from 0 to 1.
    #[must_use]
    pub fn of_week(self) -> f64 {
        // 1970-01-01 was a Thursday.
        (self.days + 3).rem_euclid(7) as f64 / 7.0
    }

    /// Place in the year, in whole days from 0 to 1.
    #[must_use]
    pub fn of_year(self) -> f64 {
        f64::from(self.of_year) / 366.0
    }
}

const DAY: f64 = 86_400.0;

fn parse_date(text: &str, order: DateOrder) -> Option<(i64, u32, u32)> {
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(separator, '-' | '/' | '.') {
        return None;
    }
    let parts: Vec<&str> = text.split(separator).collect();
    let &[first, second, third] = &parts[..] else { return None };
    if parts.iter().any(|part| part.is_empty() || part.len() > 4 || !part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let (year, month, day) = match order {
        DateOrder::YearFirst => (first, second, third),
        DateOrder::DayFirst => (third, second, first),
        DateOrder::MonthFirst => (third, first, second),
    };
    let digits = year.len();
    let year: i64 = year.parse().ok()?;
    // Two digits stand for the years from 1970 to 2069, as in POSIX within two.
    let year = match digits {
        4 => year,
        2 if order != DateOrder::YearFirst => year + if year < 70 { 2000 } else { 1900 },
        _ => return None,
    };
    let (month, day): (u32, u32) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)).then_some((year, month, day))
}

fn days_in(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March here, so that leap days come last.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The clock and the seconds by which its zone is ahead of that of Greenwich.
fn split_zone(text: &str) -> Option<(&str, f64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0.0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0.0)) };
    let sign = if text[at..].starts_with('-') { -1.0 } else { 1.0 };
    let digits: String = text[at + 1..].chars().filter(|&c| c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (f64, f64) = (digits[..2].parse().ok()?, digits[2..].parse().unwrap_or(0.0));
    Some((text[..at].trim_end(), sign * (hours * 3600.0 + minutes * 60.0)))
}

/// Seconds since midnight of `0:53`, `00:53:12.5` or `12:53 PM`.
fn parse_clock(text: &str) -> Option<f64> {
    let upper = text.trim().to_ascii_uppercase();
    let (clock, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0.0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12.0)),
        _ => (upper.as_str(), None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    if !(2..=3).contains(&parts.len()) || parts.iter().any(|p| !p.starts_with(|c: char| c.is_ascii_digit())) {
        return None;
    }
    let (hours, minutes): (f64, f64) = (parts[0].parse().ok()?, parts[1].parse().ok()?);
    let seconds: f64 = parts.get(2).map_or(Some(0.0), |s| s.parse().ok())?;
    let hours = match half {
        Some(half) if (1.0..=12.0).contains(&hours) => hours % 12.0 + half,
        Some(_) => return None,
        None => hours,
    };
    let fits = (0.0..24.0).contains(&hours) && (0.0..60.0).contains(&minutes) && (0.0..61.0).contains(&seconds);
    fits.then_some(hours * 3600.0 + minutes * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str, order: DateOrder) -> Option<f64> {
        Moment::parse(text, order).map(Moment::seconds)
    }

    #[test]
    fn moments_are_counted_from_1970() {
        use DateOrder::{DayFirst, MonthFirst, YearFirst};
        assert_eq!(seconds("1970-01-01", YearFirst), Some(0.0));
        assert_eq!(seconds("2000-03-01", YearFirst), Some(951_868_800.0));
        assert_eq!(seconds("27/03/2016 0:53", DayFirst), Some(1_459_039_980.0));
        assert_eq!(seconds("3/27/16 12:53 AM", MonthFirst), Some(1_459_039_980.0));
        assert_eq!(seconds("2016-03-27T02:53:00.5+02:00", YearFirst), Some(1_459_039_980.5));
        assert_eq!(seconds("1969-12-31 23:59:59Z", YearFirst), Some(-1.0));
        assert_eq!(seconds("27.03.2016", DayFirst), Some(1_459_036_800.0));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "2016", "2016-13-01", "2016-02-30", "1.5", "12:30", "2016-03-27 25:00", "2016-03-27x", "1/2/3"]
        {
            assert_eq!(Moment::parse(text, DateOrder::YearFirst), None, "{text}");
        }
        assert_eq!(Moment::parse("27/03/2016", DateOrder::MonthFirst), None);
        assert_eq!(Moment::parse("0xffffff-1-1", DateOrder::YearFirst), None);
    }

    #[test]
    fn places_in_week_and_year() {
        let monday = Moment::parse("2026-11-23", DateOrder::YearFirst).unwrap();
        assert_eq!((monday.of_week(), monday.of_day()), (0.0, 0.0));
        assert_eq!(Moment::parse("2026-02-01", DateOrder::YearFirst).unwrap().of_year(), 31.0 / 366.0);
    }
}
