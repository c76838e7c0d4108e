//! The first user of a new installation: somebody has to let the others in.

use crate::{log, output};
use anyhow::Context;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tradewind_domain::codes::{AccessStatus, ClockMode, Role};
use tradewind_domain::event::{AccessSet, InboundLong, Kind};
use tradewind_domain::ids::{GroupId, NodeId};
use tradewind_domain::text::Code;
use tradewind_identity::{Identity, OneTimePassword};
use tradewind_machine::source::{LongSource, SOURCE_LONG};
use tradewind_views::live::{Awaited, Live};
use tradewind_views::query::current::LiveError;

/// Who grants the first access.
const AUTHOR: &str = "engine";
/// File with the first user's password, where what is said goes to programs.
const FIRST_LOGIN_FILE: &str = "first-login";
/// How long its record is waited for.
const RECORD_MAX: Duration = Duration::from_secs(30);

/// Makes the first user an administrator of the firm, where there is no user at all. `keep` has the password before the grant is journaled:
/// once there is an administrator no start makes another one. It is shown after that.
pub(super) async fn first_user(
    identity: &Identity,
    admin: &LongSource,
    live: &Arc<Live>,
    clock_mode: ClockMode,
    now_ns: u64,
    keep: impl FnOnce(&OneTimePassword) -> anyhow::Result<()>,
) -> anyhow::Result<Option<OneTimePassword>> {
    if identity.users().len() > 1 {
        return Ok(None);
    }
    caught_up(live)?;
    let has_admin = !identity.access().book().firm_admins().is_empty();
    let Some(first) = identity.first_user(has_admin, now_ns).await? else {
        return Ok(None);
    };
    keep(&first)?;
    // Under an input clock a stamp is the time of its event and must not run ahead of the input.
    let origin_ns = match clock_mode {
        ClockMode::Wall => now_ns,
        ClockMode::Input => live.last().1.saturating_add(1),
    };
    let body = AccessSet {
        author: Code::lossy(AUTHOR),
        user: first.user,
        group: GroupId::NONE,
        role: Role::Admin as u8,
        status: AccessStatus::Granted as u8,
        node: NodeId::NONE,
        ..bytemuck::Zeroable::zeroed()
    };
    let message = InboundLong::new(Kind::AccessSet, &body)
        .at(origin_ns)
        .with_tail(b"the first user of this installation");
    let awaited = Awaited::Stamp {
        kind: Kind::AccessSet,
        source: SOURCE_LONG,
        origin_ns,
    };
    let (tell, told) = mpsc::channel();
    let expectation = live.expect(
        awaited,
        Box::new(move |_| {
            let _ = tell.send(());
        }),
    )?;
    admin
        .push(message)
        .ok()
        .context("the engine took no grant for the first user")?;
    told.recv_timeout(RECORD_MAX)
        .context("the grant of the first user was not journaled")?;
    drop(expectation);
    Ok(Some(first))
}

/// Waits until the replica knows who may do what.
fn caught_up(live: &Live) -> anyhow::Result<()> {
    loop {
        match live.read_now(|_| ()) {
            Err(LiveError::Behind { .. }) => {}
            other => return Ok(other?),
        }
    }
}

/// Where what is said goes to programs the password stands in a file that only the engine's user reads: their log is kept and copied.
pub(super) fn keep(first: &OneTimePassword, data_dir: &Path) -> anyhow::Result<()> {
    if !log::is_json() {
        return Ok(());
    }
    let path = data_dir.join(FIRST_LOGIN_FILE);
    let text = format!("{} {}\n", first.name, first.password.reveal());
    write_private(&path, &text).with_context(|| {
        let path = path.display();
        format!("{path} cannot be written, and nobody would know the first password")
    })
}

/// Shows the password once, to people on stderr; programs are told of the file.
pub(super) fn tell(first: &OneTimePassword, data_dir: &Path) {
    let (name, password) = (&first.name, first.password.reveal());
    if !log::is_json() {
        log::flush(); // the address stands before it
        output::note(format_args!(
            "first start: log in as {name} with the password {password} (shown this once)"
        ));
        return;
    }
    log::warn(
        "identity",
        format_args!(
            "first start: user and password of the first administrator stand in {}; delete it once they are changed",
            data_dir.join(FIRST_LOGIN_FILE).display()
        ),
    );
}

/// Writes a new file that only the engine's user reads. One that is there already is taken away: others may read it.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
