//! Amounts that the limit check decided, summed per wallet from the records' bodies, against what settle posted and what the
//! limit check itself holds.

use super::difference::First;
use super::{Check, number_of};
use std::collections::{BTreeMap, HashMap};
use tradewind_books::posting::Account;
use tradewind_books::settle::{Settle, Wallet};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    CashMove, CorporateAction, DatedSettlement, DerivedOrder, Event, Execution, FxConversion, HolderAction,
    InstrumentSet, Kind, OrderNew, OrderReplace, OrderView, SettlementFail, VenueReport,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{HoldingId, InstrumentId, WalletId};
use tradewind_domain::time::Date;
use tradewind_risk::LimitCheck;
use tradewind_risk::wallets::WalletRow;

#[derive(Default)]
pub(super) struct Decided {
    wallets: BTreeMap<WalletId, Cash>,
    moves_principal: HashMap<InstrumentId, bool>,
    amounts: u64,
}

#[derive(Clone, Copy, Default)]
struct Cash {
    /// By trade date.
    owned: i128,
    pending_in: i128,
    pending_out: i128,
    reserved: i128,
}

impl Cash {
    /// A trade becomes unsettled (sign 1), or is not any more (-1).
    fn pend(&mut self, cash: i128, sign: i128) {
        let sum = if cash > 0 {
            &mut self.pending_in
        } else {
            &mut self.pending_out
        };
        *sum = sum.wrapping_add(sign.wrapping_mul(cash.wrapping_abs()));
    }

    fn figures(&self) -> [(&'static str, i128); 4] {
        [
            ("cash", self.owned),
            ("cash that comes in", self.pending_in),
            ("cash that goes out", self.pending_out),
            ("reserved cash", self.reserved),
        ]
    }
}

impl Decided {
    pub(super) fn see(&mut self, event: &Event) {
        let (Some(kind), false) = (event.kind(), event.is_rejected()) else {
            return;
        };
        match kind {
            Kind::InstrumentSet => {
                let row = &event.body::<InstrumentSet>().row;
                self.moves_principal.insert(row.id, row.moves_principal());
            }
            Kind::OrderNew => self.reserve(&event.body::<OrderNew>().view),
            Kind::OrderReplace => self.reserve(&event.body::<OrderReplace>().view),
            Kind::OrderExpired | Kind::CancelRequested => self.reserve(&event.body::<DerivedOrder>().view),
            Kind::VenueFill | Kind::TradeCapture => self.execute(event.body()),
            Kind::TradeBust | Kind::TradeCorrect => self.take_back(event),
            Kind::DatedCashSettled => self.settle(event.body()),
            Kind::SettlementFail => self.fail(event.body()),
            Kind::FxConversion => self.convert(event.body()),
            Kind::Deposit | Kind::Withdrawal => self.pay(event.body(), kind == Kind::Deposit),
            Kind::HolderSplit | Kind::HolderDividend => {
                let body: &CorporateAction = event.body();
                let net = body.gross.raw().wrapping_sub(body.withheld.raw());
                self.get(body.holding, body.wallet, net);
                if body.is_due != 0 && !body.holding.is_none() {
                    self.wallets.entry(body.wallet).or_default().pend(net, 1);
                }
            }
            Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled => {
                let body: &HolderAction = event.body();
                self.get(body.holding, body.wallet, body.cash.raw());
            }
            _ if kind.is_report() => self.reserve(&event.body::<VenueReport>().view),
            _ => {}
        }
    }

    fn reserve(&mut self, view: &OrderView) {
        self.add(view.wallet, 0, view.cash.raw());
    }

    fn execute(&mut self, execution: &Execution) {
        let settled = self.cash_of(
            execution.instrument,
            execution.side,
            execution.principal,
            execution.fee,
        );
        self.add(
            execution.wallet,
            settled,
            execution.cash_released.raw().wrapping_neg(),
        );
        if execution.settle_calendar != 0 {
            self.wallets.entry(execution.wallet).or_default().pend(settled, 1);
        }
    }

