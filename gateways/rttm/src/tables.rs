//! Brings the tables of state channels up to date with the live replica.
//!
//! # Invariants
//! - After [`Tables::refresh`] the rows of all tables are of one moment.
//! - A channel that nobody watches has no table and costs nothing.

use crate::channel::{CHANNELS, Channel};
use crate::figures::{Check, Figures, Status};
use crate::row::{AlertLine, Key};
use crate::table::Table;
use std::collections::HashSet;
use std::sync::Arc;
use tradewind_alerts::IncidentRow;
use tradewind_domain::event::EdgeStats;
use tradewind_domain::ids::{LimitId, Seq};
use tradewind_domain::text::Code;
use tradewind_domain::time::UnixNanos;
use tradewind_views::live::{Changes, Held, Live};

/// Holdings that are valued in one tick at most.
const HOLDINGS_OF_TICK: usize = 4_096;
/// Limits that are asked for their use in one tick.
const LIMITS_OF_TICK: usize = 64;
/// Rows that are read under one hold of the replica's lock where a table is filled.
const SLICE: usize = 1_024;
/// Ticks between two looks at incidents.
const INCIDENT_TICKS: u64 = 5;
/// Ticks between two looks at stages, checks and what is unsettled.
const FIGURE_TICKS: u64 = 20;
/// Nanoseconds for which the report of an edge is shown.
const EDGE_REPORT_NS: u64 = 5_000_000_000;

/// The tables that somebody watches.
#[derive(Default)]
pub(crate) struct Tables {
    tables: [Option<Table>; CHANNELS],
    /// Tables that are new, or whose names may be others: every row is to be read anew.
    to_fill: [bool; CHANNELS],
    /// Limits of the present round.
    limits_at: usize,
    limits_seen: HashSet<LimitId>,
    incidents: Option<Arc<Vec<IncidentRow>>>,
}

/// What a look at the replica said beside rows.
pub(crate) struct Looked {
    pub(crate) as_of: Seq,
    /// Nodes may be others.
    pub(crate) reference: bool,
}

impl Tables {
    pub(crate) fn get(&self, channel: Channel) -> Option<&Table> {
        self.tables[channel.index()].as_ref()
    }

    /// From now on the channel has a table, in the binary form too where that is asked for.
    pub(crate) fn watch(&mut self, channel: Channel, is_binary: bool) {
        let at = channel.index();
        let table = self.tables[at].get_or_insert_with(|| {
            self.to_fill[at] = true;
            Table::default()
        });
        if is_binary && !table.is_binary {
            table.is_binary = true;
            self.to_fill[at] = true;
        }
    }

    /// Nobody watches the channel any more.
    pub(crate) fn leave(&mut self, channel: Channel) {
        self.tables[channel.index()] = None;
        self.to_fill[channel.index()] = false;
    }

    fn watched(&mut self, channel: Channel) -> Option<&mut Table> {
        self.tables[channel.index()].as_mut()
    }

    /// One tick: everything that changed.
    pub(crate) fn refresh(
        &mut self,
        live: &Live,
        figures: &dyn Figures,
        own: &[Check],
        tick: u64,
        now_ns: UnixNanos,
    ) -> Looked {
        let to_fill = std::mem::take(&mut self.to_fill);
        for channel in Channel::ALL {
            if to_fill[channel.index()] {
                self.fill(live, channel, tick);
            }
        }
        let is_valued = self.get(Channel::Positions).is_some() || self.get(Channel::Pnl).is_some();
        // What changed while tables were filled is among the changes: after this all rows are of one moment.
        let looked = live.look(|held| {
            if is_valued {
                held.refresh(HOLDINGS_OF_TICK);
            }
            let changes = held.take_changes();
            self.take(held, &changes, tick);
            self.take_limits(held, changes.limits, tick);
            Looked {
                as_of: held.as_of().0,
                reference: changes.reference,
            }
        });
        if looked.reference {
            for channel in [Channel::Positions, Channel::Pnl, Channel::Orders, Channel::Market] {
                self.to_fill[channel.index()] = self.get(channel).is_some();
            }
        }
        let is_new = |channel: Channel| to_fill[channel.index()];
        if tick.is_multiple_of(INCIDENT_TICKS) || is_new(Channel::Alerts) {
            self.take_incidents(live, figures, is_new(Channel::Alerts), tick);
        }
        if tick.is_multiple_of(FIGURE_TICKS) || is_new(Channel::Settlement) {
            self.take_settlements(live, tick);
        }
        if tick.is_multiple_of(FIGURE_TICKS) || is_new(Channel::Latency) || is_new(Channel::Health) {
            self.take_figures(live, figures, own, tick, now_ns);
        }
        for table in self.tables.iter_mut().flatten() {
            table.prune(tick);
        }
        looked
    }

