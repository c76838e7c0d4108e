//! Bodies of what happens to a holder's position beside trades, and how its lots are kept.

use super::{Body, Event, TakenBack};
use crate::codes::LotMethod;
use crate::fixed::Money;
use crate::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, NodeId, WalletId};
use crate::text::Code;
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// What a funding, variation margin or the settlement of a contract does to one holder. Without a holding: to a strategy's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct HolderAction {
    /// Money that the account gets; negative where it pays.
    pub cash: Money,
    /// Money value of the position at `px`, unsigned.
    pub value: Money,
    /// Change of the position's cost. Written by position.
    pub cost_delta: Money,
    /// Realised profit. Written by position.
    pub realised: Money,
    /// Price at 1e-8: the mark of a funding, the settlement price.
    pub px: i64,
    /// Rate of a funding, at 1e-8.
    pub funding_rate: i64,
    /// Base currency units per unit when it was booked, at 1e-8; 0 where none was known.
    pub rate: i64,
    /// Change of quantity, at 1e-8.
    pub qty_delta: i64,
    /// The node whose position it is: the holder's account, or a strategy.
    pub node: NodeId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Trading date of the instrument's calendar.
    pub date: DayNumber,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// [`execution_alerts`](super::execution_alerts).
    pub alerts: u8,
    #[doc(hidden)]
    pub reserved: [u8; 5],
}

const _: () = assert!(size_of::<HolderAction>() == 128);

impl Body for HolderAction {
    const INPUT_LEN: usize = 0;
}

/// How the tax lots of an account are kept from now on. The event's names give the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LotMethodSet {
    /// Who set it.
    pub author: Code,
    /// [`LotMethod`].
    pub method: u8,
    /// 1: fees of purchases are part of the cost, fees of sales are taken from the proceeds.
    pub fee_in_basis: u8,
    #[doc(hidden)]
    pub reserved: [u8; 2],
    /// Account.
    pub account: AccountId,
    #[doc(hidden)]
    pub reserved2: [u32; 6],
}

const _: () = assert!(size_of::<LotMethodSet>() == 64);

impl Body for LotMethodSet {
    const INPUT_LEN: usize = 34;
}

impl LotMethodSet {
    /// True where the method is known and somebody is named.
    pub fn is_well_formed(&self) -> bool {
        LotMethod::from_code(self.method).is_some() && self.fee_in_basis <= 1 && !self.author.is_empty()
    }
}

/// What corporate actions since the trade change because a trade is taken back: behind [`TakenBack`] in the record's tail, where
/// [`TakenBack::adjusts`] says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Adjustment {
    /// Money that the account gets beside the trade's own: for fractions of splits, at settlement, as variation margin.
    pub cash: Money,
    /// Dividends and fundings, gross.
    pub income: Money,
    /// Tax withheld from them.
    pub withheld: Money,
    /// Change of the position beside the trade's own, at 1e-8.
    pub qty: i64,
    /// What the new version of a trade has pending in present units less its quantity, at 1e-8.
    pub pending_change: i64,
}

const _: () = assert!(size_of::<Adjustment>() == 64);

impl Event {
    /// What an accepted bust or correction changes of corporate actions; nothing for every other event.
    #[inline]
    pub fn adjustment(&self) -> Adjustment {
        let range = size_of::<TakenBack>()..size_of::<TakenBack>() + size_of::<Adjustment>();
        match (self.taken_back(), self.tail().get(range)) {
            (Some(taken), Some(bytes)) if taken.adjusts != 0 => bytemuck::pod_read_unaligned(bytes),
            _ => Adjustment::default(),
        }
    }
}
