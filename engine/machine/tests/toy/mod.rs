//! Five toy stages that refuse, note, expand and keep state, and the same thing again as one plain loop.
//!
//! An input is a quote: `bid` is its value, `ask` the number of effects it has, `bid_qty` 1 asks for a refusal. An effect is
//! a last trade.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]

use bytemuck::Zeroable;
use tradewind_domain::event::{Event, Inbound, Kind, LastTrade, Quote, head_flags};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_machine::append::{Append, Fault, Full};
use tradewind_machine::stage::{Expansion, Stage, Stages};

/// What one toy stage does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Note,
    Decide,
    Post(usize),
}

/// A stage whose state is one number.
pub struct Toy {
    name: &'static str,
    role: Role,
    state: i64,
    effects_left: i64,
    rested: bool,
    panics_at: u64,
}

/// The five stages in their first state.
pub fn stages() -> Stages<Event> {
    stages_that_panic_at(u64::MAX)
}

/// The same, but settle panics at this sequence number.
pub fn stages_that_panic_at(seq: u64) -> Stages<Event> {
    let toy = |name, role, panics_at| -> Box<dyn Stage<Event>> {
        Box::new(Toy {
            name,
            role,
            state: 1,
            effects_left: 0,
            rested: false,
            panics_at,
        })
    };
    [
        toy("normalize", Role::Note, u64::MAX),
        toy("validate", Role::Note, u64::MAX),
        toy("limit", Role::Decide, u64::MAX),
        toy("settle", Role::Post(0), seq),
        toy("position", Role::Post(1), u64::MAX),
    ]
}

/// States of stages, as their digests say.
pub fn digests<'a>(stages: impl Iterator<Item = &'a dyn Stage<Event>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    stages.for_each(|stage| stage.digest(&mut |row| bytes.extend_from_slice(row)));
    bytes
}

/// As [`digests`], for stages that came back.
pub fn digests_of(stages: &Stages<Event>) -> Vec<u8> {
    digests(stages.iter().map(|stage| &**stage))
}

fn mix(state: i64, value: i64) -> i64 {
    (state ^ value)
        .wrapping_mul(0x5851_f42d_4c95_7f2d)
        .rotate_left(17)
}

impl Stage<Event> for Toy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn process(&mut self, event: &mut Event) {
        assert!(event.head.seq != self.panics_at, "the toy was told to panic here");
        let kind = event.kind();
        if !matches!(kind, Some(Kind::Quote | Kind::LastTrade)) {
            return; // an event of the engine itself
        }
        match self.role {
            Role::Note if event.body::<Quote>().bid % 7 == 3 => event.note(Note::Malformed),
            Role::Decide => {
                let refused = event.head.notes != 0 || event.body::<Quote>().bid_qty == 1;
                if refused {
                    event.reject(RejectCode::Malformed);
                }
            }
            Role::Post(index) if !event.is_rejected() => {
                let value = if kind == Some(Kind::Quote) {
                    event.body::<Quote>().bid
                } else {
                    event.body::<LastTrade>().px
                };
                let posted = mix(self.state, value);
                match kind {
                    Some(Kind::Quote) => event.body_mut::<Quote>().reserved[index] = posted as u64,
                    _ if index == 0 => event.body_mut::<LastTrade>().trade_id = posted as u64,
                    _ => event.body_mut::<LastTrade>().qty = posted,
                }
            }
            _ => {}
        }
        self.apply(event);
    }

    fn apply(&mut self, event: &Event) {
        let is_input = match event.kind() {
            Some(Kind::Quote) => true,
            Some(Kind::LastTrade) => false,
            _ => return,
        };
        match self.role {
            Role::Note => self.state = self.state.wrapping_add(1),
            Role::Decide if is_input => {
                self.effects_left = if event.is_rejected() {
                    0
                } else {
                    event.body::<Quote>().ask
                };
                self.state = self
                    .state
                    .wrapping_add(event.body::<Quote>().bid * i64::from(!event.is_rejected()));
            }
            Role::Decide => {
                self.state = event.body::<LastTrade>().px;
                self.effects_left -= 1;
            }
            Role::Post(_) if event.is_rejected() => {}
            Role::Post(index) if is_input => self.state = event.body::<Quote>().reserved[index] as i64,
            Role::Post(0) => self.state = event.body::<LastTrade>().trade_id as i64,
            Role::Post(_) => self.state = event.body::<LastTrade>().qty,
        }
    }

    fn expand(&mut self, out: &mut Event) -> Expansion {
        if self.effects_left == 0 {
            return Expansion::Done;
        }
        if self.effects_left % 3 == 0 && !self.rested {
            self.rested = true;
            return Expansion::Busy;
        }
        self.rested = false;
        out.reset(Kind::LastTrade);
        out.body_mut::<LastTrade>().px = mix(self.state, self.effects_left);
        self.apply(out);
        Expansion::Produced
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.state.to_le_bytes());
        sink(&self.effects_left.to_le_bytes());
    }
}

