//! Limits that spoke about an account, what people and limits did to it, and changes of the limits that bind it.

use crate::cash::day_cell;
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series};
use crate::period::Period;
use crate::walk::{At, Gather, Walked, walk};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tradewind_domain::codes::{ControlState, LimitType};
use tradewind_domain::event::{
    Control, Event, Execution, HitKind, Kind, LimitHit, LimitSet, OrderCancel, OrderNew, OrderReplace,
    TakenBack, Valuation, control_effects,
};
use tradewind_domain::ids::{AccountId, LimitId, NodeId};
use tradewind_domain::reject::RejectCode;
use tradewind_risk::limit_check::hits;
use tradewind_views::{Unit, hit_count};

/// The most nodes from an account up to the firm.
const CHAIN_MAX: usize = 16;
/// The most bars of a picture that names them.
const RANKED_MAX: usize = 12;

struct Breaches {
    /// Limits as they were set last: one may be removed after it spoke.
    limits: HashMap<LimitId, LimitSet>,
    spoke: Section,
    acts: Section,
    changes: Section,
    /// Refusals by limit.
    refusals: BTreeMap<String, u64>,
    orders: u64,
    refused: u64,
}

impl Gather for Breaches {
    fn before(&mut self, event: &Event, at: &At<'_>) {
        if event.kind() != Some(Kind::LimitSet) || event.is_rejected() {
            return;
        }
        let set: &LimitSet = event.body();
        if concerns(at, set.node) {
            self.change(event, set, at);
        }
        if set.removed == 0 {
            self.limits.insert(set.limit, *set);
        }
    }

    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError> {
        let is_own = subject(event).is_some_and(|(account, node)| {
            account == at.account && !account.is_none() || account.is_none() && is_below(at, node)
        });
        if is_own {
            self.count(event);
            for hit in hits(event, hit_count(event)) {
                self.spoke(event, &hit, at);
            }
        }
        if is_control(event) && !event.is_rejected() {
            self.act(event, at);
        }
        Ok(())
    }
}

impl Breaches {
    fn new() -> Self {
        Self {
            limits: HashMap::new(),
            spoke: Section::new("limits_that_spoke", "Limits that spoke", &SPOKE),
            acts: Section::new("acts", "What was done to the account", &ACTS),
            changes: Section::new("limit_changes", "Changes of limits", &CHANGES),
            refusals: BTreeMap::new(),
            orders: 0,
            refused: 0,
        }
    }

    fn count(&mut self, event: &Event) {
        if matches!(event.kind(), Some(Kind::OrderNew | Kind::OrderReplace)) {
            self.orders += 1;
            self.refused += u64::from(event.is_rejected());
        }
    }

    fn spoke(&mut self, event: &Event, hit: &LimitHit, at: &At<'_>) {
        let kind = match hit.kind {
            kind if kind == HitKind::Refused as u8 => "REFUSED",
            kind if kind == HitKind::Warned as u8 => "WARNED",
            kind if kind == HitKind::Alerted as u8 => "ALERTED",
            _ => return, // figures that say how something stands, not that a limit spoke
        };
        let set = self.limits.get(&hit.limit);
        let limit_type = set.and_then(|set| LimitType::from_code(set.limit_type));
        let params = set.map_or([0; 6], |set| set.params);
        let code = RejectCode::from_number(hit.code);
        let unit = limit_type.map(|known| Unit::of_hit(known, code, &params));
        let show = |raw: i128| unit.map_or_else(|| raw.to_string(), |unit| unit.show(raw, &params));
        let label = set.map_or_else(String::new, |set| set.label.to_string());
        let code = code.map_or_else(|| hit.code.to_string(), |code| code.text().to_owned());
        if kind == "REFUSED" {
            let by = if label.is_empty() {
                code.clone()
            } else {
                label.clone()
            };
            *self.refusals.entry(by).or_default() += 1;
        }
        self.spoke.push([
            Cell::Time(event.head.recv_ns),
            day_cell(at.day),
            Cell::Count(event.head.seq),
            Cell::text(event.kind().map_or("", Kind::text)),
            Cell::text(subject_name(event)),
            Cell::text(kind),
            Cell::text(label),
            Cell::text(limit_type.map_or_else(String::new, |known| known.to_string())),
            Cell::text(set.map_or_else(String::new, |set| at.names().node(set.node))),
            Cell::text(code),
            Cell::text(show(hit.used)),
            Cell::text(show(hit.hard)),
            Cell::text(unit.map_or("", Unit::text)),
        ]);
    }

