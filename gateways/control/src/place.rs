//! Where the socket stands: `control.sock` in the data folder, readable and writable by its owner alone.
//!
//! # Invariants
//! - A socket on which somebody answers is left alone, and so is a file that is no socket.
//! - A path of any length works: the kernel takes 107 bytes, longer ones go through the folder's descriptor.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket's name in the data folder.
const NAME: &str = "control.sock";
/// Bytes of a path that the kernel takes for a socket.
const PATH_MAX: usize = 107;
/// Read and write for the owner, nothing for anybody else.
const MODE: u32 = 0o600;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another process listens.
    #[error("somebody listens on {} already: is another engine running on this folder?", path.display())]
    Live {
        /// The socket.
        path: PathBuf,
    },
    /// Something else has the name.
    #[error("{} is no socket: move it away", path.display())]
    NoSocket {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("failed to make {}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The control socket of a data folder.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join(NAME)
}

/// Connects to the engine of a data folder.
pub(crate) fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    by_short_path(data_dir, |path| UnixStream::connect(path))
}

/// Makes the socket, in place of one that a dead engine left.
pub(crate) fn listen(data_dir: &Path) -> Result<UnixListener, PlaceError> {
    let path = socket_path(data_dir);
    clear(data_dir, &path)?;
    let failed = |source| PlaceError::Io {
        path: path.clone(),
        source,
    };
    let listener = by_short_path(data_dir, |short| UnixListener::bind(short)).map_err(failed)?;
    // Who connects before this line has the kernel's word against it: the peer's user is checked as well.
    std::fs::set_permissions(&path, Permissions::from_mode(MODE)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Takes a dead engine's socket away.
fn clear(data_dir: &Path, path: &Path) -> Result<(), PlaceError> {
    let failed = |source| PlaceError::Io {
        path: path.to_path_buf(),
        source,
    };
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    if !found.file_type().is_socket() {
        return Err(PlaceError::NoSocket {
            path: path.to_path_buf(),
        });
    }
    match connect(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)
        }
        _ => Err(PlaceError::Live {
            path: path.to_path_buf(),
        }),
    }
}

/// Calls `with` with a path of the socket that the kernel takes.
fn by_short_path<T>(data_dir: &Path, with: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = socket_path(data_dir);
    if path.as_os_str().len() <= PATH_MAX {
        return with(&path);
    }
    let folder = File::open(data_dir)?;
    with(&PathBuf::from(format!(
        "/proc/self/fd/{}/{NAME}",
        folder.as_raw_fd()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_engines_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let live = listen(dir.path()).unwrap();
        let mode = std::fs::metadata(socket_path(dir.path()))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(listen(dir.path()), Err(PlaceError::Live { .. })));
        drop(live);
        drop(listen(dir.path()).unwrap());
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(socket_path(dir.path()), "mine").unwrap();
        assert!(matches!(listen(dir.path()), Err(PlaceError::NoSocket { .. })));
        assert_eq!(std::fs::read(socket_path(dir.path())).unwrap(), b"mine");
    }

    #[test]
    fn a_long_path_works_too() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x".repeat(100)).join("y".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        let _listener = listen(&deep).unwrap();
        connect(&deep).unwrap();
    }
}
