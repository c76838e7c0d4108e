//! One order before the limits of its chain: what each node's limits see of it, and what becomes of what they find.

use super::book::Book;
use super::findings::{Findings, Reason};
use crate::groups::{GroupRow, Totals, Units};
use crate::hierarchy::{Chain, Flow, Levels, NodeRow, PairRow};
use crate::limits::{
    self, Ask, Block, Edge, FoundOut, Holding, LimitRow, Listener, Measure, Priced, Question, Terms,
    WarnEdge, traits,
};
use crate::market::MarketRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitAction, LimitType};
use tradewind_domain::event::{HitKind, LimitHit};
use tradewind_domain::ids::{AccountId, LimitId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;

static NO_PAIR: PairRow = PairRow::NONE;
static NO_NODE: NodeRow = NodeRow::NONE;
static NO_UNITS: Units = Units::NEW;
static NO_MARKET: MarketRow = MarketRow::NONE;

/// Which limits of a node are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Before the order is priced.
    Gates,
    /// With the priced order.
    Limits,
}

impl List {
    #[inline]
    fn of(self, node: &NodeRow) -> Block {
        match self {
            List::Gates => node.gates,
            List::Limits => node.limits,
        }
    }

    /// The levels of a chain whose nodes have such a list.
    #[inline]
    fn levels(self, chain: &Chain) -> Levels {
        match self {
            List::Gates => chain.gates,
            List::Limits => chain.limits,
        }
    }
}

/// An order, priced or not yet, before the limits of its chain.
pub(super) struct Scene<'a> {
    pub(super) book: &'a Book,
    pub(super) ask: &'a Ask,
    pub(super) chain: &'a Chain,
    instrument: &'a Instrument,
    question: Question<'a>,
}

impl<'a> Scene<'a> {
    #[inline]
    pub(super) fn new(
        book: &'a Book,
        ask: &'a Ask,
        chain: &'a Chain,
        instrument: &'a Instrument,
        priced: &'a Priced,
    ) -> Self {
        let is_known = instrument.mult != 0;
        let units = book.hierarchy.groups.units(instrument.id);
        let market = book.market.row(instrument.id);
        let question = Question {
            ask,
            priced,
            flow: &Flow::ZERO,
            totals: None,
            pair: &NO_PAIR,
            node: &NO_NODE,
            node_id: NodeId::NONE,
            instrument,
            units: units.filter(|_| is_known).unwrap_or(&NO_UNITS),
            market: market.filter(|_| is_known).unwrap_or(&NO_MARKET),
            limits: &book.limits,
            stamps: &book.stamps,
            calendars: &book.calendars,
            found: None,
        };
        Self {
            book,
            ask,
            chain,
            instrument,
            question,
        }
    }

    /// The order has a price from now on.
    #[inline]
    pub(super) fn set_priced(&mut self, priced: &'a Priced) {
        self.question.priced = priced;
    }

    /// True where the order's instrument is known.
    fn is_known(&self) -> bool {
        self.instrument.mult != 0
    }

    /// Asks the gates, or the limits that look at a priced order, of every node on the chain.
    pub(super) fn ask(&mut self, list: List, findings: &mut Findings) {
        let book = self.book;
        self.each_that_may_speak(list, |_| true, &mut Judge { book, findings });
    }

    /// Tells what each wanted limit of the chain measures, but for those that have nothing to say of an order below their ceilings.
    #[inline(always)]
    pub(super) fn each_that_may_speak(
        &mut self,
        list: List,
        wants: impl Fn(&Terms) -> bool,
        listener: &mut impl Listener,
    ) {
        self.walk(list, |scene, node| scene.to_ask(list, node), wants, listener);
    }

    /// Tells what each wanted limit of the chain measures.
    pub(super) fn each(&mut self, list: List, wants: impl Fn(&Terms) -> bool, listener: &mut impl Listener) {
        self.walk(list, |_, node| list.of(node), wants, listener);
    }

