//! From a command's arguments to the event that enters the pipeline.
//!
//! # Invariants
//! - Every event of a change names its operator: in the body's `author` where the body has one, else before the reason.
//! - The tail ends with the operating system's user that the kernel named, so that a name that was only said can be told
//!   from one that was proven.
//! - Nothing is rounded: a decimal that cannot be kept is refused.
//!
//! Not here: whether the engine takes it.

use crate::command;
use crate::protocol::{Failure, REASON_MAX};
use bytemuck::Zeroable;
use tradewind_config::{Known, Limit};
use tradewind_domain::codes::{
    AccessStatus, ControlState, OrderType, QuarantineAction, Restriction, Role, Side, TimeInForce,
};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    AccessSet, AlertAction, AlertVerb, Control, InboundLong, Kind, LimitProbe, LimitSet, MassCancel,
    OrderNew, QuarantineResolve, RestrictedSet,
};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{AccountId, GroupId, InstrumentId, LimitId, NodeId, SessionId, UserId, VenueId};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::{DayNumber, parse_date};

pub(crate) type Made = Result<InboundLong, Failure>;

/// Who asks, and why.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) name: Code,
    /// Where he came in: `os user NAME` of the control socket, or a request's name.
    pub(crate) origin: String,
    /// Empty for questions.
    pub(crate) reason: String,
}

impl Author {
    /// `operator`, or else the operating system's user.
    pub(crate) fn at_socket(
        operator: Option<&str>,
        os_user: &str,
        reason: Option<&str>,
    ) -> Result<Self, Failure> {
        Self::new(operator.unwrap_or(os_user), &format!("os user {os_user}"), reason)
    }

    /// Somebody by name.
    pub(crate) fn new(name: &str, origin: &str, reason: Option<&str>) -> Result<Self, Failure> {
        let name = name.trim();
        let reason = reason.unwrap_or("").trim();
        if reason.len() > REASON_MAX || reason.chars().any(char::is_control) {
            let message = format!("a reason is one line of at most {REASON_MAX} bytes");
            return Err(Failure::argument(message));
        }
        Ok(Self {
            name: text("the operator's name", name)?,
            origin: origin.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// The tail of a change whose body names the author.
    pub(crate) fn tail(&self) -> String {
        format!("{} [{}]", self.reason, self.origin)
    }

    /// The tail of an event whose body has no room for an author.
    pub(crate) fn named_tail(&self) -> String {
        let colon = if self.reason.is_empty() { "" } else { ": " };
        format!("{}{colon}{}", self.name, self.tail())
    }
}

/// Text of a fixed size that must be there.
pub(crate) fn text<const N: usize>(what: &str, value: &str) -> Result<Text<N>, Failure> {
    match Text::new(value) {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) => Err(Failure::argument(format!("{what} is empty"))),
        Err(error) => Err(Failure::argument(format!("{what}: {error}"))),
    }
}

pub(crate) fn optional<const N: usize>(what: &str, value: Option<&str>) -> Result<Text<N>, Failure> {
    value.map_or(Ok(Text::EMPTY), |value| text(what, value))
}

pub(crate) fn figure(what: &str, value: &str) -> Result<i64, Failure> {
    decimal::parse(value.as_bytes()).map_err(|error| Failure::argument(format!("{what} {value:?}: {error}")))
}

pub(crate) fn optional_figure(what: &str, value: Option<&str>) -> Result<i64, Failure> {
    value.map_or(Ok(0), |value| figure(what, value))
}

/// A date; none is 0.
pub(crate) fn date(what: &str, value: Option<&str>) -> Result<DayNumber, Failure> {
    let Some(value) = value else { return Ok(0) };
    parse_date(value)
        .ok_or_else(|| Failure::argument(format!("{what} {value:?}: must be a date like 2026-03-02")))
}

/// A value of a closed set by its name, in any case.
pub(crate) fn choice<T>(
    what: &str,
    value: &str,
    of: fn(&str) -> Option<T>,
    all: &[&str],
) -> Result<T, Failure> {
    of(&value.to_ascii_uppercase()).ok_or_else(|| {
        let message = format!("{what} {value:?} is none of {}", all.join(", "));
        Failure::argument(message)
    })
}

/// What a control state is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Node(Code),
    Instrument(Symbol),
    Session(u32),
}

impl Target {
    /// Exactly one of the three.
    pub(crate) fn new(
        node: Option<&str>,
        symbol: Option<&str>,
        session: Option<u32>,
    ) -> Result<Self, Failure> {
        match (node, symbol, session) {
            (Some(node), None, None) => Ok(Self::Node(text("node", node)?)),
            (None, Some(symbol), None) => Ok(Self::Instrument(text("symbol", symbol)?)),
            (None, None, Some(session)) => Ok(Self::Session(session)),
            _ => Err(Failure::argument("name one of node, symbol and session")),
        }
    }

