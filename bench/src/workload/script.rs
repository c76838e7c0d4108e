//! The order of messages within one block of a mix, which repeats for the whole run.
//!
//! `cycles` is a block of two: a new order, its fill.
//!
//! `canonical` is a block of 1,000:
//!
//! | messages | of a block | become |
//! |---|---|---|
//! | quotes | 600 | accepted |
//! | last trades | 84 | accepted |
//! | new orders | 100 | 93 accepted, 5 refused by MAX_ORDER_QTY, 2 for an unknown symbol |
//! | venue acknowledgements | 84 | accepted |
//! | fills | 72 | accepted: 48 orders filled at once, 12 in two parts |
//! | cancels | 27 | 24 accepted, 3 too late: the order is filled already |
//! | venue cancelled | 24 | accepted |
//! | venue rejects | 9 | accepted |
//!
//! # Invariants
//! - Every order of a block has ended at the end of the block.

use super::{Mix, Outcome, Outcomes};
use tradewind_domain::event::Kind;
use tradewind_domain::reject::RejectCode;

/// One message of a block. `order` counts the new orders of the block, refused ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is sent.
    pub action: Action,
    /// Which order of the block it is about.
    pub order: u8,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A new order that is accepted.
    New,
    /// A new order that L01 refuses.
    NewTooLarge,
    /// A new order for a symbol that nobody knows.
    NewUnknown,
    /// The venue works the order.
    Ack,
    /// The venue fills what is open.
    Fill,
    /// The venue fills the first half.
    FillHalf,
    /// The venue fills the second half.
    FillRest,
    /// The client cancels.
    Cancel,
    /// The client cancels what is filled already.
    CancelLate,
    /// The venue cancelled.
    Cancelled,
    /// The venue refused.
    VenueReject,
    /// Best bid and offer.
    Quote,
    /// The last trade of the market.
    Last,
}

impl Action {
    /// Kind and outcome of its message.
    pub fn outcome(self) -> Outcome {
        let (kind, code) = match self {
            Action::New => (Kind::OrderNew, None),
            Action::NewTooLarge => (Kind::OrderNew, Some(RejectCode::MaxOrderQty)),
            Action::NewUnknown => (Kind::OrderNew, Some(RejectCode::UnknownSymbol)),
            Action::Ack => (Kind::VenueAck, None),
            Action::Fill | Action::FillHalf | Action::FillRest => (Kind::VenueFill, None),
            Action::Cancel => (Kind::OrderCancel, None),
            Action::CancelLate => (Kind::OrderCancel, Some(RejectCode::TooLateToCancel)),
            Action::Cancelled => (Kind::VenueCancelled, None),
            Action::VenueReject => (Kind::VenueReject, None),
            Action::Quote => (Kind::Quote, None),
            Action::Last => (Kind::LastTrade, None),
        };
        Outcome {
            kind: kind as u16,
            code: code.map_or(0, |code| code as u16),
        }
    }

    /// True for new orders, refused ones included.
    pub fn is_new(self) -> bool {
        matches!(self, Action::New | Action::NewTooLarge | Action::NewUnknown)
    }
}

/// New orders of a canonical block.
const ORDERS: u8 = 100;
const QUOTES: u16 = 600;
const LASTS: u16 = 84;
/// When things happen within a block, in a time that has no unit: an order every 9, its end at most 29 later.
const ORDER_EVERY: u16 = 9;
const BLOCK_END: u16 = ORDER_EVERY * (ORDERS as u16 - 1) + 29;

/// A block.
#[derive(Clone, Debug)]
pub struct Script {
    steps: Vec<Step>,
}

impl Script {
    /// The block of a mix.
    pub fn of(mix: Mix) -> Self {
        let steps = match mix {
            Mix::Cycles => [Action::New, Action::Fill]
                .map(|action| Step { action, order: 0 })
                .to_vec(),
            Mix::Canonical => canonical(),
        };
        Self { steps }
    }

    /// The messages in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many there are.
    pub fn messages(&self) -> u64 {
        self.steps.len() as u64
    }

