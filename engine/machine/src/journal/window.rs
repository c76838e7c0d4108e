//! The window: segments and the control page, mapped in memory and shared with followers in other processes.
//!
//! # Invariants
//! - Bytes of a segment above `committed` belong to the writer alone; bytes below it never change, so readers may hold
//!   references to them. The seal, the last bytes of a segment, belongs to the archiver until the segment is archived.
//! - A window file keeps its size as long as it exists: it is allocated in full, never truncated, only removed or used again.
//! - A reader holds a shared lock on each segment's file that it maps. Without an exclusive one nobody wipes it (`pool`).
#![allow(unsafe_code)] // reason: mapped memory is shared between threads and processes

use super::error::{IoContext, JournalError};
use super::folder::{read_header, segment_name};
use super::format::{HEADER_LEN, JOURNALED_NS_AT, Position, RECORD_MAX, SEAL_LEN, SegmentHeader, crc_seed};
use super::sys;
use super::windows::OWNER;
use memmap2::{MmapOptions, MmapRaw};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Mapped memory that belongs to no segment: zero throughout, and nobody else maps it.
pub(super) struct Memory {
    file: File,
    map: MmapRaw,
}

impl Memory {
    /// Takes memory from the system: a new file, allocated in full, mapped and backed.
    pub(super) fn take(path: &Path, bytes: u64) -> Result<Self, JournalError> {
        let file = create_file(path, bytes)?;
        let map = MmapRaw::map_raw(&file).context("map", path)?;
        sys::populate(&map);
        Ok(Self { file, map })
    }
}

/// One segment in memory.
pub(super) struct WindowSegment {
    map: MmapRaw,
    /// Its file, for the lock.
    file: File,
    /// Index of the segment.
    pub(super) index: u64,
    /// Bytes of the segment.
    pub(super) bytes: u64,
    /// Start of its records' checksums.
    pub(super) seed: u32,
    /// Byte after the end record, 0 while it has none. Valid for whoever has seen `committed` in a later segment.
    ended: AtomicU64,
}

impl WindowSegment {
    /// Makes a segment of memory, which may have a name already as long as nobody looks for it. `prefix` is what the segment
    /// holds already, header included; empty for a new one.
    pub(super) fn new(memory: Memory, header: &SegmentHeader, prefix: &[u8]) -> Self {
        let Memory { file, map } = memory;
        let segment = Self {
            map,
            file,
            index: header.segment,
            bytes: header.segment_bytes,
            seed: crc_seed(&header.journal_id, header.segment),
            ended: AtomicU64::new(0),
        };
        // SAFETY: nobody else knows of the file yet.
        let bytes = unsafe { segment.bytes_mut(0, prefix.len().max(size_of::<SegmentHeader>())) };
        bytes[..size_of::<SegmentHeader>()].copy_from_slice(bytemuck::bytes_of(header));
        bytes[..prefix.len()].copy_from_slice(prefix);
        segment
    }

    /// Makes a segment in the window folder of fresh memory.
    pub(super) fn create(dir: &Path, header: &SegmentHeader, prefix: &[u8]) -> Result<Self, JournalError> {
        let memory = Memory::take(&dir.join(segment_name(header.segment)), header.segment_bytes)?;
        Ok(Self::new(memory, header, prefix))
    }

    /// Locks the segment against readers. False where one maps it.
    pub(super) fn try_lock(&self) -> bool {
        self.file.try_lock().is_ok()
    }

