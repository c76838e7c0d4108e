//! The few calls to the operating system that the standard library has no word for.
#![allow(unsafe_code)] // reason: calls into libc, each with plain arguments that live through the call

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a file system says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// The number of its kind, as statfs(2) lists them.
    pub magic: u64,
    /// Bytes in all.
    pub size_bytes: u64,
    /// Bytes that this process may still take.
    pub free_bytes: u64,
}

/// File systems that lose locks, or what they were told to sync.
pub(super) const UNSAFE: &[(u64, &str)] = &[
    (0x794c_7630, "overlayfs (a container's own layer)"),
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "AFS"),
    (0x00c3_6400, "Ceph"),
];
const IN_MEMORY: &[u64] = &[0x0102_1994, 0x8584_58f6, 0x9584_58f6];

impl FileSystem {
    /// Asks about the file system of a path that exists.
    pub fn of(path: &Path) -> io::Result<Self> {
        let name = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: all zeros is a valid `statfs`, a structure of integers.
        let mut stat: libc::statfs = unsafe { std::mem::zeroed() };
        // SAFETY: `name` ends with a zero byte and `stat` may be written; both live through the call.
        if unsafe { libc::statfs(name.as_ptr(), &mut stat) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let block = stat.f_bsize as u64;
        Ok(Self {
            magic: stat.f_type as u64 & 0xffff_ffff,
            size_bytes: stat.f_blocks.saturating_mul(block),
            free_bytes: stat.f_bavail.saturating_mul(block),
        })
    }

    /// Its name, where it does not keep what it was told to sync or lock.
    pub fn unsafe_name(&self) -> Option<&'static str> {
        UNSAFE
            .iter()
            .find(|(magic, _)| *magic == self.magic)
            .map(|(_, name)| *name)
    }

    /// True where its files live in memory.
    pub fn is_in_memory(&self) -> bool {
        IN_MEMORY.contains(&self.magic)
    }

    /// What a data folder there has to fear, for people; `None` on a local disk.
    pub fn data_caution(&self) -> Option<String> {
        match self.unsafe_name() {
            Some(name) => Some(format!(
                "is on {name}, which does not keep what it was told to sync or lock: what counts as on disk may be lost with the machine"
            )),
            None => self
                .is_in_memory()
                .then(|| "lies in memory: the journal is gone when the machine restarts".to_owned()),
        }
    }

    /// What a window there costs, for people; `None` in memory.
    pub fn window_caution(&self) -> Option<&'static str> {
        (!self.is_in_memory())
            .then_some("is not on a memory file system such as /dev/shm: the pipeline may wait for its disk")
    }
}

/// Gives a file all its bytes now, as zeros, so that no later write can find the disk full.
pub(super) fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    let len = libc::off_t::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    loop {
        // SAFETY: the descriptor is open as long as `file` lives.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, len) } {
            0 => return Ok(()),
            libc::EINTR => {}
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

/// Backs a mapped range with memory now, so that no later store takes a page fault. A failure is of no consequence: the
/// pages come with the first store then.
pub(super) fn populate(map: &memmap2::MmapRaw) {
    const MADV_POPULATE_WRITE: libc::c_int = 23;
    // SAFETY: the range is one mapping that lives through the call; the advice changes no byte.
    let _ = unsafe { libc::madvise(map.as_mut_ptr().cast(), map.len(), MADV_POPULATE_WRITE) };
}

/// The kernel's name for this boot: memory files of another boot cannot be there, files on a disk could.
pub(super) fn boot_id() -> [u8; 16] {
    let mut id = [0; 16];
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits = text.chars().filter_map(|c| c.to_digit(16));
    for (index, digit) in digits.take(32).enumerate() {
        id[index / 2] |= (digit as u8) << (4 * (1 - index % 2));
    }
    id
}

/// Random bytes from the operating system.
pub(super) fn random_16() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}

/// True where an error says that there is no space.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
