//! State as tables: positions, balances, open orders, profit, limits. Sorted by name, so that two listings can be compared.
//!
//! Decimals are text without trailing zeros, money in the currency named beside it.

use crate::figures::Unit;
use crate::names::{Names, px_or_none};
use crate::replica::Replica;
use serde::Serialize;
use std::collections::BTreeMap;
use tradewind_books::position::{AccountTotals, PositionRow};
use tradewind_domain::codes::{ControlState, Level, LimitAction, LimitType};
use tradewind_domain::fixed::{Money, Qty};
use tradewind_domain::ids::{HoldingId, Seq};
use tradewind_domain::time::UnixNanos;
use tradewind_risk::hierarchy::{NodeRow, node_flags};
use tradewind_risk::limit_check::{ALERT_PCT, LimitUse};
use tradewind_risk::orders::table::OrderRow;

/// Everything that the engine holds after an input.
#[derive(Clone, Debug, Serialize)]
pub struct StateView {
    /// Number of the last input.
    pub last_seq: Seq,
    /// When ingest took it, in nanoseconds.
    pub last_recv_ns: UnixNanos,
    /// The currency of limit values; empty before there is one.
    pub base_currency: String,
    /// Positions that ever traded, flat ones included.
    pub positions: Vec<PositionView>,
    /// Money by account and currency.
    pub balances: Vec<BalanceView>,
    /// Open orders.
    pub orders: Vec<OrderLine>,
    /// Profit by account and currency.
    pub pnl: Vec<PnlView>,
    /// Limits in force.
    pub limits: Vec<LimitView>,
    /// Nodes that do not trade freely.
    pub restrictions: Vec<RestrictionView>,
    /// Tables with a configured capacity, and how full they are.
    pub tables: Vec<TableView>,
}

impl StateView {
    /// Tables that are so full that somebody should know.
    pub fn full_tables(&self) -> impl Iterator<Item = &TableView> {
        self.tables.iter().filter(|table| table.used_pct >= ALERT_PCT)
    }
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionView {
    /// Account.
    pub account: String,
    /// Instrument.
    pub symbol: String,
    /// Signed quantity.
    pub qty: String,
    /// Average price; none for a flat position.
    pub avg_px: Option<String>,
    /// Money paid for it (long) or received (short).
    pub cost: String,
    /// Realised profit, before fees.
    pub realised: String,
    /// Profit at the mark; none without a mark.
    pub unrealised: Option<String>,
    /// Fees paid, rebates subtracted.
    pub fees: String,
    /// The price that values it.
    pub mark: Option<String>,
    /// Currency of the money.
    pub currency: String,
    /// Executions.
    pub fills: u64,
}

/// Money of an account in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BalanceView {
    /// Account.
    pub account: String,
    /// Currency.
    pub currency: String,
    /// Booked.
    pub settled: String,
    /// What unsettled trades bring in.
    pub pending_in: String,
    /// What unsettled trades cost.
    pub pending_out: String,
    /// Held for open orders.
    pub reserved: String,
    /// Settled less what goes out and what is reserved; in a margin account with what comes in.
    pub available: String,
    /// What may leave the firm: available and settled. Collateral of binary shorts is not taken off.
    pub withdrawable: String,
    /// What is settled once every trade is.
    pub trade_date_balance: String,
}

/// An open order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderLine {
    /// Order id, `SHARD-COUNTER`.
    pub order_id: String,
    /// The client's identifier.
    pub cl_ord_id: String,
    /// Client session.
    pub session: u32,
    /// Account.
    pub account: String,
    /// The narrowest node: the account itself, or a strategy below it.
    pub node: String,
    /// Instrument.
    pub symbol: String,
    /// Side.
    pub side: String,
    /// Order type.
    pub ord_type: String,
    /// Time in force.
    pub tif: String,
    /// Total quantity.
    pub qty: String,
    /// Filled quantity.
    pub cum: String,
    /// Open quantity.
    pub leaves: String,
    /// Limit price.
    pub px: Option<String>,
    /// Stop price.
    pub stop_px: Option<String>,
    /// State.
    pub state: String,
    /// Cash held, a pending replace included.
    pub reserved_cash: String,
    /// Limit value held, in base currency.
    pub reserved_value: String,
    /// Currency of the cash.
    pub currency: String,
}

