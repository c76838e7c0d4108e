//! What falls due: unsettled money by settlement date, account and currency, and what was settled lately.
//!
//! # Invariants
//! - What is pending is read from the limit check, which settles it: a bust, a correction, a failed settlement and a calendar that rolls
//!   are seen as they are there, and nothing is counted a second time here.
//! - What was settled is kept for [`SHOWN_DAYS`] days after its date, and at most [`SETTLED_MAX`] sums of it.
//!
//! Not here: executions that settle at once; they never fall due.

use std::collections::BTreeMap;
use tradewind_domain::event::{DatedSettlement, Event, Kind};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId};
use tradewind_domain::time::{DayNumber, UnixNanos, utc_day};
use tradewind_risk::limit_check::LimitCheck;

/// Sums of the past that are kept.
const SETTLED_MAX: usize = 100_000;
/// Days for which a sum is shown after its date.
const SHOWN_DAYS: DayNumber = 5;

/// What falls due on a date for an account, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DueKey {
    /// The date.
    pub date: DayNumber,
    /// The account.
    pub account: AccountId,
    /// The currency.
    pub currency: CurrencyId,
}

/// Where a sum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DueState {
    /// It falls due.
    Pending,
    /// Its date is over, and something of it has not settled.
    Late,
    /// All of it has settled.
    Settled,
}

impl DueState {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            DueState::Pending => "PENDING",
            DueState::Late => "LATE",
            DueState::Settled => "SETTLED",
        }
    }
}

/// A sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) to_receive: Money,
    pub(crate) to_pay: Money,
    pub(crate) trades: u64,
}

impl Due {
    fn add(&mut self, cash_in: Money, cash_out: Money, trades: u32) {
        self.to_receive = Money::from_raw(self.to_receive.raw().wrapping_add(cash_in.raw()));
        self.to_pay = Money::from_raw(self.to_pay.raw().wrapping_add(cash_out.raw()));
        self.trades += u64::from(trades);
    }
}

/// What was settled lately.
#[derive(Default)]
pub(crate) struct Settled {
    sums: BTreeMap<DueKey, Due>,
    today: DayNumber,
}

impl Settled {
    /// Takes a record of the journal.
    pub(crate) fn observe(&mut self, event: &Event) {
        let today = utc_day(event.head.recv_ns);
        if today > self.today {
            self.today = today;
            let first = DueKey {
                date: today.saturating_sub(SHOWN_DAYS),
                account: AccountId(0),
                currency: CurrencyId(0),
            };
            self.sums = self.sums.split_off(&first);
        }
        if event.kind() != Some(Kind::DatedCashSettled) || event.is_rejected() {
            return;
        }
        let body: &DatedSettlement = event.body();
        let key = DueKey {
            date: body.settle_date,
            account: body.account,
            currency: body.currency,
        };
        if key.date + SHOWN_DAYS >= self.today {
            let sum = self.sums.entry(key).or_default();
            sum.add(body.cash_in, body.cash_out, body.trades);
        }
        if self.sums.len() > SETTLED_MAX {
            self.sums.pop_first();
        }
    }

    /// The sums of the past with what is pending, as of a time. A date of which a part has settled is one sum.
    pub(crate) fn with_pending(
        &self,
        check: &LimitCheck,
        now_ns: UnixNanos,
    ) -> BTreeMap<DueKey, (Due, DueState)> {
        let today = utc_day(now_ns);
        let settled = self.sums.iter();
        let mut sums: BTreeMap<_, _> = settled
            .map(|(key, due)| (*key, (*due, DueState::Settled)))
            .collect();
        for bucket in check.unsettled() {
            let key = DueKey {
                date: bucket.date,
                account: bucket.account,
                currency: bucket.currency,
            };
            let (due, state) = sums.entry(key).or_insert((Due::default(), DueState::Pending));
            due.add(bucket.amounts.cash_in, bucket.amounts.cash_out, bucket.trades);
            *state = if key.date < today {
                DueState::Late
            } else {
                DueState::Pending
            };
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::event::Capacities;
    use tradewind_domain::time::NANOS_PER_DAY;

    const DAY: DayNumber = 20_000;

    fn settled(date: DayNumber, cash_in: i128, trades: u32) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::DatedCashSettled);
        event.head.recv_ns = u64::from(date) * NANOS_PER_DAY;
        *event.body_mut() = DatedSettlement {
            cash_in: Money::from_raw(cash_in),
            cash_out: Money::from_raw(1),
            account: AccountId(3),
            settle_date: date,
            trades,
            ..DatedSettlement::zeroed()
        };
        event
    }

    #[test]
    fn what_was_settled_is_summed_and_forgotten_some_days_later() {
        let check = LimitCheck::new(&Capacities::default(), b"0123456789abcdef");
        let mut past = Settled::default();
        past.observe(&settled(DAY, 10, 2));
        past.observe(&settled(DAY, 5, 1));
        let shown = |past: &Settled| -> Vec<_> {
            let sums = past.with_pending(&check, u64::from(DAY) * NANOS_PER_DAY);
            let row = |(key, (due, state)): (DueKey, (Due, DueState))| {
                (
                    key.date - DAY,
                    due.to_receive.raw(),
                    due.to_pay.raw(),
                    due.trades,
                    state,
                )
            };
            sums.into_iter().map(row).collect()
        };
        assert_eq!(shown(&past), [(0, 15, 2, 3, DueState::Settled)]);
        let mut later = Event::empty();
        later.reset(Kind::Quote);
        for (days, count) in [(SHOWN_DAYS, 1), (SHOWN_DAYS + 1, 0)] {
            later.head.recv_ns = u64::from(DAY + days) * NANOS_PER_DAY;
            past.observe(&later);
            assert_eq!(shown(&past).len(), count, "after {days} days");
        }
    }
}
