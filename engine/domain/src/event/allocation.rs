//! The body of a block's allocation, and what its tail names: executions of the block, and the accounts that they go to.
//!
//! A source writes names, and behind them its reason. Normalize puts each leg's account in the place of its name ([`resolve_legs`]); executions stay as they are
//! named.
//!
//! # Invariants
//! - Whatever bytes the tail holds, reading it ends: what is cut off or of no known form is no entry.
//! - The record of an accepted allocation holds resolved legs; one that was refused for a name holds the names.

use super::named::{NamedExecution, TailWriter, take, take_execution, take_text};
use super::{Body, Event, TAIL_MAX};
use crate::fixed::Money;
use crate::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, NodeId, Seq};
use crate::reject::Note;
use crate::text::{Code, ExecId};
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// The most executions that one allocation names.
pub const ALLOCATED_MAX: usize = 16;
/// The most legs of one allocation.
pub const LEGS_MAX: usize = 48;

/// A block moves from the account that executed it to client accounts, at its average price. The event's names give account and
/// instrument of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Allocation {
    /// Identifier: booked once per account and identifier.
    pub alloc_id: ExecId,
    /// Quantity of the block as the source reckons it; 0 where it does not say. Written: the block's, at 1e-8.
    pub qty: i64,
    /// Average price of the block at 1e-8. Written by the limit check.
    pub px: i64,
    /// Legs in the tail. 0: the allocation of this identifier is taken back.
    pub legs: u16,
    /// Executions in the tail.
    pub executions: u16,
    /// [`Side`](crate::codes::Side) of the block; 0 where the source leaves it to the executions.
    pub side: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Money value of the block: that of its executions.
    pub principal: Money,
    /// The account that holds the block.
    pub account: AccountId,
    /// Its narrowest node.
    pub leaf: NodeId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Trade date of the executions.
    pub trade_date: DayNumber,
    /// Fees of the block, which the legs share.
    pub fee: Money,
    /// The allocation that is taken back: sequence number of its record; 0 where one is booked.
    pub taken_back: Seq,
    /// Settlement date of the executions; their trade date where they have settled.
    pub settle_date: DayNumber,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
}

const _: () = assert!(size_of::<Allocation>() == 128);

impl Body for Allocation {
    const INPUT_LEN: usize = 61;
}

/// A leg as a source names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedLeg {
    /// Account, or a strategy below one.
    pub account: Code,
    /// Quantity at 1e-8.
    pub qty: i64,
}

/// A leg whose account is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct AllocationLeg {
    /// Quantity at 1e-8.
    pub qty: i64,
    /// Account.
    pub account: AccountId,
    /// Its narrowest node.
    pub leaf: NodeId,
}

/// What the tail of an allocation names, as a source writes it.
#[derive(Clone, Copy)]
pub struct AllocationTail(TailWriter);

impl AllocationTail {
    /// `None` where it does not fit: too many entries, or too long ones.
    pub fn new(executions: &[NamedExecution], legs: &[NamedLeg]) -> Option<Self> {
        if executions.len() > ALLOCATED_MAX || legs.len() > LEGS_MAX {
            return None;
        }
        let mut tail = TailWriter::new();
        for execution in executions {
            tail.push_execution(execution)?;
        }
        // Resolved legs take this much, whatever their names take.
        let resolved = tail.as_bytes().len() + legs.len() * size_of::<AllocationLeg>();
        for leg in legs {
            tail.push_text(leg.account.as_bytes())?;
            tail.push(&leg.qty.to_le_bytes())?;
        }
        (resolved <= TAIL_MAX).then_some(Self(tail))
    }

