//! Rows of other crates, described. A test compares them with rows as they are written.

use crate::schema::{Schema, object};

/// What stands beside rows of the present.
pub(crate) const AS_OF: &[(&str, &str, &str)] = &[
    ("as_of", "count", "Number of the last input in the answer."),
    ("as_of_time", "time?", "When the engine took it."),
];

/// What stands beside rows of the past.
pub(crate) const PAGE: &[(&str, &str, &str)] = &[
    (
        "next_cursor",
        "text?",
        "For the next page; none where this was the last.",
    ),
    (
        "as_of",
        "count",
        "Number of the last input that the store knows of.",
    ),
];

/// One row of the present.
pub(crate) fn one(row: Schema) -> Schema {
    let mut schema = object("A row.", AS_OF);
    schema["properties"]["data"] = row;
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("data".into());
    }
    schema
}

pub(crate) fn order_schema() -> Schema {
    object(
        "An order.",
        &[
            ("order_id", "text", "`SHARD-COUNTER`."),
            ("cl_ord_id", "text", "The client's identifier."),
            ("account", "text", "Account."),
            (
                "node",
                "text",
                "The narrowest node: the account itself, or a strategy below it.",
            ),
            ("symbol", "text", "Instrument."),
            ("side", "text", "Side."),
            ("type", "text", "Order type."),
            ("tif", "text", "Time in force."),
            ("qty", "decimal", "Total quantity."),
            ("cum", "decimal", "Filled quantity."),
            ("leaves", "decimal", "Open quantity."),
            ("px", "decimal?", "Limit price."),
            ("stop_px", "decimal?", "Stop price."),
            ("avg_px", "decimal?", "Average price of its fills."),
            ("state", "text", "State."),
            ("reserved_cash", "decimal", "Cash held for it."),
            ("currency", "text", "Currency of the cash."),
            ("session", "count", "Client session."),
            ("created", "time?", "When it was taken."),
            ("updated", "time?", "When it changed last."),
            ("last_seq", "count", "Number of the input that changed it last."),
        ],
    )
}

pub(crate) fn position_schema() -> Schema {
    object(
        "A position.",
        &[
            ("account", "text", "Account."),
            ("symbol", "text", "Instrument."),
            ("qty", "decimal", "Signed quantity."),
            ("avg_px", "decimal?", "Average price; none for a flat position."),
            ("mark", "decimal?", "The price that values it."),
            ("value", "decimal?", "Signed market value in its currency."),
            ("value_base", "decimal?", "The same in base currency."),
            ("cost", "decimal", "Money paid for it (long) or received (short)."),
            ("unrealised", "decimal?", "Profit at the mark."),
            ("realised", "decimal", "Realised profit, before fees."),
            ("fees", "decimal", "Fees paid, rebates subtracted."),
            ("currency", "text", "Currency of the money."),
            ("kind", "text", "Kind of instrument."),
            ("sector", "text", "Sector."),
            ("fills", "count", "Executions."),
        ],
    )
}

pub(crate) fn balance_schema() -> Schema {
    object(
        "Money of an account in one currency.",
        &[
            ("account", "text", "Account."),
            ("currency", "text", "Currency."),
            ("settled", "decimal", "Booked."),
            ("pending_in", "decimal", "What unsettled trades bring in."),
            ("pending_out", "decimal", "What unsettled trades cost."),
            ("reserved", "decimal", "Held for open orders."),
            (
                "available",
                "decimal",
                "Settled less what goes out and what is held; in a margin account with what comes in. A BUYING_POWER limit with `unsettled_ok` lets a cash account spend what comes in too.",
            ),
            (
                "withdrawable",
                "decimal",
                "What may leave the firm: available and settled.",
            ),
            (
                "trade_date_balance",
                "decimal",
                "What is settled once every trade is.",
            ),
        ],
    )
}

pub(crate) fn trade_schema() -> Schema {
    object(
        "An execution.",
        &[
            ("seq", "count", "Number of its input."),
            ("part", "count", "Part of the group; 0 for the input itself."),
            ("time", "time?", "When the engine took it."),
            ("kind", "text", "FILL, TRADE, CORRECT or BUST."),
            ("exec_id", "text", "The venue's identifier."),
            (
                "ref_seq",
                "any?",
                "Of a bust or correction: number of the trade as it was booked.",
            ),
            ("order_id", "text?", "Our order."),
            ("account", "text", "Account."),
            ("node", "text", "The narrowest node."),
            ("symbol", "text", "Instrument."),
            ("side", "text", "Side."),
            ("qty", "decimal", "Quantity; of a bust what is taken back."),
            ("px", "decimal", "Price."),
            ("principal", "decimal", "Money value."),
            ("fee", "decimal", "Fee."),
            ("currency", "text", "Currency of the money."),
            (
                "realised",
                "decimal",
                "Profit of the part that closed a position.",
            ),
            ("leaves", "decimal?", "Open quantity of the order after it."),
            ("liquidity", "text?", "MAKER or TAKER."),
            ("flags", "text", "What the engine noted."),
        ],
    )
}