    fn count(&self, wanted: impl Fn(Action) -> bool) -> u64 {
        self.steps.iter().filter(|step| wanted(step.action)).count() as u64
    }

    /// New orders, refused ones included.
    pub fn orders(&self) -> u64 {
        self.count(Action::is_new)
    }

    /// Fills.
    pub fn fills(&self) -> u64 {
        self.count(|action| matches!(action, Action::Fill | Action::FillHalf | Action::FillRest))
    }

    /// Outcomes of one block.
    pub fn outcomes(&self) -> Outcomes {
        let mut outcomes = Outcomes::new();
        for step in &self.steps {
            *outcomes.entry(step.action.outcome()).or_default() += 1;
        }
        outcomes
    }
}

/// What becomes of an accepted order: actions and how long after the new order they come.
fn life(rank: u8) -> &'static [(u16, Action)] {
    match rank % 31 {
        0..=3 => &[(5, Action::Ack), (14, Action::FillHalf), (22, Action::FillRest)],
        4 => &[(5, Action::Ack), (14, Action::Fill), (26, Action::CancelLate)],
        5..=19 => &[(5, Action::Ack), (14, Action::Fill)],
        20..=27 => &[(5, Action::Ack), (20, Action::Cancel), (29, Action::Cancelled)],
        _ => &[(7, Action::VenueReject)],
    }
}

fn canonical() -> Vec<Step> {
    let mut timed: Vec<(u16, Step)> = Vec::with_capacity(1_000);
    let mut rank = 0;
    for order in 0..ORDERS {
        let at = u16::from(order) * ORDER_EVERY;
        let mut add = |after, action| timed.push((at + after, Step { action, order }));
        match order {
            13 | 33 | 53 | 73 | 93 => add(0, Action::NewTooLarge),
            26 | 76 => add(0, Action::NewUnknown),
            _ => {
                add(0, Action::New);
                life(rank).iter().for_each(|&(after, action)| add(after, action));
                rank += 1;
            }
        }
    }
    let market = QUOTES + LASTS;
    for nth in 0..market {
        // 50 quotes, then 7 last trades, and so on.
        let action = if nth % 57 < 50 {
            Action::Quote
        } else {
            Action::Last
        };
        let at = (u32::from(nth) * u32::from(BLOCK_END) / u32::from(market)) as u16;
        timed.push((at, Step { action, order: 0 }));
    }
    timed.sort_by_key(|&(at, _)| at);
    timed.into_iter().map(|(_, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_block_is_what_the_table_says() {
        let script = Script::of(Mix::Canonical);
        assert_eq!(
            (script.messages(), script.orders(), script.fills()),
            (1_000, 100, 72)
        );
        let listing: Vec<String> = script
            .outcomes()
            .iter()
            .map(|(outcome, count)| format!("{outcome} {count}"))
            .collect();
        assert_eq!(
            listing,
            [
                "order_new ok 93",
                "order_new UNKNOWN_SYMBOL 2",
                "order_new MAX_ORDER_QTY 5",
                "order_cancel ok 24",
                "order_cancel TOO_LATE_TO_CANCEL 3",
                "venue_ack ok 84",
                "venue_reject ok 9",
                "venue_fill ok 72",
                "venue_cancelled ok 24",
                "quote ok 600",
                "last_trade ok 84",
            ]
        );
    }

    #[test]
    fn every_order_of_a_block_ends_in_it() {
        let script = Script::of(Mix::Canonical);
        let ends = |action| {
            matches!(
                action,
                Action::Fill | Action::FillRest | Action::Cancelled | Action::VenueReject
            )
        };
        for order in 0..ORDERS {
            let of_order: Vec<Action> = script
                .steps()
                .iter()
                .filter(|s| s.order == order)
                .map(|s| s.action)
                .collect();
            let accepted = of_order.contains(&Action::New);
            let ended = of_order.iter().filter(|&&action| ends(action)).count();
            assert_eq!(ended, usize::from(accepted), "order {order}: {of_order:?}");
        }
    }
}