    fn take(&mut self, held: &Held, changes: &Changes, tick: u64) {
        if let Some(table) = self.watched(Channel::Positions) {
            for id in changes.holdings.iter() {
                table.set(tick, Key::Holding(id), held.position(id).as_ref());
            }
        }
        if let Some(table) = self.watched(Channel::Orders) {
            for id in changes.orders.iter() {
                table.set(tick, Key::Order(id), held.order(id).as_ref());
            }
        }
        if let Some(table) = self.watched(Channel::Pnl) {
            for key in changes.groups.iter() {
                table.set(tick, Key::Group(key), held.profit(key).as_ref());
            }
        }
        if let Some(table) = self.watched(Channel::Market) {
            for id in changes.markets.iter() {
                table.set(tick, Key::Market(id), held.market(id).as_ref());
            }
        }
    }

    fn take_limits(&mut self, held: &mut Held, is_changed: bool, tick: u64) {
        let Some(table) = self.tables[Channel::Limits.index()].as_mut() else {
            return;
        };
        if is_changed {
            let ids: HashSet<LimitId> = held.limit_ids().collect();
            table.retain(tick, |key| matches!(key, Key::Limit(id) if ids.contains(id)));
        }
        let rows = held.limits_from(self.limits_at, LIMITS_OF_TICK);
        let is_round = rows.len() < LIMITS_OF_TICK;
        self.limits_at = if is_round { 0 } else { self.limits_at + rows.len() };
        for (id, row) in rows {
            self.limits_seen.insert(id);
            table.set(tick, Key::Limit(id), Some(&row));
        }
        if is_round {
            let seen = std::mem::take(&mut self.limits_seen);
            table.retain(tick, |key| matches!(key, Key::Limit(id) if seen.contains(id)));
        }
    }

    /// What falls due: a walk over all that is unsettled, once a second.
    fn take_settlements(&mut self, live: &Live, tick: u64) {
        let Some(table) = self.tables[Channel::Settlement.index()].as_mut() else {
            return;
        };
        let rows = live.look(|held| held.settlements());
        for (key, row) in &rows {
            table.set(tick, Key::Due(*key), Some(row));
        }
        let keys: HashSet<Key> = rows.iter().map(|(key, _)| Key::Due(*key)).collect();
        table.retain(tick, |key| keys.contains(key));
    }

    fn take_incidents(&mut self, live: &Live, figures: &dyn Figures, is_new: bool, tick: u64) {
        if self.get(Channel::Alerts).is_none() {
            return;
        }
        let Some(incidents) = figures.incidents() else {
            return;
        };
        let is_same = self
            .incidents
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(held, &incidents));
        if is_same && !is_new {
            return;
        }
        let nodes: Vec<_> = live.look(|held| incidents.iter().map(|row| held.node_of(&row.scope)).collect());
        let Some(table) = self.watched(Channel::Alerts) else {
            return;
        };
        for (incident, node) in incidents.iter().zip(nodes) {
            let line = AlertLine { incident, node };
            table.set(tick, Key::Alert(incident.id), Some(&line));
        }
        let ids: HashSet<u64> = incidents.iter().map(|row| row.id).collect();
        table.retain(tick, |key| matches!(key, Key::Alert(id) if ids.contains(id)));
        self.incidents = Some(incidents);
    }

    fn take_figures(
        &mut self,
        live: &Live,
        figures: &dyn Figures,
        own: &[Check],
        tick: u64,
        now_ns: UnixNanos,
    ) {
        if self.get(Channel::Latency).is_some() {
            let rows = figures.stages();
            if let Some(table) = self.watched(Channel::Latency) {
                for (at, row) in rows.iter().enumerate() {
                    table.set(tick, Key::Stage(at), Some(row));
                }
            }
        }
        if self.get(Channel::Health).is_some() {
            let mut checks = figures.checks();
            checks.extend_from_slice(own);
            checks.extend(edges(live, now_ns));
            let names: HashSet<Code> = checks.iter().map(|check| check.name).collect();
            if let Some(table) = self.watched(Channel::Health) {
                for mut check in checks {
                    check.updated = now_ns;
                    table.set(tick, Key::Check(check.name), Some(&check));
                }
                table.retain(
                    tick,
                    |key| matches!(key, Key::Check(name) if names.contains(name)),
                );
            }
        }
    }

    /// Reads every row of a channel, in slices. Limits, incidents, stages and checks are read as a whole anyway.
    fn fill(&mut self, live: &Live, channel: Channel, tick: u64) {
        let Some(table) = self.tables[channel.index()].as_mut() else {
            return;
        };
        match channel {
            Channel::Positions => fill(
                live,
                table,
                tick,
                |held| held.holdings().map(Key::Holding).collect(),
                |held, table, key| {
                    if let Key::Holding(id) = key {
                        table.set(tick, key, held.position(id).as_ref());
                    }
                },
            ),
            Channel::Orders => fill(
                live,
                table,
                tick,
                |held| held.order_ids().map(Key::Order).collect(),
                |held, table, key| {
                    if let Key::Order(id) = key {
                        table.set(tick, key, held.order(id).as_ref());
                    }
                },
            ),
            Channel::Pnl => fill(
                live,
                table,
                tick,
                |held| held.groups().map(Key::Group).collect(),
                |held, table, key| {
                    if let Key::Group(group) = key {
                        table.set(tick, key, held.profit(group).as_ref());
                    }
                },
            ),
            Channel::Market => fill(
                live,
                table,
                tick,
                |held| held.instruments().map(Key::Market).collect(),
                |held, table, key| {
                    if let Key::Market(id) = key {
                        table.set(tick, key, held.market(id).as_ref());
                    }
                },
            ),
            Channel::Limits => {
                self.limits_at = 0;
                self.limits_seen.clear();
                let rows = live.look(|held| held.limits_from(0, usize::MAX));
                for (id, row) in rows {
                    table.set(tick, Key::Limit(id), Some(&row));
                }
            }
            _ => {}
        }
    }
}

