//! Trading dates from one to another, both included.

use crate::error::ReportError;
use tradewind_domain::time::DayNumber;

/// Trading dates of the account's own calendar. Without a beginning the report begins with the journal, without an end it goes as
/// far as the journal does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first date.
    pub from: Option<DayNumber>,
    /// The last date.
    pub to: Option<DayNumber>,
}

impl Period {
    /// A period, or an error where it ends before it begins.
    pub fn new(from: Option<DayNumber>, to: Option<DayNumber>) -> Result<Self, ReportError> {
        match (from, to) {
            (Some(from), Some(to)) if to < from => Err(ReportError::Period),
            _ => Ok(Self { from, to }),
        }
    }

    /// True for a date within it.
    pub fn contains(&self, day: DayNumber) -> bool {
        self.has_begun(day) && !self.is_over(day)
    }

    /// True for its first date and all later ones.
    pub fn has_begun(&self, day: DayNumber) -> bool {
        self.from.is_none_or(|from| day >= from)
    }

    /// True for dates after its last one.
    pub fn is_over(&self, day: DayNumber) -> bool {
        self.to.is_some_and(|to| day > to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_a_period_and_a_missing_one_bounds_nothing() {
        let period = Period::new(Some(5), Some(7)).unwrap();
        assert_eq!(
            [4, 5, 7, 8].map(|day| period.contains(day)),
            [false, true, true, false]
        );
        assert!(Period::default().contains(0) && Period::default().contains(u32::MAX));
        assert!(Period::new(Some(7), Some(7)).is_ok());
        assert!(matches!(Period::new(Some(8), Some(7)), Err(ReportError::Period)));
    }
}
