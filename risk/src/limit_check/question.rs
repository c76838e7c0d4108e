//! One order before the limits of its chain: what each node's limits see of it, and what becomes of what they find.

use super::ask::{Ask, Priced};
use super::book::Book;
use super::findings::Findings;
use crate::groups::{Totals, Units};
use crate::hierarchy::{Chain, Flow, NIL, NodeRow, PairRow};
use crate::limits::{LimitRow, Measure, Question, Reference, WarnEdge, When};
use crate::orders::table::OrderRow;
use crate::shorts::ShortFigures;
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitAction, LimitType};
use tradewind_domain::event::{HitKind, LimitHit};
use tradewind_domain::ids::{AccountId, LimitId, NodeId};
use tradewind_domain::reference::Instrument;

static NO_PAIR: PairRow = PairRow {
    flow: Flow::ZERO,
    node: NodeId::NONE,
    instrument: tradewind_domain::ids::InstrumentId::NONE,
    parent: NIL,
    holding: tradewind_domain::ids::HoldingId::NONE,
    warned_day: 0,
    warned: 0,
    next_of_node: NIL,
    next_of_instrument: NIL,
    mark_value: 0,
    margin: 0,
    groups: [NIL; 4],
    reserved: [0; 2],
};
static NO_NODE: NodeRow = NodeRow::NONE;
static NO_TOTALS: Totals = Totals::ZERO;
static NO_UNITS: Units = Units::NEW;

/// A node on the way, with its limits.
#[derive(Clone, Copy)]
pub(super) struct Stop<'a> {
    pub(super) id: NodeId,
    pub(super) node: &'a NodeRow,
    pub(super) pair: Option<&'a PairRow>,
}