    /// Lets readers in.
    pub(super) fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }

    /// Its memory, all zeros again. The caller has locked it and taken its name away.
    pub(super) fn wipe(self) -> Memory {
        // SAFETY: nobody writes a segment whose owner gives it away, and the lock keeps readers out.
        unsafe { self.bytes_mut(0, self.map.len()) }.fill(0);
        Memory {
            file: self.file,
            map: self.map,
        }
    }

    /// Maps a segment that another process (or another mapping of this one) writes, and keeps it from being wiped.
    /// `Ok(None)` where it is not there, or about to go: then it is archived.
    pub(super) fn open(dir: &Path, index: u64) -> Result<Option<Self>, JournalError> {
        let path = dir.join(segment_name(index));
        match open_read_only(&path)? {
            Some(file) => Self::map(file, &path, index),
            None => Ok(None),
        }
    }

    /// Maps a segment's file that was just opened under its name.
    pub(super) fn map(file: File, path: &Path, index: u64) -> Result<Option<Self>, JournalError> {
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            locked => locked.map_err(io::Error::from).context("lock", path)?,
        }
        // Between opening and locking, the file may have become another segment. It has not where it still has the name: a
        // segment loses its name before it is wiped, for good, and from here on the lock keeps it from being wiped.
        if !is_named(&file, path)? {
            return Ok(None);
        }
        let map = MmapOptions::new().map_raw_read_only(&file).context("map", path)?;
        let header_len = size_of::<SegmentHeader>().min(map.len());
        // SAFETY: the map has at least this many bytes; a header never changes.
        let header = unsafe { std::slice::from_raw_parts(map.as_ptr(), header_len) };
        let header = read_header(path, index, header)?;
        if (map.len() as u64) < header.segment_bytes {
            return Err(super::folder::corrupt(
                path,
                index,
                0,
                "window file is shorter than its header says",
            ));
        }
        Ok(Some(Self {
            map,
            file,
            index,
            bytes: header.segment_bytes,
            seed: crc_seed(&header.journal_id, index),
            ended: AtomicU64::new(0),
        }))
    }

    /// Bytes that are committed: `from..to` must lie below what `committed` (or `released`) said.
    ///
    /// # Safety
    /// No byte of the range may change while the slice lives: it is committed, or the caller is its only writer.
    #[inline]
    pub(super) unsafe fn bytes(&self, from: u64, to: u64) -> &[u8] {
        assert!(
            from <= to && to <= self.bytes,
            "Invariant: a range lies in its segment"
        );
        // SAFETY: the range lies in the map (asserted); the caller promises that it does not change.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(from as usize), (to - from) as usize) }
    }

    /// Bytes that are not committed yet.
    ///
    /// # Safety
    /// The caller is the only one to read or write them: the writer above `committed`, the archiver for the seal.
    #[inline]
    #[allow(clippy::mut_from_ref)] // the map is shared memory; exclusiveness is the caller's promise
    pub(super) unsafe fn bytes_mut(&self, at: u64, len: usize) -> &mut [u8] {
        assert!(
            at + len as u64 <= self.bytes,
            "Invariant: a range lies in its segment"
        );
        // SAFETY: the range lies in the map (asserted); the caller promises to be alone.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(at as usize), len) }
    }

    /// Makes a written record valid: its time stamp, then its length with Release.
    ///
    /// # Safety
    /// The caller is the writer, and the record at `at` is above `committed`.
    #[inline]
    pub(super) unsafe fn publish(&self, at: u64, len: u32, journaled_ns: u64) {
        debug_assert!(len as usize <= RECORD_MAX && at >= HEADER_LEN);
        assert!(
            at.is_multiple_of(64) && at + u64::from(len) <= self.bytes - SEAL_LEN,
            "Invariant: a record lies in its segment"
        );
        // SAFETY: the record lies in the map and is aligned to 64 (asserted); the caller is its only writer.
        unsafe {
            let record = self.map.as_mut_ptr().add(at as usize);
            record
                .add(JOURNALED_NS_AT)
                .cast::<u64>()
                .write(journaled_ns.to_le());
            AtomicU32::from_ptr(record.cast()).store(len.to_le(), Ordering::Release);
        }
    }

    /// Says where the segment ends. The writer calls it before it commits the end record.
    pub(super) fn set_ended(&self, end: u64) {
        self.ended.store(end, Ordering::Release);
    }

    /// Byte after the end record, 0 while there is none.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }
}

const CONTROL_MAGIC: [u8; 8] = *b"TWCONTRL";
const CONTROL_LEN: u64 = 4096;
/// Layout and rules of the window. From 2 on, window files are used again, so readers lock what they map.
const CONTROL_VERSION: u32 = 2;
/// [`Control::state`]: a writer works, or died working.
pub(super) const STATE_OPEN: u64 = 1;
/// [`Control::state`]: the writer stopped, or its successor took over; positions do not change any more.
pub(super) const STATE_CLOSED: u64 = 2;

/// A counter on its own cache line.
#[repr(C, align(64))]
pub(super) struct Line(AtomicU64);

impl Line {
    #[inline]
    pub(super) fn position(&self) -> Position {
        Position(self.0.load(Ordering::Acquire))
    }
    #[inline]
    pub(super) fn set(&self, position: Position) {
        self.0.store(position.0, Ordering::Release);
    }
}

/// The control page: where the journal stands, for everyone who maps it.
#[repr(C)]
pub(super) struct Control {
    magic: [u8; 8],
    version: u32,
    pub(super) epoch: u32,
    pub(super) journal_id: [u8; 16],
    pub(super) boot_id: [u8; 16],
    pub(super) pid: u32,
    reserved: u32,
    reserved2: u64,
    state: Line,
    /// Next byte that the writer commits. Written by the writer.
    pub(super) committed: Line,
    /// Followers read below. Written by the writer (durability memory) or the archiver (disk).
    pub(super) released: Line,
    /// On disk below. Written by the archiver.
    pub(super) durable: Line,
}

const _: () = assert!(size_of::<Control>() == 320);

impl Control {
    pub(super) fn is_closed(&self) -> bool {
        self.state.0.load(Ordering::Acquire) != STATE_OPEN
    }
    pub(super) fn close(&self) {
        self.state.0.store(STATE_CLOSED, Ordering::Release);
    }
}

/// The mapped control page.
pub(super) struct ControlMap {
    map: MmapRaw,
}

impl std::ops::Deref for ControlMap {
    type Target = Control;

    #[inline]
    fn deref(&self) -> &Control {
        // SAFETY: the map has the control page's size (checked when it was made), is aligned to a page, and everything
        // that changes in it is an atomic.
        unsafe { &*self.map.as_ptr().cast::<Control>() }
    }
}