    fn convert(&mut self, conversion: &FxConversion) {
        self.add(conversion.wallet_sold, conversion.amount.raw().wrapping_neg(), 0);
        self.add(conversion.wallet_bought, conversion.bought.raw(), 0);
    }

    fn settle(&mut self, settled: &DatedSettlement) {
        let cash = self.wallets.entry(settled.wallet).or_default();
        cash.pend(settled.cash_in.raw(), -1);
        cash.pend(settled.cash_out.raw().wrapping_neg(), -1);
    }

    /// A trade that had settled is pending again.
    fn fail(&mut self, fail: &SettlementFail) {
        let is_buy = Side::from_code(fail.side).is_some_and(Side::is_buy);
        let cash = fail.cash.raw();
        if fail.was_settled != 0 {
            let signed = if is_buy { cash.wrapping_neg() } else { cash };
            self.wallets.entry(fail.wallet).or_default().pend(signed, 1);
        }
    }

    fn take_back(&mut self, event: &Event) {
        let Some(taken) = event.taken_back() else { return };
        let cash = |principal, fee| self.cash_of(taken.instrument, taken.side, principal, fee);
        let new = if event.kind() == Some(Kind::TradeCorrect) {
            let body: &Execution = event.body();
            cash(body.principal, body.fee)
        } else {
            0
        };
        let old = cash(taken.principal, taken.fee);
        let change = event.adjustment();
        let actions = change.cash.raw().wrapping_add(change.income.raw());
        let actions = actions.wrapping_sub(change.withheld.raw());
        self.add(taken.wallet, new.wrapping_sub(old).wrapping_add(actions), 0);
        if taken.settle_calendar != 0 {
            let cash = self.wallets.entry(taken.wallet).or_default();
            cash.pend(old, -1);
            cash.pend(new, 1);
        }
    }

    /// Cash that a trade brings: principal where it moves, less the fee.
    fn cash_of(&self, instrument: InstrumentId, side: u8, principal: Money, fee: Money) -> i128 {
        let moves = self.moves_principal.get(&instrument).copied().unwrap_or(false);
        let principal = if moves { principal.raw() } else { 0 };
        let is_buy = Side::from_code(side).is_some_and(Side::is_buy);
        let signed = if is_buy {
            principal.wrapping_neg()
        } else {
            principal
        };
        signed.wrapping_sub(fee.raw())
    }

    fn pay(&mut self, cash: &CashMove, comes_in: bool) {
        let amount = cash.amount.raw();
        self.add(
            cash.wallet,
            if comes_in { amount } else { amount.wrapping_neg() },
            0,
        );
    }

    /// A holder's part of a corporate action.
    fn get(&mut self, holding: HoldingId, wallet: WalletId, cash: i128) {
        if !holding.is_none() {
            self.add(wallet, cash, 0);
        }
    }

    fn add(&mut self, wallet: WalletId, owned: i128, reserved: i128) {
        let cash = self.wallets.entry(wallet).or_default();
        cash.owned = cash.owned.wrapping_add(owned);
        cash.reserved = cash.reserved.wrapping_add(reserved);
        self.amounts += u64::from(owned != 0) + u64::from(reserved != 0);
    }

    pub(super) fn compare(&self, limit: &LimitCheck, settle: &Settle) -> Check {
        let mut first = First::default();
        let held: BTreeMap<_, _> = limit.wallets().map(|(id, row)| (id, held_by(row))).collect();
        let posted: BTreeMap<_, _> = settle.wallets().map(|(id, row)| (id, posted(&row))).collect();
        let ids = self.wallets.keys().chain(held.keys()).chain(posted.keys());
        for id in ids {
            let of = |cash: &BTreeMap<WalletId, Cash>| cash.get(id).copied().unwrap_or_default();
            let decided = of(&self.wallets);
            for (by, others) in [("posted", of(&posted)), ("held by the limit check", of(&held))] {
                for ((name, decided), (_, other)) in decided.figures().into_iter().zip(others.figures()) {
                    first.equal(
                        || format!("{name} of wallet {id}"),
                        ("decided", decided),
                        (by, other),
                    );
                }
            }
        }
        let amounts = number_of(self.amounts, "amount");
        let figure = format!("{amounts} in {}", number_of(self.wallets.len(), "wallet"));
        Check::of("amounts decided are amounts posted", figure, first.0)
    }