    fn act(&mut self, event: &Event, at: &At<'_>) {
        let control: &Control = event.body();
        if !concerns(at, control.node) {
            return;
        }
        let by_limit = at.names().limit(control.limit);
        self.acts.push([
            Cell::Time(event.head.recv_ns),
            day_cell(at.day),
            Cell::Count(event.head.seq),
            Cell::text(event.kind().map_or("", Kind::text)),
            Cell::text(at.names().node(control.node)),
            Cell::text(at.names().symbol(control.instrument)),
            Cell::text(state(control.state_before)),
            Cell::text(state(control.state_after)),
            Cell::text(if event.kind() == Some(Kind::StateChanged) {
                by_limit
            } else {
                control.author.to_string()
            }),
            Cell::text(control.second.to_string()),
            Cell::text(reason(event)),
        ]);
    }

    fn change(&mut self, event: &Event, set: &LimitSet, at: &At<'_>) {
        let limit_type = LimitType::from_code(set.limit_type);
        let unit = limit_type.map(Unit::of_limit);
        let show = |set: &LimitSet| {
            unit.map_or_else(|| set.hard.to_string(), |unit| unit.show(set.hard, &set.params))
        };
        let before = self
            .limits
            .get(&set.limit)
            .filter(|before| before.limit_type == set.limit_type);
        self.changes.push([
            Cell::Time(event.head.recv_ns),
            day_cell(at.day),
            Cell::Count(event.head.seq),
            Cell::text(set.label.to_string()),
            Cell::text(limit_type.map_or_else(String::new, |known| known.to_string())),
            Cell::text(at.names().node(set.node)),
            Cell::or_none(before.map(|before| Cell::text(show(before)))),
            if set.removed == 0 {
                Cell::text(show(set))
            } else {
                Cell::text("removed")
            },
            Cell::text(unit.map_or("", Unit::text)),
            Cell::text(set.author.to_string()),
            Cell::text(reason(event)),
        ]);
    }
}

const SPOKE: [(&str, &str); 13] = [
    ("time", "Time"),
    ("day", "Day"),
    ("seq", "Sequence"),
    ("event", "Event"),
    ("subject", "Order or execution"),
    ("outcome", "Outcome"),
    ("limit", "Limit"),
    ("type", "Type"),
    ("scope", "Scope"),
    ("code", "Code"),
    ("used", "Used"),
    ("hard", "Limit is"),
    ("unit", "Unit"),
];

const ACTS: [(&str, &str); 11] = [
    ("time", "Time"),
    ("day", "Day"),
    ("seq", "Sequence"),
    ("event", "Event"),
    ("node", "Node"),
    ("symbol", "Instrument"),
    ("before", "Before"),
    ("after", "After"),
    ("author", "By"),
    ("second", "Second person"),
    ("reason", "Reason"),
];

const CHANGES: [(&str, &str); 11] = [
    ("time", "Time"),
    ("day", "Day"),
    ("seq", "Sequence"),
    ("limit", "Limit"),
    ("type", "Type"),
    ("scope", "Scope"),
    ("before", "Before"),
    ("after", "After"),
    ("unit", "Unit"),
    ("author", "By"),
    ("reason", "Reason"),
];

fn is_control(event: &Event) -> bool {
    let kinds = [
        Kind::StateSet,
        Kind::Kill,
        Kind::Rearm,
        Kind::StateChanged,
        Kind::Flatten,
    ];
    event.kind().is_some_and(|kind| kinds.contains(&kind))
}