pub(crate) fn refusal_schema() -> Schema {
    object(
        "A refused order, request or trade.",
        &[
            ("seq", "count", "Number of its input."),
            ("part", "count", "Part of the group."),
            ("time", "time?", "When the engine took it."),
            ("kind", "text", "What was refused."),
            (
                "cl_ord_id",
                "text",
                "The client's identifier, or the venue's of a trade.",
            ),
            ("account", "text", "Account; empty where none exists."),
            ("node", "text", "The narrowest node."),
            ("symbol", "text", "Instrument; empty where none exists."),
            ("side", "text?", "Side."),
            ("qty", "decimal?", "Quantity."),
            ("px", "decimal?", "Price."),
            ("code", "text", "Reject code."),
            ("limit", "text?", "The limit that spoke."),
            ("used", "text?", "What it found."),
            ("hard", "text?", "What it allows."),
            ("unit", "text", "What those count."),
            ("reason", "text", "In plain words."),
        ],
    )
}

pub(crate) fn profit_schema() -> Schema {
    object(
        "Profit of a group in one currency.",
        &[
            (
                "group",
                "text",
                "STRATEGY, ACCOUNT, USER, DESK, ORG, FIRM, INSTRUMENT or SECTOR.",
            ),
            ("name", "text", "Code, symbol or sector."),
            ("currency", "text", "Currency."),
            ("realised", "decimal", "Realised, before fees."),
            ("unrealised", "decimal", "At the marks."),
            ("fees", "decimal", "Fees paid."),
            ("income", "decimal", "Dividends and fundings, less tax."),
            ("total", "decimal", "Realised, unrealised and income less fees."),
            ("total_base", "decimal?", "Total in base currency."),
            ("open", "count", "Open positions."),
            ("unmarked", "count", "Open positions without a mark."),
        ],
    )
}

pub(crate) fn profit_point_schema() -> Schema {
    object(
        "Profit at a moment, in base currency.",
        &[
            ("time", "time?", "The moment: every input before it is counted."),
            ("realised", "decimal", "Realised, before fees."),
            ("unrealised", "decimal", "At the marks."),
            ("fees", "decimal", "Fees paid."),
            ("income", "decimal", "Dividends and fundings, less tax."),
            ("total", "decimal", "Realised, unrealised and income less fees."),
        ],
    )
}

pub(crate) fn limit_schema() -> Schema {
    object(
        "A limit and what is used of it.",
        &[
            ("label", "text", "Label."),
            ("type", "text", "Type."),
            ("scope", "text", "Node that it binds."),
            ("level", "text", "Level of the node."),
            ("symbol", "text?", "Only this instrument."),
            ("used", "text?", "What is used."),
            ("hard", "text", "What must not be exceeded."),
            ("unit", "text", "What the two count."),
            ("used_pct", "any?", "Whole percent, rounded down."),
            ("soft_pct", "count", "Warning threshold in percent; 0 for none."),
            ("action", "text", "What a breach does."),
            ("status", "text", "OK, WARN or BREACH."),
        ],
    )
}

pub(crate) fn market_schema() -> Schema {
    object(
        "The market of an instrument.",
        &[
            ("symbol", "text", "Instrument."),
            ("bid", "decimal?", "Best bid."),
            ("bid_qty", "decimal?", "Quantity at the bid."),
            ("ask", "decimal?", "Best offer."),
            ("ask_qty", "decimal?", "Quantity at the offer."),
            ("last", "decimal?", "Last trade of the market."),
            ("last_qty", "decimal?", "Its quantity."),
            ("mark", "decimal?", "What values positions."),
            (
                "change_pct",
                "decimal?",
                "Mark against the first one seen, in percent.",
            ),
            ("status", "text", "TRADING or HALTED."),
            ("currency", "text", "Currency."),
            ("kind", "text", "Kind of instrument."),
            ("sector", "text", "Sector."),
            ("updated", "time?", "Last quote, trade or mark."),
        ],
    )
}

pub(crate) fn summary_schema() -> Schema {
    object(
        "Counts and sums.",
        &[
            ("base_currency", "text", "Base currency."),
            ("accounts", "count", "Accounts."),
            ("open_positions", "count", "Open positions."),
            ("open_orders", "count", "Open orders."),
            (
                "long_value",
                "decimal",
                "Value of long positions in base currency.",
            ),
            ("short_value", "decimal", "Value of short positions, above zero."),
            (
                "profit",
                "decimal",
                "Profit in base currency: realised, unrealised and income less fees.",
            ),
            ("realised", "decimal", "Realised part of it, before fees."),
            ("unrealised", "decimal", "Unrealised part of it."),
            ("fees", "decimal", "Fees in it."),
            ("income", "decimal", "Dividends and fundings in it."),
            (
                "not_valued",
                "count",
                "Positions left out for want of a mark or rate.",
            ),
            (
                "limits_warn",
                "count",
                "Limits at or above their warning threshold.",
            ),
            ("limits_breached", "count", "Limits that are used up or broken."),
            ("restricted_nodes", "count", "Nodes that do not trade freely."),
            (
                "recon_breaks",
                "count",
                "Breaks of reconciliation that wait for their code.",
            ),
        ],
    )
}
