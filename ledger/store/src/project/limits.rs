//! Limits that spoke: the hits in a record's tail, with figures in the unit of their limit.

use super::{Projection, utc, valued_node};
use crate::batch::Batch;
use crate::rows::{About, Figure, LimitEvent, Origin};
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::{Event, HitKind, Kind, LimitHit};
use tradewind_domain::reject::RejectCode;
use tradewind_views::{Unit, hit_count};

impl Projection {
    /// Adds the limits that spoke on an event. Their order within the tail is their line.
    pub(super) fn limit_events(&self, event: &Event, origin: Origin, about: About, batch: &mut Batch) {
        let count = usize::from(hit_count(event));
        if count == 0 {
            return;
        }
        let tail = event.tail();
        let from = tail.len().saturating_sub(count * size_of::<LimitHit>());
        for (line, bytes) in tail[from..].chunks_exact(size_of::<LimitHit>()).enumerate() {
            let hit: LimitHit = bytemuck::pod_read_unaligned(bytes);
            if hit.kind == HitKind::Parts as u8 {
                continue; // how a sale is valued, and no limit
            }
            batch
                .limit_events
                .push(self.limit_event(event, utc(origin), line as u16, about, &hit));
        }
    }

    fn limit_event(
        &self,
        event: &Event,
        origin: Origin,
        line: u16,
        about: About,
        hit: &LimitHit,
    ) -> LimitEvent {
        let limit = self.names.limit(hit.limit.0);
        let limit_type = limit.and_then(|limit| LimitType::from_code(limit.limit_type));
        let params = limit.map_or([0; 6], |limit| [limit.period_ms, limit.algo, 0, 0, 0, 0]);
        let unit = match limit_type {
            _ if hit.kind == HitKind::Floor as u8 => Unit::Value,
            Some(limit_type) => Unit::of_hit(limit_type, RejectCode::from_number(hit.code), &params),
            None => Unit::Gate,
        };
        let kind = Kind::from_number(event.head.kind);
        let of_node = kind.and_then(|kind| valued_node(event, kind));
        LimitEvent {
            origin,
            line,
            on: event.head.kind,
            about: if of_node.is_some() {
                About::default()
            } else {
                about
            },
            kind: hit.kind,
            limit: hit.limit,
            limit_type: limit_type.map_or(0, |limit_type| limit_type as u8),
            level: hit.level,
            code: hit.code,
            used: figure(unit, hit.used, params[0]),
            hard: (hit.hard != i128::MAX).then(|| figure(unit, hit.hard, params[0])),
            unit: unit.text(),
        }
    }
}

/// A raw figure with its decimals.
fn figure(unit: Unit, raw: i128, period_ms: i64) -> Figure {
    let scale = match unit {
        Unit::Quantity | Unit::Multiple | Unit::Percent => 8,
        Unit::WideQuantity | Unit::Value | Unit::Cash => 16,
        Unit::Orders | Unit::Executions | Unit::Rate | Unit::Messages | Unit::Gate => 0,
        Unit::Ahead => return ahead(raw, period_ms),
    };
    Figure { raw, scale }
}

/// Messages to two decimals, rounded down: how much of a burst is used. One message takes a period.
fn ahead(raw: i128, period_ms: i64) -> Figure {
    let period_ns = i128::from(period_ms) * 1_000_000;
    match raw.checked_mul(100) {
        Some(hundredths) if period_ns > 0 => Figure {
            raw: hundredths.div_euclid(period_ns),
            scale: 2,
        },
        _ => Figure { raw, scale: 0 },
    }
}
