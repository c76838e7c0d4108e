//! Trades of a drop copy against ours: by the venue's identifier first, then by what they are.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// How far the times of one trade may lie apart where only its content names it.
pub const TIME_SLACK_NS: u64 = 1_000_000_000;

/// A trade as one side tells it. Fields that a side does not have are `None` and are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The venue; empty where it is not told.
    pub venue: String,
    /// The venue's identifier.
    pub exec_id: Option<String>,
    /// The order that it filled, as the venue or the client calls it.
    pub order_id: Option<String>,
    /// Instrument.
    pub symbol: String,
    /// Side, `BUY` or `SELL`; a short sale is a sale.
    pub side: Option<String>,
    /// Quantity.
    pub qty: Qty,
    /// Price.
    pub px: Price,
    /// Fee, below zero for a rebate.
    pub fee: Option<Money>,
    /// When.
    pub time_ns: Option<UnixNanos>,
    /// Its trade date.
    pub trade_date: Option<DayNumber>,
}

/// A field of which the two sides say something different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Instrument.
    Symbol,
    /// Side.
    Side,
    /// Quantity.
    Qty,
    /// Price.
    Px,
    /// Fee, by more than one minor unit.
    Fee,
}

impl Field {
    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Side => "side",
            Self::Qty => "qty",
            Self::Px => "px",
            Self::Fee => "fee",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// What became of a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairStatus {
    /// Both sides have it alike.
    Matched,
    /// The drop copy has it and we do not: the venue is the truth, it is to be booked.
    MissingInternal,
    /// We have it and the drop copy does not.
    MissingExternal,
    /// Both have it and differ in these.
    FieldMismatch(Vec<Field>),
}

impl PairStatus {
    /// The name in files and messages.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Matched => "MATCHED",
            Self::MissingInternal => "MISSING_INTERNAL",
            Self::MissingExternal => "MISSING_EXTERNAL",
            Self::FieldMismatch(_) => "FIELD_MISMATCH",
        }
    }

    /// Names of the fields that differ.
    pub fn differing(&self) -> Vec<&'static str> {
        match self {
            Self::FieldMismatch(fields) => fields.iter().map(|field| field.text()).collect(),
            _ => Vec::new(),
        }
    }
}

/// A trade of ours, one of theirs, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What became of it.
    pub status: PairStatus,
    /// Number of our trade.
    pub internal: Option<usize>,
    /// Number of theirs.
    pub external: Option<usize>,
}

/// Pairs of both sides: first those of our trades in their order, then what only the other side has. `fee_slack` gives one minor
/// unit of the currency that an instrument trades in.
pub fn match_trades(ours: &[Trade], theirs: &[Trade], fee_slack: impl Fn(&str) -> Money) -> Vec<Pair> {
    let mut partner: Vec<Option<usize>> = vec![None; ours.len()];
    let mut is_taken = vec![false; theirs.len()];
    by_identifier(ours, theirs, &mut partner, &mut is_taken);
    by_content(ours, theirs, &mut partner, &mut is_taken);
    let of_ours = partner.iter().enumerate().map(|(at, partner)| match partner {
        Some(other) => {
            let fields = differing(&ours[at], &theirs[*other], &fee_slack);
            let status = if fields.is_empty() {
                PairStatus::Matched
            } else {
                PairStatus::FieldMismatch(fields)
            };
            pair(status, Some(at), Some(*other))
        }
        None => pair(PairStatus::MissingExternal, Some(at), None),
    });
    let only_theirs = (0..theirs.len()).filter(|at| !is_taken[*at]);
    of_ours
        .chain(only_theirs.map(|at| pair(PairStatus::MissingInternal, None, Some(at))))
        .collect()
}

fn pair(status: PairStatus, internal: Option<usize>, external: Option<usize>) -> Pair {
    Pair {
        status,
        internal,
        external,
    }
}

