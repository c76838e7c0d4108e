//! Arguments of the commands that act on a running engine through its control socket.

use super::backoffice::{ListArgs, SelectLotsArgs};
use super::values;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Which engine, and who asks.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// Data folder of the running engine.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Who asks, for the journal; default: who ran sudo, else the user of the operating system.
    #[arg(long, value_name = "NAME")]
    pub operator: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Why something is changed.
#[derive(Debug, Args)]
pub struct ReasonArgs {
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `tradewind limits`.
#[derive(Debug, Subcommand)]
pub enum LimitsCommand {
    /// Limits in force, with what is used of them.
    List(LimitsListArgs),
    /// One limit, all of it.
    Show(LimitsShowArgs),
    /// What is used of a limit, answered by the running stage.
    Usage(LimitsUsageArgs),
    /// Set a limit: a new one, or some values of one in force.
    Set(LimitsSetArgs),
    /// Remove a limit.
    Remove(LimitsRemoveArgs),
    /// Put an instrument on the list of a RESTRICTED limit, or take it off.
    Restrict(LimitsRestrictArgs),
    /// Set what was located of an instrument for an account's short sales of the day.
    Locate(LimitsLocateArgs),
    /// Would this order pass? Answered by the running stages; exit code 0 yes, 1 no.
    #[command(alias = "validate")]
    Check(LimitsCheckArgs),
}

/// `tradewind limits list`.
#[derive(Debug, Args)]
pub struct LimitsListArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Only those of this node or account.
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Only this type, for example DAILY_NOTIONAL.
    #[arg(long = "type", value_name = "TYPE")]
    pub limit_type: Option<String>,
}

/// `tradewind limits show`.
#[derive(Debug, Args)]
pub struct LimitsShowArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Its name.
    pub label: String,
}

/// `tradewind limits usage`.
#[derive(Debug, Args)]
pub struct LimitsUsageArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Its name.
    pub label: String,
    /// Account or strategy, where the limit counts for each by itself.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Instrument, where the limit counts for each by itself.
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
}

/// `tradewind limits restrict`.
#[derive(Debug, Args)]
pub struct LimitsRestrictArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Name of the limit.
    pub label: String,
    /// Instrument.
    pub symbol: String,
    /// NO_TRADE, CLOSE_ONLY, NO_SHORT, or NONE to take it off the list.
    pub restriction: String,
}

/// `tradewind limits locate`.
#[derive(Debug, Args)]
pub struct LimitsLocateArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Account.
    pub account: String,
    /// Instrument.
    pub symbol: String,
    /// Quantity in all, in place of what was located before.
    pub qty: String,
}

/// `tradewind limits set`. Values are written as in reference data (docs/limits.md).
#[derive(Debug, Args)]
pub struct LimitsSetArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Its name. A limit in force keeps what is not named here.
    pub label: String,
    /// Node or account that it binds.
    #[arg(long, value_name = "NODE")]
    pub scope: Option<String>,
    /// Type, for example MAX_ORDER_NOTIONAL.
    #[arg(long = "type", value_name = "TYPE")]
    pub limit_type: Option<String>,
    /// The figure that must not be exceeded, in the type's unit.
    #[arg(long, value_name = "X")]
    pub hard: Option<String>,
    /// Warning threshold in percent of it; 0 for none.
    #[arg(long, value_name = "PERCENT")]
    pub soft: Option<String>,
    /// What a breach does: ALERT, REJECT, RESTRICT, KILL, SLOW.
    #[arg(long)]
    pub action: Option<String>,
    /// A parameter of the type.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = values::pair)]
    pub params: Vec<(String, String)>,
    /// Only this instrument.
    #[arg(long)]
    pub symbol: Option<String>,
    /// Only this sector.
    #[arg(long)]
    pub sector: Option<String>,
    /// Only this kind of instrument.
    #[arg(long)]
    pub kind: Option<String>,
}

/// `tradewind limits remove`.
#[derive(Debug, Args)]
pub struct LimitsRemoveArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Its name.
    pub label: String,
}

