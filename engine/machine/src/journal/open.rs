//! Opening a journal: lock, checks, recovery, and the start of a run.

use super::archiver::Archiver;
use super::config::{Identity, JournalConfig};
use super::error::{IoContext, JournalError};
use super::folder::{Folder, SlotFile};
use super::follower::{Follower, RecordRef, StartAt};
use super::format::{DurableSlot, Position, SegmentHeader};
use super::handle::{JournalHandle, Threads};
use super::keeper::Keeper;
use super::lock::{Lock, Note};
use super::pool::Pool;
use super::recovery::{End, Recovery, chain_of, cut, drop_window, find_end, seal_ended, take_over};
use super::scan::SegmentScan;
use super::shared::{Archived, Segment, Shared, lock};
use super::storage::{DiskStorage, Storage};
use super::sys;
use super::window::{ControlMap, WindowSegment, create_dir, remove_dir, window_path};
use super::windows::own;
use super::writer::JournalWriter;
use bytemuck::Zeroable;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

/// The journal of a data folder.
pub struct Journal;

impl Journal {
    /// Takes the lock and recovers the journal, or begins a new one, on the real disk.
    pub fn open(config: JournalConfig) -> Result<Opened, JournalError> {
        Self::open_on(config, Arc::new(DiskStorage))
    }

    /// As [`Journal::open`], on a given storage.
    pub fn open_on(config: JournalConfig, storage: Arc<dyn Storage>) -> Result<Opened, JournalError> {
        config.check()?;
        let folder = Folder::of(&config.dir);
        prepare_folder(&folder)?;
        check_data_file_system(&config, &folder, &*storage)?;
        check_window_file_system(&config, &*storage)?;
        let cautions = cautions(&config, &folder, &*storage)?;
        let lock = Lock::take(&folder.lock())?;
        folder.remove_unfinished(&*storage)?;
        let segments = folder.segments(&*storage)?;
        let slot = folder.read_slot(&*storage)?;
        let opened = match slot {
            Some(slot) if !segments.is_empty() => recover(config, folder, storage, lock, segments, slot),
            None if !segments.is_empty() => Err(JournalError::DurableLost {
                path: folder.durable(),
            }),
            Some(slot) if slot.epoch > 0 => {
                let segment = Position(slot.position).segment();
                Err(JournalError::MissingSegment {
                    path: folder.path().to_path_buf(),
                    segment,
                })
            }
            _ => begin(config, folder, storage, lock, slot),
        };
        Ok(Opened { cautions, ..opened? })
    }
}

/// A journal that is recovered and not yet written to.
pub struct Opened {
    config: JournalConfig,
    folder: Folder,
    storage: Arc<dyn Storage>,
    lock: Lock,
    identity: Identity,
    slot: DurableSlot,
    recovery: Recovery,
    is_new: bool,
    cautions: Vec<String>,
}

impl Opened {
    /// What the file systems do not promise, and the settings allow all the same; for people.
    pub fn cautions(&self) -> &[String] {
        &self.cautions
    }

    /// True where the journal did not exist before.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// What names the journal.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Number of the run that begins with [`Opened::start`], from 1.
    pub fn epoch(&self) -> u32 {
        self.slot.epoch + 1
    }

    /// What recovery found.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// All records, oldest first. Every one is checked; a bad one is corruption.
    pub fn records(&self) -> Result<Records, JournalError> {
        let follower = Follower::over_files(&self.config.dir, self.recovery.oldest, self.recovery.end)?;
        Ok(Records {
            follower,
            oldest: self.recovery.oldest,
        })
    }

