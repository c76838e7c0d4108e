//! One input, many effects: the part of a thread that runs the limit check.
//!
//! # Invariants
//! - The effects of an input follow it and come before the next input, whatever is full.
//! - Exactly the final record of a group carries `LAST`: a record is held back until it is known whether one follows.
//! - A pause needs nothing but free slots and room behind to go on; it never waits for a later input.

use crate::latency::Meter;
use crate::record::Record;
use crate::slab::{Pool, Slot};
use crate::stage::{Expansion, Stage};
use tradewind_domain::event::{Head, head_flags};

/// The group that effects belong to: what they have in common with their input, and the number of the next one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Group {
    input: Head,
    next_part: u32,
}

impl Group {
    /// The group of this input, or of this last record of it.
    #[inline]
    pub(crate) fn after(head: &Head) -> Self {
        Self {
            input: *head,
            next_part: head.part + 1,
        }
    }

    /// Makes `head`, with kind and outcome as the stage set them, the next part of the group and the last one so far.
    #[inline]
    pub(crate) fn adopt(&mut self, head: &mut Head) {
        *head = Head {
            seq: self.input.seq,
            recv_ns: self.input.recv_ns,
            origin_ns: self.input.origin_ns,
            source: self.input.source,
            part: self.next_part,
            flags: head_flags::LAST,
            kind: head.kind,
            field: head.field,
            outcome: head.outcome,
            tail_len: head.tail_len,
            notes: head.notes,
            ..Head::default()
        };
        self.next_part += 1;
    }
}

/// Runs the expanding stage.
pub(crate) struct Expander<E> {
    pub(crate) stage: Box<dyn Stage<E>>,
    pub(crate) meter: Meter,
    pub(crate) pool: Pool<E>,
    /// Where the next effect would be written: without it no input is begun.
    spare: Option<Slot<E>>,
    /// The last record of an open group.
    held: Option<Slot<E>>,
    group: Group,
}

impl<E: Record> Expander<E> {
    pub(crate) fn new(stage: Box<dyn Stage<E>>, meter: Meter, pool: Pool<E>) -> Self {
        Self {
            stage,
            meter,
            pool,
            spare: None,
            held: None,
            group: Group::default(),
        }
    }

    /// True while a group is open: its last record has not been passed on.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.held.is_some()
    }

    /// Lets the stage look ahead at events that have just been taken.
    #[inline]
    pub(crate) fn look_ahead(&self, batch: &mut [Slot<E>]) {
        self.stage.look_ahead_batch(batch);
    }

    /// Moves events from `input` to the empty `output`, at most `max`, with their effects between them. Returns how much
    /// it has done; 0 where there is nothing to do or no slot for an effect.
    pub(crate) fn run(&mut self, input: &mut Vec<Slot<E>>, output: &mut Vec<Slot<E>>, max: usize) -> usize {
        if input.is_empty() && !self.is_open() {
            return 0;
        }
        let begun = self.meter.begin();
        let (mut work, mut effects) = (0, 0);
        while output.len() < max && (self.is_open() || !input.is_empty()) {
            if self.spare.is_none() {
                self.spare = self.pool.take();
            }
            let Some(spare) = self.spare.as_mut() else {
                self.meter.full_wait();
                break;
            };
            work += 1;
            let expansion = match &self.held {
                Some(_) => self.stage.expand(spare),
                None => {
                    let count = input.len().min(max - output.len());
                    if count > 1 {
                        self.stage.look_ahead_batch(&mut input[..count]);
                    }
                    let (done, expansion) = self.stage.process_until_effects(&mut input[..count], spare);
                    if expansion == Expansion::Done {
                        output.extend(input.drain(..done));
                        continue;
                    }
                    let mut last = None;
                    for slot in input.drain(..done) {
                        output.extend(last.replace(slot));
                    }
                    self.group = last.as_ref().map_or(self.group, |slot| Group::after(slot.head()));
                    self.held = last;
                    expansion
                }
            };
            match expansion {
                Expansion::Done => output.extend(self.held.take()),
                Expansion::Busy => break,
                Expansion::Produced => {
                    effects += 1;
                    self.chain(output);
                }
            }
        }
        self.meter.end(begun, output.len());
        if effects > 0 {
            self.meter.effects(effects);
        }
        work
    }

    /// The record held so far is not the last of its group; the one in `spare` may be.
    fn chain(&mut self, output: &mut Vec<Slot<E>>) {
        if let Some(mut held) = self.held.take() {
            held.head_mut().flags &= !head_flags::LAST;
            output.push(held);
        }
        if let Some(mut effect) = self.spare.take() {
            self.group.adopt(effect.head_mut());
            self.held = Some(effect);
        }
    }
}