/// An order, priced or not yet, before the limits of its chain.
pub(super) struct Scene<'a> {
    pub(super) book: &'a Book,
    pub(super) ask: &'a Ask,
    pub(super) chain: &'a Chain,
    instrument: &'a Instrument,
    priced: &'a Priced,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        book: &'a Book,
        ask: &'a Ask,
        chain: &'a Chain,
        instrument: &'a Instrument,
        priced: &'a Priced,
    ) -> Self {
        Self {
            book,
            ask,
            chain,
            instrument,
            priced,
        }
    }

    /// True where the order's instrument is known.
    fn is_known(&self) -> bool {
        self.instrument.mult != 0
    }

    fn units(&self) -> &'a Units {
        self.book
            .hierarchy
            .groups
            .units(self.instrument.id)
            .filter(|_| self.is_known())
            .unwrap_or(&NO_UNITS)
    }

    /// Asks the gates, or the limits that look at a priced order, of every node on the chain.
    #[inline]
    pub(super) fn ask(&self, when: When, findings: &mut Findings) {
        let is_gate = when == When::Gate;
        self.each(
            |node| if is_gate { node.gates } else { node.limits },
            |stop, id, row, measure| {
                judge(self.book, id, row, measure, stop, findings);
            },
        );
    }

    /// Calls back with what each limit of the chain measures.
    #[inline]
    pub(super) fn each(
        &self,
        list: impl Fn(&NodeRow) -> LimitId,
        mut found: impl FnMut(&Stop<'_>, LimitId, &LimitRow, Measure),
    ) {
        let reference = self.reference();
        let mut question = self.question(&reference);
        for (id, pair) in self.chain.levels() {
            let Some(node) = self.book.hierarchy.node(id) else {
                continue;
            };
            let first = list(node);
            if first.is_none() {
                continue;
            }
            let stop = Stop {
                id,
                node,
                pair: self.book.hierarchy.pair(pair),
            };
            self.stand_at(&stop, &mut question);
            for (limit, row) in self.book.limits.list(first) {
                if self.binds(row)
                    && let Some(measure) = self.measure(limit, row, &stop, &mut question)
                {
                    found(&stop, limit, row, measure);
                }
            }
        }
    }

    /// What one limit measures, asked at its own node.
    pub(super) fn measure_one(&self, id: LimitId, row: &LimitRow) -> Option<Measure> {
        let reference = self.reference();
        let mut question = self.question(&reference);
        let (_, pair) = self.chain.levels().find(|&(node, _)| node == row.node)?;
        let stop = Stop {
            id: row.node,
            node: self.book.hierarchy.node(row.node)?,
            pair: self.book.hierarchy.pair(pair),
        };
        self.stand_at(&stop, &mut question);
        self.measure(id, row, &stop, &mut question)
    }

    #[inline]
    fn question<'q>(&self, reference: &'q Reference) -> Question<'q>
    where
        'a: 'q,
    {
        let ask = self.ask;
        let wallet = self.book.wallets.row(ask.wallet);
        let old = ask.old.as_ref();
        Question {
            action: ask.action,
            side: ask.side,
            ord_type: ask.ord_type,
            new_orders: u32::from(ask.old.is_none() && ask.qty != 0),
            qty: ask.qty,
            leaves: ask.leaves,
            px: ask.px,
            risk_per_unit: self.priced.risk_per_unit,
            order_value: self.priced.order_value,
            value: self.priced.value,
            cash: self.priced.cash,
            old_qty: old.map_or(0, OrderRow::reserved_qty),
            old_value: old.map_or(0, |row| row.reserved_value().raw()),
            old_cash: old.map_or(0, |row| row.reserved_cash().raw()),
            flow: &Flow::ZERO,
            totals: &NO_TOTALS,
            pair: &NO_PAIR,
            node: &NO_NODE,
            instrument: self.instrument,
            units: self.units(),
            reference,
            stamps: &self.book.stamps,
            cash_held: wallet.map_or(0, |row| row.settled.raw() - row.collateral.raw()),
            unsettled: 0,
            reserved: wallet.map_or(0, |row| row.reserved.raw()),
            short: ShortFigures::default(),
            is_closed: false,
            is_cash_account: false,
            reduces: false,
            crosses: false,
            restriction: 0,
            repeats: &ask.repeats,
            date: 0,
            now_ns: ask.now_ns,
            origin_ns: ask.origin_ns,
        }
    }

    /// Sets what is the same for all limits of a node.
    #[inline]
    fn stand_at<'q>(&self, stop: &Stop<'q>, question: &mut Question<'q>) {
        question.node = stop.node;
        question.pair = stop.pair.unwrap_or(&NO_PAIR);
        question.date = self.book.calendars.date(stop.node.calendar);
        question.unsettled = self.book.wallets.row(self.ask.wallet).map_or(0, |row| {
            row.unsettled_on(self.book.account_date(row.account)).raw()
        });
    }

    /// What the market says of the order's instrument.
    #[inline]
    fn reference(&self) -> Reference {
        let row = self.book.market.row(self.instrument.id);
        row.filter(|_| self.is_known())
            .map_or_else(Reference::default, |row| Reference {
                last_px: row.last_px,
                last_ns: row.last_ns,
                mark_px: row.mark_px,
            })
    }

    /// True where the limit's filter lets the order's instrument through.
    #[inline]
    pub(super) fn binds(&self, row: &LimitRow) -> bool {
        (row.instrument.is_none() || row.instrument == self.instrument.id && self.is_known())
            && (row.filter_kind == 0 || row.filter_kind == self.instrument.kind)
            && (row.has_sector == 0 || self.is_known() && row.filter_sector == self.units().sector)
    }

    #[inline]
    fn measure<'q>(
        &self,
        id: LimitId,
        row: &LimitRow,
        stop: &Stop<'q>,
        question: &mut Question<'q>,
    ) -> Option<Measure>
    where
        'a: 'q,
    {
        let spec = row.spec();
        if spec.when == When::GateOfInstrument && !self.is_known() {
            return None;
        }
        question.totals = &NO_TOTALS;
        question.flow = if row.instrument.is_none() {
            &stop.node.flow
        } else {
            &question.pair.flow
        };
        if let Some(place) = row.place() {
            let gathered = self.group(stop, question.pair, row, place);
            if let Some(gathered) = gathered {
                question.totals = &gathered.totals;
            }
            if place != 0 {
                question.flow = gathered.map_or(&Flow::ZERO, |row| &row.flow);
            }
        }
        if row.limit_type == LimitType::SelfTrade as u8 {
            let crosses = self.crosses(row);
            return (spec.measure)(row, &Question { crosses, ..*question });
        }
        if row.limit_type == LimitType::BuyingPower as u8 && !self.ask.side.is_buy() {
            return self.measure_sale(row, question);
        }
        if row.is_special() {
            return self.measure_special(id, row, question);
        }
        if spec.totals && !row.instrument.is_none() {
            // One instrument alone: what it has gathered is its own share.
            let own = Totals::of(question.pair);
            return (spec.measure)(
                row,
                &Question {
                    totals: &own,
                    ..*question
                },
            );
        }
        (spec.measure)(row, question)
    }

    /// The gathered row that the limit counts in; none where nothing was traded yet.
    #[inline]
    fn group(
        &self,
        stop: &Stop<'a>,
        pair: &PairRow,
        row: &LimitRow,
        place: usize,
    ) -> Option<&'a crate::groups::GroupRow> {
        let hierarchy = &self.book.hierarchy;
        if place == 0 {
            return hierarchy.groups.row(stop.node.totals);
        }
        let units = self.units();
        let sector = if row.has_sector == 1 {
            row.filter_sector
        } else {
            units.sector
        };
        let kind = if row.filter_kind != 0 {
            row.filter_kind
        } else {
            units.kind
        };
        hierarchy
            .group_of(pair, place)
            .or_else(|| hierarchy.find_group(stop.id, place, sector, kind))
    }

    /// Buying power of a sale is about what the account holds, wherever the limit stands.
    #[cold]
    fn measure_sale(&self, row: &LimitRow, question: &Question<'_>) -> Option<Measure> {
        let wallet = self.book.wallets.row(self.ask.wallet);
        let account = wallet.map_or_else(|| self.account(), |row| row.account);
        let question = Question {
            pair: self.book.hierarchy.account_pair(self.chain).unwrap_or(&NO_PAIR),
            is_cash_account: self.book.is_cash_account(account),
            ..*question
        };
        (row.spec().measure)(row, &question)
    }

    /// The account of the chain.
    fn account(&self) -> AccountId {
        let of = |(node, _)| self.book.hierarchy.node(node).map(|row| row.account);
        self.chain.levels().find_map(of).unwrap_or(AccountId::NONE)
    }

    /// Limits that need to know what is worth finding out only where such a limit is set.
    #[cold]
    fn measure_special(&self, id: LimitId, row: &LimitRow, question: &Question<'_>) -> Option<Measure> {
        let (book, ask) = (self.book, self.ask);
        let is_closed = self.is_known()
            && crate::checks::session_notes(self.instrument, &book.market, &book.calendars, ask.now_ns) != 0;
        let question = Question {
            is_closed,
            restriction: book.restricted.restriction(id, self.instrument.id),
            reduces: book.reduces(ask, self.chain),
            short: book.short_figures(self.chain),
            ..*question
        };
        (row.spec().measure)(row, &question)
    }
}