    /// Begins a run: takes the window's memory, starts archiver and keeper. The engine writes its first record.
    pub fn start(self) -> Result<(JournalWriter, JournalHandle), JournalError> {
        let epoch = self.epoch();
        let end = self.recovery.end;
        let slot = DurableSlot {
            counter: self.slot.counter + 1,
            position: end.0,
            epoch,
            clean: 0,
            journal_id: self.identity.id,
            shard: self.config.shard,
            ..self.slot
        };
        let slots = SlotFile::open(&self.folder, &*self.storage, slot)?;
        slots.write(slot)?;
        let window_dir = window_path(&self.config.window_dir, &self.identity.id, self.folder.path())?;
        let (pool, owner) = take_window(&self.config, &window_dir, self.folder.path()).inspect_err(|_| {
            let _ = remove_dir(&window_dir); // what was taken is given back; the error says why the start failed
        })?;
        let control = ControlMap::create(&window_dir, self.identity.id, epoch, end)?;
        self.lock.note(Some(&window_dir))?;
        let header = SegmentHeader {
            journal_id: self.identity.id,
            hash_key: self.identity.hash_key,
            schema_hash: self.config.schema_hash,
            epoch,
            shard: self.config.shard,
            ..SegmentHeader::zeroed()
        };
        let shared = Shared::new(
            self.config,
            self.folder,
            (window_dir, owner),
            self.storage,
            control,
            header,
        );
        *lock(&shared.archived) = archived(&shared, self.recovery.oldest.segment()..end.segment())?.into();
        let segment = Arc::new(open_current(&shared, end)?);
        let chain_before = match end.segment() {
            1 => [0; 32],
            index => chain_of(&shared.folder, &*shared.storage, index - 1)?,
        };
        lock(&shared.window).push_back(segment.clone());
        let shared = Arc::new(shared);
        let (to_writer, ready) = rtrb::RingBuffer::new(shared.config.stock_segments());
        let keeper = Keeper::new(shared.clone(), to_writer, end.segment() + 1, pool, slots, slot);
        let keeper = spawn("tw-keeper", move || keeper.run())?;
        let archiver = Archiver::new(
            shared.clone(),
            keeper.thread().clone(),
            segment.clone(),
            end,
            chain_before,
        );
        let archiver = spawn("tw-archiver", move || archiver.run())?;
        let writer = JournalWriter::new(shared.clone(), segment, end.offset(), self.recovery.last, ready);
        Ok((
            writer,
            JournalHandle::new(shared, Threads { archiver, keeper }, self.lock),
        ))
    }
}

/// Records of a journal, oldest first.
pub struct Records {
    follower: Follower,
    oldest: Position,
}

impl Records {
    /// What of a journal is released now. It is only looked at, and may be written meanwhile.
    pub fn of(data_dir: &Path) -> Result<Self, JournalError> {
        let follower = Follower::open(data_dir, StartAt::Start)?;
        let oldest = follower.position();
        Ok(Self { follower, oldest })
    }

    /// Where the oldest record is, or will be.
    pub fn oldest(&self) -> Position {
        self.oldest
    }

    /// The next record; `None` at the end.
    #[allow(clippy::should_implement_trait)] // it lends from its own buffer
    pub fn next(&mut self) -> Result<Option<RecordRef<'_>>, JournalError> {
        self.follower.poll()
    }
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, JournalError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| JournalError::Failed(format!("thread {name} could not be started: {error}")))
}

fn prepare_folder(folder: &Folder) -> Result<(), JournalError> {
    let path = folder.path();
    // What people trade is nobody else's business: whoever shall read it is given the folder.
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|source| match source.kind() {
        std::io::ErrorKind::PermissionDenied => JournalError::ReadOnly {
            path: path.to_path_buf(),
            source,
        },
        _ => JournalError::io("create", path, source),
    })
}

fn check_data_file_system(
    config: &JournalConfig,
    folder: &Folder,
    storage: &dyn Storage,
) -> Result<(), JournalError> {
    let path = folder.path();
    let system = storage.file_system(path).context("ask about", path)?;
    match system.unsafe_name() {
        Some(file_system) if !config.allow_unsafe_fs => Err(JournalError::FileSystem {
            path: path.to_path_buf(),
            file_system,
        }),
        _ => Ok(()),
    }
}

