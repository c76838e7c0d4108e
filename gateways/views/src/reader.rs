//! Reads a journal from its first record to the end it has now, live or not, and knows how much room its state needs.
//!
//! Two passes. The first looks at heads only: it finds the end and the largest capacities that any run of the journal had, so
//! that the replica allocates once and never grows. The second hands out the events up to that end; what a running writer
//! adds meanwhile is left for the next reader.
//!
//! Not here: applying. A reader may be used without a replica.

use crate::error::ViewError;
use crate::replica::Replica;
use bytemuck::Zeroable;
use std::path::Path;
use tradewind_domain::event::{Capacities, EngineStarted, Event, Head, Kind};
use tradewind_machine::journal::{Follower, Position, StartAt, identity};

/// A journal to be read in order.
pub struct Reader {
    follower: Follower,
    end: Position,
    capacities: Capacities,
    hash_key: [u8; 16],
    records: u64,
    bytes: u64,
}

impl Reader {
    /// The journal of a data folder, at its first record.
    pub fn open(data_dir: &Path) -> Result<Self, ViewError> {
        let hash_key = identity(data_dir)?.hash_key;
        let mut reader = Self {
            follower: Follower::open(data_dir, StartAt::Start)?,
            end: Position::default(),
            capacities: Capacities::zeroed(),
            hash_key,
            records: 0,
            bytes: 0,
        };
        reader.survey()?;
        reader.follower = Follower::open(data_dir, StartAt::Start)?;
        Ok(reader)
    }

    fn survey(&mut self) -> Result<(), ViewError> {
        let mut start = Event::empty();
        while let Some(record) = self.follower.poll()? {
            let (head, bytes) = (*record.head(), record.bytes());
            if self.records == 0 {
                check_first(&head)?;
            }
            self.records += 1;
            self.bytes += bytes.len() as u64;
            if head.kind == Kind::EngineStarted as u16 && start.read_record(bytes).is_some() {
                let capacities = &start.body::<EngineStarted>().capacities;
                self.capacities = larger_capacities(&self.capacities, capacities);
            }
        }
        self.end = self.follower.position();
        Ok(())
    }

    /// The largest capacities of all runs in the journal.
    pub fn capacities(&self) -> &Capacities {
        &self.capacities
    }

    /// Key of the hashes by which the engine finds identifiers.
    pub fn hash_key(&self) -> &[u8; 16] {
        &self.hash_key
    }

    /// Records up to the end.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of those records.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// An empty replica with room for this journal.
    pub fn replica(&self) -> Replica {
        Replica::new(&self.capacities, &self.hash_key)
    }

    /// The next event, with the place of its record; `None` at the end.
    pub fn next_into(&mut self, event: &mut Event) -> Result<Option<Position>, ViewError> {
        if self.follower.position() >= self.end {
            return Ok(None);
        }
        let Some(record) = self.follower.poll()? else {
            return Ok(None);
        };
        let (position, head) = (record.position(), record.head());
        if position >= self.end {
            return Ok(None); // the end was the last of its segment, and a writer went on in the next one
        }
        event
            .read_record(record.bytes())
            .ok_or(ViewError::UnknownRecord {
                seq: head.seq,
                kind: head.kind,
                position,
            })?;
        Ok(Some(position))
    }
}

fn check_first(head: &Head) -> Result<(), ViewError> {
    if head.seq != 1 || head.part != 0 {
        return Err(ViewError::BeginsLate { seq: head.seq });
    }
    if head.kind != Kind::EngineStarted as u16 {
        let kind =
            Kind::from_number(head.kind).map_or_else(|| head.kind.to_string(), |kind| kind.to_string());
        return Err(ViewError::NoStart { kind });
    }
    Ok(())
}

/// The larger of two, table by table: room for the runs of both. Recovery allocates by it as well.
pub fn larger_capacities(a: &Capacities, b: &Capacities) -> Capacities {
    Capacities {
        instruments: a.instruments.max(b.instruments),
        nodes: a.nodes.max(b.nodes),
        open_orders: a.open_orders.max(b.open_orders),
        closed_orders: a.closed_orders.max(b.closed_orders),
        node_instruments: a.node_instruments.max(b.node_instruments),
        holdings: a.holdings.max(b.holdings),
        wallets: a.wallets.max(b.wallets),
        limits: a.limits.max(b.limits),
        cl_ord_ids: a.cl_ord_ids.max(b.cl_ord_ids),
        exec_ids: a.exec_ids.max(b.exec_ids),
        sessions: a.sessions.max(b.sessions),
        limit_stamps: a.limit_stamps.max(b.limit_stamps),
        restricted: a.restricted.max(b.restricted),
        repeats: a.repeats.max(b.repeats),
        executions: a.executions.max(b.executions),
        quarantine: a.quarantine.max(b.quarantine),
        unsettled: a.unsettled.max(b.unsettled),
        lots: a.tax_lots().max(b.tax_lots()),
    }
}