/// `tradewind limits check`.
#[derive(Debug, Args)]
pub struct LimitsCheckArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Account or strategy.
    #[arg(long)]
    pub account: String,
    /// Instrument.
    #[arg(long)]
    pub symbol: String,
    /// BUY, SELL or SELL_SHORT.
    #[arg(long)]
    pub side: String,
    /// Quantity.
    #[arg(long)]
    pub qty: String,
    /// Limit price.
    #[arg(long)]
    pub px: Option<String>,
    /// Stop price.
    #[arg(long)]
    pub stop_px: Option<String>,
    /// MARKET, LIMIT, STOP or STOP_LIMIT; default: what the prices say.
    #[arg(long = "type", value_name = "TYPE")]
    pub ord_type: Option<String>,
    /// DAY, GTC, IOC or FOK; default: DAY.
    #[arg(long)]
    pub tif: Option<String>,
}

/// How far trading is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Only orders that reduce a position.
    ReduceOnly,
    /// No new orders and no replaces; resting orders stay.
    CancelOnly,
    /// As cancel-only, and every open order is cancelled.
    Kill,
}

/// What a control state is about.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Node or account.
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Instrument.
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Number of a session.
    #[arg(long, value_name = "N")]
    pub session: Option<u32>,
}

/// `tradewind kill`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("target").required(true).args(["node", "symbol", "session"])))]
pub struct KillArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// What is stopped.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How far.
    #[arg(long, value_enum, default_value = "kill")]
    pub level: Level,
}

/// `tradewind rearm`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["node", "symbol", "session", "confirm", "pending"])))]
pub struct RearmArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// What trades again.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The only one who may confirm; default: anybody but you.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["confirm", "pending"])]
    pub second: Option<String>,
    /// Confirm what another person asked for, by its number.
    #[arg(long, value_name = "ID")]
    pub confirm: Option<u64>,
    /// List what waits for a second person.
    #[arg(long)]
    pub pending: bool,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT", required_unless_present = "pending")]
    pub reason: Option<String>,
}

/// `tradewind mass-cancel`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("scope").required(true).multiple(true).args(["node", "symbol", "side", "session", "all"])))]
pub struct MassCancelArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Whose orders, and of what.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Only BUY, SELL or SELL_SHORT.
    #[arg(long)]
    pub side: Option<String>,
    /// All orders of the engine.
    #[arg(long, conflicts_with_all = ["node", "symbol", "side", "session"])]
    pub all: bool,
}

/// `tradewind flatten`.
#[derive(Debug, Args)]
pub struct FlattenArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The killed node or account.
    pub node: String,
    /// Its name again.
    #[arg(long, value_name = "NODE")]
    pub confirm: String,
}

/// `tradewind quarantine`.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Trades that wait.
    List(EngineArgs),
    /// Book a trade as it is.
    Release(QuarantineArgs),
    /// Refuse a trade for good.
    Reject(QuarantineArgs),
    /// Book a trade with changes.
    Repair(QuarantineRepairArgs),
}

/// `tradewind quarantine release` and `reject`.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Sequence number of the trade.
    pub seq: u64,
}

/// `tradewind quarantine repair`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("repairs").required(true).multiple(true).args(["qty", "px", "side", "account", "symbol"])))]
pub struct QuarantineRepairArgs {
    /// Which trade, and why.
    #[command(flatten)]
    pub trade: QuarantineArgs,
    /// Right quantity.
    #[arg(long)]
    pub qty: Option<String>,
    /// Right price.
    #[arg(long)]
    pub px: Option<String>,
    /// Right side.
    #[arg(long)]
    pub side: Option<String>,
    /// Right account.
    #[arg(long)]
    pub account: Option<String>,
    /// Right instrument.
    #[arg(long)]
    pub symbol: Option<String>,
}

/// `tradewind alerts`.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Incidents, open ones first.
    List(EngineArgs),
    /// Somebody has taken the incident: it escalates no further.
    Ack(AlertArgs),
    /// The incident is over.
    Resolve(AlertArgs),
    /// Own rules on top of the standard ones: check a file, try it on a journal, put it into force.
    #[command(subcommand)]
    Rules(AlertRulesCommand),
}