    /// With the reason behind the names, as much of it as fits.
    pub fn with_reason(mut self, reason: &[u8]) -> Self {
        self.0.push_cut(reason);
        self
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn take_leg(bytes: &mut &[u8]) -> Option<NamedLeg> {
    Some(NamedLeg {
        account: Code::new(take_text(bytes)?).ok()?,
        qty: i64::from_le_bytes(take(bytes)?),
    })
}

/// Puts the account of each leg, as `resolve` finds it, in the place of its name. Where the tail is not what the body says, or a name is
/// not known, nothing changes and the finding is given.
pub fn resolve_legs(
    event: &mut Event,
    resolve: impl FnMut(&Code) -> Option<(AccountId, NodeId)>,
) -> Result<(), Note> {
    let resolved = resolved(event, resolve)?;
    event.set_tail(resolved.as_bytes());
    Ok(())
}

fn resolved(
    event: &Event,
    mut resolve: impl FnMut(&Code) -> Option<(AccountId, NodeId)>,
) -> Result<TailWriter, Note> {
    let &Allocation { executions, legs, .. } = event.body();
    let tail = event.tail();
    let mut rest = tail;
    for _ in 0..executions {
        take_execution(&mut rest).ok_or(Note::InvalidValue)?;
    }
    let mut out = TailWriter::new();
    out.push(&tail[..tail.len() - rest.len()])
        .ok_or(Note::InvalidValue)?;
    for _ in 0..legs {
        let NamedLeg { account, qty } = take_leg(&mut rest).ok_or(Note::InvalidValue)?;
        let (account, leaf) = resolve(&account).ok_or(Note::UnknownAccount)?;
        let leg = AllocationLeg { qty, account, leaf };
        out.push(bytemuck::bytes_of(&leg)).ok_or(Note::InvalidValue)?;
    }
    // What is left is the reason; resolved legs may take more room than their names, and the reason gives way.
    out.push_cut(rest);
    Ok(out)
}

impl Event {
    /// The executions that an allocation names.
    pub fn allocated(&self) -> impl Iterator<Item = NamedExecution> + '_ {
        let mut rest = self.tail();
        let count = usize::from(self.body::<Allocation>().executions);
        std::iter::from_fn(move || take_execution(&mut rest)).take(count)
    }

    /// The reason that the source of an accepted allocation gave.
    pub fn allocation_reason(&self) -> &[u8] {
        let &Allocation { executions, legs, .. } = self.body();
        let mut rest = self.tail();
        let is_whole = (0..executions).all(|_| take_execution(&mut rest).is_some());
        let from = usize::from(legs) * size_of::<AllocationLeg>();
        rest.get(from..).filter(|_| is_whole).unwrap_or(&[])
    }

    /// The legs of an allocation whose names were resolved.
    pub fn allocation_legs(&self) -> impl Iterator<Item = AllocationLeg> + '_ {
        let &Allocation { executions, legs, .. } = self.body();
        let mut rest = self.tail();
        let is_whole = (0..executions).all(|_| take_execution(&mut rest).is_some());
        let rows = if is_whole { rest } else { &[] };
        rows.chunks_exact(size_of::<AllocationLeg>())
            .take(usize::from(legs))
            .map(bytemuck::pod_read_unaligned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;
    use crate::ids::VenueId;

    fn event(executions: &[NamedExecution], legs: &[NamedLeg]) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::Allocation);
        let body: &mut Allocation = event.body_mut();
        (body.executions, body.legs) = (executions.len() as u16, legs.len() as u16);
        let tail = AllocationTail::new(executions, legs).unwrap();
        event.set_tail(tail.with_reason(b"as agreed").as_bytes());
        event
    }

    fn execution(id: &str) -> NamedExecution {
        NamedExecution {
            venue: VenueId(3),
            trade_date: 20_000,
            exec_id: ExecId::new(id).unwrap(),
        }
    }

    fn leg(account: &str, qty: i64) -> NamedLeg {
        let account = Code::new(account).unwrap();
        NamedLeg { account, qty }
    }

    #[test]
    fn what_was_written_is_read_and_names_give_way_to_ids() {
        let executions = [execution("X-1"), execution("X-2")];
        let mut event = event(&executions, &[leg("A1", 34), leg("A-LONGER-NAME", 66)]);
        assert_eq!(event.allocated().collect::<Vec<_>>(), executions);
        let ids = |code: &Code| Some((AccountId(code.as_bytes().len() as u32), NodeId(7)));
        resolve_legs(&mut event, ids).unwrap();
        assert_eq!(event.allocated().collect::<Vec<_>>(), executions);
        let legs: Vec<(i64, u32)> = event
            .allocation_legs()
            .map(|leg| (leg.qty, leg.account.0))
            .collect();
        assert_eq!(legs, [(34, 2), (66, 13)]);
        assert_eq!(event.allocation_reason(), b"as agreed");
    }

    #[test]
    fn a_name_that_is_not_known_leaves_the_names() {
        let mut event = event(&[execution("X-1")], &[leg("A1", 34), leg("B", 66)]);
        let before = event.tail().to_vec();
        let known = |code: &Code| (code.as_str() == "A1").then_some((AccountId(1), NodeId(1)));
        assert_eq!(resolve_legs(&mut event, known), Err(Note::UnknownAccount));
        assert_eq!(event.tail(), before);
    }

    #[test]
    fn a_tail_that_is_cut_off_anywhere_is_refused() {
        let whole = event(&[execution("X-1")], &[leg("A1", 34)]);
        for len in 0..whole.tail().len() - b"as agreed".len() {
            let mut cut = whole;
            cut.set_tail(&whole.tail()[..len]);
            let found = resolve_legs(&mut cut, |_| Some((AccountId(1), NodeId(1))));
            assert_eq!(found, Err(Note::InvalidValue), "{len}");
        }
    }

    #[test]
    fn the_most_that_may_be_named_fits_with_names_of_usual_length() {
        let executions = [execution("0123456789"); 8];
        let legs = [leg("CLIENT-001", 1); LEGS_MAX];
        assert!(AllocationTail::new(&executions[..4], &legs[..LEGS_MAX]).is_some());
        assert!(AllocationTail::new(&[execution("X"); ALLOCATED_MAX + 1], &[]).is_none());
        assert!(AllocationTail::new(&[], &[legs[0]; LEGS_MAX + 1]).is_none());
    }
}