/// The venue's identifier; where a side does not name the venue, the identifier alone.
fn by_identifier(ours: &[Trade], theirs: &[Trade], partner: &mut [Option<usize>], is_taken: &mut [bool]) {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, trade) in theirs.iter().enumerate() {
        if let Some(id) = &trade.exec_id {
            named.entry(id).or_default().push(at);
        }
    }
    let is_same_venue = |a: &Trade, b: &Trade| a.venue == b.venue || a.venue.is_empty() || b.venue.is_empty();
    for (at, trade) in ours.iter().enumerate() {
        let Some(candidates) = trade.exec_id.as_deref().and_then(|id| named.get(id)) else {
            continue;
        };
        let found = candidates
            .iter()
            .find(|other| !is_taken[**other] && is_same_venue(trade, &theirs[**other]));
        if let Some(other) = found {
            (partner[at], is_taken[*other]) = (Some(*other), true);
        }
    }
}

/// Order, quantity, price and time within a second, for trades of which a side has no identifier.
fn by_content(ours: &[Trade], theirs: &[Trade], partner: &mut [Option<usize>], is_taken: &mut [bool]) {
    let mut alike: BTreeMap<(&str, Qty, Price), Vec<usize>> = BTreeMap::new();
    for (at, trade) in theirs.iter().enumerate().filter(|(at, _)| !is_taken[*at]) {
        if let Some(order) = &trade.order_id {
            alike.entry((order, trade.qty, trade.px)).or_default().push(at);
        }
    }
    for (at, trade) in ours.iter().enumerate() {
        let (None, Some(order)) = (partner[at], trade.order_id.as_deref()) else {
            continue;
        };
        let Some(candidates) = alike.get(&(order, trade.qty, trade.px)) else {
            continue;
        };
        let apart = |other: usize| Some(trade.time_ns?.abs_diff(theirs[other].time_ns?));
        let may_be = |other: usize| {
            let both_named = trade.exec_id.is_some() && theirs[other].exec_id.is_some();
            !is_taken[other] && !both_named && apart(other).is_some_and(|ns| ns <= TIME_SLACK_NS)
        };
        let nearest = candidates.iter().copied().filter(|other| may_be(*other));
        if let Some(other) = nearest.min_by_key(|other| (apart(*other), *other)) {
            (partner[at], is_taken[other]) = (Some(other), true);
        }
    }
}