impl LimitRow {
    /// True for types that ask for more than the order and its counters.
    #[inline]
    fn is_special(&self) -> bool {
        const TYPES: [u8; 3] = [
            LimitType::Restricted as u8,
            LimitType::MarketHours as u8,
            LimitType::ShortSale as u8,
        ];
        TYPES.contains(&self.limit_type)
    }
}

/// Compares a measure with its limit and reports what has to be said.
#[inline]
pub(super) fn judge(
    book: &Book,
    id: LimitId,
    row: &LimitRow,
    measure: Measure,
    stop: &Stop<'_>,
    findings: &mut Findings,
) {
    if !measure.grows {
        return;
    }
    if measure.used > measure.limit {
        let kind = if row.action == LimitAction::Alert as u8 {
            HitKind::Alerted
        } else {
            HitKind::Refused
        };
        let place = (stop.id, book.limits.label(id));
        findings.hit(
            kind,
            hit_of(id, row, measure, stop.node),
            measure.code,
            measure.priority,
            place,
        );
    } else if measure.warns || is_near(row, &measure) && !was_warned(book, row, stop) {
        let place = (stop.id, book.limits.label(id));
        findings.hit(
            HitKind::Warned,
            hit_of(id, row, measure, stop.node),
            measure.code,
            measure.priority,
            place,
        );
    }
}

/// True where the use has reached the warning threshold.
#[inline]
fn is_near(row: &LimitRow, measure: &Measure) -> bool {
    let threshold = measure.limit.saturating_mul(i128::from(row.soft_pct));
    row.soft_pct != 0 && measure.used.saturating_mul(100) >= threshold
}

/// True where the warning was given on this trading day.
fn was_warned(book: &Book, row: &LimitRow, stop: &Stop<'_>) -> bool {
    let date = book.calendars.date(stop.node.calendar);
    match row.spec().warn {
        WarnEdge::None => true,
        WarnEdge::Each => false,
        WarnEdge::Daily => row.warned_day == date,
        WarnEdge::DailyPerPair(bit) => stop
            .pair
            .is_some_and(|pair| pair.warned_day == date && pair.warned & bit != 0),
    }
}

/// What a record says of a limit that spoke: use and figure in the limit's unit, not multiplied for the comparison.
#[cold]
pub(super) fn hit_of(id: LimitId, row: &LimitRow, measure: Measure, node: &NodeRow) -> LimitHit {
    let (used, hard) = measure.shown(row.spec());
    LimitHit {
        used,
        hard,
        limit: id,
        level: node.level,
        ..LimitHit::zeroed()
    }
}
