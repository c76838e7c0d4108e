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

impl HolderAction {
    /// True where it found nothing and moved nothing: its holder was flat. It stands in the journal for trades of before it that are taken
    /// back later.
    pub const fn found_nothing(&self) -> bool {
        self.qty_delta == 0 && self.value.is_zero() && self.cash.is_zero()
    }
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

/// Bytes of its source's text that the record of an accepted bust or correction keeps.
const TAKEN_BACK_TEXT_MAX: usize = 400;

impl Event {
    /// Puts what a bust or correction takes back in front of the text that its source gave. A longer text is cut: limits that speak
    /// on what is left are to have room behind it.
    pub fn put_taken_back(&mut self, taken: &TakenBack, adjustment: &Adjustment) {
        let adjusts = *adjustment != Adjustment::default() || taken.pending_change != 0;
        let taken = TakenBack {
            adjusts: u8::from(adjusts),
            ..*taken
        };
        let (source, len) = (self.tail, self.tail().len());
        self.set_tail(bytemuck::bytes_of(&taken));
        if adjusts {
            self.append_tail(bytemuck::bytes_of(adjustment));
        }
        self.append_tail(&source[..len.min(TAKEN_BACK_TEXT_MAX)]);
    }

    /// Bytes at the beginning of the tail that [`put_taken_back`](Self::put_taken_back) wrote.
    pub fn taken_back_len(&self) -> usize {
        match self.taken_back() {
            Some(taken) if taken.adjusts != 0 => size_of::<TakenBack>() + size_of::<Adjustment>(),
            Some(_) => size_of::<TakenBack>(),
            None => 0,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Kind, TAIL_MAX};

    fn bust(text: &[u8]) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::TradeBust);
        event.set_tail(text);
        event
    }

    #[test]
    fn what_is_taken_back_stands_in_front_of_the_reason() {
        let taken = TakenBack {
            trade_seq: 7,
            ..TakenBack::zeroed()
        };
        let adjustment = Adjustment {
            qty: -3,
            ..Adjustment::default()
        };
        for (adjustment, len) in [(Adjustment::default(), 176), (adjustment, 240)] {
            let mut event = bust(b"fat finger");
            event.put_taken_back(&taken, &adjustment);
            assert_eq!(event.taken_back().map(|taken| taken.trade_seq), Some(7));
            assert_eq!(event.adjustment(), adjustment);
            assert_eq!(event.taken_back_len(), len);
            assert_eq!(&event.tail()[len..], b"fat finger");
        }
    }

    #[test]
    fn a_long_reason_leaves_room_for_what_limits_say() {
        let mut event = bust(&[b'x'; TAIL_MAX]);
        event.put_taken_back(&TakenBack::zeroed(), &Adjustment::default());
        assert_eq!(event.tail().len(), 176 + TAKEN_BACK_TEXT_MAX);
    }
}
