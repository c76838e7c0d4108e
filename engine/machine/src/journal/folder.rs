//! The journal's folder: names of its files, its segments, and the slots of the durable position.

use super::error::{IoContext, JournalError};
use super::format::{
    DurableSlot, FORMAT_VERSION, HEADER_LEN, HeaderFault, SLOT_OFFSETS, SLOTS_LEN, SegmentHeader,
};
use super::storage::{Storage, StorageFile};
use std::path::{Path, PathBuf};

/// Paths of a journal.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The journal of a data folder.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("journal"),
        }
    }
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
    pub(super) fn lock(&self) -> PathBuf {
        self.path.join("LOCK")
    }
    pub(super) fn durable(&self) -> PathBuf {
        self.path.join("durable")
    }
    pub(super) fn segment(&self, index: u64) -> PathBuf {
        self.path.join(segment_name(index))
    }
    /// Where a segment is made before it gets its name.
    pub(super) fn unfinished(&self, index: u64) -> PathBuf {
        self.path.join(format!("{}.tmp", segment_name(index)))
    }
    /// Where bytes that were cut off are kept.
    pub(super) fn torn(&self, index: u64, offset: u64) -> PathBuf {
        self.path.join(format!("torn-{index:020}-{offset}.bin"))
    }

    /// Indexes of the segments that are there, rising.
    pub(super) fn segments(&self, storage: &dyn Storage) -> Result<Vec<u64>, JournalError> {
        let names = match storage.list(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(JournalError::NoJournal {
                    path: self.path.clone(),
                });
            }
            names => names.context("list", &self.path)?,
        };
        let mut indexes: Vec<u64> = names.iter().filter_map(|name| segment_index(name)).collect();
        indexes.sort_unstable();
        Ok(indexes)
    }

    /// Removes segments that never got their name.
    pub(super) fn remove_unfinished(&self, storage: &dyn Storage) -> Result<(), JournalError> {
        for name in storage.list(&self.path).context("list", &self.path)? {
            if name.ends_with(".tmp") {
                let path = self.path.join(name);
                storage.remove(&path).context("remove", &path)?;
            }
        }
        Ok(())
    }

    /// Opens a segment and reads its header.
    pub(super) fn open_segment(
        &self,
        storage: &dyn Storage,
        index: u64,
    ) -> Result<(Box<dyn StorageFile>, SegmentHeader), JournalError> {
        let path = self.segment(index);
        let file = match storage.open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(JournalError::MissingSegment {
                    path: self.path.clone(),
                    segment: index,
                });
            }
            file => file.context("open", &path)?,
        };
        let mut bytes = [0; 88];
        let read = file.read_at(&mut bytes, 0).context("read", &path)?;
        let header = read_header(&path, index, &bytes[..read])?;
        if file.len().context("read", &path)? < header.segment_bytes {
            return Err(corrupt(&path, index, 0, "file is shorter than its header says"));
        }
        Ok((file, header))
    }

    /// Makes a segment, allocated in full, with its header; it gets its name when the header is on disk.
    pub(super) fn create_segment(
        &self,
        storage: &dyn Storage,
        header: &SegmentHeader,
    ) -> Result<Box<dyn StorageFile>, JournalError> {
        let (unfinished, path) = (self.unfinished(header.segment), self.segment(header.segment));
        let file = storage
            .create(&unfinished, header.segment_bytes)
            .context("allocate", &unfinished)?;
        file.write_at(bytemuck::bytes_of(header), 0)
            .context("write", &unfinished)?;
        file.sync_data().context("sync", &unfinished)?;
        storage
            .rename(&unfinished, &path)
            .context("rename", &unfinished)?;
        storage.sync_dir(&self.path).context("sync", &self.path)?;
        Ok(file)
    }

    /// The newest slot. `Ok(None)` where the file is not there; an error where it is and no slot is valid.
    pub(super) fn read_slot(&self, storage: &dyn Storage) -> Result<Option<DurableSlot>, JournalError> {
        let path = self.durable();
        let file = match storage.open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.context("open", &path)?,
        };
        let mut bytes = vec![0; SLOTS_LEN as usize];
        let read = file.read_at(&mut bytes, 0).context("read", &path)?;
        DurableSlot::newest(&bytes[..read])
            .map(Some)
            .ok_or(JournalError::DurableLost { path })
    }
}

/// The file `durable`, open to be written.
pub(super) struct SlotFile {
    file: Box<dyn StorageFile>,
    path: PathBuf,
}

impl SlotFile {
    /// Opens the file, or makes it with this first slot.
    pub(super) fn open(
        folder: &Folder,
        storage: &dyn Storage,
        first: DurableSlot,
    ) -> Result<Self, JournalError> {
        let path = folder.durable();
        match storage.open(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let unfinished = path.with_extension("tmp");
                let file = storage
                    .create(&unfinished, SLOTS_LEN)
                    .context("allocate", &unfinished)?;
                let slots = Self {
                    file,
                    path: unfinished.clone(),
                };
                slots.write(first)?;
                storage
                    .rename(&unfinished, &path)
                    .context("rename", &unfinished)?;
                storage.sync_dir(folder.path()).context("sync", folder.path())?;
                Ok(Self { path, ..slots })
            }
            Err(source) => Err(JournalError::io("open", &path, source)),
        }
    }

    /// Writes a slot over the older one and syncs it.
    pub(super) fn write(&self, slot: DurableSlot) -> Result<(), JournalError> {
        let slot = slot.sealed();
        let at = SLOT_OFFSETS[(slot.counter % 2) as usize];
        self.file
            .write_at(bytemuck::bytes_of(&slot), at)
            .context("write", &self.path)?;
        self.file.sync_data().context("sync", &self.path)
    }
}

/// File name of a segment, in the folder and in the window.
pub(super) fn segment_name(index: u64) -> String {
    format!("{index:020}.twj")
}

/// Index in a segment's file name: from 1, and within the 32 bits that a position has for it.
pub(super) fn segment_index(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".twj").filter(|digits| digits.len() == 20)?;
    digits
        .parse()
        .ok()
        .filter(|index| (1..=u64::from(u32::MAX)).contains(index))
}

/// Reads a header and checks that it is that of segment `index`.
pub(super) fn read_header(path: &Path, index: u64, bytes: &[u8]) -> Result<SegmentHeader, JournalError> {
    let header = SegmentHeader::parse(bytes).map_err(|fault| match fault {
        HeaderFault::Version(found) => JournalError::Version {
            path: path.to_path_buf(),
            found,
            known: FORMAT_VERSION,
        },
        HeaderFault::Damaged => corrupt(path, index, 0, "segment header is damaged"),
    })?;
    if header.segment != index {
        return Err(corrupt(path, index, 40, "file name and segment index differ"));
    }
    Ok(header)
}

/// An error that names a byte.
pub(super) fn corrupt(path: &Path, segment: u64, offset: u64, reason: impl Into<String>) -> JournalError {
    JournalError::Corrupt {
        path: path.to_path_buf(),
        segment,
        offset,
        reason: reason.into(),
    }
}

const _: () = assert!(size_of::<SegmentHeader>() as u64 <= HEADER_LEN);
