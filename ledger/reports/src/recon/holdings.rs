//! Positions and cash at one cut-off: ours, the broker's, and what lies between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use tradewind_domain::fixed::{Money, NetQty};

/// Our quantity of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity {
    /// In custody.
    pub settled: NetQty,
    /// With the trades that are not settled yet.
    pub traded: NetQty,
}

/// Our side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Internal {
    /// Quantities by instrument.
    pub positions: BTreeMap<String, Quantity>,
    /// Settled cash by currency.
    pub cash: BTreeMap<String, Money>,
}

/// The broker's side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// Quantities by instrument.
    pub positions: BTreeMap<String, NetQty>,
    /// Cash by currency.
    pub cash: BTreeMap<String, Money>,
}

impl Internal {
    /// Leaves out what a statement of settled positions says nothing of: positions of which nothing has settled, where it does not list them.
    pub(super) fn leave_out_unsettled(&mut self, broker: &Broker) {
        self.positions
            .retain(|symbol, ours| !ours.settled.is_zero() || broker.positions.contains_key(symbol));
    }
}

/// What lies between the two sides of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineStatus {
    /// Nothing.
    Match,
    /// The statement counts trades that are not settled yet.
    Timing,
    /// A quantity that nothing explains.
    QtyBreak,
    /// We hold it and the broker does not list it.
    MissingAtBroker,
    /// The broker lists it and we do not know it.
    MissingInternally,
    /// Cash that differs by no more than the tolerance.
    WithinTolerance,
    /// Cash that differs by more.
    CashBreak,
}

impl LineStatus {
    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::Timing => "TIMING",
            Self::QtyBreak => "QTY_BREAK",
            Self::MissingAtBroker => "MISSING_AT_BROKER",
            Self::MissingInternally => "MISSING_INTERNALLY",
            Self::WithinTolerance => "WITHIN_TOLERANCE",
            Self::CashBreak => "CASH_BREAK",
        }
    }
}

impl fmt::Display for LineStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// One instrument, or one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Symbol, or code of the currency.
    pub item: String,
    /// True for cash.
    pub is_cash: bool,
    /// What lies between the sides.
    pub status: LineStatus,
    /// Our settled figure at 1e-8.
    pub internal: i128,
    /// Ours with the trades that are not settled; the settled one for cash.
    pub traded: i128,
    /// The broker's.
    pub broker: i128,
    /// Ours, settled, less the broker's.
    pub diff: i128,
}

/// A line for each instrument of either side, by name, then one for each currency. `tolerance` is for cash.
pub fn reconcile(internal: &Internal, broker: &Broker, tolerance: Money) -> Vec<Line> {
    let symbols: BTreeSet<&String> = internal.positions.keys().chain(broker.positions.keys()).collect();
    let currencies: BTreeSet<&String> = internal.cash.keys().chain(broker.cash.keys()).collect();
    let positions = symbols.into_iter().map(|symbol| {
        let (ours, theirs) = (internal.positions.get(symbol), broker.positions.get(symbol));
        position(symbol, ours.copied(), theirs.copied())
    });
    let cash = currencies.into_iter().map(|currency| {
        let (ours, theirs) = (internal.cash.get(currency), broker.cash.get(currency));
        cash(currency, ours.copied(), theirs.copied(), tolerance)
    });
    positions.chain(cash).collect()
}

fn position(symbol: &str, ours: Option<Quantity>, theirs: Option<NetQty>) -> Line {
    let Quantity { settled, traded } = ours.unwrap_or_default();
    let broker = theirs.unwrap_or_default();
    let status = match (ours, theirs) {
        (Some(_), None) if !traded.is_zero() => LineStatus::MissingAtBroker,
        (None, Some(quantity)) if !quantity.is_zero() => LineStatus::MissingInternally,
        _ if broker == settled => LineStatus::Match,
        _ if broker == traded => LineStatus::Timing,
        _ => LineStatus::QtyBreak,
    };
    Line {
        item: symbol.to_owned(),
        is_cash: false,
        status,
        internal: settled.raw(),
        traded: traded.raw(),
        broker: broker.raw(),
        diff: settled.raw().saturating_sub(broker.raw()),
    }
}

