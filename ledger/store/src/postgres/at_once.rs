//! What is written to the server goes out at once.
//!
//! sqlx leaves Nagle's algorithm on, and a COPY ends with a small message of its own. Over TCP that one waits until the server has
//! acknowledged the rows before it, which a server with nothing to say does 40 ms later: once for each of a transaction's small COPYs.
//! sqlx hands its socket out to nobody, so it is looked for among those of this process, by the port that the server says it comes from.
//!
//! Where it is not found (a socket in the file system, a proxy on the way, a system that refuses) nothing changes but the time it takes.
//!
//! No other descriptor is copied: to close a copy of a file would take away the locks that SQLite has on it.

use rustix::net::sockopt;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::collections::HashSet;
use std::os::fd::{OwnedFd, RawFd};

/// Turns Nagle's algorithm off for the connection that this process has from a port.
pub(super) fn send_at_once(from_port: u16) {
    for descriptor in descriptors(&sockets_of(from_port)) {
        let _ = sockopt::set_tcp_nodelay(&descriptor, true);
    }
}

/// What the system calls the TCP sockets at a port of this machine, as descriptors are called: `socket:[NUMBER]`.
fn sockets_of(port: u16) -> HashSet<String> {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let tables = tables.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let end = format!(":{port:04X}");
    let number = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next().filter(|local| local.ends_with(&end))?;
        Some(format!("socket:[{}]", columns.nth(7)?))
    };
    tables
        .iter()
        .flat_map(|table| table.lines().filter_map(number))
        .collect()
}

/// Those of them that are this process's, each once more: the original may be closed meanwhile by the one whose it is.
fn descriptors(sockets: &HashSet<String>) -> Vec<OwnedFd> {
    let (Ok(own), Ok(listed)) = (
        pidfd_open(getpid(), PidfdFlags::empty()),
        std::fs::read_dir("/proc/self/fd"),
    ) else {
        return Vec::new();
    };
    let number = |entry: std::fs::DirEntry| {
        let name = std::fs::read_link(entry.path()).ok()?;
        sockets.get(name.to_str()?)?;
        entry.file_name().to_str()?.parse::<RawFd>().ok()
    };
    let numbers = listed.filter_map(|entry| number(entry.ok()?));
    let again = |number| pidfd_getfd(&own, number, PidfdGetfdFlags::empty()).ok();
    numbers.filter_map(again).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_connection_from_a_port_sends_at_once_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let connect = || TcpStream::connect(address).expect("a connection");
        let (ours, other) = (connect(), connect());
        let is_at_once = |stream: &TcpStream| stream.nodelay().expect("an option");
        assert!(!is_at_once(&ours) && !is_at_once(&other));
        send_at_once(ours.local_addr().expect("an address").port());
        assert!(is_at_once(&ours) && !is_at_once(&other));
    }
}
