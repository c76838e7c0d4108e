//! Amounts that the limit check decided, summed per wallet from the records' bodies, against what settle posted and what the
//! limit check itself holds.

use super::Check;
use super::difference::First;
use std::collections::{BTreeMap, HashMap};
use tradewind_books::settle::Settle;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    CashMove, DerivedOrder, Event, Execution, InstrumentSet, Kind, OrderNew, OrderReplace, OrderView,
    VenueReport,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{InstrumentId, WalletId};
use tradewind_risk::LimitCheck;

#[derive(Default)]
pub(super) struct Decided {
    wallets: BTreeMap<WalletId, Cash>,
    moves_principal: HashMap<InstrumentId, bool>,
    amounts: u64,
}

#[derive(Clone, Copy, Default)]
struct Cash {
    settled: i128,
    reserved: i128,
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
            Kind::Deposit | Kind::Withdrawal => self.pay(event.body(), kind == Kind::Deposit),
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
        let settled = new.wrapping_sub(cash(taken.principal, taken.fee));
        self.add(taken.wallet, settled, 0);
    }

    /// Settled cash that a trade brings: principal where it moves, less the fee.
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

    fn add(&mut self, wallet: WalletId, settled: i128, reserved: i128) {
        let cash = self.wallets.entry(wallet).or_default();
        cash.settled = cash.settled.wrapping_add(settled);
        cash.reserved = cash.reserved.wrapping_add(reserved);
        self.amounts += u64::from(settled != 0) + u64::from(reserved != 0);
    }

    pub(super) fn compare(&self, limit: &LimitCheck, settle: &Settle) -> Check {
        let mut first = First::default();
        let held: BTreeMap<_, _> = limit.wallets().collect();
        let posted: BTreeMap<_, _> = settle.wallets().collect();
        let ids = self.wallets.keys().chain(held.keys()).chain(posted.keys());
        for id in ids {
            let decided = self.wallets.get(id).copied().unwrap_or_default();
            let posted = posted
                .get(id)
                .map_or((Money::ZERO, Money::ZERO), |row| (row.settled, row.reserved));
            let held = held
                .get(id)
                .map_or((Money::ZERO, Money::ZERO), |row| (row.settled, row.reserved));
            let settled = || format!("settled cash of wallet {id}");
            let reserved = || format!("reserved cash of wallet {id}");
            first.equal(settled, ("decided", decided.settled), ("posted", posted.0.raw()));
            first.equal(
                settled,
                ("decided", decided.settled),
                ("held by the limit check", held.0.raw()),
            );
            first.equal(
                reserved,
                ("decided", decided.reserved),
                ("posted", posted.1.raw()),
            );
            first.equal(
                reserved,
                ("decided", decided.reserved),
                ("held by the limit check", held.1.raw()),
            );
        }
        let figure = format!("{} amounts in {} wallets", self.amounts, self.wallets.len());
        Check::of("amounts decided are amounts posted", figure, first.0)
    }
}
