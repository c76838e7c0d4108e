//! What a share is across splits: the wash-sale rule holds shares that were sold before a split against shares that were bought behind it,
//! share for share.
//!
//! All quantities of an instrument become *parts*: the largest piece of which a share of every time is a whole number. A split of three for
//! two makes a share three parts before it and two parts behind it, and two old shares are as many parts as three new ones. Of instruments
//! that are identical a share of one is as many parts as a share of the other, as shares are at the journal's end.
//!
//! Invariant: exact. A quantity at 1e-8 times the parts of a share is an integer, and equal holdings of different times are equal ones.

use crate::error::ReportError;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::corporate::Ratio;
use tradewind_domain::ids::{InstrumentId, Seq};
use tradewind_domain::time::DayNumber;

/// A split as it took effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitOf {
    /// The input behind which units are new ones; what it did to holders is in new ones already.
    pub(super) seq: Seq,
    /// Its ex-date.
    pub(super) day: DayNumber,
    pub(super) ratio: Ratio,
}

/// How many parts a share of an instrument is, at any time.
pub(super) struct Units(BTreeMap<InstrumentId, Shares>);

struct Shares {
    splits: Vec<SplitOf>,
    /// Parts of a share before the first split, behind it, behind the second …
    parts: Vec<i128>,
}

impl Units {
    /// From the splits of each instrument, in the order of the journal, and from what is identical.
    pub(super) fn of<'a>(
        splits: &BTreeMap<InstrumentId, Vec<SplitOf>>,
        groups: impl Iterator<Item = &'a BTreeSet<InstrumentId>>,
    ) -> Result<Self, ReportError> {
        let shares = splits.iter().map(|(instrument, splits)| {
            let parts = parts_of(splits).ok_or(ReportError::Overflow)?;
            let splits = splits.clone();
            Ok((*instrument, Shares { splits, parts }))
        });
        let mut units = Self(shares.collect::<Result<_, ReportError>>()?);
        for group in groups {
            units.align(group).ok_or(ReportError::Overflow)?;
        }
        Ok(units)
    }

    /// Makes a share of the end as many parts for each of a group.
    fn align(&mut self, group: &BTreeSet<InstrumentId>) -> Option<()> {
        let newest = |units: &Self, id| units.behind(id, |_| true);
        let mut common = 1_i128;
        for id in group {
            let parts = newest(self, *id);
            common = common.checked_mul(parts / divisor(common, parts))?;
        }
        for id in group {
            let factor = common / newest(self, *id);
            let shares = self.0.entry(*id).or_insert_with(|| Shares {
                splits: Vec::new(),
                parts: vec![1],
            });
            for parts in &mut shares.parts {
                *parts = parts.checked_mul(factor)?;
            }
        }
        Some(())
    }

    /// Parts of a share in a record of this number.
    pub(super) fn at(&self, instrument: InstrumentId, seq: Seq) -> i128 {
        self.behind(instrument, |split| split.seq <= seq)
    }

    /// Parts of a share at the end of a day; of the last one without a day.
    pub(super) fn on(&self, instrument: InstrumentId, day: Option<DayNumber>) -> i128 {
        self.behind(instrument, |split| day.is_none_or(|day| split.day <= day))
    }

    fn behind(&self, instrument: InstrumentId, is_past: impl Fn(&SplitOf) -> bool) -> i128 {
        self.0.get(&instrument).map_or(1, |shares| {
            let past = shares.splits.iter().take_while(|split| is_past(split)).count();
            shares.parts[past] // one more than there are splits
        })
    }
}

/// Parts of a share before the first split and behind each: what is left of the numerators to come and the denominators past.
fn parts_of(splits: &[SplitOf]) -> Option<Vec<i128>> {
    let part = |past: usize| {
        let denominators = splits[..past].iter().map(|split| split.ratio.denominator);
        let numerators = splits[past..].iter().map(|split| split.ratio.numerator);
        denominators
            .chain(numerators)
            .try_fold(1_i128, |product, factor| product.checked_mul(factor.into()))
    };
    let parts: Vec<i128> = (0..=splits.len()).map(part).collect::<Option<_>>()?;
    let common = parts.iter().copied().reduce(divisor).unwrap_or(1);
    Some(parts.into_iter().map(|part| part / common).collect())
}

/// The greatest common divisor of two numbers above zero.
fn divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn splits(ratios: &[(u32, u32)]) -> Vec<SplitOf> {
        let split = |(at, (numerator, denominator)): (usize, &(u32, u32))| SplitOf {
            seq: 10 * (at as u64 + 1),
            day: 100 * (at as u32 + 1),
            ratio: Ratio {
                numerator: *numerator,
                denominator: *denominator,
            },
        };
        ratios.iter().enumerate().map(split).collect()
    }

    #[test]
    fn a_split_and_its_opposite_leave_shares_what_they_were() {
        let id = InstrumentId(3);
        let units = Units::of(
            &[(id, splits(&[(3, 2), (1, 4)]))].into_iter().collect(),
            std::iter::empty(),
        );
        let units = units.expect("parts that fit");
        // Two old shares are three new ones, of which four become one.
        assert_eq!([1, 10, 25].map(|seq| units.at(id, seq)), [3, 2, 8]);
        assert_eq!(
            [Some(99), Some(100), Some(250), None].map(|day| units.on(id, day)),
            [3, 2, 8, 8]
        );
        assert_eq!(units.at(InstrumentId(4), 25), 1, "one that was never split");
        let back = parts_of(&splits(&[(2, 1), (1, 2)]));
        assert_eq!(back, Some(vec![2, 1, 2]));
    }

    #[test]
    fn a_share_of_one_is_a_share_of_another_that_is_identical() {
        let [a, b, c] = [3, 4, 5].map(InstrumentId);
        let all = [(a, splits(&[(3, 2), (1, 4)])), (b, splits(&[(2, 1)]))];
        let group = BTreeSet::from([a, b, c]);
        let units = Units::of(&all.into_iter().collect(), [&group].into_iter()).expect("parts that fit");
        assert_eq!([a, b, c].map(|id| units.on(id, None)), [8, 8, 8]);
        assert_eq!([1, 10, 25].map(|seq| units.at(a, seq)), [3, 2, 8]);
        assert_eq!([1, 10].map(|seq| units.at(b, seq)), [16, 8]);
        assert_eq!([1, 10].map(|seq| units.at(c, seq)), [8, 8]);
    }

    #[test]
    fn ratios_that_no_number_holds_are_none() {
        assert_eq!(parts_of(&splits(&[(u32::MAX, 1); 5])), None);
    }

    proptest! {
        /// `old * numerator == new * denominator`: what a split makes of a quantity is as many parts as the quantity was.
        #[test]
        fn a_quantity_has_as_many_parts_behind_a_split_as_before_it(ratios in prop::collection::vec((1u32..50, 1u32..50), 1..6)) {
            let parts = parts_of(&splits(&ratios)).unwrap();
            for ((numerator, denominator), pair) in ratios.iter().zip(parts.windows(2)) {
                prop_assert_eq!(pair[0] * i128::from(*denominator), pair[1] * i128::from(*numerator));
            }
        }
    }
}
