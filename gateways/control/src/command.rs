//! The commands and their arguments. Figures are text, as people and reference-data files write them.
//!
//! Invariant: a command's name and the meaning of an argument never change; a command grows by optional arguments.

mod books;
mod market;
mod people;
mod recon;

pub use books::{
    Allocate, Announce, CashMove, Convert, Fail, LotMethod, LotName, Rename, SelectLots, Transfer,
};
pub use market::{Halt, MarkSet, RateSet, ValuationSet};
pub use people::{KeyFilter, KeyName, UserAccess, UserKey, UserName, UserNew};
pub use recon::{ReconAct, ReconBegin, ReconEnd, ReconFilter, ReconLine, ReconName, ReconReport};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $name:ident($args:ty) = $text:literal, $changes:literal;)*) => {
        /// What can be asked.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "command", content = "args")]
        pub enum Command {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name($args),)*
        }

        impl Command {
            /// Names of all commands.
            pub const NAMES: &[&str] = &[$($text,)*];

            /// Its name.
            pub const fn name(&self) -> &'static str {
                match self { $(Command::$name(_) => $text,)* }
            }

            /// True where it is to change something: it must have a reason.
            pub const fn changes(&self) -> bool {
                match self { $(Command::$name(_) => $changes,)* }
            }
        }
    };
}

