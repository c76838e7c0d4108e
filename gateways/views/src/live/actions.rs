//! Corporate actions that were announced, and which of them wait for their ex-date.
//!
//! Invariant: whether one waits is what the limit check's own list says; here only who announced it, and when, is kept.

use super::held::Held;
use crate::query::current::{CorporateAction as Row, Decimal};
use std::collections::VecDeque;
use tradewind_domain::codes::CorporateActionKind;
use tradewind_domain::event::{CorporateAction, Event, Kind};
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;

/// Announcements that are kept: four times as many as may wait at one time.
const KEPT_MAX: usize = 4 * tradewind_risk::corporate::ANNOUNCED_MAX;

/// One announcement.
#[derive(Clone)]
pub(super) struct Announcement {
    pub(super) seq: Seq,
    pub(super) at_ns: UnixNanos,
    pub(super) action: CorporateAction,
    pub(super) text: String,
}

/// The newest announcements.
#[derive(Default)]
pub(super) struct Announcements(VecDeque<Announcement>);

impl Announcements {
    /// Takes an event of the journal.
    pub(super) fn observe(&mut self, event: &Event) {
        if event.kind() != Some(Kind::CorporateAction) || event.is_rejected() {
            return;
        }
        if self.0.len() == KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Announcement {
            seq: event.head.seq,
            at_ns: event.head.recv_ns,
            action: *event.body(),
            text: String::from_utf8_lossy(event.tail()).into_owned(),
        });
    }

    /// Newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Announcement> {
        self.0.iter().rev()
    }
}

impl Held {
    /// Corporate actions that were announced, newest first.
    pub fn announced(&self) -> Vec<Row> {
        self.announcements
            .all()
            .map(|one| self.announcement(one))
            .collect()
    }

    fn announcement(&self, of: &Announcement) -> Row {
        let action = &of.action;
        let kind = CorporateActionKind::from_code(action.action);
        let is_split = kind == Some(CorporateActionKind::Split);
        let mut waiting = self.replica().limit_check().announced();
        let waits = waiting.find(|waiting| is_same(waiting, action));
        Row {
            seq: of.seq,
            time: of.at_ns,
            symbol: self.symbol(action.instrument),
            action: kind.map_or("", CorporateActionKind::text),
            ratio: is_split.then(|| format!("{}:{}", action.numerator, action.denominator)),
            amount: Decimal(action.cash_per_unit.raw()),
            px: Decimal(action.gross.raw()),
            withhold_pct: Decimal(i128::from(action.withhold_bps) * PERCENT_OF_BPS),
            ex_date: match (action.ex_date, waits) {
                (0, Some(waiting)) => waiting.ex_date,
                (date, _) => date,
            },
            pay_date: action.pay_date,
            state: if waits.is_some() { "WAITING" } else { "EFFECTIVE" },
            text: of.text.clone(),
        }
    }
}

/// One basis point in percent, at 1e-8.
const PERCENT_OF_BPS: i128 = 1_000_000;

/// True where what waits for its ex-date is this announcement. One that takes effect at once waits under the date of that day.
pub(super) fn is_same(waiting: &CorporateAction, announced: &CorporateAction) -> bool {
    let date = match announced.ex_date {
        0 => waiting.ex_date,
        date => date,
    };
    *waiting
        == CorporateAction {
            ex_date: date,
            ..*announced
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::fixed::Money;
    use tradewind_domain::reject::RejectCode;

    #[test]
    fn the_newest_announcements_are_kept_and_refused_ones_are_none() {
        let mut announcements = Announcements::default();
        let mut event = Event::empty();
        for seq in 1..=KEPT_MAX as u64 + 1 {
            event.reset(Kind::CorporateAction);
            event.head.seq = seq;
            announcements.observe(&event);
        }
        event.head.seq += 1;
        event.reject(RejectCode::InvalidValue);
        announcements.observe(&event);
        let seqs: Vec<Seq> = announcements.all().map(|one| one.seq).collect();
        assert_eq!(
            (seqs.len(), seqs[0], seqs[KEPT_MAX - 1]),
            (KEPT_MAX, KEPT_MAX as u64 + 1, 2)
        );
    }

    #[test]
    fn an_announcement_without_a_date_is_the_one_that_waits_under_the_present_one() {
        let mut event = Event::empty();
        event.reset(Kind::CorporateAction);
        let announced: CorporateAction = *event.body();
        let waiting = CorporateAction {
            ex_date: 20_000,
            ..announced
        };
        assert!(is_same(&waiting, &announced));
        let other = CorporateAction {
            cash_per_unit: Money::from_raw(1),
            ..announced
        };
        assert!(!is_same(&waiting, &other));
    }
}
