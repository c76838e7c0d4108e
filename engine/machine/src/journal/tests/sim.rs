//! A disk that loses power: what was not synced is on it in part, in any order, or not at all.

use crate::journal::{DiskStorage, FileSystem, Storage, StorageFile};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Bytes that a disk writes as one.
const SECTOR: usize = 512;

/// Unsynced sectors of a file, by number.
type Sectors = BTreeMap<u64, Vec<u8>>;

#[derive(Default)]
struct State {
    unsynced: HashMap<PathBuf, Sectors>,
    off: bool,
    full: bool,
    /// Kinds of file systems that folders say they are on.
    magics: HashMap<PathBuf, u64>,
}

/// The disk. Files lie in a real folder; there stands only what was synced.
#[derive(Clone, Default)]
pub(super) struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// Switches the power off: of each unsynced sector, `keep` says whether it reached the disk. Nothing works any more.
    pub(super) fn power_off(&self, mut keep: impl FnMut() -> bool) {
        let mut state = self.state.lock().unwrap();
        state.off = true;
        for (path, sectors) in std::mem::take(&mut state.unsynced) {
            let Ok(file) = DiskStorage.open(&path) else {
                continue;
            };
            for (number, bytes) in sectors {
                if keep() {
                    file.write_at(&bytes, number * SECTOR as u64).unwrap();
                }
            }
        }
    }

    /// Lets every allocation fail, or work again.
    pub(super) fn set_full(&self, full: bool) {
        self.state.lock().unwrap().full = full;
    }

    /// Lets a folder be on a file system of this kind.
    pub(super) fn set_file_system(&self, dir: &Path, magic: u64) {
        self.state.lock().unwrap().magics.insert(dir.to_path_buf(), magic);
    }

    fn check(&self) -> io::Result<()> {
        if self.state.lock().unwrap().off {
            Err(io::Error::other("no power"))
        } else {
            Ok(())
        }
    }
}

impl Storage for SimDisk {
    fn create(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn StorageFile>> {
        self.check()?;
        if self.state.lock().unwrap().full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = DiskStorage.create(path, bytes)?;
        Ok(Box::new(SimFile {
            disk: self.clone(),
            file,
            path: Mutex::new(path.to_path_buf()),
        }))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.check()?;
        let file = DiskStorage.open(path)?;
        Ok(Box::new(SimFile {
            disk: self.clone(),
            file,
            path: Mutex::new(path.to_path_buf()),
        }))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        DiskStorage.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check()?;
        let mut state = self.state.lock().unwrap();
        assert!(
            !state.unsynced.contains_key(from),
            "a file is synced before it gets its name"
        );
        state.unsynced.remove(to);
        drop(state);
        DiskStorage.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.check()?;
        self.state.lock().unwrap().unsynced.remove(path);
        DiskStorage.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.check()?;
        DiskStorage.sync_dir(dir)
    }
    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(if self.state.lock().unwrap().full {
            0
        } else {
            u64::MAX
        })
    }
    fn file_system(&self, dir: &Path) -> io::Result<FileSystem> {
        let mut system = FileSystem::of(dir)?;
        if let Some(&magic) = self.state.lock().unwrap().magics.get(dir) {
            system.magic = magic;
        }
        Ok(system)
    }
}

struct SimFile {
    disk: SimDisk,
    file: Box<dyn StorageFile>,
    path: Mutex<PathBuf>,
}

impl SimFile {
    /// The name under which the file's unsynced sectors are known: a segment gets its real one after its first sync.
    fn name(&self) -> PathBuf {
        let mut path = self.path.lock().unwrap();
        let named = path.with_extension("");
        if path.extension().is_some_and(|extension| extension == "tmp") && named.exists() {
            *path = named;
        }
        path.clone()
    }
}

impl StorageFile for SimFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.check()?;
        let name = self.name();
        let mut state = self.disk.state.lock().unwrap();
        let sectors = state.unsynced.entry(name).or_default();
        let (mut at, mut bytes) = (offset, bytes);
        while !bytes.is_empty() {
            let (number, within) = (at / SECTOR as u64, at as usize % SECTOR);
            let sector = sectors.entry(number).or_insert_with(|| {
                let mut sector = vec![0; SECTOR];
                self.file.read_at(&mut sector, number * SECTOR as u64).unwrap();
                sector
            });
            let count = bytes.len().min(SECTOR - within);
            sector[within..within + count].copy_from_slice(&bytes[..count]);
            at += count as u64;
            bytes = &bytes[count..];
        }
        Ok(())
    }
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.file.read_at(bytes, offset)?;
        let name = self.name();
        let state = self.disk.state.lock().unwrap();
        for (number, sector) in state.unsynced.get(&name).into_iter().flatten() {
            let start = number * SECTOR as u64;
            for (index, &byte) in sector.iter().enumerate() {
                let at = start + index as u64;
                if at >= offset && at < offset + read as u64 {
                    bytes[(at - offset) as usize] = byte;
                }
            }
        }
        Ok(read)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.disk.check()?;
        let name = self.name();
        let sectors = self
            .disk
            .state
            .lock()
            .unwrap()
            .unsynced
            .remove(&name)
            .unwrap_or_default();
        for (number, bytes) in sectors {
            self.file.write_at(&bytes, number * SECTOR as u64)?;
        }
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}
