//! What the journal says became of a request, with names in place of ids and decimals as text.

use serde::{Deserialize, Serialize};
use tradewind_config::Known;
use tradewind_domain::codes::{ControlState, Level, LimitType};
use tradewind_domain::event::{Control, Event, HitKind, Kind, LimitHit, LimitProbe};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{LimitId, Seq};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::Rfc3339;
use tradewind_views::live::Held;
use tradewind_views::{Unit, hit_count, words_of};

/// The record of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its number in the sequence.
    pub seq: Seq,
    /// When ingest took it.
    pub time: String,
    /// Kind of the event.
    pub kind: String,
    /// The verdict.
    pub accepted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the record says in words: the reason, and names that did not resolve.
    pub text: String,
    /// Limits that spoke, the one that is reported first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hits: Vec<Hit>,
    /// Control state before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_before: Option<String>,
    /// Control state after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_after: Option<String>,
}

/// A limit that spoke.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// REFUSED, WARNED or ALERTED.
    pub kind: String,
    /// Reject code.
    pub code: String,
    /// The limit's label.
    pub limit: String,
    /// Its type.
    #[serde(rename = "type")]
    pub limit_type: String,
    /// The node that it binds.
    pub scope: String,
    /// Level of that node.
    pub level: String,
    /// Use after the order.
    pub used: String,
    /// What must not be exceeded.
    pub hard: String,
    /// What the figures count.
    pub unit: String,
}

/// What is used of a limit, as the stage answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The limit's label.
    pub label: String,
    /// Its type.
    #[serde(rename = "type")]
    pub limit_type: String,
    /// What is used.
    pub used: String,
    /// What must not be exceeded, in the same unit.
    pub hard: String,
    /// Used in percent of it, rounded down; absent where the hard figure is zero.
    pub used_pct: Option<u64>,
    /// What the figures count.
    pub unit: String,
    /// Equity that a percentage is taken of, in base currency; absent where the limit has none.
    pub equity: Option<String>,
}

impl Outcome {
    /// Of a record whose limits need no names: `held` is absent where the replica is not at hand.
    pub fn of(event: &Event, held: Option<&Held>) -> Self {
        let states = states(event);
        Self {
            seq: event.head.seq,
            time: Rfc3339(event.head.recv_ns).to_string(),
            kind: event.kind().map_or_else(String::new, |kind| kind.to_string()),
            accepted: !event.is_rejected(),
            code: event.is_rejected().then(|| code_text(event.head.outcome)),
            text: String::from_utf8_lossy(words_of(event)).into_owned(),
            hits: hits(event).map(|hit| Hit::of(&hit, held)).collect(),
            state_before: states.map(|(before, _)| state_text(before)),
            state_after: states.map(|(_, after)| state_text(after)),
        }
    }
}

/// True where the outcome names limits.
pub(crate) fn has_hits(event: &Event) -> bool {
    hit_count(event) > 0
}

/// The limits that spoke, at the end of the tail.
fn hits(event: &Event) -> impl Iterator<Item = LimitHit> {
    let (tail, hits_len) = (
        event.tail(),
        usize::from(hit_count(event)) * size_of::<LimitHit>(),
    );
    let hits = &tail[tail.len().saturating_sub(hits_len)..];
    hits.chunks_exact(size_of::<LimitHit>())
        .map(bytemuck::pod_read_unaligned)
}

fn states(event: &Event) -> Option<(u8, u8)> {
    let is_control = matches!(
        event.kind(),
        Some(Kind::Kill | Kind::StateSet | Kind::Rearm | Kind::Flatten)
    );
    is_control.then(|| {
        let body: &Control = event.body();
        (body.state_before, body.state_after)
    })
}

fn state_text(state: u8) -> String {
    ControlState::from_code(state).map_or_else(|| state.to_string(), |state| state.to_string())
}

fn code_text(code: u16) -> String {
    RejectCode::from_number(code).map_or_else(|| code.to_string(), |code| code.text().to_owned())
}

impl Hit {
    fn of(hit: &LimitHit, held: Option<&Held>) -> Self {
        let label = held.and_then(|held| held.replica().registry().limit(hit.limit).copied());
        let set = held
            .zip(label)
            .and_then(|(held, label)| held.known().limits().find(|limit| limit.label == label));
        let params = set.map_or([0; 6], |set| set.params);
        let unit = set.map(|set| Unit::of_hit(set.limit_type, RejectCode::from_number(hit.code), &params));
        let show = |raw: i128| unit.map_or_else(|| raw.to_string(), |unit| unit.show(raw, &params));
        Self {
            kind: kind_text(hit.kind),
            code: code_text(hit.code),
            limit: label.map_or_else(|| unnamed(hit.limit), |label| label.to_string()),
            limit_type: set.map_or_else(String::new, |set| set.limit_type.to_string()),
            scope: set.map_or_else(String::new, |set| set.scope.to_string()),
            level: Level::from_code(hit.level).map_or_else(String::new, |level| level.to_string()),
            used: show(hit.used),
            hard: show(hit.hard),
            unit: unit.map_or("", Unit::text).to_owned(),
        }
    }
}

fn kind_text(kind: u8) -> String {
    match kind {
        _ if kind == HitKind::Refused as u8 => "REFUSED".to_owned(),
        _ if kind == HitKind::Warned as u8 => "WARNED".to_owned(),
        _ if kind == HitKind::Alerted as u8 => "ALERTED".to_owned(),
        _ if kind == HitKind::Floor as u8 => "FLOOR".to_owned(),
        _ => kind.to_string(),
    }
}

fn unnamed(limit: LimitId) -> String {
    if limit.is_none() {
        String::new()
    } else {
        format!("#{}", limit.0)
    }
}

impl Usage {
    /// Of an answered probe.
    pub(crate) fn of(probe: &LimitProbe, known: &Known) -> Self {
        let set = known.limits().find(|limit| limit.label == probe.label);
        let params = set.map_or([0; 6], |limit| limit.params);
        let limit_type = LimitType::from_code(probe.limit_type);
        let unit = limit_type.map(|limit_type| Unit::of_hit(limit_type, None, &params));
        let show = |raw: i128| unit.map_or_else(|| raw.to_string(), |unit| unit.show(raw, &params));
        // A rate that has long been silent is behind, and none of it is used.
        let used = match unit {
            Some(Unit::Ahead) => probe.used.max(0),
            _ => probe.used,
        };
        Self {
            label: probe.label.to_string(),
            limit_type: limit_type.map_or_else(String::new, |known| known.to_string()),
            used: show(used),
            hard: show(probe.hard),
            used_pct: percent(used, probe.hard),
            unit: unit.map_or("", Unit::text).to_owned(),
            equity: (probe.equity != 0).then(|| Money::from_raw(probe.equity).to_string()),
        }
    }
}

/// Whole percent, rounded down; nothing used is 0, and a limit of nothing has none.
fn percent(used: i128, hard: i128) -> Option<u64> {
    if hard <= 0 {
        return None;
    }
    let hundredfold = used.max(0).checked_mul(100)?;
    u64::try_from(hundredfold / hard).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_rounded_down_and_a_limit_of_nothing_has_none() {
        assert_eq!(percent(999, 1_000), Some(99));
        assert_eq!(percent(1_500, 1_000), Some(150));
        assert_eq!(percent(-5, 1_000), Some(0));
        assert_eq!(percent(1, 0), None);
        assert_eq!(percent(i128::MAX, 1), None);
    }
}
