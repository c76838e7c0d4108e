//! An order's life as plain data.

use serde::Serialize;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;

/// One order, and everything that happened to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OrderLife {
    /// Order id, `SHARD-COUNTER`; none for an order that was refused.
    pub order_id: Option<String>,
    /// The client's identifier, as the order was sent.
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
    /// Currency of the order's cash.
    pub currency: String,
    /// State after the last event.
    pub state: String,
    /// What happened, oldest first.
    pub events: Vec<OrderEvent>,
}

/// One event of an order's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderEvent {
    /// Number in the sequence.
    pub seq: Seq,
    /// 0 for an input, 1.. for an effect of it.
    pub part: u32,
    /// Kind.
    pub kind: String,
    /// When ingest took it, in nanoseconds.
    pub recv_ns: UnixNanos,
    /// Time since the event before, in nanoseconds; none for the first.
    pub since_previous_ns: Option<u64>,
    /// From receipt to the journal's release, in nanoseconds; none where the journal's time is that of its input.
    pub receipt_to_journal_ns: Option<u64>,
    /// The client's identifier of the request or order.
    pub cl_ord_id: Option<String>,
    /// Quantity that was asked for.
    pub qty: Option<String>,
    /// Limit price that was asked for.
    pub px: Option<String>,
    /// Stop price that was asked for.
    pub stop_px: Option<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// The execution, where it is one.
    pub execution: Option<ExecutionView>,
    /// State before.
    pub state_before: String,
    /// State after.
    pub state_after: String,
    /// What is held for the order, before and after.
    pub reservation: Reservation,
    /// Open quantity after.
    pub leaves: String,
    /// Filled quantity after.
    pub cum: String,
    /// The holding after; none where it never traded.
    pub position: Option<PositionAfter>,
}

/// What was decided about an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// True where it took effect.
    pub accepted: bool,
    /// The reason of a refusal.
    pub code: Option<String>,
    /// All findings of the stages before the decider, as codes.
    pub notes: Vec<String>,
    /// What stands in the record beside: unknown names, the source's text.
    pub text: Option<String>,
    /// Every limit that spoke.
    pub hits: Vec<HitView>,
    /// The first business rule that refused or quarantined it.
    pub rule: Option<RuleView>,
    /// The first business rule that alerted.
    pub rule_alert: Option<RuleView>,
}

/// A business rule that spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// What it does.
    pub action: String,
    /// Its own code.
    pub code: String,
    /// Its own text.
    pub text: String,
}

/// A limit that spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HitView {
    /// `REFUSED`, `WARNED` or `ALERTED`.
    pub kind: String,
    /// The code of a refusal by it.
    pub code: String,
    /// Name of the limit.
    pub limit: String,
    /// Its type.
    pub limit_type: String,
    /// The node that it binds.
    pub scope: String,
    /// Level of that node.
    pub level: String,
    /// Use after the event.
    pub used: String,
    /// The figure that must not be exceeded.
    pub hard: String,
    /// What both count.
    pub unit: String,
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExecutionView {
    /// The venue's identifier.
    pub exec_id: String,
    /// Quantity.
    pub qty: String,
    /// Price.
    pub px: String,
    /// Money value.
    pub principal: String,
    /// Fee, negative for a rebate.
    pub fee: String,
    /// Realised profit, before fees.
    pub realised: String,
    /// What is unusual about it: `LATE_FILL`, `OVERFILL`, `OVERDRAFT`, `BREACH`.
    pub alerts: Vec<String>,
}

/// What is held for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reservation {
    /// Limit value before, in base currency.
    pub value_before: String,
    /// Limit value after.
    pub value_after: String,
    /// Cash before, in the instrument's currency.
    pub cash_before: String,
    /// Cash after.
    pub cash_after: String,
}

/// A holding after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionAfter {
    /// Signed quantity.
    pub qty: String,
    /// Money of the fills that make it up.
    pub cost: String,
    /// Realised profit so far, before fees.
    pub realised: String,
}
