//! A journal as a list, a firm in it, and the manager that reads it live.

use bytemuck::Zeroable;
use tradewind_alerts::{AlertManager, AlertSettings, IncidentRow, Metric, RuleDocument};
use tradewind_config::Settings;
use tradewind_domain::codes::{LimitAction, LimitType};
use tradewind_domain::event::{
    AlertAction, AlertVerb, CalendarSet, Control, EngineStarted, Event, Execution, HitKind, InstrumentSet,
    Kind, LimitHit, LimitSet, NodeSet, OrderNew, Quote, execution_alerts,
};
use tradewind_domain::ids::{CalendarId, InstrumentId, LimitId, NodeId, SessionId, VenueId};
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Text;
use tradewind_domain::time::NANOS_PER_SEC as SEC;

pub(crate) const MINUTE: u64 = 60;
pub(crate) const CALENDAR: CalendarId = CalendarId(1);
pub(crate) const ACME: InstrumentId = InstrumentId(0);
pub(crate) const VENUE: VenueId = VenueId(4);
pub(crate) const DAY: LimitId = LimitId(0);
pub(crate) const POSITION: LimitId = LimitId(1);
pub(crate) const STOP: LimitId = LimitId(2);

pub(crate) fn settings() -> AlertSettings {
    let sets = ["alerts.instrument_silent_ms=60000".to_owned()];
    AlertSettings::new(&Settings::load("server", None, [], &sets).unwrap().alerts)
}

/// A journal as a list, and the manager that reads it live.
pub(crate) struct Desk {
    pub(crate) manager: AlertManager,
    pub(crate) records: Vec<Event>,
    pub(crate) seq: u64,
}

pub(crate) fn event<T: tradewind_domain::event::Body>(kind: Kind, fill: impl FnOnce(&mut T)) -> Event {
    let mut event = Event::empty();
    event.reset(kind);
    fill(event.body_mut());
    event
}

impl Desk {
    /// A firm over account A, a share with a session from second 1,000 to 2,000, and three limits; the engine started at 0.
    pub(crate) fn new() -> Self {
        let mut desk = Self {
            manager: AlertManager::new(&settings()),
            records: Vec::new(),
            seq: 0,
        };
        desk.put(0, event(Kind::EngineStarted, |b: &mut EngineStarted| b.epoch = 1));
        for (id, code, parent) in [(0, "FIRM", NodeId::NONE), (1, "A", NodeId(0))] {
            let node = event(Kind::NodeSet, |b: &mut NodeSet| {
                b.code = Text::lossy(code);
                (b.node, b.parent, b.calendar) = (NodeId(id), parent, CALENDAR);
            });
            desk.put(0, node);
        }
        let acme = event(Kind::InstrumentSet, |b: &mut InstrumentSet| {
            b.row.symbol = Text::lossy("ACME");
            (b.row.id, b.row.calendar) = (ACME, CALENDAR);
        });
        desk.put(0, acme);
        let days = event(Kind::CalendarSet, |b: &mut CalendarSet| {
            (b.calendar, b.count) = (CALENDAR, 1);
            b.days[0] = CalendarDay {
                roll_ns: 1,
                open_ns: 1_000 * SEC,
                close_ns: 2_000 * SEC,
                ..CalendarDay::zeroed()
            };
        });
        desk.put(0, days);
        desk.limit(DAY, "DAY", LimitType::DailyNotional, LimitAction::Reject);
        desk.limit(POSITION, "POS", LimitType::PositionLong, LimitAction::Alert);
        desk.limit(STOP, "STOP", LimitType::DailyLoss, LimitAction::Restrict);
        desk
    }

    pub(crate) fn limit(&mut self, id: LimitId, label: &str, limit_type: LimitType, action: LimitAction) {
        let limit = event(Kind::LimitSet, |b: &mut LimitSet| {
            b.label = Text::lossy(label);
            (b.limit, b.node, b.filter_instrument) = (id, NodeId(1), InstrumentId::NONE);
            (b.limit_type, b.action) = (limit_type as u8, action as u8);
        });
        self.put(0, limit);
    }

