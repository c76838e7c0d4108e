//! The hub: one thread that makes every frame and puts it into the mailboxes of those who share it.
//!
//! # Invariants
//! - Nobody is waited for: a mailbox that is full costs its owner the frame (state channels) or the connection (event channels).
//! - A frame is made once for all who share it, whatever their number.
//! - Who was revoked is out within [`STANDING_TICKS`] ticks.
//!
//! Not here: sockets (see `socket`).

use crate::channel::Channel;
use crate::class::Class;
use crate::events::{EventRows, end_of};
use crate::feed::{FeedCounts, FeedSettings};
use crate::figures::{Check, Figures, Status};
use crate::frame::Frame;
use crate::mailbox::{Mailbox, ending};
use crate::protocol::{Request, Wish, problem};
use crate::stream::{Moment, ROWS_MAX, Stream, StreamKey, TICKS_PER_S};
use crate::tables::Tables;
use crate::viewer::{Standing, Viewer};
use axum::extract::ws::Message;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tradewind_domain::ids::Seq;
use tradewind_machine::clock::{Clock, RawStamp};
use tradewind_views::live::{Held, Live};

/// Nanoseconds of a tick.
const TICK_NS: u64 = 1_000_000_000 / TICKS_PER_S;
/// Ticks between two looks at whether tokens still count.
pub(crate) const STANDING_TICKS: u64 = 4;
/// For each subscriber of unconflated events so long must pass between two rounds of them, and at most [`ROUND_NS_MAX`].
const ROUND_NS_OF_SUBSCRIBER: u64 = 10_000;
const ROUND_NS_MAX: u64 = 50_000_000;
/// The pause while somebody catches up, or events wait for their round.
const SHORT_PAUSE: Duration = Duration::from_millis(2);

/// What connections tell the hub.
pub(crate) enum Command {
    /// A connection that is let in.
    Open {
        id: u64,
        mailbox: Arc<Mailbox>,
        viewer: Arc<dyn Viewer>,
    },
    /// It has shown a new token.
    Renew { id: u64, viewer: Arc<dyn Viewer> },
    /// It wants a channel.
    Subscribe { id: u64, request: Request, wish: Wish },
    /// It does not want a channel any more.
    Unsubscribe {
        id: u64,
        request: Request,
        channel: Channel,
    },
    /// It is gone.
    Close { id: u64 },
}

/// Where a subscriber of a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// It has everything up to the stream's last frame.
    Current,
    /// It is to get a snapshot; with true because rows were lost to it.
    Snapshot(bool),
    /// Event channels: it gets the past first, from behind this place; the last number that it was told.
    Past { place: (Seq, u32), seq: u64 },
    /// Event channels: it has everything, and was told a later number than the stream's last frame said.
    Ahead { seq: u64 },
}

struct Subscription {
    key: StreamKey,
    course: Course,
}

struct Client {
    mailbox: Arc<Mailbox>,
    viewer: Arc<dyn Viewer>,
    class: u64,
    subscriptions: BTreeMap<Channel, Subscription>,
}

/// The thread's state.
pub(crate) struct Hub {
    live: Arc<Live>,
    figures: Arc<dyn Figures>,
    clock: Clock,
    settings: FeedSettings,
    commands: Receiver<Command>,
    counts: Arc<FeedCounts>,
    clients: HashMap<u64, Client>,
    classes: HashMap<u64, Class>,
    streams: BTreeMap<StreamKey, Stream>,
    tables: Tables,
    events: [EventRows; 2],
    tick: u64,
    as_of: Seq,
    /// Subscribers that want events as they happen.
    immediate: u64,
    rung: u64,
    round_at: RawStamp,
    /// Events wait for the next round.
    is_round_due: bool,
    /// Somebody gets the past.
    is_catching_up: bool,
}

