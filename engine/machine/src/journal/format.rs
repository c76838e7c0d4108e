//! Bytes of the journal: segment header, record framing, end record, seal, durable slots. docs/journal-format.md in code.
//!
//! Everything is little-endian. Nothing here reads or writes files.

use super::crc::{crc32c, record_crc};
use bytemuck::{Pod, Zeroable};
use std::fmt;
use tradewind_domain::event::{BODY_MAX, HEAD_LEN, Head, TAIL_MAX};

/// Version of the byte format.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes of the largest record.
pub const RECORD_MAX: usize = HEAD_LEN + BODY_MAX + TAIL_MAX;
/// The smallest segment.
pub const SEGMENT_BYTES_MIN: u64 = 64 << 10;
/// The largest segment: offsets fit 31 bits.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 31;
/// The machine's own kind: the record that ends a segment.
pub const END_KIND: u16 = 0xffff;

/// Where records begin in a segment.
pub(super) const HEADER_LEN: u64 = 4096;
/// Bytes of the end record.
pub(super) const END_LEN: u64 = 64;
/// Bytes of the seal, the last of the segment.
pub(super) const SEAL_LEN: u64 = 128;
/// Where `journaled_ns` stands in a record, eight bytes.
pub(super) const JOURNALED_NS_AT: usize = 16;

const _: () = assert!(RECORD_MAX.is_multiple_of(64) && HEAD_LEN == 64 && END_LEN as usize == HEAD_LEN);

const HEADER_MAGIC: [u8; 8] = *b"TWJOURN1";
const SEAL_MAGIC: [u8; 8] = *b"TWSEALED";
const SLOT_MAGIC: [u8; 8] = *b"TWDURABL";

/// A place in the journal: segment index and byte offset within it, as one rising number. It names the byte at which the
/// next record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl Position {
    /// A place in a segment.
    pub const fn new(segment: u64, offset: u64) -> Self {
        Self((segment << 32) | offset)
    }
    /// Where the records of a segment begin.
    pub const fn start_of(segment: u64) -> Self {
        Self::new(segment, HEADER_LEN)
    }
    /// Index of the segment, from 1.
    pub const fn segment(self) -> u64 {
        self.0 >> 32
    }
    /// Byte within the segment.
    pub const fn offset(self) -> u64 {
        self.0 & 0xffff_ffff
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment(), self.offset())
    }
}

/// The bytes from which records of a segment cannot grow any further: room stays for the end record and the seal.
pub(super) const fn records_end(segment_bytes: u64) -> u64 {
    segment_bytes - SEAL_LEN - END_LEN
}

/// What stands at the start of a segment. Written once, before the segment has its name; never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct SegmentHeader {
    pub(super) magic: [u8; 8],
    pub(super) version: u32,
    pub(super) header_len: u32,
    pub(super) journal_id: [u8; 16],
    pub(super) hash_key: [u8; 16],
    pub(super) segment: u64,
    pub(super) segment_bytes: u64,
    pub(super) schema_hash: u64,
    pub(super) epoch: u32,
    pub(super) shard: u16,
    pub(super) reserved: u16,
    pub(super) reserved2: u32,
    pub(super) crc: u32,
}

const _: () = assert!(size_of::<SegmentHeader>() == 88);

/// Why a segment header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    /// Not a segment, or damaged.
    Damaged,
    /// A segment of another format version.
    Version(u32),
}

impl SegmentHeader {
    /// With magic, version and checksum filled in.
    pub(super) fn sealed(mut self) -> Self {
        self.magic = HEADER_MAGIC;
        self.version = FORMAT_VERSION;
        self.header_len = HEADER_LEN as u32;
        self.crc = crc32c(0, &bytemuck::bytes_of(&self)[..84]);
        self
    }

    /// Reads a header.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let header: Self = bytes
            .get(..88)
            .map(bytemuck::pod_read_unaligned)
            .ok_or(HeaderFault::Damaged)?;
        if header.magic != HEADER_MAGIC {
            return Err(HeaderFault::Damaged);
        }
        if header.version != FORMAT_VERSION {
            return Err(HeaderFault::Version(header.version));
        }
        let whole = header.crc == crc32c(0, &bytes[..84])
            && u64::from(header.header_len) == HEADER_LEN
            && (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&header.segment_bytes);
        if whole {
            Ok(header)
        } else {
            Err(HeaderFault::Damaged)
        }
    }
}

/// What stands at the end of a segment that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Seal {
    pub(super) magic: [u8; 8],
    pub(super) segment: u64,
    /// Byte after the end record.
    pub(super) end: u64,
    /// Sequence number of the last record.
    pub(super) last_seq: u64,
    /// Chain hash of the segment before; zeros for the first.
    pub(super) chain_before: [u8; 32],
    /// BLAKE3 of `chain_before` and the segment's bytes below `end`, with every `journaled_ns` as zeros.
    pub(super) chain: [u8; 32],
    pub(super) reserved: [u32; 7],
    pub(super) crc: u32,
}

const _: () = assert!(size_of::<Seal>() as u64 == SEAL_LEN);

impl Seal {
    /// With magic and checksum filled in.
    pub(super) fn sealed(mut self) -> Self {
        self.magic = SEAL_MAGIC;
        self.crc = crc32c(0, &bytemuck::bytes_of(&self)[..124]);
        self
    }

    /// Reads a seal; `None` where there is none, or a damaged one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let seal: Self = bytes.get(..SEAL_LEN as usize).map(bytemuck::pod_read_unaligned)?;
        (seal.magic == SEAL_MAGIC && seal.crc == crc32c(0, &bytes[..124])).then_some(seal)
    }
}