/// Profit of an account in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PnlView {
    /// Account.
    pub account: String,
    /// Currency.
    pub currency: String,
    /// Realised, before fees.
    pub realised: String,
    /// At the marks.
    pub unrealised: String,
    /// Fees paid.
    pub fees: String,
    /// Dividends and fundings, less tax.
    pub income: String,
    /// Realised, unrealised and income less fees.
    pub total: String,
    /// Open positions.
    pub open: u32,
    /// Open positions without a mark, not in `unrealised`.
    pub unmarked: u32,
}

/// A limit in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitView {
    /// Name.
    pub label: String,
    /// Type.
    pub limit_type: String,
    /// The node that it binds.
    pub scope: String,
    /// Level of that node.
    pub level: String,
    /// Only this instrument; none for all.
    pub symbol: Option<String>,
    /// The figure that must not be exceeded.
    pub hard: String,
    /// What the figure counts.
    pub unit: String,
    /// What a breach does.
    pub action: String,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
}

/// A node that does not trade freely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestrictionView {
    /// Node.
    pub node: String,
    /// Its level.
    pub level: String,
    /// The state that counts: the more severe of what people and limits set.
    pub state: String,
    /// What limits set of it; it may end by itself.
    pub limit_state: String,
    /// What limits do beside: `DISABLED` (orders are refused), `SLOW` (a tenth of the rates).
    pub effects: Vec<&'static str>,
}

/// An instrument or a session that people, or a break of reconciliation, keep from trading freely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetRestriction {
    /// Symbol, or number of the session.
    pub target: String,
    /// `INSTRUMENT` or `SESSION`.
    pub kind: &'static str,
    /// Its state.
    pub state: String,
}

/// A table that refuses with CAPACITY when it is full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableView {
    /// Its setting, without `capacity.`.
    pub table: String,
    /// How much of it is used, in percent.
    pub used_pct: u32,
}

/// The state of a replica.
pub fn state(replica: &Replica) -> StateView {
    let base = replica.registry().base_currency();
    StateView {
        last_seq: replica.last().seq,
        last_recv_ns: replica.last().recv_ns,
        base_currency: base.map_or_else(String::new, |row| row.code.to_string()),
        positions: positions(replica),
        balances: balances(replica),
        orders: orders(replica),
        pnl: pnl(replica),
        limits: limits(replica),
        restrictions: restrictions(replica),
        tables: tables(replica),
    }
}

fn tables(replica: &Replica) -> Vec<TableView> {
    let view = |(table, used_pct): (&str, u32)| TableView {
        table: table.to_owned(),
        used_pct,
    };
    let tables = replica.limit_check().used_pct().into_iter();
    let lots = ("lots", replica.positions().lots_used_pct());
    tables.chain([lots]).map(view).collect()
}

fn positions(replica: &Replica) -> Vec<PositionView> {
    let rows = replica.positions().positions();
    let mut views: Vec<_> = rows
        .map(|(holding, row)| position(replica, holding, row))
        .collect();
    views.sort_by(|a, b| (&a.account, &a.symbol).cmp(&(&b.account, &b.symbol)));
    views
}

fn position(replica: &Replica, holding: HoldingId, row: &PositionRow) -> PositionView {
    let (names, stage) = (Names(replica.registry()), replica.positions());
    let avg_px = stage
        .instrument(row.instrument)
        .and_then(|instrument| row.avg_px(instrument));
    PositionView {
        account: names.account(row.account),
        symbol: names.symbol(row.instrument),
        qty: row.qty.to_string(),
        avg_px: avg_px.map(|raw| Money::from_raw(raw).to_string()),
        cost: row.cost.to_string(),
        realised: row.realised.to_string(),
        unrealised: stage.unrealised(holding).map(|money| money.to_string()),
        fees: row.fees.to_string(),
        mark: stage.mark(row.instrument).map(|px| px.to_string()),
        currency: names.currency_of(row.instrument),
        fills: row.fills,
    }
}