commands! {
    /// Which engine this is.
    Hello(Nothing) = "hello", false;
    /// How the engine does: stages, refusals, positions, profit, incidents, checks.
    Figures(FiguresAsk) = "figures", false;
    /// Limits with what is used of them.
    LimitsList(LimitFilter) = "limits.list", false;
    /// One limit, all of it.
    LimitsShow(LimitName) = "limits.show", false;
    /// Sets a limit: a new one, or some fields of one in force.
    LimitsSet(LimitSet) = "limits.set", true;
    /// Removes a limit.
    LimitsRemove(LimitName) = "limits.remove", true;
    /// Puts an instrument on the list of a RESTRICTED limit, or takes it off.
    LimitsRestrict(Restrict) = "limits.restrict", true;
    /// Sets what was located of an instrument for an account's short sales, for the trading day.
    LimitsLocate(LocateSet) = "limits.locate", true;
    /// What is used of a limit, asked of the running stage. Journaled.
    LimitsUsage(LimitUsage) = "limits.usage", false;
    /// Would this order pass? Asked of the running stages. Journaled.
    LimitsValidate(OrderQuestion) = "limits.validate", false;
    /// Nodes that do not trade freely.
    StateList(Nothing) = "state.list", false;
    /// Restricts a node, an instrument or a session.
    StateSet(StateSet) = "state.set", true;
    /// Back to ACTIVE; from KILL another person must confirm.
    StateRearm(Rearm) = "state.rearm", true;
    /// The second person's yes to a re-arm.
    StateConfirm(Confirm) = "state.confirm", true;
    /// Re-arms that wait for a second person.
    StatePending(Nothing) = "state.pending", false;
    /// Open orders.
    OrdersList(OrderFilter) = "orders.list", false;
    /// Asks the venues to cancel all orders of a scope.
    OrdersMassCancel(MassCancel) = "orders.mass_cancel", true;
    /// Closes positions below a killed node.
    Flatten(Flatten) = "flatten", true;
    /// Executed trades that were put aside.
    QuarantineList(Nothing) = "quarantine.list", false;
    /// Releases, repairs or refuses a trade that was put aside.
    QuarantineResolve(QuarantineResolve) = "quarantine.resolve", true;
    /// Puts a file of business rules into force in place of those in force.
    RulesLoad(RulesText) = "rules.load", true;
    /// Business rules in force.
    RulesShow(Nothing) = "rules.show", false;
    /// Sets what an order is charged, for all or for an account, an instrument, a venue; or takes a schedule away.
    FeesSet(FeesSet) = "fees.set", true;
    /// Fee schedules in force.
    FeesList(Nothing) = "fees.list", false;
    /// Trading days of a calendar.
    CalendarsShow(CalendarDays) = "calendars.show", false;
    /// Ends or takes away the session of a trading day, or sets its hours.
    CalendarsSession(SessionSet) = "calendars.session", true;
    /// Sets what a reference-data file says and the journal does not, as the next start would.
    ReferenceLoad(ReferenceText) = "reference.load", true;
    /// What `reference.load` would change.
    ReferenceCheck(ReferenceText) = "reference.check", false;
    /// Users of the HTTP server, and how they stand to nodes.
    UsersList(Nothing) = "users.list", false;
    /// Makes a user, with a password that is shown once.
    UsersAdd(UserNew) = "users.add", true;
    /// A new password for a user, shown once.
    UsersPassword(UserName) = "users.password", true;
    /// An API key for a user, shown once.
    UsersKey(UserKey) = "users.key", true;
    /// API keys without their secret halves.
    UsersKeys(KeyFilter) = "users.keys", false;
    /// Takes an API key away; what came in by it ends.
    UsersKeyRemove(KeyName) = "users.key_remove", true;
    /// Gives a user a role at a node.
    UsersGrant(UserAccess) = "users.grant", true;
    /// Takes it away; his tokens end.
    UsersRevoke(UserAccess) = "users.revoke", true;
    /// Revokes all that a user has and erases his name, password and keys.
    UsersErase(UserName) = "users.erase", true;
    /// Announces a corporate action.
    PositionsAnnounce(Announce) = "positions.announce", true;
    /// Sets how an account's tax lots are kept.
    PositionsLotMethod(LotMethod) = "positions.lot_method", true;
    /// Moves a block to client accounts at its average price, or takes that back.
    PositionsAllocate(Allocate) = "positions.allocate", true;
    /// Says that a trade did not settle.
    PositionsFail(Fail) = "positions.fail", true;
    /// Gives an instrument another symbol.
    PositionsRename(Rename) = "positions.rename", true;
    /// Moves money or a quantity between accounts of the firm.
    PositionsTransfer(Transfer) = "positions.transfer", true;
    /// Says which tax lots an execution closes.
    PositionsSelectLots(SelectLots) = "positions.select_lots", true;
    /// Corporate actions that are announced and have not taken effect.
    PositionsActions(Nothing) = "positions.actions", false;
    /// Money comes in.
    CashDeposit(CashMove) = "cash.deposit", true;
    /// Money goes out.
    CashWithdraw(CashMove) = "cash.withdraw", true;
    /// An account's money of one currency for the firm's of another.
    CashConvert(Convert) = "cash.convert", true;
    /// A mark or settlement price from outside.
    MarketMark(MarkSet) = "market.mark", true;
    /// A currency's rate against the base currency.
    MarketRate(RateSet) = "market.rate", true;
    /// What a node is worth by the word of somebody outside, which overrides our own books for good.
    MarketValuation(ValuationSet) = "market.valuation", true;
    /// Halts an instrument, or lets it trade as its calendar says.
    MarketHalt(Halt) = "market.halt", true;
    /// A statement is held against our books: the beginning of a run.
    ReconBegin(ReconBegin) = "recon.begin", true;
    /// Lines of the statement on which the sides are not alike.
    ReconReport(ReconReport) = "recon.report", true;
    /// An account of the statement was compared to its end.
    ReconEnd(ReconEnd) = "recon.end", true;
    /// Breaks, and the newest runs.
    ReconList(ReconFilter) = "recon.list", false;
    /// One break.
    ReconShow(ReconName) = "recon.show", false;
    /// Assigns, comments or resolves a break.
    ReconAct(ReconAct) = "recon.act", true;
    /// Incidents, as the alert manager has them.
    AlertsList(Nothing) = "alerts.list", false;
    /// Puts a file of own alert rules into force in place of the one before.
    AlertsRules(RulesText) = "alerts.rules", true;
    /// Acknowledges or resolves an incident.
    AlertsAct(AlertAct) = "alerts.act", true;
}

