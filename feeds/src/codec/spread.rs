//! Prints of a market as executed trades of our accounts.
//!
//! The rule is deterministic: print `n` of a file (from 0, unreadable lines not counted) goes to account `n` modulo the
//! number of accounts, in the order of [`Options::accounts`]. With [`Options::last_trades`] the print comes out as the
//! market's last trade first, so that the mark exists when the trade is booked.

use super::error::Reason;
use super::{Options, Outbox, fields};
use bytemuck::Zeroable;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Execution, Inbound, Kind, LastTrade};
use tradewind_domain::ids::{OrderId, SessionId, VenueId};
use tradewind_domain::text::{Code, ExecId, Symbol};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// Venue of Binance's recordings.
pub const BINANCE: VenueId = VenueId(101);

/// Venue of an exchange letter of the US tape: A is 1, Z is 26.
pub fn venue_of_letter(letter: u8) -> Option<VenueId> {
    letter
        .is_ascii_uppercase()
        .then(|| VenueId(u16::from(letter - b'A') + 1))
}

/// [`Execution::liquidity`] of the side that took what rested in the book.
const TAKER: u8 = 2;

/// A print of a market.
pub(super) struct Print {
    pub(super) time: UnixNanos,
    pub(super) symbol: Symbol,
    pub(super) exec_id: ExecId,
    pub(super) trade_id: u64,
    pub(super) venue: VenueId,
    pub(super) trade_date: DayNumber,
    pub(super) side: Side,
    /// Side of the aggressor where the market says it; our account then stands on that side, as taker.
    pub(super) aggressor: Option<Side>,
    pub(super) qty: i64,
    pub(super) qty_dp: u8,
    pub(super) px: i64,
    pub(super) px_dp: u8,
    /// False where the print must not become a mark.
    pub(super) marks: bool,
}

/// Books prints to accounts in turn.
pub(super) struct Spread {
    accounts: Vec<Code>,
    next: usize,
    session: SessionId,
    last_trades: bool,
}

impl Spread {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            accounts: options.accounts.clone(),
            next: 0,
            session: options.session,
            last_trades: options.last_trades,
        }
    }

    pub(super) fn book(&mut self, print: &Print, out: &mut Outbox) {
        let Some(&account) = self.accounts.get(self.next) else {
            return;
        };
        self.next = (self.next + 1) % self.accounts.len();
        if self.last_trades && print.marks {
            out.push_back(last_trade(print));
        }
        let trade = Execution {
            exec_id: print.exec_id,
            order_id: OrderId::NONE,
            qty: print.qty,
            px: print.px,
            trade_date: print.trade_date,
            session: self.session,
            venue: print.venue,
            side: print.side as u8,
            qty_dp: print.qty_dp,
            px_dp: print.px_dp,
            liquidity: if print.aggressor.is_some() { TAKER } else { 0 },
            ..Execution::zeroed()
        };
        out.push_back(
            Inbound::new(Kind::TradeCapture, &trade)
                .named(print.symbol, account)
                .at(print.time),
        );
    }
}

/// A print as the market's last trade.
fn last_trade(print: &Print) -> Inbound {
    let body = LastTrade {
        px: print.px,
        qty: print.qty,
        trade_id: print.trade_id,
        venue: print.venue,
        px_dp: print.px_dp,
        qty_dp: print.qty_dp,
        aggressor: print.aggressor.map_or(0, |side| side as u8),
        ..LastTrade::zeroed()
    };
    Inbound::new(Kind::LastTrade, &body)
        .named(print.symbol, Code::EMPTY)
        .at(print.time)
}

/// `prefix-number` as an execution's identifier, without allocation.
pub(super) fn exec_id(prefix: &[&[u8]], number: u64) -> Result<ExecId, Reason> {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let mut bytes = [0; 128];
    let mut len = 0;
    for part in prefix
        .iter()
        .copied()
        .flat_map(|part| [part, b"-"])
        .chain([&digits[start..]])
    {
        if let Some(room) = bytes.get_mut(len..len + part.len()) {
            room.copy_from_slice(part);
        }
        len += part.len();
    }
    fields::text("exec_id", bytes.get(..len).unwrap_or(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_join_prefix_and_number() {
        assert_eq!(
            exec_id(&[b"20131008", b"SPY"], 451_545).unwrap().as_str(),
            "20131008-SPY-451545"
        );
        assert_eq!(exec_id(&[b"X"], 0).unwrap().as_str(), "X-0");
        assert_eq!(
            exec_id(&[b"X"], u64::MAX).unwrap().as_str(),
            "X-18446744073709551615"
        );
        assert!(exec_id(&[&[b'X'; 32] as &[u8]], u64::MAX).is_err());
        assert!(exec_id(&[&[b'X'; 32] as &[u8]; 9], u64::MAX).is_err());
    }

    #[test]
    fn exchange_letters_are_venues_one_to_twenty_six() {
        assert_eq!(venue_of_letter(b'A'), Some(VenueId(1)));
        assert_eq!(venue_of_letter(b'Z'), Some(VenueId(26)));
        assert_eq!(venue_of_letter(b'a'), None);
    }
}
