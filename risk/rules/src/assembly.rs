//! Puts a document together from the parts in which it is journaled, in memory that is allocated once.
//!
//! Invariant: a document is complete only where its parts follow one another without a gap and their BLAKE3 is the one that
//! each of them names. A part that does not go on where the last one ended drops what was there.

use crate::program::DOCUMENT_MAX;
use bytemuck::Zeroable;
use tradewind_domain::event::{Blob, InboundLong, Kind, TAIL_MAX, documents};

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It belongs to a document of another kind.
    Foreign,
    /// Taken; more is to come.
    More,
    /// The document is complete.
    Complete,
    /// It goes with nothing, the document is too large, or the hash is another.
    Refused,
}

/// A document that is being put together.
pub struct Assembly {
    document: u16,
    words: Box<[u128]>,
    hash: [u8; 32],
    total: usize,
    received: usize,
    hasher: blake3::Hasher,
}

impl Default for Assembly {
    fn default() -> Self {
        Self::new()
    }
}

impl Assembly {
    /// Room for the largest document of business rules.
    pub fn new() -> Self {
        Self::of(documents::RULES)
    }

    /// Room for the largest document of a kind ([`documents`]).
    pub fn of(document: u16) -> Self {
        Self {
            document,
            words: vec![0; DOCUMENT_MAX / size_of::<u128>()].into_boxed_slice(),
            hash: [0; 32],
            total: 0,
            received: 0,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Takes the next part.
    pub fn take(&mut self, part: &Blob, bytes: &[u8]) -> Part {
        if part.document != self.document {
            return Part::Foreign;
        }
        let (offset, total) = (part.offset as usize, part.total_len as usize);
        if offset == 0 {
            (self.hash, self.total, self.received) = (part.hash, total, 0);
            self.hasher.reset();
        }
        let goes_on = part.hash == self.hash && total == self.total && offset == self.received;
        let end = offset + bytes.len();
        if !goes_on || bytes.is_empty() || end > total || total > DOCUMENT_MAX {
            return self.drop_it();
        }
        let Some(room) = bytemuck::cast_slice_mut::<u128, u8>(&mut self.words).get_mut(offset..end) else {
            return self.drop_it();
        };
        room.copy_from_slice(bytes);
        self.hasher.update(bytes);
        self.received = end;
        if end < total {
            return Part::More;
        }
        if self.hasher.finalize().as_bytes() != &self.hash {
            return self.drop_it();
        }
        Part::Complete
    }

    fn drop_it(&mut self) -> Part {
        (self.total, self.received) = (0, 0);
        Part::Refused
    }

    /// What has come so far; after [`Part::Complete`] the whole document.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice::<u128, u8>(&self.words)
            .get(..self.received)
            .unwrap_or_default()
    }

    /// BLAKE3 of the document, as its parts name it.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Hands the memory of a complete document over for other memory of the same size; nothing is under way afterwards.
    pub(crate) fn exchange(&mut self, words: &mut Box<[u128]>) {
        std::mem::swap(&mut self.words, words);
        (self.total, self.received) = (0, 0);
    }
}

/// The admin events that put a document of business rules into force, in their order.
pub fn parts(document: &[u8]) -> impl Iterator<Item = InboundLong> + '_ {
    parts_of(documents::RULES, document)
}

/// The events that carry a document of a kind ([`documents`]), in their order.
pub fn parts_of(kind: u16, document: &[u8]) -> impl Iterator<Item = InboundLong> + '_ {
    let hash = *blake3::hash(document).as_bytes();
    let total_len = document.len() as u32;
    document
        .chunks(TAIL_MAX)
        .zip(0_u32..)
        .map(move |(bytes, number)| {
            let blob = Blob {
                hash,
                total_len,
                offset: number * TAIL_MAX as u32,
                document: kind,
                ..Blob::zeroed()
            };
            InboundLong::new(Kind::Blob, &blob).with_tail(bytes)
        })
}