/// No arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// How much of the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FiguresAsk {
    /// Positions at most, the largest first, up to 1,000; absent: 50.
    pub positions: Option<u32>,
}

/// Which limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitFilter {
    /// Only those of this node or account.
    pub node: Option<String>,
    /// Only this type.
    #[serde(rename = "type")]
    pub limit_type: Option<String>,
}

/// A limit by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitName {
    /// Its label.
    pub label: String,
}

/// A limit to be set. Fields that are absent keep their value where the limit is in force, and else take their default. Values
/// are written as in a `[[limit]]` table of reference data (docs/limits.md).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSet {
    /// Its label.
    pub label: String,
    /// The node or account that it binds.
    pub scope: Option<String>,
    /// Type of the catalogue.
    #[serde(rename = "type")]
    pub limit_type: Option<String>,
    /// The figure that must not be exceeded, in the type's unit.
    pub hard: Option<String>,
    /// Warning threshold in percent.
    pub soft_pct: Option<String>,
    /// What a breach does.
    pub action: Option<String>,
    /// Parameters by name.
    pub params: BTreeMap<String, String>,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this kind of instrument.
    pub kind: Option<String>,
    /// Only this sector.
    pub sector: Option<String>,
}

/// A line of the list of a RESTRICTED limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restrict {
    /// The limit's label.
    pub label: String,
    /// The instrument.
    pub symbol: String,
    /// `NO_TRADE`, `CLOSE_ONLY`, `NO_SHORT`, or `NONE` to take it off the list.
    pub restriction: String,
}

/// What was located for short sales. It replaces what was located before; the day's use stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocateSet {
    /// The account.
    pub account: String,
    /// The instrument.
    pub symbol: String,
    /// Quantity in all.
    pub qty: String,
}

/// A fee schedule. Without account, symbol and venue it is that of everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeesSet {
    /// Name, for people.
    pub name: String,
    /// BPS, PER_UNIT, FLAT, SELL_ONLY_BPS or BINARY_QUADRATIC; NONE takes the schedule away.
    pub model: String,
    /// Basis points, money a unit or an order, or a plain factor, by model.
    pub rate: Option<String>,
    /// Rate of fills that made liquidity.
    pub maker_rate: Option<String>,
    /// Least fee of an order.
    pub min: Option<String>,
    /// Greatest fee of an order.
    pub max: Option<String>,
    /// Greatest fee of an order in percent of its value.
    pub max_pct: Option<String>,
    /// Only this account.
    pub account: Option<String>,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this venue.
    pub venue: Option<u16>,
}

/// Which trading days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarDays {
    /// The calendar; absent: all.
    pub calendar: Option<String>,
    /// From this date; absent: the present one.
    pub from: Option<String>,
    /// At most so many of each calendar; absent: 10.
    pub limit: Option<u32>,
}

/// The session of one trading day. Without times it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSet {
    /// The calendar.
    pub calendar: String,
    /// The trading date.
    pub date: String,
    /// Opening, UTC, like `2026-11-27T14:30:00Z`; absent: as it is.
    pub open: Option<String>,
    /// Close, likewise; absent: there is no session.
    pub close: Option<String>,
}

/// Reference data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceText {
    /// The text of the whole file (docs/file-formats.md): a limit that it leaves out is removed.
    pub text: String,
}

/// Business rules, or alert rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesText {
    /// The text of the file (docs/rules.md, docs/alerts.md); an empty one takes all rules of a file away.
    pub text: String,
}

/// What is used of a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitUsage {
    /// Its label.
    pub label: String,
    /// Account or strategy of the question.
    pub account: Option<String>,
    /// Instrument of the question.
    pub symbol: Option<String>,
}

