//! Ceilings: for each node the tightest of its limits on each common figure, so that an order which stays below passes all of them with one
//! comparison a figure, however many there are.
//!
//! A limit is covered where it looks at every order of its node and compares a figure that all limits of its type have in common with one of
//! its own that only an operator changes. Its ceiling is the highest use of which it says nothing, neither refusal nor warning. An order above
//! one is asked by every limit of the node as if there were no ceilings: they decide nothing, they only say when nobody would speak.
//!
//! # Invariants
//! - A use at or below a figure's ceiling is one of which no covered limit of the node has anything to say.
//! - The other limits of the node have a second copy of their terms, in the list `asked`.
//! - Ceilings follow from the limits: they hold no state of their own.
//!
//! Not here: limits with a filter, and those whose figure moves by itself (equity, a reference price, time, cash): they are asked each time.

use super::{Block, Question, Terms, exposure, flow, stock};
use crate::groups::Groups;
use bytemuck::{Pod, Zeroable};
use tradewind_machine::prefetch::prefetch_lines;

/// What covered limits compare, in the order in which they stand: the first share a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Figure {
    /// Quantity of the order.
    OrderQty,
    /// The worst long position of its instrument.
    Long,
    /// Value of the order.
    OrderValue,
    /// Open orders.
    OpenOrders,
    /// Value of open orders.
    OpenValue,
    /// The day's value, both sides.
    DayValue,
    /// The day's quantity, both sides.
    DayQty,
    /// The worst short position of its instrument.
    Short,
    /// Gross exposure over all instruments.
    Gross,
}

const FIGURES: usize = Figure::Gross as usize + 1;

/// A node's ceilings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Ceilings {
    /// Figures that have a ceiling, a bit each.
    figures: u32,
    reserved: u32,
    /// Limits of the node that are not covered.
    asked: Block,
    highest: [i128; FIGURES],
    reserved2: [u128; 2],
}

const _: () = assert!(size_of::<Ceilings>() == Ceilings::BYTES);

impl Ceilings {
    /// Size of a node's row.
    pub const BYTES: usize = 192;

    /// No limits.
    pub(super) const NONE: Self = Self {
        figures: 0,
        reserved: 0,
        asked: Block::EMPTY,
        highest: [0; FIGURES],
        reserved2: [0; 2],
    };

    /// Of the limits in a node's list, of which those that are not covered stand in `asked` too.
    pub(super) fn of(terms: &[Terms], asked: Block) -> Self {
        let mut ceilings = Self { asked, ..Self::NONE };
        for terms in terms {
            if let Some(figure) = covered(terms) {
                ceilings.lower(figure, silent_up_to(terms));
            }
        }
        ceilings
    }

    fn lower(&mut self, figure: Figure, ceiling: i128) {
        let highest = &mut self.highest[figure as usize];
        if self.figures & (1 << figure as u32) == 0 || ceiling < *highest {
            *highest = ceiling;
        }
        self.figures |= 1 << figure as u32;
    }

    /// The limits of the node that have to be asked where the ceilings allow the order.
    #[inline]
    pub fn asked(&self) -> Block {
        self.asked
    }

    /// True where no covered limit of the node would say anything of a priced order.
    #[inline(always)]
    pub fn allow(&self, order: &Question<'_>, groups: &Groups) -> bool {
        // One test after the other, no loop over those that are set: a jump by figure would cost more than the tests that it saves.
        let allows = |figure: Figure| {
            self.figures & (1 << figure as u32) == 0
                || used(figure, order, groups) <= self.highest[figure as usize]
        };
        allows(Figure::OrderQty)
            && allows(Figure::Long)
            && allows(Figure::OrderValue)
            && allows(Figure::OpenOrders)
            && allows(Figure::OpenValue)
            && allows(Figure::DayValue)
            && allows(Figure::DayQty)
            && allows(Figure::Short)
            && allows(Figure::Gross)
    }

    /// Fetches what every order reads.
    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch_lines::<3, _>(self);
    }
}

