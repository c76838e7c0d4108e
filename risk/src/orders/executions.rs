//! Executions that a bust or a correction can still name: a ring of plain rows, found by the hashed key of venue, trade date and
//! identifier.
//!
//! # Invariants
//! - The newest `capacity` executions are retained, whatever day they are from: a row goes only when a newer one needs its place.
//! - An execution costs two lines of the index, the newcomer's and that of the row it pushes out; both were asked for ahead.
//! - No allocation after [`Executions::new`].

use super::keys::Key;
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::event::TakenBack;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::DayNumber;
use tradewind_machine::prefetch::{prefetch, prefetch_lines};

/// What has become of a retained execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum TradeState {
    /// It counts.
    Live = 1,
    /// It was taken back.
    Busted = 2,
}

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ExecutionRow {
    key: [u64; 2],
    /// [`TradeState`].
    state: u64,
    /// Of a binary sale the quantity that opened a short, at 1e-8: its proceeds were never deferred.
    pub opened: i64,
    /// The newest allocation that it is part of, by the number of its record; 0 for none. Of a leg the number of its own record.
    pub allocation: Seq,
    /// Trade date that it stands under, where it is part of an allocation.
    pub trade_date: DayNumber,
    /// The first settlement date on which it failed; 0 for none.
    pub failed_from: DayNumber,
    /// The live version, as a bust would take it back. What it says of the order is as of its booking.
    pub trade: TakenBack,
}

impl ExecutionRow {
    /// True for an execution that was taken back.
    #[inline]
    pub fn is_busted(&self) -> bool {
        self.state == TradeState::Busted as u64
    }

    /// True for a leg of an allocation.
    #[inline]
    pub fn is_leg(&self) -> bool {
        self.allocation != 0 && self.allocation == self.trade.trade_seq
    }
}

/// An entry of the index. Homes follow from the tag alone: closing a gap reads no row.
#[derive(Clone, Copy)]
struct Entry {
    tag: u32,
    /// The row; [`NIL`] in a free entry.
    slot: u32,
}

const NIL: u32 = u32::MAX;

/// The newest executions.
pub struct Executions {
    rows: Vec<ExecutionRow>,
    index: Vec<Entry>,
    /// How many were ever pushed; the next one's number.
    next: u64,
    /// Number of the oldest that is retained.
    oldest: u64,
    /// Where the next one goes, and where the oldest stands.
    next_slot: u32,
    oldest_slot: u32,
    capacity: u64,
}

impl Executions {
    /// Room for `capacity` executions.
    pub fn new(capacity: u32) -> Self {
        let rows = (capacity as usize).max(1);
        let free = Entry { tag: 0, slot: NIL };
        Self {
            rows: vec![ExecutionRow::zeroed(); rows],
            index: vec![free; (rows * 2).next_power_of_two()],
            next: 0,
            oldest: 0,
            next_slot: 0,
            oldest_slot: 0,
            capacity: rows as u64,
        }
    }

    /// Sets how many are retained, at most what there is memory for.
    pub fn set_capacity(&mut self, capacity: u32) {
        self.capacity = u64::from(capacity.max(1)).min(self.rows.len() as u64);
        while self.next - self.oldest > self.capacity {
            self.forget_oldest();
        }
    }

    /// Brings a key's place in the index closer, for a push that comes soon.
    #[inline]
    pub fn prefetch(&self, key: Key) {
        prefetch(&self.index[self.home(tag_of([key.0, key.1]))]);
    }

    /// Brings closer what the oldest execution's leaving will touch: its own row, read a push later, and its entry in the index.
    #[inline]
    fn prefetch_oldest(&self) {
        let oldest = &self.rows[self.oldest_slot as usize];
        prefetch(&self.index[self.home(tag_of(oldest.key))]);
        let younger = self.behind(self.behind(self.oldest_slot));
        prefetch_lines::<4, _>(&self.rows[younger as usize]);
    }