    /// What is pending is what the dates have, and no date is past. `is_complete` where the last group of records is: within one,
    /// what is due may still be to settle.
    pub(super) fn by_date(&self, limit: &LimitCheck, settle: &Settle, is_complete: bool) -> Check {
        let mut first = First::default();
        let buckets = pending(limit);
        for id in self.wallets.keys().chain(buckets.keys()) {
            let of = |cash: &BTreeMap<WalletId, Cash>| cash.get(id).copied().unwrap_or_default();
            let figures = of(&self.wallets)
                .figures()
                .into_iter()
                .zip(of(&buckets).figures());
            for ((name, decided), (_, by_date)) in
                figures.filter(|((name, _), _)| name.starts_with("cash that"))
            {
                first.equal(
                    || format!("{name} of wallet {id}"),
                    ("decided", decided),
                    ("by settlement date", by_date),
                );
            }
        }
        pending_securities(limit, settle, &mut first);
        if is_complete {
            overdue(limit, &mut first);
        }
        let figure = format!("{} holdings and dates", limit.unsettled().count());
        Check::of(
            "unsettled trades are the pending balances, by date",
            figure,
            first.0,
        )
    }
}

fn held_by(row: &WalletRow) -> Cash {
    Cash {
        owned: row.settled.raw(),
        pending_in: row.pending_in.raw(),
        pending_out: row.pending_out.raw(),
        reserved: row.reserved.raw(),
    }
}

fn posted(wallet: &Wallet) -> Cash {
    Cash {
        owned: wallet.trade_date_balance().raw(),
        pending_in: wallet.pending_in.raw(),
        pending_out: wallet.pending_out.raw(),
        reserved: wallet.reserved.raw(),
    }
}

/// Pending cash of each wallet, summed over settlement dates.
fn pending(limit: &LimitCheck) -> BTreeMap<WalletId, Cash> {
    let mut wallets: BTreeMap<WalletId, Cash> = BTreeMap::new();
    for bucket in limit.unsettled() {
        let cash = wallets.entry(bucket.wallet).or_default();
        cash.pend(bucket.amounts.cash_in.raw(), 1);
        cash.pend(bucket.amounts.cash_out.raw().wrapping_neg(), 1);
    }
    wallets
}

/// Securities that the books have pending are those that come in and go out by date.
fn pending_securities(limit: &LimitCheck, settle: &Settle, first: &mut First) {
    let mut by_date: BTreeMap<HoldingId, [i128; 2]> = BTreeMap::new();
    for bucket in limit.unsettled() {
        let sums = by_date.entry(bucket.holding).or_default();
        let amounts = &bucket.amounts;
        for (sum, qty) in sums.iter_mut().zip([amounts.qty_in, amounts.qty_out]) {
            *sum = sum.wrapping_add(qty.raw());
        }
    }
    for (account, row) in settle.accounts() {
        let Account::Sec(holding) = account else { continue };
        let expected = by_date.remove(&holding).unwrap_or_default();
        let posted = [row.credits_pending, row.debits_pending];
        for ((name, expected), posted) in ["comes in", "goes out"].into_iter().zip(expected).zip(posted) {
            first.equal(
                || format!("quantity that {name} of holding {holding}"),
                ("posted", posted),
                ("by settlement date", expected),
            );
        }
    }
    // Of what is left, dividends bring money alone.
    if let Some((holding, _)) = by_date.iter().find(|(_, sums)| **sums != [0; 2]) {
        first.note(|| format!("trades of holding {holding} are to settle, and the books have none"));
    }
}

/// Nothing is unsettled whose date has come.
fn overdue(limit: &LimitCheck, first: &mut First) {
    let late = limit
        .unsettled()
        .find(|bucket| bucket.date <= limit.date(bucket.calendar));
    if let Some(bucket) = late {
        first.note(|| {
            let date = Date(bucket.date);
            format!(
                "trades of holding {} were to settle on {date} and have not",
                bucket.holding
            )
        });
    }
}
