//! Reference data: what accepted admin events said last of each thing that has a name.

use super::opt_px;
use crate::table::table;
use tradewind_domain::text::{Code, Symbol, Text};

/// A currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CurrencyRow {
    /// Its id.
    pub(crate) id: u32,
    /// Its code.
    pub(crate) code: Text<8>,
    /// Decimals of its minor unit.
    pub(crate) money_dp: u8,
    /// Base currency units per unit at 1e-8, as it was said last; 0 where none was.
    pub(crate) rate: i64,
}

table! {
    /// Currencies.
    CURRENCIES = "currencies", key [currency_id], of |row: CurrencyRow| {
        currency_id: int4 = row.id as i32;
        code: text [Set] = row.code.as_str();
        money_dp: int2 [Set] = i16::from(row.money_dp);
        rate: opt_dec [Set] @ 4 = opt_px(row.rate);
    }
}

/// A node of the hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeRow {
    /// Its id.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) code: Code,
    /// Its level.
    pub(crate) level: u8,
    /// The node above; `u32::MAX` for the firm.
    pub(crate) parent: u32,
    /// The account; `u32::MAX` above accounts.
    pub(crate) account: u32,
}

table! {
    /// Nodes of the hierarchy.
    NODES = "nodes", key [node_id], of |row: NodeRow| {
        node_id: int4 = row.id as i32;
        code: text [Set] = row.code.as_str();
        level: int2 [Set] = i16::from(row.level);
        parent_id: int4 [Set] = row.parent as i32;
        account_id: int4 [Set] = row.account as i32;
    }
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountRow {
    /// Its id.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) code: Code,
    /// Its node.
    pub(crate) node: u32,
    /// Cash or margin.
    pub(crate) kind: u8,
    /// Base currency.
    pub(crate) currency: u32,
}

table! {
    /// Accounts.
    ACCOUNTS = "accounts", key [account_id], of |row: AccountRow| {
        account_id: int4 = row.id as i32;
        code: text [Set] = row.code.as_str();
        node_id: int4 [Set] = row.node as i32;
        kind: int2 [Set] = i16::from(row.kind);
        currency_id: int4 [Set] = row.currency as i32;
    }
}

/// An instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InstrumentRow {
    /// Its id.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) symbol: Symbol,
    /// Its sector.
    pub(crate) sector: Symbol,
    /// What it is.
    pub(crate) kind: u8,
    /// Currency of its prices.
    pub(crate) currency: u32,
    /// Its calendar.
    pub(crate) calendar: u32,
    /// Multiplier.
    pub(crate) mult: i64,
    /// Price step.
    pub(crate) tick: i64,
    /// Quantity step.
    pub(crate) lot: i64,
}

table! {
    /// Instruments.
    INSTRUMENTS = "instruments", key [instrument_id], of |row: InstrumentRow| {
        instrument_id: int4 = row.id as i32;
        symbol: text [Set] = row.symbol.as_str();
        sector: text [Set] = row.sector.as_str();
        kind: int2 [Set] = i16::from(row.kind);
        currency_id: int4 [Set] = row.currency as i32;
        calendar_id: int4 [Set] = row.calendar as i32;
        mult: dec [Set] = row.mult.into();
        tick: dec [Set] = row.tick.into();
        lot: dec [Set] = row.lot.into();
    }
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitRow {
    /// Its id.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) label: Code,
    /// Its type.
    pub(crate) limit_type: u8,
    /// The node that it binds.
    pub(crate) node: u32,
    /// Action.
    pub(crate) action: u8,
    /// Warning threshold in percent.
    pub(crate) soft_pct: u8,
    /// 1 where it was removed.
    pub(crate) removed: u8,
    /// The figure as the journal has it.
    pub(crate) hard: i128,
    /// Its first parameter: the period of a rate in milliseconds.
    pub(crate) period_ms: i64,
    /// Its second parameter: what a rate counts.
    pub(crate) algo: i64,
}

table! {
    /// Limits.
    LIMITS = "limits", key [limit_id], of |row: LimitRow| {
        limit_id: int4 = row.id as i32;
        label: text [Set] = row.label.as_str();
        limit_type: int2 [Set] = i16::from(row.limit_type);
        node_id: int4 [Set] = row.node as i32;
        action: int2 [Set] = i16::from(row.action);
        soft_pct: int2 [Set] = i16::from(row.soft_pct);
        removed: int2 [Set] = i16::from(row.removed);
        hard_raw: number [Set] = (row.hard, 0);
        param_0: int8 [Set] = row.period_ms;
        param_1: int8 [Set] = row.algo;
    }
}

/// A client session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionRow {
    /// Its id.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) name: Code,
}

table! {
    /// Client sessions.
    SESSIONS = "sessions", key [session_id], of |row: SessionRow| {
        session_id: int4 = row.id as i32;
        name: text [Set] = row.name.as_str();
    }
}