fn fill(
    live: &Live,
    table: &mut Table,
    tick: u64,
    keys: impl Fn(&Held) -> Vec<Key>,
    set: impl Fn(&Held, &mut Table, Key),
) {
    // A sum that is not up to date yet may have no row.
    while live.look(|held| held.refresh(HOLDINGS_OF_TICK)) {}
    let keys = live.look(|held| keys(held));
    for slice in keys.chunks(SLICE) {
        live.look(|held| slice.iter().for_each(|key| set(held, table, *key)));
    }
    let known: HashSet<Key> = keys.into_iter().collect();
    table.retain(tick, |key| known.contains(key));
}

/// What edges reported of themselves.
fn edges(live: &Live, now_ns: UnixNanos) -> Vec<Check> {
    let edges = live.look(|held| held.edges().to_vec());
    let checks = edges
        .iter()
        .flat_map(|(stats, at_ns)| edge(stats, now_ns.saturating_sub(*at_ns) > EDGE_REPORT_NS));
    checks.collect()
}

/// An edge reports the seconds in which it refused something, so silence is a good sign.
fn edge(stats: &EdgeStats, is_over: bool) -> [Check; 2] {
    let refused = stats.ring_full + stats.malformed + stats.unauthenticated;
    let (received_text, refused_text) = match is_over {
        true => (
            "counted in seconds with refusals",
            "nothing was refused for 5 seconds".to_owned(),
        ),
        false => (
            "messages received in a second",
            format!(
                "in a second: {} while the queue was full, {} that could not be read, {} without a login",
                stats.ring_full, stats.malformed, stats.unauthenticated
            ),
        ),
    };
    let status = match stats.ring_full > 0 && !is_over {
        true => Status::Warn,
        false => Status::Pass,
    };
    let check = |what: &str, status, count: u64, text: String| {
        let name = format!("edge:{}:{what}", stats.edge);
        Check::new(&name, status, if is_over { 0 } else { count }, "count", text)
    };
    [
        check("received", Status::Pass, stats.received, received_text.to_owned()),
        check("refused", status, refused, refused_text),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn an_edge_warns_while_its_queue_is_full_and_not_because_nothing_is_refused() {
        let stats = |ring_full| EdgeStats {
            edge: Code::lossy("http"),
            received: 9,
            ring_full,
            malformed: 2,
            ..EdgeStats::zeroed()
        };
        let seen =
            |ring_full, is_over| edge(&stats(ring_full), is_over).map(|check| (check.status, check.value));
        let figure = |status, count: u64| (status, Check::new("", status, count, "count", "").value);
        let (pass, warn) = (
            |count| figure(Status::Pass, count),
            |count| figure(Status::Warn, count),
        );
        assert_eq!(seen(0, false), [pass(9), pass(2)]);
        assert_eq!(seen(3, false), [pass(9), warn(5)]);
        assert_eq!(seen(3, true), [pass(0), pass(0)]);
    }
}