/// One of the two slots of the file `durable`. The valid one with the higher `counter` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct DurableSlot {
    pub(super) magic: [u8; 8],
    pub(super) journal_id: [u8; 16],
    pub(super) counter: u64,
    /// Everything below is on disk.
    pub(super) position: u64,
    /// Runs so far.
    pub(super) epoch: u32,
    /// 1 after a clean stop: `position` is the end of the journal.
    pub(super) clean: u32,
    pub(super) shard: u16,
    pub(super) reserved: [u8; 6],
    pub(super) reserved2: u32,
    pub(super) crc: u32,
}

const _: () = assert!(size_of::<DurableSlot>() == 64);

/// Where the slots stand: on separate pages, so that a torn write hits one of them.
pub(super) const SLOT_OFFSETS: [u64; 2] = [0, 4096];
/// Bytes of the file `durable`.
pub(super) const SLOTS_LEN: u64 = 8192;

impl DurableSlot {
    /// With magic and checksum filled in.
    pub(super) fn sealed(mut self) -> Self {
        self.magic = SLOT_MAGIC;
        self.crc = crc32c(0, &bytemuck::bytes_of(&self)[..60]);
        self
    }

    /// Reads a slot; `None` where it is damaged.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let slot: Self = bytes.get(..64).map(bytemuck::pod_read_unaligned)?;
        (slot.magic == SLOT_MAGIC && slot.crc == crc32c(0, &bytes[..60])).then_some(slot)
    }

    /// The newer of the two slots of the file.
    pub(super) fn newest(file: &[u8]) -> Option<Self> {
        let slots = SLOT_OFFSETS
            .iter()
            .filter_map(|&at| file.get(at as usize..).and_then(Self::parse));
        slots.max_by_key(|slot| slot.counter)
    }
}

/// The checksum's start for all records of a segment: journal id and segment index.
pub(super) fn crc_seed(journal_id: &[u8; 16], segment: u64) -> u32 {
    crc32c(crc32c(0, journal_id), &segment.to_le_bytes())
}

/// What stands at an offset of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// A record of this many bytes, checksum good.
    Record(usize),
    /// The end record: the journal goes on in the next segment.
    End,
    /// The length word is zero: nothing was committed here.
    Nothing,
    /// No record.
    Bad(&'static str),
}

/// Reads the head of a record. `bytes` has at least 64.
#[inline]
pub(super) fn head_of(bytes: &[u8]) -> Head {
    bytemuck::pod_read_unaligned(&bytes[..HEAD_LEN])
}

/// Looks at the bytes from `offset` of a segment on. `limit` is where records must have ended at the latest.
#[inline]
pub(super) fn frame_at(seed: u32, offset: u64, bytes: &[u8], limit: u64) -> Framed {
    if bytes.len() < HEAD_LEN {
        return Framed::Bad("record runs past the segment");
    }
    let head = head_of(bytes);
    let len = head.len as usize;
    if len == 0 {
        return Framed::Nothing;
    }
    if !len.is_multiple_of(64) || len > RECORD_MAX || offset + len as u64 > limit {
        return Framed::Bad("impossible record length");
    }
    let Some(record) = bytes.get(..len) else {
        return Framed::Bad("record runs past the segment");
    };
    if record_crc(seed, offset, record) != head.crc {
        return Framed::Bad("checksum differs");
    }
    if head.kind == END_KIND {
        Framed::End
    } else {
        Framed::Record(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_orders_by_segment_then_offset() {
        assert!(Position::new(2, 4096) > Position::new(1, 0x7fff_ffff));
        assert_eq!(Position::new(7, 99).segment(), 7);
        assert_eq!(Position::new(7, 99).offset(), 99);
        assert_eq!(Position::start_of(3).to_string(), "3:4096");
    }

    #[test]
    fn the_newer_valid_slot_holds() {
        let slot = |counter| {
            DurableSlot {
                counter,
                position: counter * 10,
                ..DurableSlot::zeroed()
            }
            .sealed()
        };
        let mut file = vec![0; SLOTS_LEN as usize];
        assert_eq!(DurableSlot::newest(&file), None);
        file[..64].copy_from_slice(bytemuck::bytes_of(&slot(4)));
        file[4096..4160].copy_from_slice(bytemuck::bytes_of(&slot(5)));
        assert_eq!(DurableSlot::newest(&file).map(|s| s.position), Some(50));
        file[4100] ^= 1;
        assert_eq!(DurableSlot::newest(&file).map(|s| s.position), Some(40));
    }

    #[test]
    fn a_record_belongs_to_its_place_and_its_time_stamp_does_not_count() {
        let seed = crc_seed(&[1; 16], 1);
        let mut record = vec![7u8; 128];
        record[..4].copy_from_slice(&128u32.to_le_bytes());
        record[44..46].copy_from_slice(&1u16.to_le_bytes());
        let crc = record_crc(seed, 4096, &record);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(frame_at(seed, 4096, &record, 65_536), Framed::Record(128));
        record[JOURNALED_NS_AT] = 9;
        assert_eq!(frame_at(seed, 4096, &record, 65_536), Framed::Record(128));
        assert!(matches!(frame_at(seed, 4160, &record, 65_536), Framed::Bad(_)));
        assert!(matches!(
            frame_at(crc_seed(&[1; 16], 2), 4096, &record, 65_536),
            Framed::Bad(_)
        ));
        assert!(matches!(frame_at(seed, 4096, &record, 4096), Framed::Bad(_)));
        record[30] ^= 1;
        assert!(matches!(frame_at(seed, 4096, &record, 65_536), Framed::Bad(_)));
    }
}