fn cautions(
    config: &JournalConfig,
    folder: &Folder,
    storage: &dyn Storage,
) -> Result<Vec<String>, JournalError> {
    let (data, window) = (folder.path(), config.window_dir.as_path());
    let of_data = storage.file_system(data).context("ask about", data)?;
    let of_window = storage.file_system(window).context("ask about", window)?;
    let data = of_data
        .data_caution()
        .map(|caution| format!("{} {caution}", data.display()));
    let window = of_window
        .window_caution()
        .map(|caution| format!("{} {caution}", window.display()));
    Ok(data.into_iter().chain(window).collect())
}

/// The window must fit its file system.
fn check_window_file_system(config: &JournalConfig, storage: &dyn Storage) -> Result<(), JournalError> {
    let path = &config.window_dir;
    let system = storage
        .file_system(path)
        .context("ask about the window folder", path)?;
    if !system.is_in_memory() && !config.allow_unsafe_fs {
        let text = format!(
            "window_dir {} is not on a memory file system such as /dev/shm",
            path.display()
        );
        return Err(JournalError::Config(text));
    }
    room_for(config, system, system.size_bytes)
}

/// Makes the window folder and takes all the memory of the window but that of the first segment, which may be of another
/// size. The window must fit what is free, once a dead writer's window is gone.
fn take_window(
    config: &JournalConfig,
    window_dir: &Path,
    journal: &Path,
) -> Result<(Pool, File), JournalError> {
    create_dir(window_dir)?;
    let owner = own(window_dir, journal)?;
    let system = sys::FileSystem::of(&config.window_dir).context("ask about", &config.window_dir)?;
    room_for(config, system, system.free_bytes)?;
    let pool = Pool::new(window_dir, config.segment_bytes, config.window_segments() - 1)?;
    Ok((pool, owner))
}

fn room_for(config: &JournalConfig, system: sys::FileSystem, bytes: u64) -> Result<(), JournalError> {
    if bytes >= config.window_bytes {
        return Ok(());
    }
    Err(JournalError::WindowTooSmall {
        path: config.window_dir.clone(),
        need_bytes: config.window_bytes,
        have_bytes: system.free_bytes,
        size_bytes: system.size_bytes,
    })
}

/// A new journal; `slot` is there where a start died before it made the first segment.
fn begin(
    config: JournalConfig,
    folder: Folder,
    storage: Arc<dyn Storage>,
    lock: Lock,
    slot: Option<DurableSlot>,
) -> Result<Opened, JournalError> {
    let identity = match config.identity {
        Some(identity) => identity,
        None => Identity {
            id: sys::random_16().context("read", Path::new("/dev/urandom"))?,
            hash_key: sys::random_16().context("read", Path::new("/dev/urandom"))?,
        },
    };
    let end = Position::start_of(1);
    let have_bytes = storage
        .free_bytes(folder.path())
        .context("ask about", folder.path())?;
    let need_bytes = 2 * config.segment_bytes;
    if have_bytes < need_bytes {
        return Err(JournalError::NoSpace {
            path: folder.path().to_path_buf(),
            need_bytes,
            have_bytes,
        });
    }
    lock.note(None)?;
    let slot = DurableSlot {
        counter: slot.map_or(0, |slot| slot.counter) + 1,
        journal_id: identity.id,
        position: end.0,
        shard: config.shard,
        ..DurableSlot::zeroed()
    };
    // The slots are there before the first segment is, so that segments without them are a damage.
    SlotFile::open(&folder, &*storage, slot)?.write(slot)?;
    let recovery = Recovery {
        end,
        oldest: end,
        last: None,
        clean: true,
        taken_over_bytes: 0,
        torn: Vec::new(),
    };
    Ok(Opened {
        config,
        folder,
        storage,
        lock,
        identity,
        slot,
        recovery,
        is_new: true,
        cautions: Vec::new(),
    })
}

