//! How merged rows are laid over what a table holds: statements over a staging table of the same batch.

use crate::rows;
use crate::schema::Dialect::Postgres;

/// What becomes of a column where the row is there already. `t` is the table, `excluded` what comes.
enum Rule {
    Add(&'static str),
    Set(&'static str),
    As(&'static str, &'static str),
}

use Rule::{Add, As, Set};

/// Adds positions.
pub(super) fn positions() -> String {
    let rules = [
        Add("qty"),
        Add("cost"),
        Add("realised"),
        Add("fees"),
        Add("income"),
        Add("fills"),
        Set("last_seq"),
    ];
    upsert(
        rows::POSITIONS.name,
        rows::POSITIONS.columns,
        "holding_id",
        &rules,
    )
}

/// Adds balances.
pub(super) fn balances() -> String {
    let rules = [
        Add("debits_pending"),
        Add("debits_posted"),
        Add("credits_pending"),
        Add("credits_posted"),
        Set("last_seq"),
    ];
    upsert(
        rows::BALANCES.name,
        rows::BALANCES.columns,
        "class, owner_id",
        &rules,
    )
}

/// Adds profit.
pub(super) fn pnl() -> String {
    let rules = [
        Add("realised"),
        Add("fees"),
        Add("income"),
        Add("fills"),
        Add("volume"),
        Set("last_seq"),
    ];
    upsert(
        rows::PNL_DAYS.name,
        rows::PNL_DAYS.columns,
        "day, node_id, instrument_id",
        &rules,
    )
}

/// Lays later parts of bars over earlier ones.
pub(super) fn bars() -> String {
    let rules = [
        As("open", "COALESCE(t.open, excluded.open)"),
        As("high", "GREATEST(t.high, excluded.high)"),
        As("low", "LEAST(t.low, excluded.low)"),
        As("close", "COALESCE(excluded.close, t.close)"),
        Add("volume"),
        Add("turnover"),
        Add("trades"),
        As(
            "bid",
            "CASE WHEN excluded.quotes > 0 THEN excluded.bid ELSE t.bid END",
        ),
        As(
            "ask",
            "CASE WHEN excluded.quotes > 0 THEN excluded.ask ELSE t.ask END",
        ),
        Add("quotes"),
    ];
    upsert(
        rows::BARS.name,
        rows::BARS.columns,
        "seconds, instrument_id, begin_ns",
        &rules,
    )
}

fn upsert(table: &str, columns: &[&str], key: &str, rules: &[Rule]) -> String {
    let sets: Vec<String> = rules
        .iter()
        .map(|rule| match rule {
            Add(name) => format!("{name} = t.{name} + excluded.{name}"),
            Set(name) => format!("{name} = excluded.{name}"),
            As(name, value) => format!("{name} = {value}"),
        })
        .collect();
    let columns = Postgres.column_list(columns);
    format!(
        "INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM stage_{table} \
         ON CONFLICT ({key}) DO UPDATE SET {}",
        sets.join(", ")
    )
}

/// Reference data: the row that comes takes the place of the one that is there.
pub(super) fn replace(table: &str, columns: &[&str]) -> String {
    let key = columns[0];
    let sets: Vec<String> = columns[1..]
        .iter()
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let columns = Postgres.column_list(columns);
    format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM stage_{table} ON CONFLICT ({key}) DO UPDATE SET {}",
        sets.join(", ")
    )
}

/// Lays patches over the orders of one partition, and takes those out of the stage that were laid.
pub(super) fn patch(orders: &str) -> String {
    format!(
        "WITH done AS (UPDATE {orders} t SET last_seq = s.last_seq, updated_at = s.updated_at, updated_ns = s.updated_ns, \
         state = CASE WHEN s.state = 0 THEN t.state ELSE s.state END, cum = s.cum, leaves = s.leaves, value = t.value + s.value, \
         qty = COALESCE(s.restated_qty, CASE WHEN s.is_set THEN s.qty WHEN (s.takes_pending AND t.new_qty IS NOT NULL) THEN t.new_qty + s.pending_shift END, t.qty), \
         px = CASE WHEN s.is_set THEN s.px WHEN (s.takes_pending AND t.new_qty IS NOT NULL) THEN t.new_px ELSE t.px END, \
         stop_px = CASE WHEN s.is_set THEN s.stop_px WHEN (s.takes_pending AND t.new_qty IS NOT NULL) THEN t.new_stop_px ELSE t.stop_px END, \
         cl_ord_id = CASE WHEN s.is_set THEN s.cl_ord_id WHEN (s.takes_pending AND t.new_qty IS NOT NULL) THEN COALESCE(t.new_cl_ord_id, t.cl_ord_id) \
         ELSE t.cl_ord_id END, \
         new_qty = CASE WHEN s.sets_pending THEN s.new_qty WHEN (s.takes_pending AND t.new_qty IS NOT NULL) OR s.is_set THEN NULL ELSE t.new_qty + s.pending_shift END, \
         new_px = CASE WHEN s.sets_pending THEN s.new_px WHEN (s.takes_pending AND t.new_qty IS NOT NULL) OR s.is_set THEN NULL ELSE t.new_px END, \
         new_stop_px = CASE WHEN s.sets_pending THEN s.new_stop_px WHEN (s.takes_pending AND t.new_qty IS NOT NULL) OR s.is_set THEN NULL ELSE t.new_stop_px END, \
         new_cl_ord_id = CASE WHEN s.sets_pending THEN s.new_cl_ord_id WHEN (s.takes_pending AND t.new_qty IS NOT NULL) OR s.is_set THEN NULL ELSE t.new_cl_ord_id END, \
         venue_order_id = COALESCE(s.venue_order_id, t.venue_order_id) \
         FROM stage_order_patches s WHERE t.order_id = s.order_id RETURNING t.order_id) \
         DELETE FROM stage_order_patches s USING done WHERE s.order_id = done.order_id"
    )
}

/// Marks trades of one partition that were corrected or busted, likewise.
pub(super) fn mark(executions: &str) -> String {
    format!(
        "WITH done AS (UPDATE {executions} t SET status = s.status, changed_seq = s.changed_seq \
         FROM stage_restated s WHERE t.seq = s.trade_seq AND t.trade_seq IS NULL RETURNING s.trade_seq) \
         DELETE FROM stage_restated s USING done WHERE s.trade_seq = done.trade_seq"
    )
}

/// The staging tables: those of one connection, emptied with every transaction.
pub(super) fn staging() -> Vec<String> {
    let like = [
        "positions",
        "balances",
        "pnl_days",
        "bars",
        "currencies",
        "nodes",
        "accounts",
        "instruments",
        "limits",
        "sessions",
    ];
    let mut statements: Vec<String> = like
        .iter()
        .map(|table| format!("CREATE TEMP TABLE stage_{table} (LIKE {table}) ON COMMIT DELETE ROWS"))
        .collect();
    statements.push(
        "CREATE TEMP TABLE stage_order_patches (order_id BIGINT, last_seq BIGINT, updated_at TIMESTAMPTZ, updated_ns BIGINT, \
         state SMALLINT, cum NUMERIC, leaves NUMERIC, value NUMERIC, is_set BOOLEAN, qty NUMERIC, px NUMERIC, stop_px NUMERIC, \
         cl_ord_id TEXT, takes_pending BOOLEAN, pending_shift NUMERIC, restated_qty NUMERIC, sets_pending BOOLEAN, new_qty NUMERIC, \
         new_px NUMERIC, new_stop_px NUMERIC, new_cl_ord_id TEXT, venue_order_id TEXT) ON COMMIT DELETE ROWS"
            .to_owned(),
    );
    statements.push(
        "CREATE TEMP TABLE stage_restated (trade_seq BIGINT, changed_seq BIGINT, status SMALLINT) ON COMMIT DELETE ROWS"
            .to_owned(),
    );
    statements
}