/// An input with its time.
pub fn input(value: i64, effects: i64, refuse: bool, at_ns: u64) -> Inbound {
    let mut quote = Quote::zeroed();
    quote.bid = value;
    quote.ask = effects;
    quote.bid_qty = i64::from(refuse);
    Inbound::new(Kind::Quote, &quote).at(at_ns)
}

/// A mix of inputs: many without effects, some with a few, a few with a hundred, some refused.
pub fn inputs(count: usize, seed: u64) -> Vec<Inbound> {
    let mut random = Random(seed);
    let mut at_ns = 1_000;
    (0..count)
        .map(|_| {
            at_ns += random.below(3); // equal and rising times
            let effects = match random.below(100) {
                0..80 => 0,
                80..95 => 1 + random.below(4),
                95..99 => 10 + random.below(10),
                _ => 100,
            };
            input(
                random.below(1_000) as i64,
                effects as i64,
                random.below(10) == 0,
                at_ns,
            )
        })
        .collect()
}

/// The journal of these inputs through [`stages`], by a plain loop, and the states at the end.
pub fn naive(inputs: &[Inbound]) -> (Vec<Event>, Vec<u8>) {
    let mut stages = stages();
    let mut journal = Vec::new();
    let mut last_ns = 0;
    for (index, inbound) in inputs.iter().enumerate() {
        let mut event = Event::empty();
        assert!(inbound.fill(&mut event));
        last_ns = event.head.origin_ns.max(last_ns + 1);
        event.head.seq = index as u64 + 1;
        event.head.recv_ns = last_ns;
        event.head.source = 2;
        stages[..3].iter_mut().for_each(|stage| stage.process(&mut event));
        let input = event.head;
        let mut group = vec![event];
        loop {
            let mut effect = Event::empty();
            match stages[2].expand(&mut effect) {
                Expansion::Done => break,
                Expansion::Busy => continue,
                Expansion::Produced => {}
            }
            effect.head.seq = input.seq;
            effect.head.recv_ns = input.recv_ns;
            effect.head.origin_ns = input.origin_ns;
            effect.head.source = input.source;
            effect.head.part = group.len() as u32;
            group.push(effect);
        }
        group.last_mut().unwrap().head.flags |= head_flags::LAST;
        for event in &mut group {
            stages[3..].iter_mut().for_each(|stage| stage.process(event));
        }
        journal.append(&mut group);
    }
    let digests = digests_of(&stages);
    (journal, digests)
}

/// The bytes of an event's record.
pub fn record(event: &Event) -> Vec<u8> {
    let mut bytes = bytemuck::bytes_of(&event.head).to_vec();
    bytes.extend_from_slice(event.body_bytes());
    bytes.extend_from_slice(event.tail());
    bytes
}

/// Fails at the first record that differs.
pub fn assert_same_journal(found: &[Event], expected: &[Event], what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(
            record(found),
            record(expected),
            "{what}: record {index}: {:?} {:?}",
            found.head,
            expected.head
        );
    }
    assert_eq!(found.len(), expected.len(), "{what}: records");
}

/// Numbers that look random (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A journal in memory that is often full, may be full for ever and say why only when asked again, and may be low on space.
#[derive(Default)]
pub struct MoodyJournal {
    pub events: Vec<Event>,
    pub committed: usize,
    pub full_every: u64,
    pub fails_after: Option<usize>,
    pub low_after: Option<usize>,
    pub calls: u64,
}

impl MoodyJournal {
    pub fn full_every(full_every: u64) -> Self {
        Self {
            full_every,
            ..Self::default()
        }
    }
}

impl Append<Event> for MoodyJournal {
    fn append(&mut self, event: &Event) -> Result<(), Full> {
        self.calls += 1;
        let failed = self.fails_after.is_some_and(|after| self.events.len() >= after);
        if failed || self.calls.is_multiple_of(self.full_every) {
            return Err(Full);
        }
        self.events.push(*event);
        Ok(())
    }

    fn commit(&mut self, _now_ns: u64) -> Result<(), Fault> {
        let is_idle = self.committed == self.events.len();
        self.committed = self.events.len();
        if is_idle && self.fails_after.is_some_and(|after| self.events.len() >= after) {
            return Err(Fault("the toy disk is gone".into()));
        }
        Ok(())
    }

    fn space_low(&self) -> bool {
        self.low_after.is_some_and(|after| self.committed >= after)
    }
}
