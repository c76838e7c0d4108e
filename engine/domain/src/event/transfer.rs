//! The body of a transfer between accounts of the firm, and what it comes to.
//!
//! # Invariants
//! - Accounts are named as the chart of the books names them (`STREET:USD`, `SUSPENSE:ACME`); what they resolve to stands in the record's
//!   tail, in front of the reason that the source gave.

use super::{Body, Event, TAIL_MAX};
use crate::codes::{FirmAccount, TransferPhase};
use crate::fixed::Money;
use crate::ids::{CurrencyId, InstrumentId};
use crate::text::{Code, ExecId};
use bytemuck::{Pod, Zeroable};

/// A transfer between accounts of the firm; a client's money and holdings are none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LedgerTransfer {
    /// Identifier: booked once. Of a POST or VOID that of the pending transfer.
    pub transfer_id: ExecId,
    /// [`TransferPhase`].
    pub phase: u8,
    #[doc(hidden)]
    pub reserved: [u8; 7],
    /// Amount or quantity, above zero. Of a POST at most what is pending, which 0 stands for; of a VOID 0.
    pub amount: Money,
    /// Account that is debited, by its name in the chart; empty for a POST or VOID.
    pub debit: Code,
    /// Account that is credited.
    pub credit: Code,
}

const _: () = assert!(size_of::<LedgerTransfer>() == 128);

impl Body for LedgerTransfer {
    const INPUT_LEN: usize = 128;
}

impl LedgerTransfer {
    /// What it does; `None` for a number that this build does not know.
    pub fn phase(&self) -> Option<TransferPhase> {
        TransferPhase::from_code(self.phase)
    }
}

/// What a transfer comes to: the first bytes of its record's tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TransferFacts {
    /// Booked, or held where it is pending.
    pub amount: Money,
    /// Taken off what is pending by a POST or VOID.
    pub released: Money,
    /// Instrument whose quantity moves; none for money.
    pub instrument: InstrumentId,
    /// Currency of the money; none for a quantity.
    pub currency: CurrencyId,
    /// [`FirmAccount`] that is debited.
    pub debit: u8,
    /// [`FirmAccount`] that is credited.
    pub credit: u8,
    /// Decimals of the currency's minor unit; 8 for a quantity.
    pub money_dp: u8,
    #[doc(hidden)]
    pub reserved: [u8; 23],
}

const _: () = assert!(size_of::<TransferFacts>() == 64);

impl TransferFacts {
    /// The accounts of both sides; `None` for a number that this build does not know.
    pub fn accounts(&self) -> Option<(FirmAccount, FirmAccount)> {
        Some((
            FirmAccount::from_code(self.debit)?,
            FirmAccount::from_code(self.credit)?,
        ))
    }
}

impl Event {
    /// What a transfer comes to; `None` for other events, and where its accounts did not resolve.
    pub fn transfer_facts(&self) -> Option<TransferFacts> {
        if self.kind() != Some(super::Kind::LedgerTransfer) {
            return None;
        }
        let bytes = self.tail().get(..size_of::<TransferFacts>())?;
        Some(bytemuck::pod_read_unaligned(bytes))
    }

    /// The reason that the source of a transfer gave.
    pub fn transfer_reason(&self) -> &[u8] {
        let tail = self.tail();
        let from = if self.is_rejected() && self.head.notes != 0 {
            0 // its accounts did not resolve
        } else {
            size_of::<TransferFacts>()
        };
        tail.get(from..).unwrap_or(&[])
    }

    /// Puts the facts in front of the reason. What does not fit of the reason is cut.
    pub fn put_transfer_facts(&mut self, facts: &TransferFacts) {
        let mut tail = [0; TAIL_MAX];
        let (head, rest) = tail.split_at_mut(size_of::<TransferFacts>());
        head.copy_from_slice(bytemuck::bytes_of(facts));
        let reason = self.tail();
        let len = reason.len().min(rest.len());
        rest[..len].copy_from_slice(&reason[..len]);
        self.set_tail(&tail[..size_of::<TransferFacts>() + len]);
    }

    /// Writes facts over those that stand there.
    pub fn set_transfer_facts(&mut self, facts: &TransferFacts) {
        let mut tail = [0; TAIL_MAX];
        let len = self.tail().len();
        tail[..len].copy_from_slice(self.tail());
        if let Some(head) = tail.get_mut(..size_of::<TransferFacts>().min(len)) {
            head.copy_from_slice(&bytemuck::bytes_of(facts)[..head.len()]);
        }
        self.set_tail(&tail[..len]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    #[test]
    fn facts_stand_in_front_of_the_reason() {
        let mut event = Event::empty();
        event.reset(Kind::LedgerTransfer);
        event.set_tail(b"rounding of March");
        let facts = TransferFacts {
            amount: Money::from_raw(7),
            debit: FirmAccount::Suspense as u8,
            credit: FirmAccount::Street as u8,
            ..TransferFacts::default()
        };
        event.put_transfer_facts(&facts);
        assert_eq!(event.transfer_facts(), Some(facts));
        let later = TransferFacts {
            released: Money::from_raw(9),
            ..facts
        };
        event.set_transfer_facts(&later);
        assert_eq!(event.transfer_facts(), Some(later));
        assert_eq!(event.transfer_reason(), b"rounding of March");
        event.set_tail(&[1; TAIL_MAX]);
        event.put_transfer_facts(&facts);
        assert_eq!(event.tail().len(), TAIL_MAX);
        assert_eq!(event.transfer_facts(), Some(facts));
    }
}