impl ControlMap {
    /// Makes the control page, with all positions at `position`. It gets its name when it is complete.
    pub(super) fn create(
        dir: &Path,
        journal_id: [u8; 16],
        epoch: u32,
        position: Position,
    ) -> Result<Self, JournalError> {
        let (unfinished, path) = (dir.join("control.tmp"), dir.join("control"));
        let file = create_file(&unfinished, CONTROL_LEN)?;
        let map = MmapRaw::map_raw(&file).context("map", &unfinished)?;
        let line = |value| Line(AtomicU64::new(value));
        let control = Control {
            magic: CONTROL_MAGIC,
            version: CONTROL_VERSION,
            epoch,
            journal_id,
            boot_id: sys::boot_id(),
            pid: std::process::id(),
            reserved: 0,
            reserved2: 0,
            state: line(STATE_OPEN),
            committed: line(position.0),
            released: line(position.0),
            durable: line(position.0),
        };
        // SAFETY: the map has CONTROL_LEN bytes, is aligned to a page, and nobody else knows of it yet.
        unsafe { map.as_mut_ptr().cast::<Control>().write(control) };
        std::fs::rename(&unfinished, &path).context("rename", &unfinished)?;
        Ok(Self { map })
    }

    /// Maps the control page to read. `Ok(None)` where there is none, or not one of this journal.
    pub(super) fn open(dir: &Path, journal_id: &[u8; 16]) -> Result<Option<Self>, JournalError> {
        Ok(map_read_only(&dir.join("control"))?.and_then(|map| Self::checked(map, journal_id)))
    }

    /// Maps the control page of a dead writer, to close it.
    pub(super) fn take_over(dir: &Path, journal_id: &[u8; 16]) -> Result<Option<Self>, JournalError> {
        let path = dir.join("control");
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.context("open", &path)?,
        };
        Ok(Self::checked(
            MmapRaw::map_raw(&file).context("map", &path)?,
            journal_id,
        ))
    }

    /// Maps the control page to read, whichever journal's it is. `None` where there is none that this build knows.
    pub(super) fn of_any(dir: &Path) -> Option<Self> {
        Self::known(map_read_only(&dir.join("control")).ok()??)
    }

    fn checked(map: MmapRaw, journal_id: &[u8; 16]) -> Option<Self> {
        Self::known(map).filter(|control| control.journal_id == *journal_id)
    }

    fn known(map: MmapRaw) -> Option<Self> {
        if (map.len() as u64) < CONTROL_LEN {
            return None;
        }
        let control = Self { map };
        // A window of version 1 has the same layout, and its reader may lock what it maps, too.
        let known = control.magic == CONTROL_MAGIC && (1..=CONTROL_VERSION).contains(&control.version);
        known.then_some(control)
    }
}

/// What names of window folders begin with.
pub(super) const WINDOW_PREFIX: &str = "tradewind-";

/// The window folder of a journal: named by journal id and by the inode of the journal's folder, so that a copy of a data
/// folder never takes the window of the original for its own.
pub(super) fn window_path(
    window_dir: &Path,
    journal_id: &[u8; 16],
    folder: &Path,
) -> Result<PathBuf, JournalError> {
    let inode = std::fs::metadata(folder).context("ask about", folder)?.ino();
    let hex: String = journal_id.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(window_dir.join(format!("{WINDOW_PREFIX}{hex}-{inode:x}")))
}

/// Makes the window folder, for this user alone, in place of one that may be there.
pub(super) fn create_dir(dir: &Path) -> Result<(), JournalError> {
    remove_dir(dir)?;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .context("create", dir)
}

/// Removes the window folder, and last in it the file that says whose it is. Maps of its files stay valid.
pub(super) fn remove_dir(dir: &Path) -> Result<(), JournalError> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name() != OWNER) {
        let _ = std::fs::remove_file(entry.path()); // what is still there is met again below, and said
    }
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::io("remove", dir, error)),
        _ => Ok(()),
    }
}

fn create_file(path: &Path, bytes: u64) -> Result<File, JournalError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .context("create", path)?;
    if let Err(source) = sys::allocate(&file, bytes) {
        let _ = std::fs::remove_file(path);
        return Err(JournalError::io("allocate", path, source));
    }
    Ok(file)
}

fn map_read_only(path: &Path) -> Result<Option<MmapRaw>, JournalError> {
    let Some(file) = open_read_only(path)? else {
        return Ok(None);
    };
    MmapOptions::new()
        .map_raw_read_only(&file)
        .map(Some)
        .context("map", path)
}

/// Opens a file to read. `Ok(None)` where it is not there.
fn open_read_only(path: &Path) -> Result<Option<File>, JournalError> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some).context("open", path),
    }
}

/// True where a path still leads to this file.
fn is_named(file: &File, path: &Path) -> Result<bool, JournalError> {
    let own = file.metadata().context("ask about", path)?;
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        named => named
            .map(|named| (named.dev(), named.ino()) == (own.dev(), own.ino()))
            .context("ask about", path),
    }
}
