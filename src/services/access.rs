//! The first user of a new installation: somebody has to let the others in.

use anyhow::Context;
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
/// How long its record is waited for.
const RECORD_MAX: Duration = Duration::from_secs(30);

/// Makes the first user an administrator of the firm, where there is no user at all. The grant is journaled before the password is shown.
pub(super) async fn first_user(
    identity: &Identity,
    admin: &LongSource,
    live: &Arc<Live>,
    clock_mode: ClockMode,
    now_ns: u64,
) -> anyhow::Result<Option<OneTimePassword>> {
    if identity.users().len() > 1 {
        return Ok(None);
    }
    caught_up(live)?;
    let has_admin = !identity.access().book().firm_admins().is_empty();
    let Some(first) = identity.first_user(has_admin, now_ns).await? else {
        return Ok(None);
    };
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