impl Hub {
    pub(crate) fn new(
        live: Arc<Live>,
        figures: Arc<dyn Figures>,
        clock: Clock,
        settings: FeedSettings,
        commands: Receiver<Command>,
        counts: Arc<FeedCounts>,
    ) -> Self {
        let round_at = clock.raw();
        Self {
            live,
            figures,
            clock,
            settings,
            commands,
            counts,
            clients: HashMap::new(),
            classes: HashMap::new(),
            streams: BTreeMap::new(),
            tables: Tables::default(),
            events: [EventRows::new(Channel::Trades), EventRows::new(Channel::Rejects)],
            tick: 1,
            as_of: 0,
            immediate: 0,
            rung: 0,
            round_at,
            is_round_due: false,
            is_catching_up: false,
        }
    }

    /// Makes frames until `stop`.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        self.live.wake_me();
        self.live.look(Held::watch);
        let began = self.clock.raw();
        while !stop.load(Ordering::Acquire) {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            self.immediate_events();
            let passed_ns = self.clock.span_ns(began, self.clock.raw());
            let tick = 1 + passed_ns / TICK_NS;
            if tick > self.tick {
                self.tick = tick;
                self.on_tick();
            }
            if self.is_catching_up {
                self.is_catching_up = self.catch_up();
            }
            self.wait(began);
        }
        for client in self.clients.values() {
            client.mailbox.end(ending::RESTART);
        }
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Open { mailbox, .. } = command {
                mailbox.end(ending::RESTART);
            }
        }
    }

    fn wait(&self, began: RawStamp) {
        let passed_ns = self.clock.span_ns(began, self.clock.raw());
        let to_tick = Duration::from_nanos((self.tick * TICK_NS).saturating_sub(passed_ns));
        let pause = if self.is_catching_up || self.is_round_due {
            to_tick.min(SHORT_PAUSE)
        } else {
            to_tick
        };
        if !pause.is_zero() {
            std::thread::park_timeout(pause);
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            tick: self.tick,
            as_of: self.as_of,
            now_ns: self.clock.now_ns(),
        }
    }

    // Clients

    fn obey(&mut self, command: Command) {
        match command {
            Command::Open { id, mailbox, viewer } => {
                let class = self.class_of(&viewer);
                let client = Client {
                    mailbox,
                    viewer,
                    class,
                    subscriptions: BTreeMap::new(),
                };
                self.clients.insert(id, client);
            }
            Command::Renew { id, viewer } => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.viewer = viewer;
                }
                self.settle_class(id);
            }
            Command::Subscribe { id, request, wish } => self.subscribe(id, &request, wish),
            Command::Unsubscribe { id, request, channel } => self.unsubscribe(id, &request, channel),
            Command::Close { id } => {
                if let Some(client) = self.clients.remove(&id) {
                    for subscription in client.subscriptions.values() {
                        self.leave(id, &subscription.key);
                    }
                }
            }
        }
        self.counts
            .clients
            .store(self.clients.len() as u64, Ordering::Relaxed);
    }

    /// The class of a viewer, made known; whoever was asked last for it may have left it.
    fn class_of(&mut self, viewer: &Arc<dyn Viewer>) -> u64 {
        let id = viewer.class();
        self.classes
            .entry(id)
            .or_insert_with(|| Class::of(viewer))
            .ask(viewer);
        id
    }

    fn subscribe(&mut self, id: u64, request: &Request, wish: Wish) {
        let now_ns = self.clock.now_ns();
        let Some(client) = self.clients.get(&id) else {
            return;
        };
        let (mailbox, class) = (Arc::clone(&client.mailbox), client.class);
        let channel = wish.channel;
        if client.subscriptions.contains_key(&channel) {
            let message = format!("{} is subscribed already", channel.name());
            let refused = Err(problem("ALREADY_SUBSCRIBED", message));
            return mailbox.answer(request.answer("subscribe", refused, now_ns));
        }
        let key = StreamKey {
            channel,
            class,
            choice: Arc::new(wish.choice),
            hz: wish.hz,
            is_binary: wish.encoding == crate::frame::Encoding::Binary,
        };
        self.join(id, &key);
        let result = json!({
            "channel": channel.name(), "hz": wish.hz, "encoding": wish.encoding.name(),
            "key_columns": channel.key_columns(), "columns": channel.columns(),
        });
        mailbox.answer(request.answer("subscribe", Ok(result), now_ns));
        let course = match wish.from_seq {
            Some(seq) => Course::Past {
                place: end_of(seq),
                seq,
            },
            None if wish.snapshot => Course::Snapshot(false),
            None => Course::Current,
        };
        if let Some(client) = self.clients.get_mut(&id) {
            client.subscriptions.insert(channel, Subscription { key, course });
        }
        self.is_catching_up |= channel.is_event();
    }

    fn unsubscribe(&mut self, id: u64, request: &Request, channel: Channel) {
        let now_ns = self.clock.now_ns();
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let mailbox = Arc::clone(&client.mailbox);
        let result = match client.subscriptions.remove(&channel) {
            Some(subscription) => {
                self.leave(id, &subscription.key);
                mailbox.forget(channel);
                Ok(json!({ "channel": channel.name() }))
            }
            None => {
                let message = format!("{} is not subscribed", channel.name());
                Err(problem("NOT_SUBSCRIBED", message))
            }
        };
        mailbox.answer(request.answer("unsubscribe", result, now_ns));
    }

    /// Puts a client into a stream, which begins where nobody shared it yet.
    fn join(&mut self, id: u64, key: &StreamKey) {
        let moment = self.moment();
        if key.channel.is_event() {
            let has_others = self.streams.keys().any(|other| other.channel == key.channel);
            let rows = &mut self.events[event_index(key.channel)];
            if !has_others {
                rows.begin(&self.live);
            }
            rows.is_binary |= key.is_binary;
            self.immediate += u64::from(key.hz == 0);
        } else {
            self.tables.watch(key.channel, key.is_binary);
        }
        let place = key
            .channel
            .is_event()
            .then(|| self.events[event_index(key.channel)].place);
        let stream = self.streams.entry(key.clone()).or_insert_with(|| {
            let mut stream = Stream::new(moment);
            if let Some(place) = place {
                (stream.place, stream.seq) = (place, place.0);
            }
            stream
        });
        stream.subscribers.push(id);
        self.counts.subscriptions.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a client out of a stream, which ends where nobody else shares it.
    fn leave(&mut self, id: u64, key: &StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else {
            return;
        };
        stream.subscribers.retain(|other| *other != id);
        self.counts.subscriptions.fetch_sub(1, Ordering::Relaxed);
        if key.channel.is_event() {
            self.immediate -= u64::from(key.hz == 0);
        }
        if !stream.subscribers.is_empty() {
            return;
        }
        self.streams.remove(key);
        let is_watched = self.streams.keys().any(|other| other.channel == key.channel);
        if !is_watched && !key.channel.is_event() {
            self.tables.leave(key.channel);
        }
    }

    /// Moves a client whose rights have changed into the streams of its class.
    fn settle_class(&mut self, id: u64) {
        self.is_catching_up = true;
        let Some(client) = self.clients.get(&id) else {
            return;
        };
        let viewer = Arc::clone(&client.viewer);
        let (old, new) = (client.class, self.class_of(&viewer));
        if old == new {
            return;
        }
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.class = new;
        let mailbox = Arc::clone(&client.mailbox);
        let keys: Vec<StreamKey> = client
            .subscriptions
            .values()
            .map(|held| held.key.clone())
            .collect();
        for key in keys {
            self.leave(id, &key);
            mailbox.forget(key.channel);
            let key = StreamKey { class: new, ..key };
            self.join(id, &key);
            if let Some(client) = self.clients.get_mut(&id) {
                let course = Course::Snapshot(false);
                client
                    .subscriptions
                    .insert(key.channel, Subscription { key, course });
            }
        }
    }

    /// Ends connections whose tokens do not count any more, and follows changes of rights.
    fn check_standing(&mut self) {
        let mut changed = Vec::new();
        for (id, client) in &self.clients {
            match client.viewer.standing() {
                Standing::Good => {}
                Standing::Expired => client.mailbox.end(ending::EXPIRED),
                Standing::Revoked => client.mailbox.end(ending::REVOKED),
            }
            if client.viewer.class() != client.class {
                changed.push(*id);
            }
        }
        changed.into_iter().for_each(|id| self.settle_class(id));
        let clients = &self.clients;
        self.classes
            .retain(|class, _| clients.values().any(|client| client.class == *class));
        // Somebody of the class must be left to ask.
        for client in self.clients.values() {
            if let Some(class) = self.classes.get_mut(&client.class) {
                class.ask(&client.viewer);
            }
        }
    }

    // State channels

    fn on_tick(&mut self) {
        if self.tick.is_multiple_of(STANDING_TICKS) || self.clients.len() < 64 {
            self.check_standing();
        }
        let now_ns = self.clock.now_ns();
        let own = self.own_checks();
        let looked = self
            .tables
            .refresh(&self.live, &*self.figures, &own, self.tick, now_ns);
        self.as_of = looked.as_of;
        if looked.reference {
            self.classes.values_mut().for_each(Class::forget);
        }
        let moment = self.moment();
        let mut streams = std::mem::take(&mut self.streams);
        for (key, stream) in &mut streams {
            if self.tick < stream.due {
                continue;
            }
            stream.due = self.tick + key.period();
            if key.channel.is_event() {
                continue;
            }
            self.state_frames(key, stream, moment);
        }
        self.streams = streams;
        self.due_events();
    }

    fn state_frames(&mut self, key: &StreamKey, stream: &mut Stream, moment: Moment) {
        let (Some(table), Some(class)) = (self.tables.get(key.channel), self.classes.get_mut(&key.class))
        else {
            return;
        };
        let update = stream.update(key, table, class, moment);
        for id in &stream.subscribers.clone() {
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            let Some(subscription) = client.subscriptions.get_mut(&key.channel) else {
                continue;
            };
            let is_lost = match (&update, subscription.course) {
                (Ok(Some(frame)), Course::Current) => {
                    !client
                        .mailbox
                        .state(key.channel, std::slice::from_ref(frame), false)
                }
                (Err(_), Course::Current) => true,
                _ => false,
            };
            if is_lost {
                subscription.course = Course::Snapshot(false);
                self.counts.left_out.fetch_add(1, Ordering::Relaxed);
            }
            if let Course::Snapshot(_) = subscription.course {
                let pieces = stream.snapshot(key, table, class, moment);
                if client.mailbox.state(key.channel, &pieces, true) {
                    subscription.course = Course::Current;
                }
            }
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn own_checks(&self) -> Vec<Check> {
        let counts = &self.counts;
        let (clients, slow) = (self.clients.len() as u64, counts.slow.load(Ordering::Relaxed));
        let is_full = clients * 10 >= u64::from(self.settings.clients_max) * 9;
        let status = if is_full { Status::Warn } else { Status::Pass };
        vec![
            Check::new(
                "ws:clients",
                status,
                clients,
                "count",
                "connections of the live feed",
            ),
            Check::new(
                "ws:dropped",
                Status::Pass,
                slow,
                "count",
                "clients that were too slow and were closed",
            ),
        ]
    }

    // Event channels

    /// Events for those who want them as they happen. With many of them rounds are some time apart.
    fn immediate_events(&mut self) {
        let rung = self.live.rung();
        if self.immediate == 0 || rung == self.rung {
            return;
        }
        let now = self.clock.raw();
        let pause_ns = (self.immediate * ROUND_NS_OF_SUBSCRIBER).min(ROUND_NS_MAX);
        self.is_round_due = self.clock.span_ns(self.round_at, now) < pause_ns;
        if self.is_round_due {
            return;
        }
        (self.rung, self.round_at) = (rung, now);
        self.as_of = self.live.last().0;
        self.event_frames(|key, _| key.hz == 0);
    }

    /// Events for those who want them a few times a second; and for all others what a bell did not ring for.
    fn due_events(&mut self) {
        if self.streams.keys().any(|key| key.channel.is_event()) {
            let tick = self.tick;
            self.event_frames(|key, stream| key.hz == 0 || stream.due == tick + key.period());
        }
    }

    fn event_frames(&mut self, is_due: impl Fn(&StreamKey, &Stream) -> bool) {
        let moment = self.moment();
        let mut streams = std::mem::take(&mut self.streams);
        for at in 0..self.events.len() {
            let channel = self.events[at].channel;
            let mut of_channel = streams
                .iter_mut()
                .filter(|(key, _)| key.channel == channel)
                .peekable();
            if of_channel.peek().is_none() {
                continue;
            }
            let is_whole = self.events[at].take(&self.live);
            let mut slowest = self.events[at].place;
            for (key, stream) in of_channel {
                if !is_whole {
                    self.lose(key, stream, at);
                } else if is_due(key, stream) {
                    self.event_frame(key, stream, at, moment);
                }
                slowest = slowest.min(stream.place);
            }
            self.events[at].forget(slowest);
        }
        self.streams = streams;
    }

    /// Rows were forgotten before they went out: everybody begins anew, and is told.
    fn lose(&mut self, key: &StreamKey, stream: &mut Stream, at: usize) {
        self.is_catching_up = true;
        (stream.place, stream.seq) = (self.events[at].place, self.events[at].place.0);
        for id in &stream.subscribers {
            let client = self.clients.get_mut(id);
            if let Some(held) = client.and_then(|client| client.subscriptions.get_mut(&key.channel)) {
                held.course = Course::Snapshot(true);
            }
        }
    }

    fn event_frame(&mut self, key: &StreamKey, stream: &mut Stream, at: usize, moment: Moment) {
        let Some(class) = self.classes.get_mut(&key.class) else {
            return;
        };
        let rows = self.events[at].after(stream.place);
        let rows: Vec<_> = rows.filter(|placed| key.takes(class, &placed.row)).collect();
        stream.place = self.events[at].place;
        let Some(last) = rows.last() else { return };
        let seq = last.place.0;
        let frame_after = |prev: u64| {
            let mut frame = Frame::new(key.head(moment, false, seq, prev), key.encoding());
            for placed in &rows {
                frame.row(&placed.row.json, &placed.row.binary);
            }
            frame.finish()
        };
        let message = frame_after(stream.seq);
        stream.seq = seq;
        for id in &stream.subscribers {
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            let Some(held) = client.subscriptions.get_mut(&key.channel) else {
                continue;
            };
            let message = match held.course {
                Course::Current => message.clone(),
                Course::Ahead { seq } => frame_after(seq),
                Course::Snapshot(_) | Course::Past { .. } => continue,
            };
            held.course = Course::Current;
            client.mailbox.event(key.channel, message);
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends the past to those who are not current. True while somebody is not.
    fn catch_up(&mut self) -> bool {
        let mut behind = Vec::new();
        for (key, stream) in self.streams.iter().filter(|(key, _)| key.channel.is_event()) {
            for id in &stream.subscribers {
                let held = self
                    .clients
                    .get(id)
                    .and_then(|client| client.subscriptions.get(&key.channel));
                let is_behind =
                    |held: &Subscription| matches!(held.course, Course::Snapshot(_) | Course::Past { .. });
                if held.is_some_and(is_behind) {
                    behind.push((*id, key.clone()));
                }
            }
        }
        let is_behind = !behind.is_empty();
        for (id, key) in behind {
            self.send_past(id, &key);
        }
        is_behind
    }

    fn send_past(&mut self, id: u64, key: &StreamKey) {
        let moment = self.moment();
        let (Some(client), Some(stream)) = (self.clients.get_mut(&id), self.streams.get(key)) else {
            return;
        };
        let Some(class) = self.classes.get_mut(&key.class) else {
            return;
        };
        let Some(held) = client.subscriptions.get_mut(&key.channel) else {
            return;
        };
        if !client.mailbox.is_calm() {
            return;
        }
        let rows = &self.events[event_index(key.channel)];
        let message = match held.course {
            Course::Current | Course::Ahead { .. } => return,
            Course::Snapshot(gap) => {
                held.course = Course::Current;
                Some(newest_frame(rows, &self.live, key, stream, class, moment, gap))
            }
            Course::Past { seq, .. } if seq > stream.place.0 => {
                // It knows more than the journal does: another one told it.
                held.course = Course::Snapshot(true);
                None
            }
            Course::Past { place, seq } => match rows.read(&self.live, place, ROWS_MAX) {
                None => {
                    held.course = Course::Snapshot(true);
                    None
                }
                Some(found) => {
                    let (course, message) = past_frame(found, key, stream, class, moment, seq);
                    held.course = course;
                    message
                }
            },
        };
        if let Some(message) = message {
            client.mailbox.event(key.channel, message);
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn event_index(channel: Channel) -> usize {
    usize::from(channel == Channel::Rejects)
}

/// The newest rows as a snapshot.
fn newest_frame(
    rows: &EventRows,
    live: &Live,
    key: &StreamKey,
    stream: &Stream,
    class: &mut Class,
    moment: Moment,
    gap: bool,
) -> Message {
    let found = rows.newest(live, stream.place, |owner, account, symbol| {
        key.takes_of(class, owner, account, symbol)
    });
    let mut head = key.head(moment, true, stream.seq, 0);
    head.gap = gap;
    let mut frame = Frame::new(head, key.encoding());
    for placed in &found {
        frame.row(&placed.row.json, &placed.row.binary);
    }
    frame.finish()
}

/// A piece of the past behind `seq`, and where the subscriber is after it.
fn past_frame(
    mut found: Vec<crate::events::Placed>,
    key: &StreamKey,
    stream: &Stream,
    class: &mut Class,
    moment: Moment,
    seq: u64,
) -> (Course, Option<Message>) {
    let is_cut = found.len() == ROWS_MAX;
    if is_cut {
        // Rows of one input stand in one frame: the last one may not be whole.
        let last = found.last().map_or(0, |placed| placed.place.0);
        if found.first().is_some_and(|placed| placed.place.0 < last) {
            found.retain(|placed| placed.place.0 < last);
        }
    }
    let is_done = !is_cut || found.last().is_none_or(|placed| placed.place >= stream.place);
    found.retain(|placed| placed.place <= stream.place);
    let reached = found.last().map_or(seq, |placed| placed.place.0);
    let to = if is_done { stream.seq.max(seq) } else { reached };
    let rows: Vec<_> = found
        .iter()
        .filter(|placed| key.takes(class, &placed.row))
        .collect();
    let course = if is_done && to > stream.seq {
        Course::Ahead { seq: to }
    } else if is_done {
        Course::Current
    } else {
        Course::Past {
            place: end_of(reached),
            seq: if rows.is_empty() { seq } else { to },
        }
    };
    if rows.is_empty() && (!is_done || to <= seq) {
        return (course, None);
    }
    let mut head = key.head(moment, false, to, seq);
    head.more = !is_done;
    let mut frame = Frame::new(head, key.encoding());
    for placed in rows {
        frame.row(&placed.row.json, &placed.row.binary);
    }
    (course, Some(frame.finish()))
}
