//! A journal, its replica, the feed and a server; viewers with rights that a test changes.

use crate::desk::{Desk, Place, capacities};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use tradewind_alerts::{IncidentRow, Severity, State};
use tradewind_domain::event::{Event, Kind};
use tradewind_domain::ids::NodeId;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{Follower, JournalHandle, JournalWriter, StartAt};
use tradewind_machine::latency::SpanCounts;
use tradewind_rttm::{
    Check, Entitlements, Feed, FeedSettings, Figures, Refused, StageFigure, StageRow, StageWindow, Standing,
    Status, Viewer,
};
use tradewind_views::live::{Live, LiveThread};

/// Somebody with rights.
pub(crate) struct Person {
    pub(crate) name: String,
    class: AtomicU64,
    nodes: Mutex<BTreeSet<NodeId>>,
    is_firm: AtomicBool,
    standing: AtomicU8,
}

impl Person {
    pub(crate) fn revoke(&self) {
        self.standing.store(Standing::Revoked as u8, Ordering::Release);
    }
    pub(crate) fn expire(&self) {
        self.standing.store(Standing::Expired as u8, Ordering::Release);
    }
    /// Sees these nodes from now on, as the first of the class.
    pub(crate) fn grant(&self, class: u64, nodes: &[NodeId]) {
        *self.nodes.lock().unwrap() = nodes.iter().copied().collect();
        self.class.store(class, Ordering::Release);
    }
}

impl Viewer for Person {
    fn user(&self) -> String {
        self.name.clone()
    }
    fn class(&self) -> u64 {
        self.class.load(Ordering::Acquire)
    }
    fn sees(&self, node: NodeId) -> bool {
        self.is_firm.load(Ordering::Acquire) || self.nodes.lock().unwrap().contains(&node)
    }
    fn sees_firm(&self) -> bool {
        self.is_firm.load(Ordering::Acquire)
    }
    fn is_operator(&self) -> bool {
        self.is_firm.load(Ordering::Acquire)
    }
    fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Acquire) {
            1 => Standing::Expired,
            2 => Standing::Revoked,
            _ => Standing::Good,
        }
    }
}

/// Who may come in: the token is the name.
#[derive(Default)]
pub(crate) struct People(Mutex<BTreeMap<String, Arc<Person>>>);

impl People {
    pub(crate) fn add(&self, name: &str, class: u64, nodes: &[NodeId], is_firm: bool) -> Arc<Person> {
        let person = Arc::new(Person {
            name: name.to_owned(),
            class: AtomicU64::new(class),
            nodes: Mutex::new(nodes.iter().copied().collect()),
            is_firm: AtomicBool::new(is_firm),
            standing: AtomicU8::new(0),
        });
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), Arc::clone(&person));
        person
    }
}

impl Entitlements for People {
    fn authenticate(&self, token: &str) -> Result<Arc<dyn Viewer>, Refused> {
        let known = self.0.lock().unwrap().get(token).cloned();
        let person = known.ok_or_else(|| Refused("nobody has that token".into()))?;
        Ok(person)
    }
}

/// Two incidents, of an account and of the engine.
struct Known(Arc<Vec<IncidentRow>>);

impl Figures for Known {
    fn stages(&self) -> Vec<StageRow> {
        let figure = StageFigure {
            stage: "limit",
            events: 7,
            batches: 1,
            idle_cycles: 0,
            full_waits: 0,
            spans: SpanCounts::default(),
        };
        StageWindow::default().look(1, vec![figure])
    }
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("pipeline:running", Status::Pass, 1, "", "it runs")]
    }
    fn incidents(&self) -> Option<Arc<Vec<IncidentRow>>> {
        Some(Arc::clone(&self.0))
    }
}

fn incident(id: u64, scope: &str) -> IncidentRow {
    IncidentRow {
        id,
        live: false,
        rule: "limit-usage".into(),
        scope: scope.into(),
        instrument: String::new(),
        severity: Severity::Warning,
        state: State::Open,
        level: 1,
        next_level_at: None,
        count: 1,
        text: "used to 84 %".into(),
        opened_at: "2026-03-02T14:30:00.000000000Z".into(),
        last_at: "2026-03-02T14:30:00.000000000Z".into(),
        cleared_at: None,
        acknowledged_at: None,
        acknowledged_by: None,
        acknowledge_comment: None,
        resolved_at: None,
        resolved_by: None,
        resolve_comment: None,
    }
}