    fn names(self) -> (Symbol, Code) {
        match self {
            Self::Node(code) => (Symbol::EMPTY, code),
            Self::Instrument(symbol) => (symbol, Code::EMPTY),
            Self::Session(_) => (Symbol::EMPTY, Code::EMPTY),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node(code) => write!(f, "node {code}"),
            Self::Instrument(symbol) => write!(f, "symbol {symbol}"),
            Self::Session(session) => write!(f, "session {session}"),
        }
    }
}

fn control(
    kind: Kind,
    target: Target,
    state: ControlState,
    author: Code,
    second: Code,
    tail: &str,
) -> InboundLong {
    let session = match target {
        Target::Session(session) => SessionId(session),
        _ => SessionId::NONE,
    };
    let body = Control {
        author,
        second,
        state: state as u8,
        venue: VenueId::NONE,
        session,
        node: NodeId::NONE,
        instrument: InstrumentId::NONE,
        ..Control::zeroed()
    };
    let (symbol, node) = target.names();
    InboundLong::new(kind, &body)
        .named(symbol, node)
        .with_tail(tail.as_bytes())
}

/// Restricts or kills.
pub(crate) fn state_set(args: &command::StateSet, author: &Author) -> Made {
    let target = Target::new(args.node.as_deref(), args.symbol.as_deref(), args.session)?;
    let levels = ["REDUCE_ONLY", "CANCEL_ONLY", "KILL"];
    let level = choice("level", &args.level, ControlState::from_text, &levels)?;
    let kind = match level {
        ControlState::Active => return Err(Failure::argument("ACTIVE is reached by a re-arm")),
        ControlState::Kill => Kind::Kill,
        ControlState::ReduceOnly | ControlState::CancelOnly => Kind::StateSet,
    };
    Ok(control(
        kind,
        target,
        level,
        author.name,
        Code::EMPTY,
        &author.tail(),
    ))
}

/// Re-arms, by one person.
pub(crate) fn rearm(target: Target, author: &Author) -> InboundLong {
    control(
        Kind::Rearm,
        target,
        ControlState::Active,
        author.name,
        Code::EMPTY,
        &author.tail(),
    )
}

/// Re-arms, by two people. `first` asked, `second` confirms; both reasons are kept.
pub(crate) fn rearm_by_two(target: Target, first: &Author, second: &Author) -> InboundLong {
    let tail = format!(
        "{}; {}: {} [{}, {}]",
        first.reason, second.name, second.reason, first.origin, second.origin
    );
    control(
        Kind::Rearm,
        target,
        ControlState::Active,
        first.name,
        second.name,
        &tail,
    )
}

/// Closes positions below a node.
pub(crate) fn flatten(args: &command::Flatten, author: &Author) -> Made {
    if args.node != args.confirm {
        let message = format!(
            "flatten of {:?} is confirmed by its name, not by {:?}",
            args.node, args.confirm
        );
        return Err(Failure::argument(message));
    }
    let target = Target::Node(text("node", &args.node)?);
    Ok(control(
        Kind::Flatten,
        target,
        ControlState::Kill,
        author.name,
        Code::EMPTY,
        &author.tail(),
    ))
}

/// Cancels all orders of a scope.
pub(crate) fn mass_cancel(args: &command::MassCancel, author: &Author) -> Made {
    let side = args
        .side
        .as_deref()
        .map(|side| choice("side", side, Side::from_text, &SIDES))
        .transpose()?;
    let body = MassCancel {
        session: SessionId(args.session.unwrap_or(SessionId::NONE.0)),
        session_only: u8::from(args.session.is_some()),
        side: side.map_or(0, |side| side as u8),
        node: NodeId::NONE,
        instrument: InstrumentId::NONE,
        ..MassCancel::zeroed()
    };
    let symbol = optional("symbol", args.symbol.as_deref())?;
    let node = optional("node", args.node.as_deref())?;
    Ok(InboundLong::new(Kind::MassCancel, &body)
        .named(symbol, node)
        .with_tail(author.named_tail().as_bytes()))
}

const SIDES: [&str; 3] = ["BUY", "SELL", "SELL_SHORT"];

/// A line of a restricted list.
pub(crate) fn restricted(args: &command::Restrict, author: &Author) -> Made {
    const NONE: &str = "NONE";
    let restriction = if args.restriction.eq_ignore_ascii_case(NONE) {
        0
    } else {
        let all = ["NO_TRADE", "CLOSE_ONLY", "NO_SHORT", NONE];
        choice("restriction", &args.restriction, Restriction::from_text, &all)? as u8
    };
    let body = RestrictedSet {
        label: text("label", &args.label)?,
        author: author.name,
        restriction,
        ..RestrictedSet::zeroed()
    };
    Ok(InboundLong::new(Kind::RestrictedSet, &body)
        .named(text("symbol", &args.symbol)?, Code::EMPTY)
        .with_tail(author.tail().as_bytes()))
}

/// A limit with the changes of a request. One that is in force keeps what the request does not name.
pub(crate) fn changed_limit(args: &command::LimitSet, known: &Known) -> Result<Limit, Failure> {
    let label: Code = text("label", &args.label)?;
    let mut fields: Vec<(&str, &str)> = [
        ("scope", &args.scope),
        ("type", &args.limit_type),
        ("hard", &args.hard),
        ("soft_pct", &args.soft_pct),
        ("action", &args.action),
        ("instrument", &args.symbol),
        ("kind", &args.kind),
        ("sector", &args.sector),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    .collect();
    fields.extend(
        args.params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let found = known.limits().find(|limit| limit.label == label).copied();
    let mut limit = match found {
        Some(limit) => limit,
        None => new_limit(args, &mut fields, known)?,
    };
    for (name, value) in fields {
        limit = limit.with(name, value, "limit", known).map_err(problems)?;
    }
    Ok(limit)
}

/// What a new limit cannot do without.
fn new_limit(
    args: &command::LimitSet,
    fields: &mut Vec<(&str, &str)>,
    known: &Known,
) -> Result<Limit, Failure> {
    let mut table = format!(
        "[[limit]]\nlabel = {}\n",
        serde_json::Value::from(args.label.as_str())
    );
    for needed in ["scope", "type", "hard"] {
        if let Some(at) = fields.iter().position(|(name, _)| *name == needed) {
            // A JSON string is a TOML string.
            table.push_str(&format!(
                "{needed} = {}\n",
                serde_json::Value::from(fields.remove(at).1)
            ));
        }
    }
    // Parameters that a type cannot do without. A name that is no plain word is refused where it is applied.
    let is_plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let plain = args.params.iter().filter(|(name, _)| is_plain(name));
    let pairs: Vec<String> = plain
        .map(|(name, value)| match value.parse::<i64>() {
            Ok(number) => format!("{name} = {number}"),
            Err(_) => format!("{name} = {}", serde_json::Value::from(value.as_str())),
        })
        .collect();
    if !pairs.is_empty() {
        table.push_str(&format!("params = {{ {} }}\n", pairs.join(", ")));
    }
    let mut limits = Limit::parse_all(&table, "limit", known).map_err(problems)?;
    limits.pop().ok_or_else(|| Failure::argument("no limit"))
}

/// Problems of the parser without the lines of a file that is none.
fn problems(error: tradewind_config::ConfigError) -> Failure {
    let lines = error.problems.iter().map(|problem| {
        if problem.subject.is_empty() {
            problem.message.clone()
        } else {
            format!("{}: {}", problem.subject, problem.message)
        }
    });
    Failure::argument(lines.collect::<Vec<_>>().join("; "))
}

/// Sets or removes a limit.
pub(crate) fn limit(limit: &Limit, removed: bool, author: &Author) -> InboundLong {
    let event = limit.event();
    let body = LimitSet {
        author: author.name,
        removed: u8::from(removed),
        ..*event.event().body()
    };
    InboundLong::new(Kind::LimitSet, &body)
        .named(limit.instrument, limit.scope)
        .with_tail(author.tail().as_bytes())
}

/// What is used of a limit?
pub(crate) fn limit_usage(args: &command::LimitUsage, author: &Author) -> Made {
    let body = LimitProbe {
        label: text("label", &args.label)?,
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        limit: LimitId::NONE,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..LimitProbe::zeroed()
    };
    let symbol = optional("symbol", args.symbol.as_deref())?;
    let account = optional("account", args.account.as_deref())?;
    Ok(InboundLong::new(Kind::LimitProbe, &body)
        .named(symbol, account)
        .with_tail(author.named_tail().as_bytes()))
}

/// Would this order pass? `number` makes its ClOrdID one that no order has.
pub(crate) fn order_question(args: &command::OrderQuestion, author: &Author, number: u64) -> Made {
    let (px, stop_px) = (args.px.as_deref(), args.stop_px.as_deref());
    let types = ["MARKET", "LIMIT", "STOP", "STOP_LIMIT"];
    let ord_type = match (args.ord_type.as_deref(), px, stop_px) {
        (Some(named), ..) => choice("type", named, OrderType::from_text, &types)?,
        (None, Some(_), Some(_)) => OrderType::StopLimit,
        (None, Some(_), None) => OrderType::Limit,
        (None, None, Some(_)) => OrderType::Stop,
        (None, None, None) => OrderType::Market,
    };
    let tifs = ["DAY", "GTC", "IOC", "FOK"];
    let tif = choice(
        "tif",
        args.tif.as_deref().unwrap_or("DAY"),
        TimeInForce::from_text,
        &tifs,
    )?;
    if tif == TimeInForce::Gtd {
        return Err(Failure::argument("a question has no expiry: GTD is not asked"));
    }
    let body = OrderNew {
        cl_ord_id: Text::lossy(format!("probe-{number}")),
        qty: figure("qty", &args.qty)?,
        px: optional_figure("px", px)?,
        stop_px: optional_figure("stop_px", stop_px)?,
        session: SessionId::NONE,
        side: choice("side", &args.side, Side::from_text, &SIDES)? as u8,
        ord_type: ord_type as u8,
        tif: tif as u8,
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        ..OrderNew::zeroed()
    };
    Ok(InboundLong::new(Kind::Probe, &body)
        .named(text("symbol", &args.symbol)?, text("account", &args.account)?)
        .with_tail(author.named_tail().as_bytes()))
}

/// What becomes of a trade that was put aside.
pub(crate) fn quarantine(args: &command::QuarantineResolve, author: &Author) -> Made {
    let actions = ["RELEASE", "REJECT", "REPAIR"];
    let action = choice("action", &args.action, QuarantineAction::from_text, &actions)?;
    let repairs = [&args.qty, &args.px, &args.side, &args.account, &args.symbol];
    let is_repaired = repairs.iter().any(|value| value.is_some());
    if is_repaired != (action == QuarantineAction::Repair) {
        return Err(Failure::argument(
            "a repair names what it changes (qty, px, side, account, symbol), and nothing else does",
        ));
    }
    let side = args
        .side
        .as_deref()
        .map(|side| choice("side", side, Side::from_text, &SIDES))
        .transpose()?;
    let body = QuarantineResolve {
        trade_seq: args.trade_seq,
        author: author.name,
        qty: repaired("qty", args.qty.as_deref())?,
        px: repaired("px", args.px.as_deref())?,
        action: action as u8,
        side: side.map_or(0, |side| side as u8),
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..QuarantineResolve::zeroed()
    };
    let symbol = optional("symbol", args.symbol.as_deref())?;
    let account = optional("account", args.account.as_deref())?;
    Ok(InboundLong::new(Kind::QuarantineResolve, &body)
        .named(symbol, account)
        .with_tail(author.tail().as_bytes()))
}

/// A figure that a repair sets. In the record zero says that it stays as it is, so zero cannot be asked for.
fn repaired(what: &str, value: Option<&str>) -> Result<i64, Failure> {
    match optional_figure(what, value)? {
        0 if value.is_some() => Err(Failure::argument(format!(
            "{what}: a repair cannot set zero; reject the trade and enter the right one"
        ))),
        figure => Ok(figure),
    }
}

/// A user's role at a node, given or taken away.
pub(crate) fn access(user: UserId, args: &command::UserAccess, is_granted: bool, author: &Author) -> Made {
    let roles = ["VIEWER", "TRADER", "RISK", "SERVICE", "ADMIN"];
    let role = choice("role", &args.role, Role::from_text, &roles)?;
    let status = if is_granted {
        AccessStatus::Granted
    } else {
        AccessStatus::Revoked
    };
    let body = AccessSet {
        author: author.name,
        user,
        group: GroupId::NONE,
        role: role as u8,
        status: status as u8,
        node: NodeId::NONE,
        ..AccessSet::zeroed()
    };
    let node = optional("node", args.node.as_deref())?;
    Ok(InboundLong::new(Kind::AccessSet, &body)
        .named(Symbol::EMPTY, node)
        .with_tail(author.tail().as_bytes()))
}

/// The end of something that a user has.
pub(crate) fn revocation(held: &AccessSet, node: Code, author: &Author) -> InboundLong {
    let body = AccessSet {
        author: author.name,
        status: AccessStatus::Revoked as u8,
        node: NodeId::NONE,
        ..*held
    };
    InboundLong::new(Kind::AccessSet, &body)
        .named(Symbol::EMPTY, node)
        .with_tail(author.tail().as_bytes())
}

/// What becomes of an incident.
pub(crate) fn alert(args: &command::AlertAct, author: &Author) -> Made {
    let action = match args.action.to_ascii_uppercase().as_str() {
        "ACKNOWLEDGE" => AlertVerb::Acknowledge,
        "RESOLVE" => AlertVerb::Resolve,
        other => {
            let message = format!("action {other:?} is none of ACKNOWLEDGE, RESOLVE");
            return Err(Failure::argument(message));
        }
    };
    let body = AlertAction {
        incident: args.incident,
        author: author.name,
        action: action as u8,
        ..AlertAction::zeroed()
    };
    Ok(InboundLong::new(Kind::AlertAction, &body).with_tail(author.tail().as_bytes()))
}
