//! What a comparison comes to, as plain data: names in place of ids, decimals as text. `docs/whatif.md` describes the fields.
//!
//! Not here: rendering.

use serde::Serialize;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;

/// A journal under other limits.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which part of the journal was played.
    pub span: Span,
    /// Currency of values; empty where the journal has none.
    pub base_currency: String,
    /// How the limits differ from those of the journal at the end of the span.
    pub limits: LimitDifference,
    /// Counts by kind of input.
    pub totals: Totals,
    /// Limits by whose word verdicts changed, or that were ever spoken of; by label.
    pub by_limit: Vec<LimitEffect>,
    /// Reasons that are no limit's by which verdicts changed.
    pub by_reason: Vec<ReasonEffect>,
    /// Accounts with changes; by code.
    pub by_account: Vec<AccountEffect>,
    /// Changed verdicts in the order of the journal, at most as many as asked for.
    pub changed: Vec<ChangedOrder>,
    /// All changed verdicts.
    pub changed_count: u64,
    /// What was left out because of orders that the new limits refuse.
    pub dropped: Dropped,
    /// How far the result is exact.
    pub approximation: Approximation,
    /// How much of each new limit was used at most; those nearest to their hard figure first.
    pub peaks: Vec<PeakUse>,
    /// Versions of rules that decided parts of the journal and that this build does not implement: differences there may come
    /// from the rules instead of the limits.
    pub foreign_rules: Vec<u32>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Records played a second, all passes together.
    pub records_per_s: f64,
}

impl Report {
    /// True where the new limits would have changed nothing: no verdict, no reason, no warning, no alert.
    pub fn is_unchanged(&self) -> bool {
        let dropped = &self.dropped;
        self.changed_count == 0
            && (
                dropped.fills,
                dropped.fills_cut,
                dropped.requests,
                dropped.reports,
            ) == (0, 0, 0, 0)
            && self
                .by_limit
                .iter()
                .all(|row| row.warnings_before == row.warnings && row.alerts_before == row.alerts)
    }
}

/// A part of a journal.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Span {
    /// First sequence number.
    pub first_seq: Seq,
    /// Last sequence number.
    pub last_seq: Seq,
    /// When ingest took the first input, in nanoseconds.
    pub first_ns: UnixNanos,
    /// When it took the last one.
    pub last_ns: UnixNanos,
    /// Records.
    pub records: u64,
    /// Inputs among them.
    pub inputs: u64,
}

/// How two sets of limits differ.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LimitDifference {
    /// True where limits of the journal stay in force beside the new ones, with all their changes while it ran.
    pub kept: bool,
    /// Limits in force in the journal, at the end of the span.
    pub before: usize,
    /// Limits in force in the second world.
    pub after: usize,
    /// What differs, by label.
    pub lines: Vec<LimitLine>,
}

/// A limit that is not in both sets as it is in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitLine {
    /// Its label.
    pub label: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// What differs, for people.
    pub text: String,
}

/// Counts by kind of input.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// New orders.
    pub orders: Counts,
    /// Replaces.
    pub replaces: Counts,
    /// Cancels.
    pub cancels: Counts,
    /// Executed trades without an order, and fills.
    pub executions: Counts,
    /// Payments, control states, mass cancels and whatever else can be refused, market data and reports apart.
    pub others: Counts,
}

/// What became of inputs in both worlds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Inputs that were compared.
    pub inputs: u64,
    /// Accepted in the journal.
    pub accepted_before: u64,
    /// Refused in the journal.
    pub rejected_before: u64,
    /// Accepted under the new limits.
    pub accepted: u64,
    /// Refused under the new limits.
    pub rejected: u64,
    /// Accepted in the journal, refused under the new limits.
    pub newly_rejected: u64,
    /// Refused in the journal, accepted under the new limits.
    pub newly_accepted: u64,
    /// Refused in both for another reason, or by another limit.
    pub reason_changed: u64,
    /// Of the new verdicts those that no changed limit gave: knock-on effects of other changes.
    pub knock_on: u64,
}

/// What a limit did.
#[derive(Clone, Debug, Serialize)]
pub struct LimitEffect {
    /// Its label.
    pub label: String,
    /// Its type.
    pub limit_type: String,
    /// Node that it binds.
    pub scope: String,
    /// The one instrument that it looks at; none for all.
    pub symbol: Option<String>,
    /// Hard figure as set in the second world; none where it is not set there.
    pub hard: Option<String>,
    /// Orders and replaces that the journal accepted and this limit refuses.
    pub newly_rejected: u64,
    /// Their value.
    pub newly_rejected_value: String,
    /// Orders and replaces that this limit refused in the journal and that now pass.
    pub newly_accepted: u64,
    /// Their value.
    pub newly_accepted_value: String,
    /// Those of both that are knock-on effects: the limit is the same in both worlds, and what it counts is not.
    pub knock_on: u64,
    /// Warnings in the journal.
    pub warnings_before: u64,
    /// Warnings under the new limits.
    pub warnings: u64,
    /// Breaches that only raised an alert, in the journal.
    pub alerts_before: u64,
    /// Such breaches under the new limits.
    pub alerts: u64,
}