fn differing(ours: &Trade, theirs: &Trade, fee_slack: &impl Fn(&str) -> Money) -> Vec<Field> {
    let fee_differs = match (ours.fee, theirs.fee) {
        (Some(a), Some(b)) => a.raw().abs_diff(b.raw()) > fee_slack(&ours.symbol).abs().raw().unsigned_abs(),
        _ => false,
    };
    let side_differs = match (&ours.side, &theirs.side) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    };
    let checks = [
        (Field::Symbol, ours.symbol != theirs.symbol),
        (Field::Side, side_differs),
        (Field::Qty, ours.qty != theirs.qty),
        (Field::Px, ours.px != theirs.px),
        (Field::Fee, fee_differs),
    ];
    let differing = checks.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trade(exec_id: Option<&str>, qty: i64, px: i64, time_s: u64) -> Trade {
        Trade {
            venue: "X".into(),
            exec_id: exec_id.map(str::to_owned),
            order_id: Some("O1".into()),
            symbol: "ABC".into(),
            side: Some("BUY".into()),
            qty: Qty::from_raw(qty),
            px: Price::from_raw(px),
            fee: Some(Money::from_raw(100)),
            time_ns: Some(time_s * TIME_SLACK_NS),
            trade_date: None,
        }
    }

    fn statuses(ours: &[Trade], theirs: &[Trade]) -> Vec<PairStatus> {
        let pairs = match_trades(ours, theirs, |_| Money::from_raw(1));
        pairs.into_iter().map(|pair| pair.status).collect()
    }

    #[test]
    fn the_venues_identifier_comes_first_and_shows_what_differs() {
        let ours = [trade(Some("E1"), 5, 10, 1), trade(Some("E2"), 5, 10, 1)];
        let mut other = trade(Some("E2"), 6, 11, 900);
        other.side = Some("SELL".into());
        let theirs = [other, trade(Some("E1"), 5, 10, 1)];
        let differs = PairStatus::FieldMismatch(vec![Field::Side, Field::Qty, Field::Px]);
        assert_eq!(statuses(&ours, &theirs), [PairStatus::Matched, differs]);
    }

    #[test]
    fn fees_may_differ_by_a_minor_unit_and_prices_by_nothing() {
        let ours = [trade(Some("E1"), 5, 10, 1)];
        let with_fee = |fee: i128| Trade {
            fee: Some(Money::from_raw(fee)),
            ..trade(Some("E1"), 5, 10, 1)
        };
        assert_eq!(statuses(&ours, &[with_fee(101)]), [PairStatus::Matched]);
        let differs = PairStatus::FieldMismatch(vec![Field::Fee]);
        assert_eq!(statuses(&ours, &[with_fee(102)]), [differs]);
    }

    #[test]
    fn without_an_identifier_order_content_and_time_name_a_trade() {
        let ours = [trade(Some("E1"), 5, 10, 100)];
        assert_eq!(statuses(&ours, &[trade(None, 5, 10, 101)]), [PairStatus::Matched]);
        let missing = [PairStatus::MissingExternal, PairStatus::MissingInternal];
        assert_eq!(statuses(&ours, &[trade(None, 5, 10, 102)]), missing);
        assert_eq!(statuses(&ours, &[trade(Some("E9"), 5, 10, 100)]), missing);
    }

    #[test]
    fn an_identifier_of_another_venue_is_another_trade() {
        let ours = [trade(Some("E1"), 5, 10, 1)];
        let mut other = trade(Some("E1"), 5, 10, 1);
        other.venue = "Y".into();
        let missing = [PairStatus::MissingExternal, PairStatus::MissingInternal];
        assert_eq!(statuses(&ours, std::slice::from_ref(&other)), missing);
        other.venue = String::new();
        assert_eq!(statuses(&ours, &[other]), [PairStatus::Matched]);
    }

    fn side() -> impl Strategy<Value = Vec<Trade>> {
        let one = (prop::option::of(0u8..6), 1i64..3, 1i64..3, 0u64..4);
        prop::collection::vec(one, 0..12).prop_map(|rows| {
            let made = rows.into_iter().map(|(id, qty, px, time)| {
                let id = id.map(|id| format!("E{id}"));
                trade(id.as_deref(), qty, px, time)
            });
            made.collect()
        })
    }

    proptest! {
        #[test]
        fn every_trade_of_either_side_is_in_one_pair(ours in side(), theirs in side()) {
            let pairs = match_trades(&ours, &theirs, |_| Money::ZERO);
            let internal: Vec<usize> = pairs.iter().filter_map(|pair| pair.internal).collect();
            let mut external: Vec<usize> = pairs.iter().filter_map(|pair| pair.external).collect();
            external.sort_unstable();
            prop_assert_eq!(internal, (0..ours.len()).collect::<Vec<_>>());
            prop_assert_eq!(external, (0..theirs.len()).collect::<Vec<_>>());
            for pair in &pairs {
                match (pair.internal, pair.external) {
                    (Some(a), Some(b)) => {
                        let (a, b) = (&ours[a], &theirs[b]);
                        let is_named = a.exec_id.is_some() && a.exec_id == b.exec_id;
                        let is_alike = a.qty == b.qty && a.px == b.px && a.time_ns.unwrap().abs_diff(b.time_ns.unwrap()) <= TIME_SLACK_NS;
                        prop_assert!(is_named || is_alike);
                    }
                    (Some(_), None) => prop_assert_eq!(&pair.status, &PairStatus::MissingExternal),
                    (None, _) => prop_assert_eq!(&pair.status, &PairStatus::MissingInternal),
                }
            }
        }

        #[test]
        fn a_copy_of_our_trades_matches(ours in side()) {
            let named: Vec<Trade> = ours.into_iter().enumerate()
                .map(|(at, trade)| Trade { exec_id: Some(format!("E{at}")), ..trade }).collect();
            let mut copy = named.clone();
            copy.reverse();
            prop_assert!(statuses(&named, &copy).iter().all(|status| *status == PairStatus::Matched));
        }
    }
}