/// `tradewind alerts rules`.
#[derive(Debug, Subcommand)]
pub enum AlertRulesCommand {
    /// Is a file sound? Errors name their line.
    Check(AlertRulesCheckArgs),
    /// Which incidents would a file have made of a recorded journal?
    Test(AlertRulesTestArgs),
    /// Put a file into force in a running engine; an empty one leaves the standard rules.
    Load(AlertRulesLoadArgs),
    /// The rules that a journal has in force, and who put them there.
    Show(AlertRulesShowArgs),
}

/// `tradewind alerts rules check`.
#[derive(Debug, Args)]
pub struct AlertRulesCheckArgs {
    /// Rules file.
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind alerts rules test`.
#[derive(Debug, Args)]
pub struct AlertRulesTestArgs {
    /// Rules file.
    pub file: PathBuf,
    /// Data folder with the journal.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub journal: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind alerts rules load`.
#[derive(Debug, Args)]
pub struct AlertRulesLoadArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Rules file.
    pub file: PathBuf,
}

/// `tradewind alerts rules show`.
#[derive(Debug, Args)]
pub struct AlertRulesShowArgs {
    /// Data folder with the journal, of a running engine or at rest.
    #[arg(default_value = "data")]
    pub data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind alerts ack` and `resolve`.
#[derive(Debug, Args)]
pub struct AlertArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Number of the incident.
    pub incident: u64,
    /// What is known or was done, for the journal.
    #[arg(long, value_name = "TEXT", alias = "reason")]
    pub comment: String,
}

/// `tradewind user`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// All users, and how they stand to nodes.
    List(EngineArgs),
    /// Make a user; his password is shown once.
    Add(UserAddArgs),
    /// Give a user a new password, shown once; his logins end.
    Password(UserArgs),
    /// Give a user a role at a node.
    Grant(UserAccessArgs),
    /// Take a role away; tokens and keys of the user end.
    Revoke(UserAccessArgs),
    /// Revoke all that a user has and erase his name, mail address, password and keys.
    Erase(UserArgs),
}

/// `tradewind user add`.
#[derive(Debug, Args)]
pub struct UserAddArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Name to log in with.
    pub name: String,
    /// Full name.
    #[arg(long)]
    pub full_name: Option<String>,
    /// Mail address.
    #[arg(long)]
    pub mail: Option<String>,
    /// `sub` of an outside issuer's tokens; he then gets no password.
    #[arg(long)]
    pub subject: Option<String>,
}

/// A user, and why.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Name or number of the user.
    pub user: String,
}

/// `tradewind token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make an API key that acts with a user's rights; it is shown once.
    Create(TokenCreateArgs),
    /// API keys that there are, without their secret halves.
    List(TokenListArgs),
    /// Take an API key away; what came in by it ends within a second.
    Revoke(TokenRevokeArgs),
}

/// `tradewind token create`.
#[derive(Debug, Args)]
pub struct TokenCreateArgs {
    /// Whose.
    #[command(flatten)]
    pub user: UserArgs,
    /// What it is for.
    #[arg(long, default_value = "")]
    pub label: String,
}

/// `tradewind token list`.
#[derive(Debug, Args)]
pub struct TokenListArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Only those of this user, by name or number.
    #[arg(long)]
    pub user: Option<String>,
}

/// `tradewind token revoke`.
#[derive(Debug, Args)]
pub struct TokenRevokeArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The key's public half, as `tradewind token list` shows it.
    pub id: String,
}

/// `tradewind user grant` and `revoke`.
#[derive(Debug, Args)]
pub struct UserAccessArgs {
    /// Who.
    #[command(flatten)]
    pub user: UserArgs,
    /// VIEWER, TRADER, RISK, SERVICE or ADMIN.
    #[arg(long)]
    pub role: String,
    /// Node or account; left out: the whole firm.
    #[arg(long)]
    pub node: Option<String>,
}

