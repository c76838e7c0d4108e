//! What falls due: money of executions and dividends by settlement date, account and currency.
//!
//! # Invariants
//! - A sum holds the executions that name its date, as they stand now: a bust takes its trade out, a correction exchanges it. One of a
//!   trade that is older than the newest [`TRADES_MAX`] changes nothing here.
//! - Sums are kept for [`SHOWN_DAYS`] days after their date, and at most [`DUES_MAX`] of them.
//!
//! Not here: when cash became available; the books say that. A sum is settled here from its date on.

use std::collections::{BTreeMap, VecDeque};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{CorporateAction, Event, Execution, Kind, SettlementFail};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, Seq};
use tradewind_domain::time::{DayNumber, utc_day};

/// Sums that are kept.
const DUES_MAX: usize = 100_000;
/// Days for which a sum is shown after its date.
const SHOWN_DAYS: DayNumber = 5;
/// Executions that are remembered for busts and corrections of them.
const TRADES_MAX: usize = 131_072;

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

/// A sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) to_receive: Money,
    pub(crate) to_pay: Money,
    pub(crate) trades: u64,
}

/// An execution's part of a sum.
#[derive(Clone, Copy, Debug)]
struct Part {
    seq: Seq,
    key: DueKey,
    is_buy: bool,
    money: Money,
}

/// All sums.
#[derive(Default)]
pub(crate) struct Dues {
    sums: BTreeMap<DueKey, Due>,
    trades: VecDeque<Part>,
    today: DayNumber,
}

impl Dues {
    /// The sums by date, account and currency, each with whether its date has come.
    pub(crate) fn all(&self) -> impl Iterator<Item = (DueKey, Due, bool)> + '_ {
        let is_settled = |key: &DueKey| key.date <= self.today;
        self.sums
            .iter()
            .map(move |(key, due)| (*key, *due, is_settled(key)))
    }

    /// Takes a record of the journal. `moves_principal` is false where the money of its instrument's trades is no cash.
    pub(crate) fn observe(&mut self, event: &Event, moves_principal: impl Fn(&Execution) -> bool) {
        let today = utc_day(event.head.recv_ns);
        if today > self.today {
            self.today = today;
            self.prune();
        }
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::VenueFill | Kind::TradeCapture) => {
                let body: &Execution = event.body();
                if body.settle_date != 0 && moves_principal(body) {
                    self.book(part_of(event.head.seq, body, body.settle_date));
                }
            }
            Some(Kind::HolderDividend) => {
                let body: &CorporateAction = event.body();
                if body.is_due != 0 && !body.holding.is_none() {
                    self.add(&part_of_dividend(event.head.seq, body), 1);
                }
            }
            Some(Kind::SettlementFail) => self.fail(event.body()),
            Some(Kind::TradeBust) => {
                self.take_back(event);
            }
            Some(Kind::TradeCorrect) => {
                if let Some(old) = self.take_back(event) {
                    let body: &Execution = event.body();
                    let date = match body.settle_date {
                        0 => old.key.date,
                        date => date,
                    };
                    // A correction of the correction names the trade by the number of its first record.
                    let mut new = part_of(old.seq, body, date);
                    new.key.account = old.key.account;
                    new.key.currency = old.key.currency;
                    self.book_again(new);
                }
            }
            _ => {}
        }
    }

    /// A trade that failed falls due on another date.
    fn fail(&mut self, fail: &SettlementFail) {
        let from = self.trades.partition_point(|held| held.seq < fail.trade_seq);
        let mut of_record = self.trades.iter().skip(from);
        let found = of_record.position(|held| held.seq == fail.trade_seq && held.key.account == fail.account);
        if let Some(mut part) = found.and_then(|at| self.trades.remove(from + at)) {
            self.add(&part, -1);
            part.key.date = fail.settle_date;
            self.book_again(part);
        }
    }

    fn book(&mut self, part: Part) {
        self.add(&part, 1);
        self.trades.push_back(part);
        if self.trades.len() > TRADES_MAX {
            self.trades.pop_front();
        }
    }

    fn book_again(&mut self, part: Part) {
        self.add(&part, 1);
        let at = self.trades.partition_point(|held| held.seq < part.seq);
        self.trades.insert(at, part);
    }

    /// Takes the trade out that a bust or correction is about.
    fn take_back(&mut self, event: &Event) -> Option<Part> {
        let taken = event.taken_back()?;
        let from = self.trades.partition_point(|held| held.seq < taken.trade_seq);
        // One record has several trades where a block was allocated, of an account each.
        let of_record = self.trades.iter().skip(from);
        let mut of_record = of_record.take_while(|held| held.seq == taken.trade_seq);
        let at = from + of_record.position(|held| held.key.account == taken.account)?;
        let part = self.trades.remove(at)?;
        self.add(&part, -1);
        Some(part)
    }

    fn add(&mut self, part: &Part, sign: i128) {
        if part.key.date + SHOWN_DAYS < self.today {
            return; // its sum was forgotten, or came too late to be shown
        }
        let due = self.sums.entry(part.key).or_default();
        let side = if part.is_buy {
            &mut due.to_pay
        } else {
            &mut due.to_receive
        };
        *side = Money::from_raw(side.raw().wrapping_add(sign * part.money.raw()));
        due.trades = due.trades.wrapping_add_signed(sign as i64);
        if due.trades == 0 {
            self.sums.remove(&part.key);
        }
        if self.sums.len() > DUES_MAX {
            self.sums.pop_first();
        }
    }

    fn prune(&mut self) {
        while let Some((key, _)) = self.sums.first_key_value() {
            if key.date + SHOWN_DAYS >= self.today {
                break;
            }
            self.sums.pop_first();
        }
    }
}

