//! A made-up table with everything that real ones have: numbers, categories, gaps, a number for each row.

use std::fmt::Write as _;

use kernels::random::{Purpose, Stream};

/// Visits of a shop that does not exist, as CSV: who came, how long they stayed, and whether they `bought`. The answer
/// depends on the minutes, the device and the customer, with chance on top; nobody can foretell all of it.
#[must_use]
pub fn visits(rows: u32) -> String {
    let mut text = "visit_id,hour,minutes,pages,device,source,returning,age,bought\n".to_owned();
    for row in 0..rows {
        let stream = Stream::new(7, Purpose::Data, row, 0);
        let hour = 7 + stream.below(0, 16);
        let minutes = (10.0 * libm::exp(1.6 + 0.8 * stream.normal(1))).round() / 10.0;
        let pages = 1 + (minutes * (0.4 + 0.3 * stream.uniform(2))) as u32;
        let device = ["phone", "laptop", "tablet"][[0, 0, 0, 1, 1, 2][stream.below(3, 6) as usize]];
        let source = ["search", "mail", "advert", "friend"][stream.below(4, 4) as usize];
        let returning = stream.uniform(5) < 0.4;
        let age = 18 + (stream.uniform(6) * stream.uniform(7) * 60.0) as u32;
        let mut lean = -2.6 + 0.9 * libm::log(minutes);
        lean += if returning { 1.3 } else { 0.0 };
        lean += match device {
            "laptop" => 0.9,
            "phone" => -0.5,
            _ => 0.0,
        };
        lean += match source {
            "friend" => 0.8,
            "advert" => -0.7,
            _ => 0.0,
        };
        let bought = stream.uniform(8) < 1.0 / (1.0 + libm::exp(-2.0 * lean));
        let age = if stream.uniform(9) < 0.12 { String::new() } else { age.to_string() };
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "{},{hour},{minutes},{pages},{device},{source},{},{age},{}",
            row + 1001,
            word(returning),
            word(bought)
        );
    }
    text
}
