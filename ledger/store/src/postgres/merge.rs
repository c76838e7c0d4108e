//! How merged rows are laid over what a table holds: statements over a staging table of the same batch.

use crate::rows::{ORDER_PATCHES, RESTATED};
use crate::schema::Dialect::Postgres;
use crate::table::{Column, Rule, Table};

/// What a column becomes where the row is there already. `t` is the table, `excluded` what comes. Nothing where it stays.
fn merged(column: &Column) -> Vec<String> {
    let set = |name: String| {
        let value = match column.rule {
            Rule::Stays => return None,
            Rule::Add | Rule::Both => format!("t.{name} + excluded.{name}"),
            Rule::Set => format!("excluded.{name}"),
            Rule::First => format!("COALESCE(t.{name}, excluded.{name})"),
            Rule::High => format!("GREATEST(t.{name}, excluded.{name})"),
            Rule::Low => format!("LEAST(t.{name}, excluded.{name})"),
            Rule::Last => format!("COALESCE(excluded.{name}, t.{name})"),
            Rule::Quoted => format!("CASE WHEN excluded.quotes > 0 THEN excluded.{name} ELSE t.{name} END"),
        };
        Some(format!("{name} = {value}"))
    };
    Postgres.names_of(column).into_iter().filter_map(set).collect()
}

/// Lays the staged rows of a table over it, as its columns say.
pub(super) fn over(table: &Table) -> String {
    let sets: Vec<String> = table.columns.iter().flat_map(merged).collect();
    let (name, columns, key) = (table.name, table.names(Postgres), table.key.join(", "));
    format!(
        "INSERT INTO {name} AS t ({columns}) SELECT {columns} FROM stage_{name} \
         ON CONFLICT ({key}) DO UPDATE SET {}",
        sets.join(", ")
    )
}

/// Makes the staging table of a table: of this connection, emptied with every transaction.
pub(super) fn stage(table: &Table) -> String {
    format!(
        "CREATE TEMP TABLE stage_{} ({}) ON COMMIT DELETE ROWS",
        table.name,
        table.staged()
    )
}

/// Lays patches over the orders of one partition, and takes those out of the stage that were laid.
pub(super) fn patch(orders: &str) -> String {
    // A replace that was asked for before this batch is in the row, and taken over from there.
    const TAKES: &str = "(s.takes_pending AND t.new_qty IS NOT NULL)";
    let now = |name: &str, taken: &str| {
        format!("{name} = CASE WHEN s.is_set THEN s.{name} WHEN {TAKES} THEN {taken} ELSE t.{name} END")
    };
    let asked = |name: &str, kept: &str| {
        format!(
            "{name} = CASE WHEN s.sets_pending THEN s.{name} WHEN {TAKES} OR s.is_set THEN NULL ELSE {kept} END"
        )
    };
    let sets = [
        "last_seq = s.last_seq, updated_at = s.updated_at, updated_ns = s.updated_ns".to_owned(),
        "state = CASE WHEN s.state = 0 THEN t.state ELSE s.state END".to_owned(),
        "cum = s.cum, leaves = s.leaves, value = t.value + s.value".to_owned(),
        format!(
            "qty = COALESCE(s.restated_qty, CASE WHEN s.is_set THEN s.qty \
             WHEN {TAKES} THEN t.new_qty + s.pending_shift END, t.qty)"
        ),
        now("px", "t.new_px"),
        now("stop_px", "t.new_stop_px"),
        now("cl_ord_id", "COALESCE(t.new_cl_ord_id, t.cl_ord_id)"),
        asked("new_qty", "t.new_qty + s.pending_shift"),
        asked("new_px", "t.new_px"),
        asked("new_stop_px", "t.new_stop_px"),
        asked("new_cl_ord_id", "t.new_cl_ord_id"),
        "venue_order_id = COALESCE(s.venue_order_id, t.venue_order_id)".to_owned(),
    ];
    let stage = ORDER_PATCHES.name;
    format!(
        "WITH done AS (UPDATE {orders} t SET {} FROM stage_{stage} s WHERE t.order_id = s.order_id RETURNING t.order_id) \
         DELETE FROM stage_{stage} s USING done WHERE s.order_id = done.order_id",
        sets.join(", ")
    )
}

/// Marks trades of one partition that were corrected or busted, likewise.
pub(super) fn mark(executions: &str) -> String {
    let stage = RESTATED.name;
    format!(
        "WITH done AS (UPDATE {executions} t SET status = s.status, changed_seq = s.changed_seq \
         FROM stage_{stage} s WHERE t.seq = s.trade_seq AND t.trade_seq IS NULL RETURNING s.trade_seq) \
         DELETE FROM stage_{stage} s USING done WHERE s.trade_seq = done.trade_seq"
    )
}