    /// The next record, some nanoseconds after the second.
    pub(crate) fn put(&mut self, second: u64, mut event: Event) -> &mut Self {
        self.seq += 1;
        event.head.seq = self.seq;
        event.head.recv_ns = second * SEC + self.seq;
        self.manager.on_record(&event);
        self.records.push(event);
        self
    }

    /// An order that was decided so, with what limits said of it.
    pub(crate) fn order(&mut self, second: u64, code: Option<RejectCode>, hits: &[LimitHit]) -> &mut Self {
        let mut order = event(Kind::OrderNew, |b: &mut OrderNew| {
            b.cl_ord_id = Text::lossy("C1");
            b.instrument = ACME;
            b.verdict.hits = hits.len() as u16;
        });
        for hit in hits {
            assert!(order.append_tail(bytemuck::bytes_of(hit)));
        }
        if let Some(code) = code {
            order.reject(code);
        }
        self.put(second, order)
    }

    pub(crate) fn execution(
        &mut self,
        second: u64,
        code: Option<RejectCode>,
        alerts: u8,
        exec_id: &str,
    ) -> &mut Self {
        let mut execution = event(Kind::VenueFill, |b: &mut Execution| {
            b.exec_id = Text::lossy(exec_id);
            (b.alerts, b.venue, b.leaf, b.instrument) = (alerts, VENUE, NodeId(1), ACME);
        });
        if alerts & execution_alerts::BREACH != 0 {
            execution.append_tail(bytemuck::bytes_of(&hit(HitKind::Alerted, POSITION, 120)));
        }
        if let Some(code) = code {
            execution.reject(code);
        }
        self.put(second, execution)
    }

    pub(crate) fn quote(&mut self, second: u64) -> &mut Self {
        let quote = event(Kind::Quote, |b: &mut Quote| {
            (b.venue, b.instrument) = (VENUE, ACME)
        });
        self.put(second, quote)
    }

    pub(crate) fn control(&mut self, second: u64, kind: Kind, state: u8) -> &mut Self {
        let control = event(kind, |b: &mut Control| {
            b.author = Text::lossy("ann");
            (b.node, b.instrument, b.session, b.venue) =
                (NodeId(1), InstrumentId::NONE, SessionId::NONE, VenueId::NONE);
            b.state_after = state;
        });
        self.put(second, control)
    }

    pub(crate) fn act(&mut self, second: u64, verb: AlertVerb, incident: u64) -> &mut Self {
        let mut action = event(Kind::AlertAction, |b: &mut AlertAction| {
            (b.incident, b.action) = (incident, verb as u8);
            b.author = Text::lossy("ann");
        });
        action.set_tail(b"on it");
        self.put(second, action)
    }

    /// A file of own rules comes into force.
    pub(crate) fn rules(&mut self, second: u64, source: &str) -> &mut Self {
        let document = RuleDocument {
            author: "ada".into(),
            reason: "a test".into(),
            source: source.into(),
        };
        for part in document.parts().unwrap() {
            self.put(second, *part.event());
        }
        self
    }

    pub(crate) fn tick(&mut self, second: u64) -> &mut Self {
        self.manager.tick(second * SEC);
        self
    }

    /// The incident of a rule, of which there is one.
    #[track_caller]
    pub(crate) fn one(&self, rule: Metric) -> IncidentRow {
        let mut rows = self.manager.incidents();
        rows.retain(|row| row.rule == rule.text());
        assert_eq!(rows.len(), 1, "{rule:?}: {rows:?}");
        rows.remove(0)
    }

    pub(crate) fn none(&self, rule: Metric) -> bool {
        self.manager.incidents().iter().all(|row| row.rule != rule.text())
    }

    /// A manager that reads the same records afterwards.
    pub(crate) fn rebuilt(&self) -> AlertManager {
        let mut manager = AlertManager::new(&settings());
        self.records.iter().for_each(|event| manager.on_record(event));
        manager
    }
}

pub(crate) fn hit(kind: HitKind, limit: LimitId, used: i128) -> LimitHit {
    LimitHit {
        used,
        hard: 100,
        limit,
        code: RejectCode::DailyNotional as u16,
        kind: kind as u8,
        level: 2,
        ..LimitHit::zeroed()
    }
}

pub(crate) fn refused(limit: LimitId) -> [LimitHit; 1] {
    [hit(HitKind::Refused, limit, 130)]
}