    /// Retains an execution that was just booked.
    #[inline]
    pub fn push(&mut self, key: Key, trade: TakenBack) {
        if self.next - self.oldest == self.capacity {
            self.forget_oldest();
        }
        let slot = self.next_slot;
        let row = ExecutionRow {
            key: [key.0, key.1],
            state: TradeState::Live as u64,
            trade,
            ..ExecutionRow::zeroed()
        };
        self.rows[slot as usize] = row;
        self.next += 1;
        self.next_slot = self.behind(slot);
        let tag = tag_of(row.key);
        let mut at = self.home(tag);
        while self.index[at].slot != NIL {
            at = self.after(at);
        }
        self.index[at] = Entry { tag, slot };
        self.prefetch_oldest();
    }

    /// The newest retained execution of a key.
    pub fn find(&self, key: Key) -> Option<&ExecutionRow> {
        self.locate(key).map(|slot| &self.rows[slot as usize])
    }

    /// Changes the newest retained execution of a key. False where there is none.
    pub fn change(&mut self, key: Key, state: TradeState, trade: TakenBack) -> bool {
        let Some(slot) = self.locate(key) else {
            return false;
        };
        let row = &mut self.rows[slot as usize];
        (row.state, row.trade) = (state as u64, trade);
        true
    }

    /// Notes how much of the newest retained execution of a key opened a binary short. False where there is none.
    pub fn note_opened(&mut self, key: Key, opened: i64) -> bool {
        let Some(slot) = self.locate(key) else {
            return false;
        };
        self.rows[slot as usize].opened = opened;
        true
    }

    /// Notes the allocation that the newest retained execution of a key is part of, and the trade date that it stands under. False where
    /// there is none.
    pub fn note_allocation(&mut self, key: Key, allocation: Seq, trade_date: DayNumber) -> bool {
        let Some(slot) = self.locate(key) else {
            return false;
        };
        let row = &mut self.rows[slot as usize];
        (row.allocation, row.trade_date) = (allocation, trade_date);
        true
    }

    /// Gives the newest retained execution of a key another settlement date, after a fail of its settlement that began on `failed_from`.
    /// False where there is none.
    pub fn redate(&mut self, key: Key, settle_date: DayNumber, failed_from: DayNumber) -> bool {
        let Some(slot) = self.locate(key) else {
            return false;
        };
        let row = &mut self.rows[slot as usize];
        (row.trade.settle_date, row.failed_from) = (settle_date, failed_from);
        true
    }

    /// Number of the record of the oldest execution that is retained; `None` where none is.
    pub fn oldest(&self) -> Option<Seq> {
        let row = &self.rows[self.oldest_slot as usize];
        (self.next != self.oldest).then_some(row.trade.trade_seq)
    }

    /// The retained executions that one record has booked, in their order. Numbers of records rise along the ring.
    pub fn of_record(&self, seq: Seq) -> impl Iterator<Item = &ExecutionRow> {
        let first = u64::from(self.oldest_slot);
        let row = move |number: u64| {
            &self.rows[((first + (number - self.oldest)) % self.rows.len() as u64) as usize]
        };
        let (mut low, mut high) = (self.oldest, self.next);
        while low < high {
            let middle = low + (high - low) / 2;
            if row(middle).trade.trade_seq < seq {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..self.next)
            .map(row)
            .take_while(move |row| row.trade.trade_seq == seq)
    }

    /// An identifier that was used again, long after, stands in the index twice: the later booking counts.
    fn locate(&self, key: Key) -> Option<u32> {
        let key = [key.0, key.1];
        let tag = tag_of(key);
        let mut at = self.home(tag);
        let mut found: Option<u32> = None;
        while self.index[at].slot != NIL {
            let entry = self.index[at];
            if entry.tag == tag && self.rows[entry.slot as usize].key == key {
                let is_later = |held: u32| {
                    self.rows[entry.slot as usize].trade.trade_seq > self.rows[held as usize].trade.trade_seq
                };
                if found.is_none_or(is_later) {
                    found = Some(entry.slot);
                }
            }
            at = self.after(at);
        }
        found
    }

    fn forget_oldest(&mut self) {
        let slot = self.oldest_slot;
        self.unindex(slot);
        self.oldest += 1;
        self.oldest_slot = self.behind(slot);
    }

    /// Removes a row's entry from the index and closes the gap in its probe run.
    fn unindex(&mut self, slot: u32) {
        let mut hole = self.home(tag_of(self.rows[slot as usize].key));
        while self.index[hole].slot != slot {
            if self.index[hole].slot == NIL {
                return;
            }
            hole = self.after(hole);
        }
        let mask = self.index.len() - 1;
        let mut at = hole;
        loop {
            at = self.after(at);
            let other = self.index[at];
            if other.slot == NIL {
                break;
            }
            let home = self.home(other.tag);
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.index[hole] = other;
                hole = at;
            }
        }
        self.index[hole].slot = NIL;
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.index.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.index.len() - 1)
    }

    /// The slot behind one.
    #[inline]
    fn behind(&self, slot: u32) -> u32 {
        let next = slot + 1;
        if next as usize == self.rows.len() { 0 } else { next }
    }

    /// Executions that are retained.
    pub fn len(&self) -> usize {
        (self.next - self.oldest) as usize
    }

    /// True before the first execution.
    pub fn is_empty(&self) -> bool {
        self.next == self.oldest
    }

    /// Feeds the rows to a hash, from the oldest.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.next.to_le_bytes());
        let mut slot = self.oldest_slot;
        for _ in self.oldest..self.next {
            sink(bytes_of(&self.rows[slot as usize]));
            slot = self.behind(slot);
        }
    }
}

