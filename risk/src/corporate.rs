//! Corporate actions that are announced: what may be announced, and what waits for its ex-date.
//!
//! Validate and the limit check both keep the list: each changes what it holds itself (prices here, positions there) when the action
//! takes effect, which is when the instrument's calendar rolls to the ex-date, or at once.
//!
//! # Invariants
//! - Both lists hold the same: they follow from accepted announcements and day rolls alone.
//! - Actions take effect in the order in which they were announced.
//!
//! Not here: who holds what (the limit check), cost and profit (position).

use crate::calendar::Calendars;
use crate::market::Market;
use bytemuck::bytes_of;
use tradewind_domain::codes::{CorporateActionKind, InstrumentKind};
use tradewind_domain::corporate::Ratio;
use tradewind_domain::event::CorporateAction;
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{CalendarId, InstrumentId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::Note;
use tradewind_domain::time::DayNumber;

/// Announcements that may wait.
pub const ANNOUNCED_MAX: usize = 256;

/// One announcement.
#[derive(Clone, Copy)]
struct Row {
    action: CorporateAction,
    calendar: CalendarId,
    is_due: bool,
}

/// What is announced and has not taken effect.
#[derive(Clone)]
pub struct Announced {
    rows: Vec<Row>,
}

impl Announced {
    /// None, with all memory allocated.
    pub fn new() -> Self {
        Self {
            rows: Vec::with_capacity(ANNOUNCED_MAX),
        }
    }

    /// True where another one finds a place.
    pub fn has_room(&self) -> bool {
        self.rows.len() < ANNOUNCED_MAX
    }

    /// Takes an announcement for an instrument whose calendar stands at `date`.
    pub fn announce(&mut self, action: &CorporateAction, calendar: CalendarId, date: DayNumber) {
        if !self.has_room() {
            return;
        }
        self.rows.push(Row {
            action: CorporateAction {
                ex_date: if action.ex_date == 0 { date } else { action.ex_date },
                ..*action
            },
            calendar,
            is_due: action.ex_date <= date,
        });
    }

    /// A calendar stands at a date.
    pub fn roll(&mut self, calendar: CalendarId, date: DayNumber) {
        let rolled = self.rows.iter_mut().filter(|row| row.calendar == calendar);
        for row in rolled.filter(|row| row.action.ex_date <= date) {
            row.is_due = true;
        }
    }

    /// True where an action takes effect now.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.rows.iter().any(|row| row.is_due)
    }

    /// The action that takes effect next.
    pub fn due(&self) -> Option<&CorporateAction> {
        self.rows.iter().find(|row| row.is_due).map(|row| &row.action)
    }

    /// All that take effect now, in this order.
    pub fn all_due(&self) -> impl Iterator<Item = &CorporateAction> {
        let due = self.rows.iter().filter(|row| row.is_due);
        due.map(|row| &row.action)
    }

    /// Everything that has not taken effect, in the order of its announcement.
    pub fn waiting(&self) -> impl Iterator<Item = &CorporateAction> {
        self.rows.iter().map(|row| &row.action)
    }

    /// The next action has taken effect.
    pub fn finish(&mut self) -> Option<CorporateAction> {
        let at = self.rows.iter().position(|row| row.is_due)?;
        Some(self.rows.remove(at).action)
    }

    /// All before this one have taken effect.
    pub fn finish_before(&mut self, instrument: InstrumentId, action: u8) {
        let is_it = |row: &Row| row.action.instrument == instrument && row.action.action == action;
        if self.rows.iter().any(|row| row.is_due && is_it(row)) {
            while self
                .due()
                .is_some_and(|due| due.instrument != instrument || due.action != action)
            {
                self.finish();
            }
        }
    }

    /// Everything that was due has taken effect.
    pub fn clear_due(&mut self) {
        self.rows.retain(|row| !row.is_due);
    }

    /// Feeds the list to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in &self.rows {
            sink(bytes_of(&row.action));
            sink(&row.calendar.0.to_le_bytes());
            sink(&[u8::from(row.is_due)]);
        }
    }
}

impl Default for Announced {
    fn default() -> Self {
        Self::new()
    }
}

/// The ratio of an action that is a split.
pub fn split_ratio(action: &CorporateAction) -> Option<Ratio> {
    if action.action != CorporateActionKind::Split as u8 {
        return None;
    }
    Ratio::new(action.numerator, action.denominator)
}

/// Findings about an announcement.
pub(crate) fn notes(
    action: &CorporateAction,
    market: &Market,
    calendars: &Calendars,
    announced: &Announced,
) -> u64 {
    let Some(instrument) = market.instrument(action.instrument) else {
        return Note::UnknownSymbol.bit();
    };
    let date = calendars.date(instrument.calendar);
    let in_order = |first: DayNumber, second: DayNumber| first == 0 || second == 0 || first <= second;
    let mut notes = 0;
    if !has_terms(action, instrument)
        || !in_order(date, action.ex_date)
        || !in_order(action.ex_date, action.pay_date)
    {
        notes |= Note::InvalidValue.bit();
    }
    if !announced.has_room() {
        notes |= Note::Capacity.bit();
    }
    notes
}

/// True where an action says what it needs to, for an instrument that it makes sense for.
fn has_terms(action: &CorporateAction, instrument: &Instrument) -> bool {
    let in_range = |amount: Money, from: i128| (from..=i128::from(i64::MAX)).contains(&amount.raw());
    let amount = action.cash_per_unit;
    match CorporateActionKind::from_code(action.action) {
        // Contracts on something that splits are adjusted by their exchange, in ways that no ratio says.
        Some(CorporateActionKind::Split) => {
            split_ratio(action).is_some()
                && in_range(amount, 0)
                && instrument.kind != InstrumentKind::Binary as u8
                && instrument.moves_principal()
        }
        Some(CorporateActionKind::CashDividend) => in_range(amount, 1) && action.withhold_bps <= 10_000,
        Some(CorporateActionKind::Funding) => {
            in_range(amount, -i128::from(i64::MAX)) && in_range(action.gross, 0)
        }
        Some(CorporateActionKind::VariationMargin) => {
            !instrument.moves_principal() && is_price(amount, instrument)
        }
        Some(CorporateActionKind::Settlement) if instrument.kind == InstrumentKind::Binary as u8 => {
            (0..=i128::from(ONE)).contains(&amount.raw())
        }
        Some(CorporateActionKind::Settlement) => is_price(amount, instrument),
        None => false,
    }
}

fn is_price(amount: Money, instrument: &Instrument) -> bool {
    match i64::try_from(amount.raw()) {
        Ok(px) => px > 0 || (instrument.allows_negative_prices() && !instrument.is_inverse()),
        Err(_) => false,
    }
}
