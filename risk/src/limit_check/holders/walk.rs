//! The walk of an action that takes effect: prices, then the pairs of node and instrument, the unsettled trades of what is split, and the
//! open orders. The place stands in the cursor, which applying an effect's record moves: a group that a crash cut is finished from there.

use super::{Book, Concerned, action_of, ends_orders};
use crate::corporate::split_ratio;
use crate::hierarchy::NIL;
use crate::limit_check::expand::{Cursor, Scope};
use tradewind_domain::codes::CorporateActionKind;
use tradewind_domain::event::{DatedSplit, Event, Kind};
use tradewind_domain::ids::{NodeId, SessionId};

impl Cursor {
    /// Works through the action that takes effect: prices, the pairs of node and instrument, then the open orders.
    pub(in crate::limit_check) fn next_holder(&mut self, book: &mut Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Holders(at) = self else { return None };
        let Some(&action) = book.announced.due() else {
            *self = Cursor::Idle;
            return None;
        };
        let place = *at;
        *at += 1;
        let Some(pair) = place.checked_sub(1) else {
            return split_ratio(&action).map(|_| book.write_split_of_prices(&action, out));
        };
        if book.hierarchy.pair(pair).is_none() {
            match split_ratio(&action) {
                Some(_) => *self = Cursor::Pending(0),
                None => self.after_holders(book),
            }
            return None;
        }
        book.write_holder(&action, pair, out)
    }

    /// Works through the unsettled trades of an instrument that is split, behind its holders.
    pub(in crate::limit_check) fn next_pending(&mut self, book: &mut Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Pending(at) = self else { return None };
        let place = *at;
        *at += 1;
        let Some(&action) = book.announced.due() else {
            *self = Cursor::Idle;
            return None;
        };
        let Some(bucket) = book.dated.row(place) else {
            self.after_holders(book);
            return None;
        };
        book.write_dated_split(&action, bucket, out)
    }

    /// Behind the last holder: the action has taken effect.
    fn after_holders(&mut self, book: &mut Book) {
        *self = match book.announced.finish() {
            Some(action) if ends_orders(&action) => {
                let scope = Scope::Named {
                    node: NodeId::NONE,
                    instrument: action.instrument,
                    session: SessionId::NONE,
                    side: 0,
                };
                Cursor::Orders(scope, book.orders.first_open())
            }
            _ => Cursor::Idle,
        };
    }

    /// Moves behind an effect that was recorded.
    pub(in crate::limit_check) fn pass_holder(&mut self, book: &mut Book, event: &Event, kind: Kind) {
        let concerned = Concerned::of(event, kind);
        book.announced
            .finish_before(concerned.instrument, action_of(kind) as u8);
        let pair = book.hierarchy.find_pair(concerned.node, concerned.instrument);
        *self = Cursor::Holders(if pair == NIL { 1 } else { pair + 2 });
    }

    /// Likewise, behind other units of unsettled trades.
    pub(in crate::limit_check) fn pass_pending(&mut self, book: &mut Book, body: &DatedSplit) {
        book.announced
            .finish_before(body.instrument, CorporateActionKind::Split as u8);
        if let Some(at) = book.split_row(body) {
            *self = Cursor::Pending(at + 1);
        }
    }

    /// A cancel that was recorded behind the last holder says that the action has taken effect.
    pub(in crate::limit_check) fn pass_to_orders(&mut self, book: &mut Book) {
        if matches!(self, Cursor::Holders(_) | Cursor::Pending(_))
            && book.announced.due().is_some_and(ends_orders)
        {
            self.after_holders(book);
        }
    }
}
