//! What goes in and out of reconciliation, as the document describes it.

use crate::schema::{Schema, Wire, object};
use serde_json::json;

/// A statement as JSON; it is read as a whole (docs/recon.md).
pub(super) struct Lines;

impl Wire for Lines {
    fn schema() -> Schema {
        let line = object(
            "A line of a statement.",
            &[
                ("type", "text", "POSITION, CASH or TRADE."),
                ("account", "text", "Our code of the account."),
                ("name", "text?", "Instrument of a position, currency of cash."),
                ("amount", "decimal?", "Signed quantity, or amount."),
                ("symbol", "text?", "Instrument of a trade."),
                ("side", "text?", "BUY, SELL or SELL_SHORT."),
                ("qty", "decimal?", "Quantity of a trade."),
                ("px", "decimal?", "Price of a trade."),
                ("exec_id", "text?", "The venue's identifier of a trade."),
                ("order_id", "text?", "Our order that it filled."),
                ("venue", "text?", "Number of the venue, as text."),
                ("fee", "decimal?", "Fee, below zero for a rebate."),
                ("time", "time?", "When it was traded."),
            ],
        );
        let mut schema = object("A statement.", &[]);
        schema["properties"]["lines"] = json!({ "type": "array", "items": line });
        schema["required"] = json!(["lines"]);
        schema
    }
}

pub(super) fn break_schema() -> Schema {
    object(
        "A line on which a statement and our books were not alike.",
        &[
            ("id", "count", "Number of the record that opened it."),
            ("state", "text", "EXPLAINED, OPEN, GONE or RESOLVED."),
            ("status", "text", "What lies between the sides."),
            ("severity", "text", "INFO, WARNING, ERROR or CRITICAL."),
            ("about", "text", "POSITION, CASH or TRADE."),
            ("account", "text", "Account, as the statement names it."),
            ("item", "text", "Instrument or currency."),
            ("identifier", "text?", "Identifier of a trade."),
            ("ours", "decimal", "Our settled figure, or our trade's quantity."),
            (
                "traded",
                "decimal",
                "The same with trades that are not settled yet.",
            ),
            ("theirs", "decimal", "What the statement says."),
            ("diff", "decimal", "Ours less theirs."),
            ("our_px", "decimal?", "Price of our trade."),
            ("their_px", "decimal?", "Price of the statement's trade."),
            ("fields", "any", "Fields of a trade that differ."),
            ("opened", "time", "When it was found first."),
            (
                "age_days",
                "count",
                "Whole days since then, or until it was closed.",
            ),
            ("seen", "time", "When it was found last."),
            ("found", "count", "Runs that found it."),
            ("run", "count", "Number of the last one."),
            (
                "reopened",
                "count",
                "How often it was found again after it had been closed.",
            ),
            ("assignee", "text?", "Who is to see to it."),
            ("resolution", "text?", "The code by which it was closed."),
            ("resolved", "time?", "When."),
            (
                "restricted_by",
                "count?",
                "The control that restricts its instrument, while it does.",
            ),
            ("notes", "any", "What people said of it, oldest first."),
        ],
    )
}

pub(super) fn run_schema() -> Schema {
    object(
        "A reconciliation.",
        &[
            ("id", "count", "Its number."),
            ("time", "time", "When."),
            ("author", "text", "Who asked for it."),
            ("source", "text", "The statement's name."),
            ("statement", "text", "BLAKE3 of the statement."),
            ("as_of_seq", "count", "Last input of our side."),
            ("as_of", "time?", "Its time."),
            ("tolerance", "decimal", "Cash could differ by this much."),
            ("accounts", "count", "Accounts of the statement."),
            ("is_complete", "flag", "False where it was cut off."),
            ("matched", "count", "Lines that are alike."),
            ("explained", "count", "Lines that explain themselves."),
            ("breaks", "count", "Lines that break."),
        ],
    )
}

pub(super) fn compared_schema() -> Schema {
    let holding = object(
        "A position, or cash.",
        &[
            ("account", "text", "Account."),
            ("item", "text", "Instrument or currency."),
            ("status", "text", "What lies between the sides."),
            ("severity", "text", "How bad it is."),
            ("settled", "decimal", "Our settled figure."),
            (
                "traded",
                "decimal",
                "The same with trades that are not settled yet.",
            ),
            ("broker", "decimal", "The statement's."),
            ("diff", "decimal", "Ours, settled, less the statement's."),
        ],
    );
    let trade = object(
        "A trade of ours, one of theirs, or both.",
        &[
            ("account", "text", "Account."),
            ("status", "text", "What lies between the sides."),
            ("severity", "text", "How bad it is."),
            (
                "exec_id",
                "text",
                "The venue's identifier; empty where neither side has one.",
            ),
            ("symbol", "text", "Instrument."),
            ("ours", "text?", "Ours in words."),
            ("theirs", "text?", "Theirs in words."),
            ("fields", "any", "Fields that differ."),
        ],
    );
    let mut schema = object(
        "What lies between a statement and our books.",
        &[
            (
                "as_of_seq",
                "count",
                "Number of the last input that our side has.",
            ),
            ("as_of_time", "time", "When the engine took it."),
            ("breaks", "count", "Lines that break."),
            (
                "journaled",
                "any?",
                "Number of the run, breaks that are new, those that were known, instruments that were restricted; null after a dry run.",
            ),
        ],
    );
    schema["properties"]["holdings"] = json!({ "type": "array", "items": holding });
    schema["properties"]["trades"] = json!({ "type": "array", "items": trade });
    if let Some(required) = schema["required"].as_array_mut() {
        required.extend([json!("holdings"), json!("trades")]);
    }
    schema
}
