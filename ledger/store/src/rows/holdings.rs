//! Positions, balances, profit and equity: changes that are laid over what there is.

use crate::table::table;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A change of a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PositionChange {
    /// The pair of account and instrument.
    pub(crate) holding: u32,
    /// Account.
    pub(crate) account: AccountId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Signed quantity.
    pub(crate) qty: i128,
    /// Cost.
    pub(crate) cost: i128,
    /// Realised profit.
    pub(crate) realised: i128,
    /// Fees.
    pub(crate) fees: i128,
    /// Dividends and fundings, less the tax withheld from them.
    pub(crate) income: i128,
    /// Executions.
    pub(crate) fills: i64,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table! {
    /// Positions of accounts.
    POSITIONS = "positions", key [holding_id], of |row: PositionChange| {
        holding_id: int4 = row.holding as i32;
        account_id: int4 = row.account.0 as i32;
        instrument_id: int4 = row.instrument.0 as i32;
        qty: dec [Add] = row.qty;
        cost: dec [Add] = row.cost;
        realised: dec [Add] = row.realised;
        fees: dec [Add] = row.fees;
        income: dec [Add] = row.income;
        fills: int8 [Add] = row.fills;
        last_seq: int8 [Set] = row.last_seq as i64;
    }
}

/// A change of an account of a currency's ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BalanceChange {
    /// Class of the chart.
    pub(crate) class: u8,
    /// The account within the class.
    pub(crate) owner: u32,
    /// The client's account; none for the firm's.
    pub(crate) account: AccountId,
    /// Currency.
    pub(crate) currency: u16,
    /// Held on the debit side.
    pub(crate) debits_pending: i128,
    /// Booked on the debit side.
    pub(crate) debits_posted: i128,
    /// Held on the credit side.
    pub(crate) credits_pending: i128,
    /// Booked on the credit side.
    pub(crate) credits_posted: i128,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table! {
    /// Accounts of currencies' ledgers.
    BALANCES = "balances", key [class, owner_id], of |row: BalanceChange| {
        class: int2 = i16::from(row.class);
        owner_id: int4 = row.owner as i32;
        account_id: int4 = row.account.0 as i32;
        currency_id: int4 = i32::from(row.currency);
        debits_pending: dec [Add] = row.debits_pending;
        debits_posted: dec [Add] = row.debits_posted;
        credits_pending: dec [Add] = row.credits_pending;
        credits_posted: dec [Add] = row.credits_posted;
        last_seq: int8 [Set] = row.last_seq as i64;
    }
}

/// A change of what a node made with an instrument on a trading day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PnlChange {
    /// Trading day.
    pub(crate) day: DayNumber,
    /// Narrowest node.
    pub(crate) node: NodeId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Account.
    pub(crate) account: AccountId,
    /// Currency.
    pub(crate) currency: u16,
    /// Realised profit, before fees.
    pub(crate) realised: i128,
    /// Fees.
    pub(crate) fees: i128,
    /// Dividends and fundings, less the tax withheld from them.
    pub(crate) income: i128,
    /// Realised profit, fees and income in base currency: each piece at the rate of its record, half up to 0.01. Nothing where a rate
    /// is missing.
    pub(crate) base: [Option<i128>; 3],
    /// Executions.
    pub(crate) fills: i64,
    /// Money value of the executions.
    pub(crate) volume: i128,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table! {
    /// Profit by trading day, node and instrument.
    PNL_DAYS = "pnl_days", key [day, node_id, instrument_id], of |row: PnlChange| {
        day: day = row.day;
        node_id: int4 = row.node.0 as i32;
        instrument_id: int4 = row.instrument.0 as i32;
        account_id: int4 = row.account.0 as i32;
        currency_id: int4 = i32::from(row.currency);
        realised: dec [Add] = row.realised;
        fees: dec [Add] = row.fees;
        income: dec [Add] = row.income;
        fills: int8 [Add] = row.fills;
        volume: dec [Add] = row.volume;
        last_seq: int8 [Set] = row.last_seq as i64;
        realised_base: opt_dec [Both] @ 4 = row.base[0];
        fees_base: opt_dec [Both] @ 4 = row.base[1];
        income_base: opt_dec [Both] @ 4 = row.base[2];
    }
}

/// What a node was worth on a day, or the part of it that a batch saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EquityDay {
    /// UTC date.
    pub(crate) day: DayNumber,
    /// The node.
    pub(crate) node: NodeId,
    /// Equity in base currency: the first, highest, lowest and last figure.
    pub(crate) equity: [i128; 4],
    /// Balance in base currency as it was said last, where it was.
    pub(crate) balance: Option<i128>,
    /// 1 where the last figure is that of our own books, 0 where somebody else gave it.
    pub(crate) is_own: u8,
    /// Figures.
    pub(crate) figures: i64,
    /// When the last one was taken.
    pub(crate) updated_ns: UnixNanos,
    /// Its number.
    pub(crate) last_seq: u64,
}

impl EquityDay {
    /// Lays what came later over it.
    pub(crate) fn merge(&mut self, later: &Self) {
        let ([open, high, low, _], [_, high2, low2, close]) = (self.equity, later.equity);
        *self = Self {
            equity: [open, high.max(high2), low.min(low2), close],
            balance: later.balance.or(self.balance),
            figures: self.figures + later.figures,
            ..*later
        };
    }
}

table! {
    /// Equity by day and node.
    EQUITY_DAYS = "equity_days", key [day, node_id], of |row: EquityDay| {
        day: day @ 3 = row.day;
        node_id: int4 @ 3 = row.node.0 as i32;
        first: dec [First] @ 3 = row.equity[0];
        high: dec [High] @ 3 = row.equity[1];
        low: dec [Low] @ 3 = row.equity[2];
        equity: dec [Set] @ 3 = row.equity[3];
        balance: opt_dec [Last] @ 3 = row.balance;
        is_own: int2 [Set] @ 3 = i16::from(row.is_own);
        figures: int8 [Add] @ 3 = row.figures;
        updated: time [Set] @ 3 = row.updated_ns;
        last_seq: int8 [Set] @ 3 = row.last_seq as i64;
    }
}