/// What a reason without a limit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonEffect {
    /// The reject code.
    pub code: String,
    /// Orders and replaces that the journal accepted and that are now refused for it.
    pub newly_rejected: u64,
    /// Orders and replaces that the journal refused for it and that now pass.
    pub newly_accepted: u64,
}

/// What the new limits mean for an account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountEffect {
    /// Its code.
    pub account: String,
    /// New orders and replaces.
    pub orders: u64,
    /// Accepted in the journal, refused under the new limits.
    pub newly_rejected: u64,
    /// Their value.
    pub newly_rejected_value: String,
    /// Refused in the journal, accepted under the new limits.
    pub newly_accepted: u64,
    /// Their value.
    pub newly_accepted_value: String,
    /// Fills that would not have been.
    pub fills_dropped: u64,
    /// Their value.
    pub fills_dropped_value: String,
    /// Realised profit by currency, where it differs.
    pub realised: Vec<Realised>,
}

/// Realised profit before fees in both worlds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Realised {
    /// Currency.
    pub currency: String,
    /// In the journal.
    pub before: String,
    /// Under the new limits.
    pub after: String,
}

/// An order, replace, cancel or trade whose verdict changed.
#[derive(Clone, Debug, Serialize)]
pub struct ChangedOrder {
    /// Number in the sequence.
    pub seq: Seq,
    /// When ingest took it, in nanoseconds.
    pub recv_ns: UnixNanos,
    /// Kind of the input.
    pub kind: &'static str,
    /// The client's identifier of an order or request, the venue's of a trade.
    pub id: String,
    /// Account.
    pub account: String,
    /// Narrowest node: the account itself, or a strategy below it.
    pub node: String,
    /// Instrument.
    pub symbol: String,
    /// Side.
    pub side: String,
    /// Quantity; none where it could not be read, or for a cancel.
    pub qty: Option<String>,
    /// Price; none for orders without one.
    pub px: Option<String>,
    /// Value in base currency; none where neither world could price it.
    pub value: Option<String>,
    /// True for a knock-on effect: the limit that decided is the same in both worlds, or it was no limit.
    pub knock_on: bool,
    /// What the journal says.
    pub before: Verdict,
    /// What the new limits say.
    pub after: Verdict,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// True where it took effect.
    pub accepted: bool,
    /// The reason of a refusal.
    pub code: Option<String>,
    /// The limit that refused first; none where it was no limit.
    pub limit: Option<String>,
    /// What would have been used.
    pub used: Option<String>,
    /// What must not be exceeded.
    pub hard: Option<String>,
    /// What both count.
    pub unit: Option<&'static str>,
    /// Other limits that refused as well.
    pub also: Vec<String>,
}

/// What was left out of the second world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Fills of orders that the new limits refuse.
    pub fills: u64,
    /// Fills of which a part was left out.
    pub fills_cut: u64,
    /// Value of what was left out, in base currency.
    pub fills_value: String,
    /// Cancels and replaces of such orders: they find nothing.
    pub requests: u64,
    /// Other reports of venues on such orders, or on replaces that are refused now.
    pub reports: u64,
}

/// A moment in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Sequence number.
    pub seq: Seq,
    /// Time in nanoseconds.
    pub recv_ns: UnixNanos,
}

/// How far the result is exact. Up to the first difference it is; from there on clients and venues might have acted otherwise.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Approximation {
    /// The first input that did something else; none where nothing did.
    pub first_difference: Option<Moment>,
    /// Orders and replaces after it.
    pub orders_after: u64,
    /// Those of them that met a limit whose counters were not those of the journal any more.
    pub orders_that_could_depend: u64,
    /// What was assumed, for people.
    pub assumptions: Vec<&'static str>,
}

/// How much of a limit was used at most.
#[derive(Clone, Debug, Serialize)]
pub struct PeakUse {
    /// Its label.
    pub label: String,
    /// Its type.
    pub limit_type: String,
    /// Node that it binds.
    pub scope: String,
    /// The one instrument that it looks at; none for all.
    pub symbol: Option<String>,
    /// The most that was used by what took effect; none where the limit was never met.
    pub used: Option<String>,
    /// The hard figure at that moment.
    pub hard: Option<String>,
    /// What both count.
    pub unit: &'static str,
    /// Used part in percent; none where the hard figure was zero, or the limit was never met.
    pub percent: Option<f64>,
    /// When, in nanoseconds.
    pub at_ns: Option<UnixNanos>,
}