/// Money of an execution, its fee included: what a purchase costs, what a sale brings.
fn part_of(seq: Seq, body: &Execution, date: DayNumber) -> Part {
    let is_buy = Side::from_code(body.side).is_some_and(Side::is_buy);
    let fee = if is_buy { body.fee } else { body.fee.neg() };
    Part {
        seq,
        key: DueKey {
            date,
            account: body.account,
            currency: body.currency,
        },
        is_buy,
        money: Money::from_raw(body.principal.raw().wrapping_add(fee.raw())),
    }
}

/// Money of a dividend that is paid later: to pay where the position is short.
fn part_of_dividend(seq: Seq, body: &CorporateAction) -> Part {
    let net = body.gross.raw().wrapping_sub(body.withheld.raw());
    Part {
        seq,
        key: DueKey {
            date: body.pay_date,
            account: body.account,
            currency: body.currency,
        },
        is_buy: net < 0,
        money: Money::from_raw(net.wrapping_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::{Zeroable, bytes_of};
    use tradewind_domain::event::TakenBack;
    use tradewind_domain::time::NANOS_PER_DAY;

    const DAY: u64 = 20_000;

    fn execution(kind: Kind, seq: Seq, side: Side, money: i128, date: DayNumber) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        event.head.seq = seq;
        event.head.recv_ns = DAY * NANOS_PER_DAY + seq;
        *event.body_mut::<Execution>() = Execution {
            side: side as u8,
            principal: Money::from_raw(money),
            fee: Money::from_raw(2),
            settle_date: date,
            account: AccountId(3),
            currency: CurrencyId(0),
            ..Execution::zeroed()
        };
        event
    }

    fn of_trade(mut event: Event, trade_seq: Seq) -> Event {
        let taken = TakenBack {
            trade_seq,
            account: AccountId(3),
            ..TakenBack::zeroed()
        };
        event.set_tail(bytes_of(&taken));
        event
    }

    fn sums(dues: &Dues) -> Vec<(u64, i128, i128, u64, bool)> {
        let row = |(key, due, is_settled): (DueKey, Due, bool)| {
            let date = u64::from(key.date) - DAY;
            (
                date,
                due.to_receive.raw(),
                due.to_pay.raw(),
                due.trades,
                is_settled,
            )
        };
        dues.all().map(row).collect()
    }

    #[test]
    fn a_sum_holds_the_trades_of_its_date_as_they_stand() {
        let mut dues = Dues::default();
        let date = DAY as DayNumber + 2;
        let see = |dues: &mut Dues, event: &Event| dues.observe(event, |_| true);
        see(&mut dues, &execution(Kind::VenueFill, 1, Side::Buy, 100, date));
        see(&mut dues, &execution(Kind::TradeCapture, 2, Side::Sell, 50, date));
        see(&mut dues, &execution(Kind::VenueFill, 3, Side::Buy, 10, date + 1));
        see(&mut dues, &execution(Kind::VenueFill, 4, Side::Buy, 10, 0));
        assert_eq!(sums(&dues), [(2, 48, 102, 2, false), (3, 0, 12, 1, false)]);
        see(
            &mut dues,
            &of_trade(execution(Kind::TradeCorrect, 5, Side::Buy, 80, 0), 1),
        );
        see(
            &mut dues,
            &of_trade(execution(Kind::TradeCorrect, 6, Side::Buy, 90, 0), 1),
        );
        assert_eq!(sums(&dues)[0], (2, 48, 92, 2, false));
        let mut bust = Event::empty();
        bust.reset(Kind::TradeBust);
        see(&mut dues, &of_trade(bust, 3));
        assert_eq!(
            sums(&dues),
            [(2, 48, 92, 2, false)],
            "nothing is left of the other date"
        );
        dues.observe(&execution(Kind::VenueFill, 8, Side::Buy, 1, date), |_| false);
        assert_eq!(sums(&dues)[0].3, 2, "a future's principal is no cash");
    }

    #[test]
    fn a_sum_is_settled_from_its_date_on_and_forgotten_some_days_later() {
        let mut dues = Dues::default();
        dues.observe(
            &execution(Kind::VenueFill, 1, Side::Buy, 100, DAY as DayNumber + 1),
            |_| true,
        );
        let mut later = Event::empty();
        later.reset(Kind::Quote);
        for (days, shown) in [(0, Some(false)), (1, Some(true)), (6, Some(true)), (7, None)] {
            later.head.recv_ns = (DAY + days) * NANOS_PER_DAY;
            dues.observe(&later, |_| true);
            assert_eq!(sums(&dues).first().map(|row| row.4), shown, "after {days} days");
        }
    }
}