fn balances(replica: &Replica) -> Vec<BalanceView> {
    let names = Names(replica.registry());
    let view = |wallet: tradewind_books::settle::Wallet| BalanceView {
        account: names.account(wallet.account),
        currency: names.currency(wallet.currency),
        settled: wallet.settled.to_string(),
        pending_in: wallet.pending_in.to_string(),
        pending_out: wallet.pending_out.to_string(),
        reserved: wallet.reserved.to_string(),
        available: wallet.available.to_string(),
        withdrawable: wallet.withdrawable().to_string(),
        trade_date_balance: wallet.trade_date_balance().to_string(),
    };
    let mut views: Vec<_> = replica
        .settle()
        .wallets()
        .map(|(_, wallet)| view(wallet))
        .collect();
    views.sort_by(|a, b| (&a.account, &a.currency).cmp(&(&b.account, &b.currency)));
    views
}

/// Open orders, by id.
pub fn orders(replica: &Replica) -> Vec<OrderLine> {
    let mut rows: Vec<_> = replica.limit_check().open_orders().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| row.order_id);
    rows.into_iter().map(|row| order(replica, row)).collect()
}

fn order(replica: &Replica, row: &OrderRow) -> OrderLine {
    let names = Names(replica.registry());
    let qty = |raw: i64| Qty::from_raw(raw).to_string();
    OrderLine {
        order_id: row.order_id.to_string(),
        cl_ord_id: row.cl_ord_id.to_string(),
        session: row.session.0,
        account: names.account(row.account),
        node: names.node(row.leaf),
        symbol: names.symbol(row.instrument),
        side: row.order_side().to_string(),
        ord_type: row.order_type().to_string(),
        tif: row.time_in_force().to_string(),
        qty: qty(row.qty),
        cum: qty(row.cum),
        leaves: qty(row.leaves),
        px: px_or_none(row.px),
        stop_px: px_or_none(row.stop_px),
        state: row.order_state().to_string(),
        reserved_cash: row.reserved_cash().to_string(),
        reserved_value: row.reserved_value().to_string(),
        currency: names.currency(row.currency),
    }
}

/// One walk over all positions, however many accounts there are.
fn pnl(replica: &Replica) -> Vec<PnlView> {
    let (names, stage) = (Names(replica.registry()), replica.positions());
    let mut sums: BTreeMap<(String, String), (AccountTotals, Money)> = BTreeMap::new();
    for (holding, row) in stage.positions() {
        let key = (names.account(row.account), names.currency_of(row.instrument));
        let (totals, income) = sums.entry(key).or_default();
        let earned = stage.income(holding).map_or(Money::ZERO, |row| row.net());
        *income = sum(*income, earned);
        totals.realised = sum(totals.realised, row.realised);
        totals.fees = sum(totals.fees, row.fees);
        if row.qty.is_zero() {
            continue;
        }
        totals.open += 1;
        match stage.unrealised(holding) {
            Some(unrealised) => totals.unrealised = sum(totals.unrealised, unrealised),
            None => totals.unmarked += 1,
        }
    }
    let view =
        |((account, currency), (totals, income)): ((String, String), (AccountTotals, Money))| PnlView {
            account,
            currency,
            realised: totals.realised.to_string(),
            unrealised: totals.unrealised.to_string(),
            fees: totals.fees.to_string(),
            income: income.to_string(),
            total: sum(totals.total(), income).to_string(),
            open: totals.open,
            unmarked: totals.unmarked,
        };
    sums.into_iter().map(view).collect()
}

fn sum(a: Money, b: Money) -> Money {
    Money::from_raw(a.raw().wrapping_add(b.raw())) // as the stage does: sums of 2^47 amounts fit
}

/// Limits in force, by scope and label.
pub fn limits(replica: &Replica) -> Vec<LimitView> {
    let mut views: Vec<_> = replica
        .limit_check()
        .limits()
        .map(|used| limit(replica, &used))
        .collect();
    views.sort_by(|a, b| (&a.scope, &a.label).cmp(&(&b.scope, &b.label)));
    views
}

