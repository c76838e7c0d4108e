//! Shares of the firm's limits: what this shard may use of a limit of the whole firm (LIMITS section 14).
//!
//! The hard figure of a firm's limit is what was granted, where anything was: several shards then never exceed the limit together,
//! and sometimes stop early. A grant takes the place of the one before; it never loosens what is configured, so a limit that is lowered
//! binds whatever was granted.
//!
//! Not here: who divides a limit among shards, and moves what one does not need to another (docs/decisions/0027).

use super::book::Book;
use crate::groups::Groups;
use crate::hierarchy::NodeRow;
use crate::limits::{self, HARD_MAX, Limits};
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::codes::{Level, LimitType};
use tradewind_domain::event::{Event, LimitSet, QuotaGrant};
use tradewind_domain::ids::LimitId;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::Symbol;

/// What is configured and granted of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Row {
    configured: i128,
    granted: i128,
    /// 1 where something was granted.
    is_granted: u64,
    reserved: u64,
}

/// Grants, by limit.
pub(super) struct Quotas(Vec<Row>);

impl Quotas {
    pub(super) fn new(limits_max: u32) -> Self {
        Self(vec![Row::zeroed(); limits_max as usize])
    }

    /// Takes what is configured; returns the figure that is to bind. A limit that is removed forgets what was granted.
    fn configure(&mut self, limit: &LimitSet) -> i128 {
        let Some(row) = self.0.get_mut(limit.limit.index()) else {
            return limit.hard;
        };
        if limit.removed == 1 {
            *row = Row::zeroed();
            return limit.hard;
        }
        row.configured = limit.hard;
        row.binding()
    }

    /// Takes a grant; returns the figure that is to bind.
    fn grant(&mut self, limit: LimitId, granted: i128) -> Option<i128> {
        let row = self.0.get_mut(limit.index())?;
        (row.granted, row.is_granted) = (granted, 1);
        Some(row.binding())
    }

    fn binding_if(&self, limit: LimitId, granted: i128) -> i128 {
        let configured = self.0.get(limit.index()).map_or(0, |row| row.configured);
        configured.min(granted)
    }

    /// Feeds the grants to a hash, each with its limit.
    pub(super) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for (at, row) in self.0.iter().enumerate().filter(|(_, row)| row.is_granted == 1) {
            sink(&(at as u64).to_le_bytes());
            sink(bytes_of(row));
        }
    }
}

impl Row {
    fn binding(&self) -> i128 {
        if self.is_granted == 1 {
            self.configured.min(self.granted)
        } else {
            self.configured
        }
    }
}

/// True for limits on what adds up over shards. Shares and multiples hold on each shard as they are, limits on a single order too;
/// loss limits of the firm come from an aggregator that sends KILL.
fn adds_up(limit_type: u8) -> bool {
    use LimitType as L;
    matches!(
        LimitType::from_code(limit_type),
        Some(
            L::OrderRate
                | L::MsgRate
                | L::MaxOpenOrders
                | L::OpenNotional
                | L::DailyNotional
                | L::DailyQty
                | L::PositionLong
                | L::PositionShort
                | L::LongExposure
                | L::ShortExposure
                | L::NetExposure
                | L::GrossExposure
        )
    )
}

impl Book {
    /// Decides a grant: a limit in force, of the firm, on what adds up, and a figure that it could have.
    pub(super) fn decide_grant(&self, event: &mut Event) {
        let grant: QuotaGrant = *event.body();
        let code = Note::first(event.head.notes).or_else(|| {
            let Some(held) = self.limits.get(grant.limit) else {
                return Some(RejectCode::UnknownLimit);
            };
            let is_firm = |node: &NodeRow| node.level == Level::Firm as u8;
            let is_shared = self.hierarchy.node(held.node).is_some_and(is_firm) && adds_up(held.limit_type);
            let mut asked = setting(&self.limits, &self.hierarchy.groups, grant.limit)?;
            asked.hard = grant.granted;
            if !is_shared || limits::refusal(&asked).is_some() {
                return Some(RejectCode::InvalidValue);
            }
            asked.hard = self.quotas.binding_if(grant.limit, grant.granted);
            let has_room = self.limits.has_room(&asked, &self.stamps, &self.hierarchy);
            (!has_room).then_some(RejectCode::Capacity)
        });
        if let Some(code) = code {
            event.reject(code);
        }
    }

    /// Makes a grant true: it binds from the next order on.
    pub(super) fn apply_grant(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let grant: &QuotaGrant = event.body();
        let held = setting(&self.limits, &self.hierarchy.groups, grant.limit);
        // No accepted grant is of another limit or size: the record is damaged or foreign.
        let Some(mut asked) = held.filter(|_| (0..=HARD_MAX).contains(&grant.granted)) else {
            self.faults += 1;
            return;
        };
        if let Some(binding) = self.quotas.grant(grant.limit, grant.granted) {
            asked.hard = binding;
            self.limits
                .set(&asked, &mut self.hierarchy, &mut self.stamps, event.head.recv_ns);
        }
    }

    /// The limit as it is to be set: with the figure that binds.
    pub(super) fn with_quota(&mut self, limit: &LimitSet) -> LimitSet {
        LimitSet {
            hard: self.quotas.configure(limit),
            ..*limit
        }
    }
}

/// The event that would set a limit as it is.
fn setting(limits: &Limits, groups: &Groups, limit: LimitId) -> Option<LimitSet> {
    let held = limits.get(limit)?;
    let filter_sector = if held.has_sector == 1 {
        groups.sector_name(held.filter_sector)
    } else {
        Symbol::EMPTY
    };
    Some(LimitSet {
        filter_sector,
        hard: held.hard,
        params: held.all_params(),
        label: limits.label(limit),
        limit_type: held.limit_type,
        action: held.action,
        soft_pct: held.soft_pct,
        filter_kind: held.filter_kind,
        limit,
        node: held.node,
        filter_instrument: held.instrument,
        ..LimitSet::zeroed()
    })
}
