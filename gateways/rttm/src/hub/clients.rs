//! Who is there: connections, their subscriptions, and their rights as they change.
//!
//! Invariant: a subscription is in exactly one stream, that of its owner's present rights.

use super::{Client, Command, Course, Hub, Subscription, event_index};
use crate::channel::Channel;
use crate::class::Class;
use crate::events::end_of;
use crate::frame::Encoding;
use crate::mailbox::ending;
use crate::protocol::{Request, Wish, problem};
use crate::stream::{Stream, StreamKey};
use crate::viewer::{Standing, Viewer};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Hub {
    pub(super) fn obey(&mut self, command: Command) {
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
            is_binary: wish.encoding == Encoding::Binary,
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
    pub(super) fn check_standing(&mut self) {
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
}