fn limit(replica: &Replica, used: &LimitUse<'_>) -> LimitView {
    let (names, row) = (Names(replica.registry()), used.row);
    let limit_type = LimitType::from_code(row.limit_type);
    let unit = limit_type.map(Unit::of_limit);
    LimitView {
        label: names.limit(used.id),
        limit_type: limit_type.map_or_else(|| row.limit_type.to_string(), |known| known.to_string()),
        scope: names.node(row.node),
        level: level(used.node.level),
        symbol: (!row.instrument.is_none()).then(|| names.symbol(row.instrument)),
        hard: unit.map_or_else(
            || row.hard.to_string(),
            |unit| unit.show(row.hard, &row.all_params()),
        ),
        unit: unit.map_or("", Unit::text).to_owned(),
        action: limit_action(limit_type, row.action, &row.all_params()),
        soft_pct: row.soft_pct,
    }
}

/// What a breach does: what the limit says, or the state that its type or parameter sets.
pub(crate) fn limit_action(limit_type: Option<LimitType>, code: u8, params: &[i64; 6]) -> String {
    let state = match limit_type {
        Some(LimitType::DailyLoss) => params[0],
        Some(LimitType::MaxDdStatic) => params[1],
        Some(LimitType::MaxDdTrailing) => params[3],
        Some(LimitType::RepeatedExec) => return "DISABLE".to_owned(),
        _ => return LimitAction::from_code(code).map_or_else(String::new, |action| action.to_string()),
    };
    let known = u8::try_from(state).ok().and_then(ControlState::from_code);
    known.map_or_else(|| state.to_string(), |state| state.to_string())
}

/// Nodes that do not trade freely, by name.
pub fn restrictions(replica: &Replica) -> Vec<RestrictionView> {
    let names = Names(replica.registry());
    let nodes = replica
        .limit_check()
        .nodes()
        .filter(|(_, row)| is_restricted(row));
    let view = |(id, row): (_, &NodeRow)| RestrictionView {
        node: names.node(id),
        level: level(row.level),
        state: control_state(row.control_state()),
        limit_state: control_state(row.limit_state),
        effects: EFFECTS
            .iter()
            .filter(|(flag, _)| row.flags & flag != 0)
            .map(|(_, text)| *text)
            .collect(),
    };
    let mut views: Vec<_> = nodes.map(view).collect();
    views.sort_by(|a, b| a.node.cmp(&b.node));
    views
}

/// Instruments, then sessions, that do not trade freely.
pub fn target_restrictions(replica: &Replica) -> Vec<TargetRestriction> {
    let (names, check) = (Names(replica.registry()), replica.limit_check());
    let is_free = |state: u8| state == ControlState::Active as u8;
    let instruments = check.instrument_states().filter(|(_, state)| !is_free(*state));
    let instruments = instruments.map(|(id, state)| TargetRestriction {
        target: names.symbol(id),
        kind: "INSTRUMENT",
        state: control_state(state),
    });
    let sessions = check.session_states().filter(|(_, state)| !is_free(*state));
    let sessions = sessions.map(|(id, state)| TargetRestriction {
        target: id.0.to_string(),
        kind: "SESSION",
        state: control_state(state),
    });
    instruments.chain(sessions).collect()
}

/// What limits do to a node beside its state.
const EFFECTS: [(u8, &str); 2] = [(node_flags::DISABLED, "DISABLED"), (node_flags::SLOW, "SLOW")];

/// True for a node whose orders are not all treated as a free node's.
pub(crate) fn is_restricted(row: &NodeRow) -> bool {
    let has_effect = row.flags & (node_flags::DISABLED | node_flags::SLOW) != 0;
    row.control_state() != ControlState::Active as u8 || has_effect
}

fn control_state(code: u8) -> String {
    ControlState::from_code(code).map_or_else(|| code.to_string(), |state| state.to_string())
}

pub(crate) fn level(code: u8) -> String {
    Level::from_code(code).map_or_else(|| code.to_string(), |level| level.to_string())
}
