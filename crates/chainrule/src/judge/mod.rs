//! Floor 6: how good a model is, and what it has learned. Metrics are pure functions of predictions and truths; each is
//! a row of one list ([`metric::METRICS`]) and comes with an interval and the figure of a trivial baseline.

pub mod classes;
pub mod dependence;
pub mod drawn;
pub mod evaluation;
pub mod examples;
pub mod importance;
pub mod interval;
pub mod metric;
pub mod numbers;
pub mod page;
pub mod ranking;

pub use evaluation::{Evaluation, Judged, evaluate};
pub use examples::{Examples, Model};
pub use metric::{METRICS, Metric};