fn cash(currency: &str, ours: Option<Money>, theirs: Option<Money>, tolerance: Money) -> Line {
    let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    let diff = ours.raw().saturating_sub(theirs.raw());
    let status = if diff == 0 {
        LineStatus::Match
    } else if diff.unsigned_abs() <= tolerance.abs().raw().unsigned_abs() {
        LineStatus::WithinTolerance
    } else {
        LineStatus::CashBreak
    };
    Line {
        item: currency.to_owned(),
        is_cash: true,
        status,
        internal: ours.raw(),
        traded: ours.raw(),
        broker: theirs.raw(),
        diff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: i128 = 100_000_000;

    fn quantity(settled: i128, traded: i128) -> Quantity {
        Quantity {
            settled: NetQty::from_raw(settled),
            traded: NetQty::from_raw(traded),
        }
    }

    /// One instrument of ours (settled, traded) and of the broker's.
    #[track_caller]
    fn check(ours: Option<(i128, i128)>, theirs: Option<i128>, status: LineStatus, diff: i128) {
        let internal = Internal {
            positions: ours
                .map(|(s, t)| ("ABC".to_owned(), quantity(s, t)))
                .into_iter()
                .collect(),
            ..Internal::default()
        };
        let broker = Broker {
            positions: theirs
                .map(|q| ("ABC".to_owned(), NetQty::from_raw(q)))
                .into_iter()
                .collect(),
            ..Broker::default()
        };
        let lines = reconcile(&internal, &broker, Money::ZERO);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].status, lines[0].diff), (status, diff));
    }

    #[test]
    fn a_position_matches_is_explained_by_trades_or_breaks() {
        check(Some((100, 100)), Some(100), LineStatus::Match, 0);
        check(Some((-100, -100)), Some(-100), LineStatus::Match, 0);
        check(Some((100, 150)), Some(150), LineStatus::Timing, -50);
        check(Some((100, 150)), Some(90), LineStatus::QtyBreak, 10);
        check(
            Some((12_345_678, 12_345_678)),
            Some(12_345_679),
            LineStatus::QtyBreak,
            -1,
        );
        check(Some((100, 0)), Some(0), LineStatus::Timing, 100);
    }

    #[test]
    fn what_one_side_does_not_list_is_missing_there_unless_it_is_nothing() {
        check(Some((100, 100)), None, LineStatus::MissingAtBroker, 100);
        check(Some((0, 50)), None, LineStatus::MissingAtBroker, 0);
        check(Some((0, 0)), None, LineStatus::Match, 0);
        check(None, Some(7), LineStatus::MissingInternally, -7);
        check(None, Some(0), LineStatus::Match, 0);
    }

    #[test]
    fn a_statement_of_settled_positions_need_not_list_what_has_not_settled() {
        let of = |ours: (i128, i128), theirs: Option<i128>| {
            let name = || "ABC".to_owned();
            let mut internal = Internal {
                positions: [(name(), quantity(ours.0, ours.1))].into_iter().collect(),
                ..Internal::default()
            };
            let broker = Broker {
                positions: theirs
                    .map(|quantity| (name(), NetQty::from_raw(quantity)))
                    .into_iter()
                    .collect(),
                ..Broker::default()
            };
            internal.leave_out_unsettled(&broker);
            let lines = reconcile(&internal, &broker, Money::ZERO);
            lines.first().map(|line| line.status)
        };
        assert_eq!(of((0, 50), None), None);
        assert_eq!(of((0, 50), Some(0)), Some(LineStatus::Match));
        assert_eq!(of((0, 50), Some(50)), Some(LineStatus::Timing));
        assert_eq!(of((10, 50), None), Some(LineStatus::MissingAtBroker));
        assert_eq!(of((10, 10), Some(7)), Some(LineStatus::QtyBreak));
    }

    #[test]
    fn cash_may_differ_by_the_tolerance_and_no_more() {
        let side = |raw: i128| [("USD".to_owned(), Money::from_raw(raw))].into_iter().collect();
        let of = |ours: i128, theirs: i128| {
            let internal = Internal {
                cash: side(ours),
                ..Internal::default()
            };
            let broker = Broker {
                cash: side(theirs),
                ..Broker::default()
            };
            let lines = reconcile(&internal, &broker, Money::from_raw(ONE / 100));
            (lines[0].status, lines[0].diff)
        };
        assert_eq!(of(10 * ONE, 10 * ONE), (LineStatus::Match, 0));
        assert_eq!(of(1_000, 1_001), (LineStatus::WithinTolerance, -1));
        assert_eq!(of(ONE / 100, 0), (LineStatus::WithinTolerance, ONE / 100));
        assert_eq!(of(0, ONE / 100 + 1), (LineStatus::CashBreak, -ONE / 100 - 1));
        assert_eq!(of(i128::MIN, i128::MAX).0, LineStatus::CashBreak);
    }

    proptest! {
        /// One line an item, by name; instruments before currencies; no status without its reason.
        #[test]
        fn every_item_of_either_side_has_one_line(
            ours in prop::collection::btree_map("[A-D]", (-3i128..3, -3i128..3), 0..4),
            theirs in prop::collection::btree_map("[A-D]", -3i128..3, 0..4),
            cash in prop::collection::btree_map("[A-D]", -3i128..3, 0..4),
            tolerance in 0i128..3,
        ) {
            let internal = Internal {
                positions: ours.iter().map(|(k, (s, t))| (k.clone(), quantity(*s, *t))).collect(),
                cash: cash.iter().map(|(k, c)| (k.clone(), Money::from_raw(*c))).collect(),
            };
            let broker = Broker {
                positions: theirs.iter().map(|(k, q)| (k.clone(), NetQty::from_raw(*q))).collect(),
                cash: BTreeMap::new(),
            };
            let lines = reconcile(&internal, &broker, Money::from_raw(tolerance));
            let symbols: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
            let expected: Vec<_> = symbols.into_iter().map(|s| (s, false)).chain(cash.keys().map(|c| (c, true))).collect();
            let found: Vec<_> = lines.iter().map(|line| (&line.item, line.is_cash)).collect();
            prop_assert_eq!(found, expected);
            for line in &lines {
                prop_assert_eq!(line.diff, line.internal - line.broker);
                let holds = match line.status {
                    LineStatus::Match => line.diff == 0,
                    LineStatus::Timing => line.diff != 0 && line.broker == line.traded,
                    LineStatus::QtyBreak => line.diff != 0 && line.broker != line.traded,
                    LineStatus::MissingAtBroker => line.broker == 0 && line.traded != 0,
                    LineStatus::MissingInternally => line.internal == 0 && line.broker != 0,
                    LineStatus::WithinTolerance => line.diff != 0 && line.diff.abs() <= tolerance,
                    LineStatus::CashBreak => line.diff.abs() > tolerance,
                };
                prop_assert!(holds, "{:?}", line);
            }
        }
    }
}
