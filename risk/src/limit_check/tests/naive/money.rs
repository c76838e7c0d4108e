//! Cash of accounts, and equity and balance of nodes with the floors under them (L29, L33 to L35).

use super::firm::{SETTLE, is_business_day};
use super::history::{History, Worth, principal};
use tradewind_domain::codes::InstrumentKind;
use tradewind_domain::event::{HitKind, LimitSet};
use tradewind_domain::fixed::ONE;
use tradewind_domain::reference::Instrument;

/// Cash of one account in one currency.
pub(super) struct Cash {
    /// Owned, without what binary shorts must hold.
    pub(super) held: i128,
    /// What is not settled and may not be spent: the day's proceeds without a date, and in a cash account all that are pending.
    pub(super) unsettled: i128,
    /// What trades that have not settled bring, and what they take.
    pub(super) pending: (i128, i128),
    /// What binary shorts must hold.
    pub(super) collateral: i128,
    /// Held for open orders.
    pub(super) reserved: i128,
}

impl History {
    /// L29 and section 14, Cash: payments and principals, less collateral.
    pub(super) fn cash(&self, account: u32, currency: u16) -> Cash {
        let mut cash = Cash {
            held: 0,
            unsettled: 0,
            pending: (0, 0),
            collateral: 0,
            reserved: 0,
        };
        for (_, worth) in &self.worths {
            match *worth {
                Worth::Paid {
                    leaf,
                    currency: of,
                    amount,
                    ..
                } if leaf == account && of == currency => cash.held += amount,
                _ => {}
            }
        }
        let mine = |instrument: usize| {
            let row = &self.instruments[instrument];
            row.currency.0 == currency && row.moves_principal()
        };
        for exec in self
            .execs
            .iter()
            .filter(|exec| !exec.busted && mine(exec.instrument))
        {
            if !self.is_below(exec.leaf, account) {
                continue;
            }
            let row = &self.instruments[exec.instrument];
            let amount = principal(row, exec.qty, exec.px, false);
            cash.held += if exec.side.is_buy() { -amount } else { amount };
            let is_dated = row.settle_calendar.0 != 0;
            if !exec.side.is_buy() && row.settle_days > 0 && !is_dated && self.is_today(account, exec.at) {
                cash.unsettled += amount;
            }
            if exec.settles.is_some_and(|date| date > self.date(SETTLE)) {
                if exec.side.is_buy() {
                    cash.pending.1 += amount;
                } else {
                    cash.pending.0 += amount;
                }
            }
        }
        if self.nodes[account as usize].is_cash {
            cash.unsettled += cash.pending.0;
        }
        for instrument in (0..self.instruments.len()).filter(|&at| mine(at)) {
            let row = &self.instruments[instrument];
            if row.kind == InstrumentKind::Binary as u8 {
                let short = (-self.position(account, instrument)).max(0);
                let collateral = principal(row, short, i128::from(ONE), true);
                (cash.held, cash.collateral) = (cash.held - collateral, cash.collateral + collateral);
            }
        }
        cash.held += self.paid_by_actions(account, currency);
        let of_wallet = |order: &super::history::Order| {
            order.asked.currency.0 == currency && self.is_below(order.asked.leaf.0, account)
        };
        let row = |order: &super::history::Order| -> &Instrument {
            &self.instruments[order.asked.instrument.index()]
        };
        let open = self.open().filter(|(_, order, _)| of_wallet(order));
        cash.reserved = open.map(|(_, order, now)| now.reserved_cash(row(order))).sum();
        cash
    }

    /// L29 in base currency (section 14, Precision): all cash of the account at the present rates, and what its open orders need.
    pub(super) fn base_cash(&self, account: u32) -> Cash {
        let mut sum = Cash {
            held: 0,
            unsettled: 0,
            pending: (0, 0),
            collateral: 0,
            reserved: 0,
        };
        for currency in 0..3 {
            let (cash, rate) = (self.cash(account, currency), self.rate(currency));
            sum.held += cash.held * rate;
            sum.unsettled += cash.unsettled * rate;
        }
        let mine = self
            .open()
            .filter(|(_, order, _)| self.is_below(order.asked.leaf.0, account));
        let need = |order: &super::history::Order, now: &super::history::Standing| {
            self.need_in_base(
                order.asked.leaf.0,
                now,
                &self.instruments[order.asked.instrument.index()],
            )
        };
        sum.reserved = mine.map(|(_, order, now)| need(order, &now)).sum();
        sum
    }

    /// What an open order needs: the value of what it opens or adds, with its fee.
    pub(super) fn need_in_base(
        &self,
        leaf: u32,
        now: &super::history::Standing,
        instrument: &Instrument,
    ) -> i128 {
        self.with_fee(leaf, now.opening_value(), now.reserved_cash(instrument))
    }

    /// A value with the fee estimate, rounded up at 1e-16; nothing where no cash is reserved.
    pub(super) fn with_fee(&self, leaf: u32, value: i128, cash: i128) -> i128 {
        if cash == 0 {
            return 0;
        }
        value + super::history::ceil(value * self.fee_bps(leaf), 10_000)
    }