/// Would this order pass?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderQuestion {
    /// Account or strategy.
    pub account: String,
    /// Instrument.
    pub symbol: String,
    /// BUY, SELL, SELL_SHORT.
    pub side: String,
    /// Quantity.
    pub qty: String,
    /// Limit price.
    pub px: Option<String>,
    /// Stop price.
    pub stop_px: Option<String>,
    /// MARKET, LIMIT, STOP, STOP_LIMIT; absent: what the prices say.
    #[serde(rename = "type")]
    pub ord_type: Option<String>,
    /// DAY, GTC, IOC, FOK; absent: DAY.
    pub tif: Option<String>,
}

/// A node, an instrument or a session to be restricted: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateSet {
    /// REDUCE_ONLY, CANCEL_ONLY or KILL.
    pub level: String,
    /// The node or account.
    pub node: Option<String>,
    /// The instrument.
    pub symbol: Option<String>,
    /// Number of the session.
    pub session: Option<u32>,
}

/// What is to trade again: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rearm {
    /// The node or account.
    pub node: Option<String>,
    /// The instrument.
    pub symbol: Option<String>,
    /// Number of the session.
    pub session: Option<u32>,
    /// The only one who may confirm; absent: anybody but the one who asks.
    pub second: Option<String>,
}

/// The second person's yes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// Number of the waiting re-arm.
    pub id: u64,
}

/// Which orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderFilter {
    /// Only those of this account.
    pub account: Option<String>,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// At most so many; absent: 1,000.
    pub limit: Option<u32>,
}

/// Orders that are to be cancelled. Without any restriction it means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MassCancel {
    /// Only those below this node or account.
    pub node: Option<String>,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this side.
    pub side: Option<String>,
    /// Only this session's.
    pub session: Option<u32>,
}

/// Positions that are to be closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {
    /// The killed node or account.
    pub node: String,
    /// Its name again: nothing else confirms it.
    pub confirm: String,
}

/// What becomes of a trade that was put aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuarantineResolve {
    /// Sequence number of the trade.
    pub trade_seq: u64,
    /// RELEASE, REJECT or REPAIR.
    pub action: String,
    /// Repaired quantity.
    pub qty: Option<String>,
    /// Repaired price.
    pub px: Option<String>,
    /// Repaired side.
    pub side: Option<String>,
    /// Repaired account.
    pub account: Option<String>,
    /// Repaired instrument.
    pub symbol: Option<String>,
}

/// What becomes of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertAct {
    /// Its number.
    pub incident: u64,
    /// ACKNOWLEDGE or RESOLVE.
    pub action: String,
}

/// A line of `calendars.show`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRow {
    /// The calendar.
    pub calendar: String,
    /// The trading date.
    pub date: String,
    /// When the trading day begins, UTC.
    pub roll: String,
    /// Opening, UTC; absent where there is no session.
    pub open: Option<String>,
    /// Close, UTC.
    pub close: Option<String>,
}

/// A line of `limits.list`, and the answer of `limits.show`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitRow {
    /// Label.
    pub label: String,
    /// Type.
    #[serde(rename = "type")]
    pub limit_type: String,
    /// The node or account that it binds.
    pub scope: String,
    /// Level of that node.
    pub level: String,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this kind of instrument.
    pub kind: Option<String>,
    /// Only this sector.
    pub sector: Option<String>,
    /// The figure that must not be exceeded, as a file has it.
    pub hard: String,
    /// What it counts.
    pub unit: String,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// What a breach does.
    pub action: String,
    /// What is used; absent where the limit counts for each account or instrument by itself, or looks at single orders.
    pub used: Option<String>,
    /// What `used` counts: percentages of an equity are answered as values.
    pub used_unit: Option<String>,
    /// Used in percent of what is allowed.
    pub used_pct: Option<u64>,
    /// The limit as a `[[limit]]` table of a file.
    pub toml: String,
}