    #[inline(always)]
    fn walk(
        &mut self,
        list: List,
        block_at: impl Fn(&Self, &NodeRow) -> Block,
        wants: impl Fn(&Terms) -> bool,
        listener: &mut impl Listener,
    ) {
        let (book, chain) = (self.book, self.chain);
        for level in list.levels(chain) {
            let (node_id, pair) = chain.level(level);
            let Some(node) = book.hierarchy.node(node_id) else {
                continue;
            };
            self.stand_at(node_id, node, pair);
            let block = block_at(self, node);
            if block.is_empty() {
                continue;
            }
            for terms in book.limits.terms(block).iter().rev() {
                if wants(terms) {
                    self.measure(terms, listener);
                }
            }
        }
    }

    /// The limits of the node that have to be asked: all, or those that its ceilings do not answer for.
    #[inline]
    fn to_ask(&self, list: List, node: &NodeRow) -> Block {
        let ceilings = self.book.limits.ceilings(self.question.node_id);
        if list == List::Limits && ceilings.allow(&self.question, &self.book.hierarchy.groups) {
            debug_assert!(self.covered_are_silent(node));
            ceilings.asked()
        } else {
            list.of(node)
        }
    }

    /// True where no limit that the node's ceilings cover would say anything of the order: what ceilings promise.
    fn covered_are_silent(&self, node: &NodeRow) -> bool {
        let mut scene = Self { ..*self };
        let mut is_silent = true;
        let mut hear = |_: &Question<'_>, terms: &Terms, measure: Measure| {
            is_silent &= !measure.grows
                || !(measure.warns || measure.used > measure.limit || is_near(terms, &measure));
        };
        for terms in self
            .book
            .limits
            .terms(node.limits)
            .iter()
            .filter(|terms| terms.is_covered())
        {
            scene.measure(terms, &mut hear);
        }
        is_silent
    }

    /// What one limit measures, asked at its own node.
    pub(super) fn measure_one(&mut self, id: LimitId, row: &LimitRow) -> Option<Measure> {
        let (node_id, pair) = self.chain.levels().find(|&(node, _)| node == row.node)?;
        let node = self.book.hierarchy.node(node_id)?;
        self.stand_at(node_id, node, pair);
        let mut found = None;
        let mut keep = |_: &Question<'_>, _: &Terms, measure| found = Some(measure);
        self.measure(&Terms::of(id, row), &mut keep);
        found
    }

    /// Sets what is the same for all limits of a node.
    #[inline]
    fn stand_at(&mut self, node_id: NodeId, node: &'a NodeRow, pair: u32) {
        let question = &mut self.question;
        (question.node, question.node_id, question.flow) = (node, node_id, &node.flow);
        question.pair = self.book.hierarchy.pair(pair).unwrap_or(&NO_PAIR);
    }

    /// True where the limit's filter lets the order's instrument through.
    #[inline]
    pub(super) fn binds(&self, terms: &Terms) -> bool {
        !terms.has(traits::REMOVED)
            && (!terms.has(traits::INSTRUMENT) || terms.instrument == self.instrument.id && self.is_known())
            && (!terms.has(traits::KIND) || terms.filter_kind == self.instrument.kind)
            && (!terms.has(traits::SECTOR)
                || self.is_known() && terms.filter_sector == self.question.units.sector)
    }

    /// Tells what a limit measures; nothing where it does not look at this order.
    #[inline(always)]
    fn measure(&mut self, terms: &Terms, listener: &mut impl Listener) {
        if terms.is_plain() {
            return limits::tell(terms, &self.question, listener);
        }
        if self.find_out(terms) {
            limits::tell(terms, &self.question, listener);
            let question = &mut self.question;
            (question.flow, question.totals, question.found) = (&question.node.flow, None, None);
        }
    }

    /// Finds out what a limit wants beside the node's own figures. False where it does not look at this order.
    #[inline(never)]
    fn find_out(&mut self, terms: &Terms) -> bool {
        if !self.binds(terms) || terms.has(traits::KNOWN) && !self.is_known() {
            return false;
        }
        if terms.has(traits::INSTRUMENT) {
            self.question.flow = &self.question.pair.flow;
        }
        if let Some(place) = terms.place() {
            let gathered = self.group(terms, place);
            self.question.totals = gathered.map(|row| row.totals);
            if place != 0 {
                self.question.flow = gathered.map_or(&Flow::ZERO, |row| &row.flow);
            }
        }
        if terms.has(traits::SPECIAL) {
            self.question.found = Some(self.find_special(terms));
        } else if terms.has(traits::INSTRUMENT) && terms.spec().totals {
            // One instrument alone: what it has gathered is its own share.
            self.question.totals = Some(Totals::of(self.question.pair));
        }
        true
    }

    /// The gathered row that the limit counts in; none where nothing was traded yet.
    #[inline]
    fn group(&self, terms: &Terms, place: usize) -> Option<&'a GroupRow> {
        let (hierarchy, question) = (&self.book.hierarchy, &self.question);
        if place == 0 {
            return hierarchy.groups.row(question.node.totals);
        }
        let units = question.units;
        let sector = if terms.has(traits::SECTOR) {
            terms.filter_sector
        } else {
            units.sector
        };
        let kind = if terms.has(traits::KIND) {
            terms.filter_kind
        } else {
            units.kind
        };
        hierarchy
            .group_of(question.pair, place)
            .or_else(|| hierarchy.find_group(question.node_id, place, sector, kind))
    }

    /// What is worth finding out only where such a limit is set.
    fn find_special(&self, terms: &Terms) -> FoundOut {
        match terms.limit_type {
            LimitType::BuyingPower => self.find_cash(terms),
            LimitType::SelfTrade => FoundOut {
                crosses: self.crosses(terms.id),
                ..FoundOut::NOTHING
            },
            _ => self.find_rule(terms),
        }
    }

    /// What the account owns and holds. Buying power of a sale is about the account too, wherever the limit stands.
    #[inline]
    fn find_cash(&self, terms: &Terms) -> FoundOut {
        let mut found = FoundOut::NOTHING;
        let wallet = self.book.wallets.row(self.ask.wallet);
        if limits::cash::in_base(&terms.params) {
            self.find_base_cash(&mut found);
        } else if let Some(row) = wallet {
            let at_scale = limits::cash::at_scale;
            found.cash_held = at_scale(row.settled.raw() - row.collateral.raw());
            found.unsettled = at_scale(self.book.unsettled_cash(row));
            found.reserved = at_scale(row.reserved.raw());
        }
        if !self.ask.side.is_buy() {
            let account = wallet.map_or_else(|| self.account(), |row| row.account);
            found.is_cash_account = self.book.is_cash_account(account);
            found.account = self.held_by_account();
        }
        found
    }

    /// All cash of the account.
    #[cold]
    fn find_base_cash(&self, found: &mut FoundOut) {
        let cash = self.book.base_cash(self.account());
        found.is_unpriced = cash.is_none();
        let cash = cash.unwrap_or_default();
        (found.cash_held, found.unsettled, found.reserved) = (cash.held, cash.unsettled, cash.needed);
        if self.chain.fee_bps != NodeRow::NO_FEE {
            found.fee_bps = self.chain.fee_bps;
        }
    }

    /// The account of the chain.
    fn account(&self) -> AccountId {
        let of = |(node, _)| self.book.hierarchy.node(node).map(|row| row.account);
        self.chain.levels().find_map(of).unwrap_or(AccountId::NONE)
    }

    /// Restricted lists, session hours, short sales.
    #[cold]
    fn find_rule(&self, terms: &Terms) -> FoundOut {
        let (book, ask) = (self.book, self.ask);
        let is_closed = self.is_known()
            && crate::checks::session_notes(self.instrument, &book.market, &book.calendars, ask.now_ns) != 0;
        FoundOut {
            is_closed,
            restriction: book.restricted.restriction(terms.id, self.instrument.id),
            reduces: book.reduces(ask, self.chain),
            short: book.short_figures(self.chain),
            account: self.held_by_account(),
            ..FoundOut::NOTHING
        }
    }

    /// What the account of the chain holds of the instrument, and what is open to sell of it.
    fn held_by_account(&self) -> Holding {
        let pair = self.book.hierarchy.account_pair(self.chain);
        pair.map_or_else(Holding::default, |pair| Holding {
            position: pair.flow.position,
            sell_qty: pair.flow.sell_qty,
        })
    }
}

