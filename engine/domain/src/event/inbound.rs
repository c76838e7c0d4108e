//! What sources push into ingest's rings: an event before it has a number and a time.

use super::{Body, Event, Kind, TAIL_MAX};
use crate::text::{Code, Symbol};
use crate::time::UnixNanos;
use bytemuck::{Pod, Zeroable};

/// Bytes of input that the fast rings carry.
pub const INPUT_MAX: usize = 160;

/// A message of the fast rings, 256 bytes: orders, executions, market data.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Inbound {
    /// The source's time stamp, nanoseconds; 0 where it gave none.
    pub origin_ns: UnixNanos,
    /// [`Kind`].
    pub kind: u16,
    /// [`head_flags`](super::head_flags) that a source may set (possible resend).
    pub flags: u8,
    /// Bytes of the request's name, behind the kind's input.
    request_len: u8,
    /// W3C trace id of the request; zeros where it has none.
    trace: [u8; 16],
    #[doc(hidden)]
    reserved: [u8; 4],
    /// Instrument or currency as the source wrote it.
    pub symbol: Symbol,
    /// Account or node as the source wrote it.
    pub account: Code,
    input: [u8; INPUT_MAX],
}

const _: () = assert!(size_of::<Inbound>() == 256);

impl Inbound {
    /// A message of this kind; the body's input part is copied, the rest of it is ignored.
    ///
    /// # Panics
    /// Where the kind's input does not fit the fast rings (admin events): those go as [`InboundLong`].
    pub fn new<T: Body>(kind: Kind, body: &T) -> Self {
        assert!(
            kind.input_len() == T::INPUT_LEN,
            "Invariant: the body is that of the kind"
        );
        let mut inbound = Self {
            kind: kind as u16,
            ..Self::zeroed()
        };
        inbound.input[..T::INPUT_LEN].copy_from_slice(&bytemuck::bytes_of(body)[..T::INPUT_LEN]);
        inbound
    }

    /// With the names to resolve.
    pub fn named(mut self, symbol: Symbol, account: Code) -> Self {
        self.symbol = symbol;
        self.account = account;
        self
    }

    /// With the source's time stamp.
    pub fn at(mut self, origin_ns: UnixNanos) -> Self {
        self.origin_ns = origin_ns;
        self
    }

    /// With the name of the request that it comes from and of the trace that this belongs to: they become the record's text,
    /// `[request NAME trace HEX]`. A name that is longer than the room behind the kind's input is cut.
    pub fn requested_by(mut self, request: &str, trace: Option<u128>) -> Self {
        let input_len = Kind::from_number(self.kind).map_or(INPUT_MAX, Kind::input_len);
        let room = self.input.get_mut(input_len..).unwrap_or_default();
        let len = request.len().min(room.len());
        room[..len].copy_from_slice(&request.as_bytes()[..len]);
        self.request_len = len as u8; // at most INPUT_MAX
        self.trace = trace.unwrap_or(0).to_be_bytes();
        self
    }

    /// Writes the request's name into the tail.
    #[cold]
    fn write_request(&self, event: &mut Event, input_len: usize) {
        let end = (input_len + usize::from(self.request_len)).min(INPUT_MAX);
        event.set_tail(b"[request ");
        event.append_tail(&self.input[input_len..end]);
        if self.trace != [0; 16] {
            event.append_tail(b" trace ");
            for byte in self.trace {
                let digit = |half: u8| b"0123456789abcdef"[usize::from(half & 15)];
                event.append_tail(&[digit(byte >> 4), digit(byte)]);
            }
        }
        event.append_tail(b"]");
    }

    /// Makes `event` this message. False, and nothing is written, where the kind is unknown.
    #[inline]
    pub fn fill(&self, event: &mut Event) -> bool {
        let Some(kind) = Kind::from_number(self.kind) else {
            return false;
        };
        let input_len = kind.input_len();
        if input_len > INPUT_MAX {
            return false;
        }
        event.reset(kind);
        event.head.origin_ns = self.origin_ns;
        event.head.flags = self.flags & super::head_flags::POSS_RESEND;
        event.names.symbol = self.symbol;
        event.names.account = self.account;
        event.body[..input_len].copy_from_slice(&self.input[..input_len]);
        if self.request_len != 0 {
            self.write_request(event, input_len);
        }
        true
    }
}

/// A message of the slow road, with a body of any size and a tail: admin, documents, cash.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct InboundLong {
    /// The event; ingest sets sequence and time.
    event: Event,
}

impl InboundLong {
    /// A message of this kind; facts and resolved ids that the body may already hold are ignored.
    pub fn new<T: Body>(kind: Kind, body: &T) -> Self {
        assert!(
            kind.input_len() == T::INPUT_LEN,
            "Invariant: the body is that of the kind"
        );
        let mut event = Event::empty();
        event.reset(kind);
        event.body[..T::INPUT_LEN].copy_from_slice(&bytemuck::bytes_of(body)[..T::INPUT_LEN]);
        Self { event }
    }

    /// With the names to resolve.
    pub fn named(mut self, symbol: Symbol, account: Code) -> Self {
        self.event.names.symbol = symbol;
        self.event.names.account = account;
        self
    }

    /// With the source's time stamp.
    pub fn at(mut self, origin_ns: UnixNanos) -> Self {
        self.event.head.origin_ns = origin_ns;
        self
    }

    /// With a tail (the reason of an admin event, a document's bytes), cut at [`TAIL_MAX`].
    pub fn with_tail(mut self, bytes: &[u8]) -> Self {
        self.event.set_tail(&bytes[..bytes.len().min(TAIL_MAX)]);
        self
    }

    /// The kind.
    pub fn kind(&self) -> Option<Kind> {
        self.event.kind()
    }

    /// The event as it will enter the pipeline.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Makes `event` this message.
    #[inline]
    pub fn fill(&self, event: &mut Event) -> bool {
        *event = self.event;
        true
    }
}

impl From<Inbound> for InboundLong {
    fn from(inbound: Inbound) -> Self {
        let mut event = Event::empty();
        inbound.fill(&mut event);
        Self { event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{OrderNew, OrderReplace};

    fn text(message: &Inbound) -> String {
        let mut event = Event::empty();
        assert!(message.fill(&mut event));
        String::from_utf8_lossy(event.tail()).into_owned()
    }

    #[test]
    fn a_record_names_its_request_and_trace_and_has_no_text_without_them() {
        let order = Inbound::new(Kind::OrderNew, &OrderNew::zeroed());
        assert_eq!(text(&order), "");
        assert_eq!(text(&order.requested_by("r1-7", None)), "[request r1-7]");
        assert_eq!(
            text(&order.requested_by("r1-7", Some(0x4bf9_2f35))),
            "[request r1-7 trace 0000000000000000000000004bf92f35]"
        );
    }

    #[test]
    fn a_long_name_is_cut_where_the_message_ends() {
        let long = "x".repeat(300);
        let order = Inbound::new(Kind::OrderNew, &OrderNew::zeroed()).requested_by(&long, None);
        assert_eq!(text(&order), format!("[request {}]", "x".repeat(64)));
        let replace = Inbound::new(Kind::OrderReplace, &OrderReplace::zeroed()).requested_by(&long, None);
        assert_eq!(text(&replace), format!("[request {}]", "x".repeat(32)));
    }
}