fn recover(
    config: JournalConfig,
    folder: Folder,
    storage: Arc<dyn Storage>,
    lock: Lock,
    segments: Vec<u64>,
    slot: DurableSlot,
) -> Result<Opened, JournalError> {
    let identity = check_segments(&config, &folder, &*storage, &segments, &slot)?;
    let window = window_left(&config, &folder, &slot)?;
    let (durable, taken_over_bytes) = take_over(&folder, &*storage, &slot, &window)?;
    let End { position, last } = find_end(&folder, &*storage, &segments, durable)?;
    seal_ended(
        &folder,
        &*storage,
        Position(slot.position).segment()..position.segment(),
    )?;
    let torn = cut(&folder, &*storage, &segments, position)?;
    drop_window(&window, &slot.journal_id)?;
    let oldest = Position::start_of(segments[0]);
    let clean = slot.clean == 1;
    let recovery = Recovery {
        end: position,
        oldest,
        last,
        clean,
        taken_over_bytes,
        torn,
    };
    Ok(Opened {
        config,
        folder,
        storage,
        lock,
        identity,
        slot,
        recovery,
        is_new: false,
        cautions: Vec::new(),
    })
}

/// Where the writer before had its window: as the lock file says, for the setting may have changed. A name that is not
/// that of this journal's window is not believed.
fn window_left(config: &JournalConfig, folder: &Folder, slot: &DurableSlot) -> Result<PathBuf, JournalError> {
    let expected = window_path(&config.window_dir, &slot.journal_id, folder.path())?;
    let noted = Note::read(&folder.lock()).and_then(|note| note.window);
    Ok(noted
        .filter(|noted| noted.file_name() == expected.file_name())
        .unwrap_or(expected))
}

/// Every segment is there, belongs to this journal and shard, and is of a version and schema that this build knows.
fn check_segments(
    config: &JournalConfig,
    folder: &Folder,
    storage: &dyn Storage,
    segments: &[u64],
    slot: &DurableSlot,
) -> Result<Identity, JournalError> {
    let mut identity = None;
    for (&index, expected) in segments.iter().zip(segments[0]..) {
        if index != expected {
            return Err(JournalError::MissingSegment {
                path: folder.path().to_path_buf(),
                segment: expected,
            });
        }
        let (_, header) = folder.open_segment(storage, index)?;
        let path = folder.segment(index);
        let foreign = |difference| {
            Err(JournalError::Foreign {
                path: path.clone(),
                difference,
            })
        };
        if header.journal_id != slot.journal_id {
            return foreign("its journal id is not that of the file `durable`");
        }
        if header.shard != config.shard {
            return foreign("it was written by another shard");
        }
        if header.schema_hash != config.schema_hash && !config.schemas_known.contains(&header.schema_hash) {
            return Err(JournalError::Schema {
                path,
                found: header.schema_hash,
                known: config.schema_hash,
            });
        }
        let found = Identity {
            id: header.journal_id,
            hash_key: header.hash_key,
        };
        if *identity.get_or_insert(found) != found {
            return foreign("its hash key is not that of the segments before");
        }
    }
    identity.ok_or_else(|| JournalError::NoJournal {
        path: folder.path().to_path_buf(),
    })
}

/// The segment to go on in: its file, and its memory with the bytes that are there already.
fn open_current(shared: &Shared, end: Position) -> Result<Segment, JournalError> {
    let (folder, storage) = (&shared.folder, &*shared.storage);
    let index = end.segment();
    if !folder.segments(storage)?.contains(&index) {
        let header = shared.header_of(index);
        let file = folder.create_segment(storage, &header)?;
        return Ok(Segment {
            window: WindowSegment::create(&shared.window_dir, &header, &[])?,
            file,
        });
    }
    let scan = SegmentScan::open(folder, storage, index)?;
    let window = WindowSegment::create(&shared.window_dir, &scan.header, &scan.bytes(0, end.offset())?)?;
    let (file, _) = folder.open_segment(storage, index)?;
    Ok(Segment { window, file })
}

/// The complete data files, from their seals.
fn archived(shared: &Shared, indexes: std::ops::Range<u64>) -> Result<Vec<Archived>, JournalError> {
    let mut archived = Vec::new();
    for index in indexes {
        let scan = SegmentScan::open(&shared.folder, &*shared.storage, index)?;
        let last_seq = scan.seal()?.map_or(u64::MAX, |seal| seal.last_seq);
        archived.push(Archived {
            index,
            last_seq,
            bytes: scan.header.segment_bytes,
        });
    }
    Ok(archived)
}