/// Compares measures with their limits. Most limits have nothing to say of most orders.
struct Judge<'a, 'f> {
    book: &'a Book,
    findings: &'f mut Findings,
}

impl Listener for Judge<'_, '_> {
    #[inline(always)]
    fn hear(&mut self, question: &Question<'_>, terms: &Terms, measure: Measure) {
        let Measure {
            used,
            limit,
            code,
            ranks_as,
            grows,
            warns,
        } = measure;
        if grows && (used > limit || warns || terms.soft_pct != 0) {
            self.speak(question, terms, used, limit, (code, ranks_as, warns));
        }
    }
}

impl Judge<'_, '_> {
    /// Reports what has to be said. Takes the measure in parts: where nothing is said, it never leaves its registers.
    #[inline(never)]
    fn speak(
        &mut self,
        question: &Question<'_>,
        terms: &Terms,
        used: i128,
        limit: i128,
        (code, ranks_as, warns): (RejectCode, RejectCode, bool),
    ) {
        let measure = Measure {
            ranks_as,
            warns,
            ..Measure::new(used, limit, code)
        };
        let kind = if used > limit {
            if terms.action == LimitAction::Alert as u8 {
                HitKind::Alerted
            } else {
                HitKind::Refused
            }
        } else if warns || is_near(terms, &measure) && !was_warned(terms, question) {
            HitKind::Warned
        } else {
            return;
        };
        report(self.book, kind, terms, &measure, question, self.findings);
    }
}

