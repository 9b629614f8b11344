//! What is wished for one column beyond its kind.

use serde::{Deserialize, Serialize};

use super::encode::{Encoding, Scaling};
use super::error::DataError;

/// What stands for a missing value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Of a number the median, and a column that is 1 where it is missing; of a category a label of its own.
    #[default]
    Told,
    /// The median.
    Median,
    /// The mean.
    Mean,
    /// The value of most rows.
    MostFrequent,
}

/// What is wished for one column; none for what holds for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    /// What stands for a missing value.
    pub missing: Option<Missing>,
    /// How a number is scaled.
    pub scaling: Option<Scaling>,
    /// Does a category get columns of 0 and 1, however many labels it has? Or an embedding, however few?
    pub one_hot: Option<bool>,
}

impl Wish {
    /// How a column of numbers is encoded.
    ///
    /// # Errors
    /// What is wished is for categories.
    pub(super) fn of_number(&self, name: &str, all: &Encoding) -> Result<Encoding, DataError> {
        match self.one_hot {
            None => Ok(Encoding { scaling: self.scaling.unwrap_or(all.scaling), ..*all }),
            Some(_) => Err(unfit(name, "is a number: only a category is encoded")),
        }
    }

    /// How a category is encoded.
    ///
    /// # Errors
    /// What is wished is for numbers.
    pub(super) fn of_category(&self, name: &str, all: &Encoding) -> Result<Encoding, DataError> {
        if self.scaling.is_some() {
            return Err(unfit(name, "is a category: only a number is scaled"));
        }
        if matches!(self.missing, Some(Missing::Median | Missing::Mean)) {
            return Err(unfit(name, "is a category: it has no median and no mean"));
        }
        let one_hot = match self.one_hot {
            Some(true) => usize::MAX,
            Some(false) => 0,
            None => all.one_hot,
        };
        Ok(Encoding { one_hot, ..*all })
    }
}

fn unfit(name: &str, reason: &str) -> DataError {
    DataError::BadArgument { name: name.to_owned(), reason: reason.to_owned() }
}