/// Account and node that an event is about, where limits may speak on it.
fn subject(event: &Event) -> Option<(AccountId, NodeId)> {
    match event.kind()? {
        Kind::OrderNew => Some((event.body::<OrderNew>().account, event.body::<OrderNew>().leaf)),
        Kind::OrderReplace => Some((
            event.body::<OrderReplace>().account,
            event.body::<OrderReplace>().leaf,
        )),
        Kind::OrderCancel => Some((
            event.body::<OrderCancel>().account,
            event.body::<OrderCancel>().leaf,
        )),
        Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect => {
            Some((event.body::<Execution>().account, event.body::<Execution>().leaf))
        }
        Kind::TradeBust => event
            .taken_back()
            .map(|taken: TakenBack| (taken.account, taken.leaf)),
        Kind::Valuation => Some((AccountId::NONE, event.body::<Valuation>().node)),
        _ => None,
    }
}

/// What a person calls it.
fn subject_name(event: &Event) -> String {
    match event.kind() {
        Some(Kind::OrderNew) => event.body::<OrderNew>().cl_ord_id.to_string(),
        Some(Kind::OrderReplace) => event.body::<OrderReplace>().cl_ord_id.to_string(),
        Some(Kind::OrderCancel) => event.body::<OrderCancel>().cl_ord_id.to_string(),
        Some(Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect) => {
            event.body::<Execution>().exec_id.to_string()
        }
        _ => String::new(),
    }
}

/// True for the account's node and those below it.
fn is_below(at: &At<'_>, node: NodeId) -> bool {
    let row = at.replica.registry().node(node);
    !at.account.is_none() && row.is_some_and(|row| row.account == at.account)
}

/// True for nodes of the account, and for those above it.
fn concerns(at: &At<'_>, node: NodeId) -> bool {
    let registry = at.replica.registry();
    let own = registry.account(at.account).map(|row| row.node);
    let above = |node: &NodeId| {
        registry
            .node(*node)
            .map(|row| row.parent)
            .filter(|parent| !parent.is_none())
    };
    let mut chain = std::iter::successors(own, above).take(CHAIN_MAX);
    !node.is_none() && (is_below(at, node) || chain.any(|above| above == node))
}

fn state(code: u8) -> String {
    match code {
        control_effects::DISABLED => "DISABLED".to_owned(),
        control_effects::SLOW => "SLOW".to_owned(),
        _ => ControlState::from_code(code).map_or_else(|| code.to_string(), |state| state.to_string()),
    }
}

/// The text that a person gave.
fn reason(event: &Event) -> String {
    String::from_utf8_lossy(event.tail())
        .trim_matches('\0')
        .to_owned()
}

pub(crate) fn make(data: &Path, account: &str, period: Period) -> Result<Report, ReportError> {
    let mut found = Breaches::new();
    let walked: Walked = walk(data, account, period, &mut found)?;
    let mut refusals: Vec<(String, f64)> = found
        .refusals
        .iter()
        .map(|(by, count)| (by.clone(), *count as f64))
        .collect();
    refusals.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    refusals.truncate(RANKED_MAX);
    if !refusals.is_empty() {
        found.spoke.charts.push(Chart {
            title: "Refusals by limit".to_owned(),
            series: Series::Ranked(refusals),
        });
    }
    let mut summary = Section::new(
        "summary",
        "In short",
        &[
            ("orders", "Orders and replaces"),
            ("refused", "Refused"),
            ("refused_share", "Share refused"),
        ],
    );
    summary.push([
        Cell::Count(found.orders),
        Cell::Count(found.refused),
        Cell::or_none(
            tradewind_analytics::Figure::of(found.refused.into(), found.orders.into()).map(Cell::Share),
        ),
    ]);
    Ok(Report {
        name: "breaches",
        has_tax_rules: false,
        title: "Limit breaches and overrides",
        highlights: vec![
            Highlight::new("Orders and replaces", Cell::Count(found.orders), ""),
            Highlight::new("Refused", Cell::Count(found.refused), ""),
            Highlight::new("Limits that spoke", Cell::Count(found.spoke.rows.len() as u64), ""),
            Highlight::new("Acts and changes", Cell::Count((found.acts.rows.len() + found.changes.rows.len()) as u64), ""),
        ],
        sections: vec![summary, found.spoke, found.acts, found.changes],
        as_of: walked.as_of,
        scope: walked.scope,
        notes: vec!["A line without a limit is a rule of the message, of reference data or of the market. A refusal may have several lines, or none.".to_owned()],
    })
}