#[cold]
fn report(
    book: &Book,
    kind: HitKind,
    terms: &Terms,
    measure: &Measure,
    question: &Question<'_>,
    findings: &mut Findings,
) {
    let hit = hit_of(terms, measure, question.node);
    let place = (question.node_id, book.limits.label(terms.id));
    findings.hit(hit, &Reason::of(kind, measure, terms.action, place));
}

/// True where the use has reached the warning threshold, of a limit that has one.
fn is_near(terms: &Terms, measure: &Measure) -> bool {
    let threshold = measure.limit.saturating_mul(i128::from(terms.soft_pct));
    terms.soft_pct != 0 && measure.used.saturating_mul(100) >= threshold
}

/// True where the warning was given on this trading day.
fn was_warned(terms: &Terms, question: &Question<'_>) -> bool {
    let (date, pair, limits) = (question.date(), question.pair, question.limits);
    match limits.edge(terms, question.node) {
        Edge::Nowhere => terms.spec().warn == WarnEdge::None,
        Edge::Row => limits.get(terms.id).is_some_and(|row| row.warned_day == date),
        Edge::Pair(bit) => pair.warned_day == date && pair.warned & bit != 0,
    }
}

/// What a record says of a limit that spoke: use and figure in the limit's unit, not multiplied for the comparison.
#[cold]
pub(super) fn hit_of(terms: &Terms, measure: &Measure, node: &NodeRow) -> LimitHit {
    let (used, hard) = measure.shown(terms.spec());
    LimitHit {
        used,
        hard,
        limit: terms.id,
        level: node.level,
        ..LimitHit::zeroed()
    }
}