/// All of it, running.
pub(crate) struct Room {
    place: Place,
    desk: Desk<VecJournal<Event>>,
    /// Records of the desk that are in the journal.
    written: usize,
    writer: JournalWriter,
    handle: JournalHandle,
    live: LiveThread,
    feed: Option<Feed>,
    pub(crate) people: Arc<People>,
    pub(crate) address: SocketAddr,
    pub(crate) runtime: Runtime,
}

impl Room {
    /// With reference data, and somebody called `boss` who sees everything.
    pub(crate) fn new() -> Self {
        Self::with(FeedSettings::default())
    }

    pub(crate) fn with(settings: FeedSettings) -> Self {
        let place = Place::new();
        let (mut writer, handle) = place.open();
        let desk = Desk::in_memory();
        write(&mut writer, &desk.events()[0]);
        let live = Live::new(place.dir(), &capacities()).unwrap();
        let follower = Follower::open(place.dir(), StartAt::Start).unwrap();
        let live = LiveThread::start(live, follower).unwrap();
        let people = Arc::new(People::default());
        people.add("boss", 1, &[], true);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let figures = Known(Arc::new(vec![incident(501, "A"), incident(502, "archive")]));
        let clock = Clock::start().unwrap();
        let entitled: Arc<dyn Entitlements> = Arc::clone(&people) as _;
        let feed = Feed::start(
            Arc::clone(live.live()),
            Arc::new(figures),
            entitled,
            settings,
            clock,
        )
        .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = feed.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        let mut room = Self {
            place,
            desk,
            written: 1,
            writer,
            handle,
            live,
            feed: Some(feed),
            people,
            address,
            runtime,
        };
        room.flush();
        room
    }

    pub(crate) fn live(&self) -> &Arc<Live> {
        self.live.live()
    }

    pub(crate) fn feed(&self) -> &Feed {
        self.feed.as_ref().unwrap()
    }

    /// Lets the desk do something, and writes what came of it.
    pub(crate) fn act(&mut self, act: impl FnOnce(&mut Desk<VecJournal<Event>>)) {
        act(&mut self.desk);
        self.flush();
    }

    /// Lets the desk do something without writing it yet; then writes it record by record, with a pause where `pause` says so.
    pub(crate) fn act_slowly(
        &mut self,
        act: impl FnOnce(&mut Desk<VecJournal<Event>>),
        mut pause: impl FnMut(usize),
    ) {
        act(&mut self.desk);
        while self.written < self.desk.events().len() {
            write(&mut self.writer, &self.desk.events()[self.written]);
            self.written += 1;
            pause(self.written);
        }
    }

    fn flush(&mut self) {
        for event in &self.desk.events()[self.written..] {
            write(&mut self.writer, event);
        }
        self.written = self.desk.events().len();
    }

    /// Number of the last record.
    pub(crate) fn last_seq(&self) -> u64 {
        self.desk.last().head.seq
    }

    /// The newest record of a kind.
    pub(crate) fn newest(&self, kind: Kind) -> Event {
        let of_kind = |event: &&Event| event.kind() == Some(kind) && !event.is_rejected();
        *self.desk.events().iter().rfind(of_kind).unwrap()
    }

    /// Node of a code.
    pub(crate) fn node(&self, code: &str) -> NodeId {
        let code = crate::desk::text(code);
        let found = self
            .live()
            .read_now(|held| held.replica().registry().node_named(&code).map(|row| row.node));
        found.unwrap().unwrap()
    }

    /// Ends the feed alone.
    pub(crate) fn stop_feed(&mut self) {
        if let Some(feed) = self.feed.take() {
            feed.stop();
        }
    }

    pub(crate) fn stop(mut self) {
        self.stop_feed();
        self.runtime.shutdown_background();
        self.live.stop();
        drop(self.writer);
        self.handle.stop().unwrap();
        drop(self.place);
    }
}

/// Writes a record; where the window is full it waits for the archiver, as the pipeline does.
fn write(writer: &mut JournalWriter, event: &Event) {
    for _ in 0..10_000 {
        if writer.append(event).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    writer.commit(event.head.recv_ns + 500).unwrap();
}
