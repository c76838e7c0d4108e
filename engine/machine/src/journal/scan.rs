//! Reads the records of one segment file, in large pieces, checking each.

use super::error::{IoContext, JournalError};
use super::folder::Folder;
use super::format::{Framed, HEADER_LEN, RECORD_MAX, SEAL_LEN, Seal, SegmentHeader, crc_seed, frame_at};
use super::storage::{Storage, StorageFile};
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// A segment file and a place in it.
pub(super) struct SegmentScan {
    file: Box<dyn StorageFile>,
    path: PathBuf,
    pub(super) header: SegmentHeader,
    seed: u32,
    /// Byte of the next record.
    pub(super) at: u64,
    buffer: Vec<u128>, // u128: records are read in place, and bodies are aligned to 16
    buffer_at: u64,
    buffer_len: usize,
}

impl SegmentScan {
    /// Opens a segment at its first record.
    pub(super) fn open(folder: &Folder, storage: &dyn Storage, index: u64) -> Result<Self, JournalError> {
        let (file, header) = folder.open_segment(storage, index)?;
        let seed = crc_seed(&header.journal_id, index);
        let buffer = vec![0; CHUNK / size_of::<u128>()];
        let path = folder.segment(index);
        Ok(Self {
            file,
            path,
            header,
            seed,
            at: HEADER_LEN,
            buffer,
            buffer_at: 0,
            buffer_len: 0,
        })
    }

    /// Forgets what was read, because the file has grown.
    pub(super) fn forget(&mut self) {
        self.buffer_len = 0;
    }

    /// Looks at what stands at the place.
    pub(super) fn frame(&mut self) -> Result<Framed, JournalError> {
        let limit = self.header.segment_bytes - SEAL_LEN;
        if self.at >= limit {
            return Ok(Framed::Bad("records run into the seal"));
        }
        let want = (limit - self.at).min(RECORD_MAX as u64);
        if self.at < self.buffer_at || self.at + want > self.buffer_at + self.buffer_len as u64 {
            self.fill(limit)?;
        }
        let from = (self.at - self.buffer_at) as usize;
        let bytes = &bytemuck::cast_slice::<u128, u8>(&self.buffer)[from..self.buffer_len];
        Ok(frame_at(self.seed, self.at, bytes, limit))
    }

    fn fill(&mut self, limit: u64) -> Result<(), JournalError> {
        let len = (limit - self.at).min(CHUNK as u64) as usize;
        let bytes = &mut bytemuck::cast_slice_mut::<u128, u8>(&mut self.buffer)[..len];
        self.buffer_at = self.at;
        self.buffer_len = 0; // if the read fails
        self.buffer_len = self.file.read_at(bytes, self.at).context("read", &self.path)?;
        Ok(())
    }

    /// The record at the place, of the length that [`SegmentScan::frame`] gave.
    pub(super) fn record(&self, at: u64, len: usize) -> &[u8] {
        let from = (at - self.buffer_at) as usize;
        &bytemuck::cast_slice::<u128, u8>(&self.buffer)[from..from + len]
    }

    /// The seal; `None` where there is none, or a damaged one.
    pub(super) fn seal(&self) -> Result<Option<Seal>, JournalError> {
        let mut bytes = [0; SEAL_LEN as usize];
        let read = self
            .file
            .read_at(&mut bytes, self.header.segment_bytes - SEAL_LEN)
            .context("read", &self.path)?;
        Ok(Seal::parse(&bytes[..read]))
    }

    /// Bytes from `from` up to the last one that is not zero, the seal included.
    pub(super) fn bytes_after(&self, from: u64) -> Result<Vec<u8>, JournalError> {
        let mut bytes = vec![0; (self.header.segment_bytes.saturating_sub(from)) as usize];
        let read = self.file.read_at(&mut bytes, from).context("read", &self.path)?;
        bytes.truncate(read);
        let used = bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        bytes.truncate(used);
        Ok(bytes)
    }

    /// Bytes `from..to` of the file.
    pub(super) fn bytes(&self, from: u64, to: u64) -> Result<Vec<u8>, JournalError> {
        let mut bytes = vec![0; (to - from) as usize];
        let read = self.file.read_at(&mut bytes, from).context("read", &self.path)?;
        if read < bytes.len() {
            return Err(super::folder::corrupt(
                &self.path,
                self.header.segment,
                from + read as u64,
                "file ends early",
            ));
        }
        Ok(bytes)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
