//! What the machine asks of an event: a head, bytes, and a way back from bytes.

use tradewind_domain::event::{Event, Head};

/// An event as the machine sees it. `Copy`, because slots of the slab are plain memory.
pub trait Record: Copy + Send + 'static {
    /// An event of nothing.
    fn empty() -> Self;
    /// The first 64 bytes of the record.
    fn head(&self) -> &Head;
    /// The head, for the machine to write sequence, times and part.
    fn head_mut(&mut self) -> &mut Head;
    /// Bytes after the head.
    fn body_bytes(&self) -> &[u8];
    /// Bytes after the body.
    fn tail(&self) -> &[u8];
    /// Bytes of the whole record, a multiple of 64.
    fn record_len(&self) -> usize;
    /// Takes the event from a record's bytes; `None` where they are none that this build knows.
    fn read_record(&mut self, record: &[u8]) -> Option<()>;
}

impl Record for Event {
    fn empty() -> Self {
        Event::empty()
    }
    #[inline]
    fn head(&self) -> &Head {
        &self.head
    }
    #[inline]
    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }
    #[inline]
    fn body_bytes(&self) -> &[u8] {
        Event::body_bytes(self)
    }
    #[inline]
    fn tail(&self) -> &[u8] {
        Event::tail(self)
    }
    #[inline]
    fn record_len(&self) -> usize {
        Event::record_len(self)
    }
    fn read_record(&mut self, record: &[u8]) -> Option<()> {
        Event::read_record(self, record)
    }
}