/// `tradewind positions`.
#[derive(Debug, Subcommand)]
pub enum PositionsCommand {
    /// Announce a corporate action: split, dividend, funding, variation margin, settlement of a contract.
    Announce(AnnounceArgs),
    /// Corporate actions that were announced, newest first.
    Actions(ListArgs),
    /// Set how the tax lots of an account are kept.
    LotMethod(LotMethodArgs),
    /// Say which tax lots a trade closes.
    SelectLots(SelectLotsArgs),
    /// Move a block to client accounts at its average price; without legs the allocation is taken back.
    Allocate(AllocateArgs),
    /// Say that a trade did not settle on its date.
    Fail(FailArgs),
    /// Give an instrument another symbol.
    Rename(RenameArgs),
    /// Move money or a quantity between accounts of the firm.
    Transfer(TransferArgs),
}

/// `tradewind positions allocate`.
#[derive(Debug, Args)]
pub struct AllocateArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Identifier of the allocation.
    pub id: String,
    /// Account that holds the block.
    pub account: String,
    /// Instrument.
    pub symbol: String,
    /// An execution of the block, by its venue's identifier.
    #[arg(long = "exec", value_name = "EXEC_ID")]
    pub executions: Vec<String>,
    /// A client account and its quantity.
    #[arg(long = "leg", value_name = "ACCOUNT=QTY")]
    pub legs: Vec<String>,
    /// Venue of the executions; default: 0.
    #[arg(long)]
    pub venue: Option<u16>,
    /// Trade date of the executions; default: the present one.
    #[arg(long, value_name = "DATE")]
    pub trade_date: Option<String>,
}

/// `tradewind positions fail`.
#[derive(Debug, Args)]
pub struct FailArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The trade, by its venue's identifier.
    pub exec_id: String,
    /// Its venue; default: 0.
    #[arg(long)]
    pub venue: Option<u16>,
    /// Its trade date; default: the present one.
    #[arg(long, value_name = "DATE")]
    pub trade_date: Option<String>,
    /// When it is to settle; default: the next business day.
    #[arg(long, value_name = "DATE")]
    pub settle_date: Option<String>,
}

/// `tradewind positions rename`.
#[derive(Debug, Args)]
pub struct RenameArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Present symbol.
    pub symbol: String,
    /// New symbol.
    pub to: String,
}

/// `tradewind positions transfer`.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Identifier; of a POST or VOID that of the pending transfer.
    pub id: String,
    /// POSTED, PENDING, POST or VOID.
    #[arg(long, default_value = "POSTED")]
    pub phase: String,
    /// Account that is debited.
    #[arg(long, value_name = "CLASS:CURRENCY")]
    pub debit: Option<String>,
    /// Account that is credited.
    #[arg(long, value_name = "CLASS:CURRENCY")]
    pub credit: Option<String>,
    /// Amount or quantity; of a POST default: all that is pending.
    #[arg(long, value_name = "X")]
    pub amount: Option<String>,
}

/// `tradewind positions announce`.
#[derive(Debug, Args)]
pub struct AnnounceArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Instrument.
    pub symbol: String,
    /// SPLIT, CASH_DIVIDEND, FUNDING, VARIATION_MARGIN or SETTLEMENT.
    pub action: String,
    /// Of a split: new units for old ones.
    #[arg(long, value_name = "NEW:OLD")]
    pub ratio: Option<String>,
    /// Dividend per unit, price of a split's fractions, rate of a funding, settlement price or value.
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub amount: Option<String>,
    /// Price that a funding is reckoned at; default: the mark.
    #[arg(long, value_name = "X")]
    pub px: Option<String>,
    /// Tax withheld from a dividend.
    #[arg(long, value_name = "PERCENT")]
    pub withhold: Option<String>,
    /// When it takes effect; default: at once.
    #[arg(long, value_name = "DATE")]
    pub ex_date: Option<String>,
    /// When it is paid; default: on the ex-date.
    #[arg(long, value_name = "DATE")]
    pub pay_date: Option<String>,
}

/// `tradewind positions lot-method`.
#[derive(Debug, Args)]
pub struct LotMethodArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Account.
    pub account: String,
    /// FIFO, LIFO, HIFO or AVCO.
    pub method: String,
    /// Fees of purchases are part of the cost, fees of sales are taken from the proceeds.
    #[arg(long)]
    pub fee_in_basis: bool,
}