    /// SETTLEMENT section 2: two business days after the trade date; at once where that day's run is over.
    pub(super) fn settles(&self, instrument: usize, trade_date: u32) -> Option<u32> {
        let row = &self.instruments[instrument];
        if row.settle_calendar.0 != SETTLE {
            return None;
        }
        let mut date = trade_date;
        let mut left = row.settle_days + 1;
        loop {
            left -= u8::from(is_business_day(date));
            if left == 0 {
                return Some(date).filter(|date| *date > self.date(SETTLE));
            }
            date += 1;
        }
    }

    /// Equity of a node: the last figure, and the money that has moved since.
    pub(super) fn equity(&self, node: u32) -> i128 {
        self.books(node).map_or(0, |books| books.equity)
    }
}

/// Equity and balance of a node (L33 to L35).
#[derive(Clone, Copy)]
struct Books {
    equity: i128,
    balance: Option<i128>,
    sod_balance: i128,
    sod_equity: i128,
    day: u32,
}

impl History {
    fn books(&self, node: u32) -> Option<Books> {
        self.books_until(node, u64::MAX)
    }

    /// The node's figures, valuation after valuation; the first of a trading day makes the last of the day before its start.
    fn books_until(&self, node: u32, until: u64) -> Option<Books> {
        let mut books: Option<Books> = None;
        for (at, worth) in self.worths.iter().filter(|(at, _)| *at <= until) {
            let day = self.date_at(self.nodes[node as usize].calendar, *at);
            match (*worth, &mut books) {
                (
                    Worth::Valued {
                        node: of,
                        equity,
                        balance,
                    },
                    before,
                ) if of == node => {
                    let first = Books {
                        equity,
                        balance,
                        sod_balance: balance.unwrap_or(equity),
                        sod_equity: equity,
                        day,
                    };
                    let start = |held: Books| match held.day == day {
                        true => (held.sod_balance, held.sod_equity),
                        false => (held.balance.unwrap_or(held.sod_balance), held.equity),
                    };
                    *before = Some(before.map_or(first, |held| Books {
                        equity,
                        balance: balance.or(held.balance),
                        sod_balance: start(held).0,
                        sod_equity: start(held).1,
                        day,
                    }));
                }
                (Worth::Paid { leaf, value, .. }, Some(held)) if self.is_below(leaf, node) => {
                    held.equity += value;
                    held.balance = held.balance.map(|balance| balance + value);
                    held.sod_balance += value;
                    held.sod_equity += value;
                }
                _ => {}
            }
        }
        books
    }

    /// L35: the high-water mark, from the limit's first setting on.
    fn high_water(&self, set: &LimitSet) -> i128 {
        let [initial, mode, ..] = set.params;
        let since = self.set_at(set.limit);
        let mut mark = i128::from(initial);
        for (at, worth) in self.worths.iter().filter(|(at, _)| *at > since) {
            let Worth::Valued { node, equity, .. } = *worth else {
                continue;
            };
            if node != set.node.0 {
                continue;
            }
            if mode == 1 {
                mark = mark.max(equity);
                continue;
            }
            let calendar = self.nodes[node as usize].calendar;
            let before = self.books_until(node, at - 1);
            if let Some(held) = before.filter(|held| held.day != self.date_at(calendar, *at)) {
                mark = mark.max(held.balance.unwrap_or(mark));
            }
        }
        mark
    }

    /// What the limits on equity say of the figure that a node was given last: floor, breach, warning.
    pub(super) fn floors(&self, node: u32) -> Vec<(u32, HitKind, i128)> {
        let scaled = |figure: i128| figure * i128::from(ONE);
        let Some(books) = self.books(node) else {
            return Vec::new();
        };
        let mut said = Vec::new();
        for set in self.in_force().into_iter().filter(|set| set.node.0 == node) {
            let reference = match (set.limit_type, set.params[1]) {
                (33, 1) => books.sod_balance.max(books.sod_equity),
                (33, _) => books.sod_balance,
                (34, _) => i128::from(set.params[0]),
                (35, _) => self.high_water(&set),
                _ => continue,
            };
            let (reference, lock) = (scaled(reference), set.params[2]);
            let mut floor = reference - set.hard;
            if set.limit_type == 35 && lock != i64::MAX {
                floor = floor.min(scaled(i128::from(lock)));
            }
            said.push((set.limit.0, HitKind::Floor, floor));
            let loss = reference - scaled(books.equity);
            let key = self.warning(&set, 0);
            if scaled(books.equity) < floor {
                if !self.has_tripped(set.limit.0) {
                    said.push((set.limit.0, HitKind::Alerted, floor));
                }
            } else if set.soft_pct != 0
                && loss > 0
                && loss * 100 >= set.hard * i128::from(set.soft_pct)
                && !self.warnings.contains(&key)
            {
                said.push((set.limit.0, HitKind::Warned, floor));
            }
        }
        said.sort_by_key(|said| (said.0, said.1 as u8));
        said
    }
}
