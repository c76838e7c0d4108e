//! Rows of the store's lists, as the document describes them. A test holds each list's rows against them.

use crate::endpoints::rows::PAGE;
use crate::schema::{Schema, object, rows};

pub(super) fn order_page() -> Schema {
    let row = object(
        "An order.",
        &[
            ("order_id", "text", "Order id, SHARD-COUNTER."),
            ("day", "text", "Trading day on which it was entered."),
            ("seq", "count", "Number of the input that entered it."),
            ("last_seq", "count", "Number of the last input that changed it."),
            ("entered_ns", "count", "When it was entered."),
            ("updated_ns", "count", "When it changed last."),
            ("cl_ord_id", "text", "The client's identifier now."),
            ("session", "count", "Client session."),
            ("account", "text", "Account."),
            (
                "node",
                "text",
                "The narrowest node: the account itself, or a strategy below it.",
            ),
            ("symbol", "text", "Instrument."),
            ("side", "text", "Side."),
            ("ord_type", "text", "Order type."),
            ("tif", "text", "Time in force."),
            ("qty", "decimal", "Total quantity."),
            ("px", "decimal?", "Limit price; none where it has none."),
            ("stop_px", "decimal?", "Stop price."),
            ("cum", "decimal", "Filled quantity."),
            ("leaves", "decimal", "Open quantity."),
            (
                "avg_px",
                "decimal?",
                "Average price of its fills, rounded half up to 1e-8; none without fills.",
            ),
            ("state", "text", "State."),
            ("currency", "text", "Currency of the prices."),
            (
                "venue_order_id",
                "text",
                "The venue's name for it; empty until the venue has answered.",
            ),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn trade_page() -> Schema {
    let row = object(
        "A trade: a fill of one of our orders, or one executed elsewhere for one of our accounts.",
        &[
            ("seq", "count", "Number of the input that booked it."),
            ("day", "text", "Trading day on which it was booked."),
            ("recv_ns", "count", "When ingest took it."),
            (
                "origin_ns",
                "count",
                "When it happened, as its source says; 0 where it does not.",
            ),
            ("exec_id", "text", "The venue's identifier."),
            (
                "order_id",
                "text?",
                "The order that it filled; none for trades without one.",
            ),
            ("account", "text", "Account."),
            ("node", "text", "Narrowest node."),
            ("symbol", "text", "Instrument."),
            ("side", "text", "Side."),
            ("qty", "decimal", "Quantity."),
            ("px", "decimal", "Price."),
            ("principal", "decimal", "Money value."),
            ("fee", "decimal", "Fee, negative for a rebate."),
            (
                "realised",
                "decimal",
                "Profit that it realised, before fees; what later busts and corrections did to profit stands on their own records.",
            ),
            ("currency", "text", "Currency of the money."),
            ("venue", "count?", "Venue; none where it was not given."),
            ("status", "text", "BOOKED, CORRECTED or BUSTED."),
            (
                "changed_seq",
                "count?",
                "Number of the input that corrected or busted it last; none for others.",
            ),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn refusal_page() -> Schema {
    let row = object(
        "An input that was refused.",
        &[
            ("seq", "count", "Its number."),
            ("part", "count", "Part of the input's group."),
            ("day", "text", "Day, in UTC."),
            ("recv_ns", "count", "When ingest took it."),
            ("on", "text", "What it was, for example order_new."),
            ("code", "text", "Reject code's name."),
            ("code_number", "count", "Its number."),
            (
                "account",
                "text",
                "Account; empty where it did not resolve, or is about none.",
            ),
            ("symbol", "text", "Instrument; empty likewise."),
            (
                "identifier",
                "text",
                "The client's or venue's identifier of the message; empty where it has none.",
            ),
            ("text", "text", "What the source or normalize noted on it."),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn limit_event_page() -> Schema {
    let row = object(
        "A limit that spoke.",
        &[
            ("seq", "count", "Number of the input that it spoke on."),
            ("part", "count", "Part of the input's group."),
            ("line", "count", "Line within the record, from 0."),
            ("day", "text", "Day, in UTC."),
            ("recv_ns", "count", "When ingest took the input."),
            ("on", "text", "What it spoke on, for example order_new."),
            ("kind", "text", "REFUSED, WARNED, ALERTED or FLOOR."),
            (
                "limit",
                "text",
                "Name of the limit; empty for a rule that is no limit.",
            ),
            ("limit_type", "text", "Its type; empty where it has none."),
            ("level", "text", "Level of its node."),
            (
                "account",
                "text",
                "Account of the order or trade; empty where it is about none.",
            ),
            ("symbol", "text", "Instrument; empty where it is about none."),
            ("order_id", "text?", "The order; none where it is about none."),
            ("code", "text", "Reject code's name."),
            (
                "used",
                "text",
                "What is used after the event, in the limit's unit.",
            ),
            (
                "hard",
                "text",
                "What is allowed, in the same unit; none where nothing bounds it.",
            ),
            ("unit", "text", "The unit."),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn profit_page() -> Schema {
    let row = object(
        "Profit of one group in one currency.",
        &[
            ("day", "text?", "Trading day; none where all days are summed."),
            ("group", "text", "The group: its name, or ACCOUNT/SYMBOL."),
            ("currency", "text", "Currency."),
            ("realised", "decimal", "Realised, before fees."),
            ("fees", "decimal", "Fees paid, rebates subtracted."),
            ("income", "decimal", "Income: dividends, funding, interest."),
            ("net", "decimal", "Realised and income less fees."),
            ("fills", "count", "Executions that were not taken back."),
            ("volume", "decimal", "Money value of the executions."),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn bar_page() -> Schema {
    let row = object(
        "What the market did in one second or minute: its trades, and the quotes at its end.",
        &[
            ("symbol", "text", "Instrument."),
            ("begin_ns", "count", "Begin, in nanoseconds."),
            ("open", "decimal?", "First trade; none without trades."),
            ("high", "decimal?", "Highest trade."),
            ("low", "decimal?", "Lowest trade."),
            ("close", "decimal?", "Last trade."),
            ("volume", "decimal", "Quantity traded."),
            (
                "turnover",
                "decimal",
                "Money traded: sum of price times quantity at 1e-16, for the volume-weighted price.",
            ),
            ("trades", "count", "Trades."),
            (
                "bid",
                "decimal?",
                "Best bid at the end; none where there was no quote with a bid.",
            ),
            ("ask", "decimal?", "Best offer at the end."),
            ("quotes", "count", "Quotes."),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn entry_page() -> Schema {
    let row = object(
        "One entry: an amount that moves between two accounts of one ledger.",
        &[
            ("seq", "count", "Number of the input that posted it."),
            (
                "part",
                "count",
                "Part of the input's group: 0 for the input itself.",
            ),
            ("line", "count", "Line within the record, from 0."),
            ("day", "text", "Trading day."),
            ("recv_ns", "count", "When ingest took the input."),
            (
                "template",
                "text",
                "What kind of movement: the posting's template.",
            ),
            ("phase", "text", "PENDING, RELEASE or POSTED."),
            (
                "account",
                "text",
                "Whose it is; empty where no client takes part.",
            ),
            (
                "debit",
                "text",
                "Debited account of the chart, for example CASH:ACC-1:USD.",
            ),
            ("credit", "text", "Credited account."),
            ("ledger", "text", "The ledger: a currency or an instrument."),
            ("amount", "decimal", "Amount, above zero."),
        ],
    );
    rows(row, PAGE)
}

pub(super) fn audit_page() -> Schema {
    let row = object(
        "A line of the audit trail.",
        &[
            ("seq", "count", "Number of the input."),
            ("part", "count", "Part of the input's group."),
            ("day", "text", "Day, in UTC."),
            ("recv_ns", "count", "When ingest took it."),
            ("kind", "text", "What kind of event it is."),
            ("author", "text", "Who; empty for the engine itself."),
            (
                "second",
                "text",
                "The second person of a dual control; empty where there was none.",
            ),
            (
                "subject",
                "text",
                "What it is about: a node, limit, instrument, incident, by name.",
            ),
            ("detail", "text", "What it says, as a JSON object."),
            ("reason", "text", "The reason given."),
            (
                "refused",
                "text",
                "Reject code's name; empty where it was accepted.",
            ),
        ],
    );
    rows(row, PAGE)
}
