//! Who is at the other end of a connection, as the kernel says.
//!
//! Not here: who the person is. Everybody who may become the engine's user or root may be any operator.

use rustix::net::sockopt::socket_peercred;
use std::os::unix::net::UnixStream;

/// The process at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its effective user when it connected.
    pub(crate) uid: u32,
    /// That user's name; `uid-N` where the machine's own list has none.
    pub(crate) user: String,
}

impl Peer {
    /// Asks the kernel.
    pub(crate) fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let uid = socket_peercred(stream)?.uid.as_raw();
        Ok(Self {
            uid,
            user: user_name(uid),
        })
    }

    /// True for the engine's own user and for root.
    pub(crate) fn is_permitted(&self) -> bool {
        self.uid == 0 || self.uid == rustix::process::geteuid().as_raw()
    }
}

/// The name of a user. Users of a directory service are not in the machine's own list and show as their number.
fn user_name(uid: u32) -> String {
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&list, uid).unwrap_or_else(|| format!("uid-{uid}"))
}

fn name_in(list: &str, uid: u32) -> Option<String> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_user_is_that_of_the_machines_list() {
        let list = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nbroken\n";
        assert_eq!(name_in(list, 0).as_deref(), Some("root"));
        assert_eq!(name_in(list, 1000).as_deref(), Some("ada"));
        assert_eq!(name_in(list, 7), None);
    }

    #[test]
    fn only_the_engines_user_and_root_are_permitted() {
        let own = rustix::process::geteuid().as_raw();
        let peer = |uid| Peer {
            uid,
            user: String::new(),
        };
        assert!(peer(own).is_permitted() && peer(0).is_permitted());
        assert!(!peer(own + 1).is_permitted());
    }

    #[test]
    fn the_kernel_says_who_is_there() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(Peer::of(&one).unwrap().uid, rustix::process::geteuid().as_raw());
    }
}