/// A figure after the order.
#[inline(always)]
fn used(figure: Figure, order: &Question<'_>, groups: &Groups) -> i128 {
    match figure {
        Figure::OrderQty => i128::from(order.ask.qty),
        Figure::Long => stock::long_after(order),
        Figure::OrderValue => order.priced.order_value,
        Figure::OpenOrders => flow::open_orders_after(order),
        Figure::OpenValue => flow::open_value(order) + order.added_value(),
        Figure::DayValue => flow::day_value(order) + order.added_value(),
        Figure::DayQty => flow::day_qty(order) + order.ask.added_qty(),
        Figure::Short => stock::short_after(order),
        Figure::Gross => exposure::gross_after(order, groups.row(order.node.totals)),
    }
}

/// The figure that a limit is covered by; `None` for one that has to be asked.
pub(super) fn covered(terms: &Terms) -> Option<Figure> {
    let figure = terms.spec().ceiling?;
    let is_of_side = matches!(figure, Figure::DayValue | Figure::DayQty) && !flow::is_gross(terms);
    (!terms.is_filtered() && !is_of_side).then_some(figure)
}

/// The highest use of which a limit says nothing: its figure, or the last below its warning threshold.
fn silent_up_to(terms: &Terms) -> i128 {
    if terms.soft_pct == 0 {
        return terms.hard;
    }
    // It warns from `used * 100 >= hard * soft_pct` on.
    let threshold = terms.hard.saturating_mul(i128::from(terms.soft_pct));
    terms.hard.min((threshold - 1).div_euclid(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{HARD_MAX, LimitRow};
    use proptest::prelude::*;
    use tradewind_domain::codes::LimitType;
    use tradewind_domain::ids::LimitId;

    fn terms(limit_type: LimitType, hard: i128, soft_pct: u8) -> Terms {
        let row = LimitRow {
            limit_type: limit_type as u8,
            spec: crate::limits::spec_of(limit_type as u8).unwrap().0,
            hard,
            soft_pct,
            state: 1,
            ..LimitRow::NONE
        };
        Terms::of(LimitId(0), &row)
    }

    proptest! {
        #[test]
        fn the_ceiling_is_the_last_use_without_a_refusal_or_a_warning(
            hard in prop_oneof![0..300i128, 0..=HARD_MAX],
            soft_pct in 0..=100u8,
        ) {
            let silent = |used: i128| {
                let is_near = soft_pct != 0 && used * 100 >= hard * i128::from(soft_pct);
                used <= hard && !is_near
            };
            let ceiling = silent_up_to(&terms(LimitType::OpenNotional, hard, soft_pct));
            prop_assert!(silent(ceiling));
            prop_assert!(!silent(ceiling + 1));
        }
    }

    #[test]
    fn the_tightest_limit_on_a_figure_sets_its_ceiling() {
        let list = [
            terms(LimitType::PriceCollar, 0, 0),
            terms(LimitType::MaxOrderQty, 30, 0),
            terms(LimitType::MaxOrderQty, 10, 0),
            terms(LimitType::MaxOrderQty, 20, 0),
        ];
        let ceilings = Ceilings::of(&list, Block::EMPTY);
        assert_eq!(ceilings.figures, 1 << Figure::OrderQty as u32);
        assert_eq!(ceilings.highest[Figure::OrderQty as usize], 10);
    }

    #[test]
    fn filters_sides_and_removed_limits_are_not_covered() {
        let plain = terms(LimitType::DailyQty, 1, 0);
        assert_eq!(covered(&plain), Some(Figure::DayQty));
        let of_side = Terms {
            params: [1, 0, 0, 0],
            ..plain
        };
        assert_eq!(covered(&of_side), None);
        for filter in [
            super::super::traits::INSTRUMENT,
            super::super::traits::KIND,
            super::super::traits::SECTOR,
            super::super::traits::REMOVED,
        ] {
            let filtered = Terms {
                traits: plain.traits | filter,
                ..plain
            };
            assert_eq!(covered(&filtered), None);
        }
    }
}