/// Keys are hashes under a key of the journal: any of their bits will do.
#[inline]
fn tag_of(key: [u64; 2]) -> u32 {
    (key[0] >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that share sixteen homes.
    fn key(id: u64) -> Key {
        Key((id % 16) << 60, id)
    }

    fn trade(seq: u64) -> TakenBack {
        TakenBack {
            trade_seq: seq,
            ..TakenBack::zeroed()
        }
    }

    #[test]
    fn the_newest_executions_are_found_and_the_older_ones_are_not() {
        let mut executions = Executions::new(100);
        executions.set_capacity(60);
        for seq in 1..=1_000u64 {
            executions.push(key(seq), trade(seq));
            let found = |seq: u64| executions.find(key(seq)).map(|row| row.trade.trade_seq);
            assert_eq!(found(seq), Some(seq));
            if seq > 60 {
                assert_eq!(found(seq - 59), Some(seq - 59));
                assert_eq!(found(seq - 60), None, "pushed out by {seq}");
            }
        }
        assert_eq!(executions.len(), 60);
        let used = executions.index.iter().filter(|entry| entry.slot != NIL).count();
        assert_eq!(used, 60, "the index holds what is retained and nothing else");
    }

    #[test]
    fn the_executions_of_a_record_are_found_by_its_number() {
        let mut executions = Executions::new(16);
        for (id, seq) in [(1, 5), (2, 7), (3, 7), (4, 7), (5, 9)] {
            executions.push(key(id), trade(seq));
        }
        for (seq, count) in [(5, 1), (6, 0), (7, 3), (9, 1), (10, 0)] {
            assert_eq!(executions.of_record(seq).count(), count, "{seq}");
        }
        assert!(executions.note_allocation(key(3), 7, 20_000));
        assert!(executions.find(key(3)).is_some_and(ExecutionRow::is_leg));
        assert!(!executions.find(key(2)).is_some_and(ExecutionRow::is_leg));
        assert!(!executions.note_allocation(key(9), 7, 20_000));
    }

    #[test]
    fn of_a_key_that_was_used_again_the_later_booking_counts() {
        let mut executions = Executions::new(4);
        executions.push(key(1), trade(1));
        executions.push(key(1), trade(2));
        assert!(executions.change(key(1), TradeState::Busted, trade(2)));
        assert!(executions.find(key(1)).is_some_and(ExecutionRow::is_busted));
        for seq in 3..=5 {
            executions.push(key(seq), trade(seq));
        }
        assert!(
            executions.find(key(1)).is_some(),
            "the first is gone, the second is there"
        );
        executions.push(key(6), trade(6));
        assert!(executions.find(key(1)).is_none());
        assert!(!executions.change(key(1), TradeState::Live, trade(2)));
    }

    #[test]
    fn a_smaller_capacity_forgets_at_once_and_a_larger_one_brings_nothing_back() {
        let mut executions = Executions::new(8);
        for seq in 1..=8 {
            executions.push(key(seq), trade(seq));
        }
        executions.set_capacity(2);
        assert!(executions.find(key(6)).is_none() && executions.find(key(7)).is_some());
        executions.set_capacity(8);
        assert_eq!(executions.len(), 2);
    }
}
