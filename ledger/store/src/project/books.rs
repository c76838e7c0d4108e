//! Executions, positions, profit, and the entries of the books with the balances that they add up to.

use super::orders::{self, OrderRestated};
use super::{Projection, execution_alerts};
use crate::batch::Batch;
use crate::rows::{
    About, BalanceChange, Entry, Execution, Origin, PnlChange, PositionChange, Posting, Restated,
};
use tradewind_books::position::in_base;
use tradewind_books::posting::{
    Account, Class, Ledger, Leg, Postings, Template, adjustment, execution_instrument, postings,
};
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::event::{self, CorporateAction, Event, HolderAction, Kind, TakenBack, TradeBust};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, HoldingId, InstrumentId, NodeId, OrderId};

/// What the row of a fill or an executed trade says of its legs.
fn posting(posted: &Postings) -> Option<Posting> {
    let [released, cash, ..] = posted.amounts;
    posted.template.map(|template| Posting {
        template: template as u8,
        wallet: posted.parties.wallet,
        holding: posted.parties.holding,
        released,
        cash,
    })
}

/// True for kinds whose own row says their legs.
fn says_its_legs(kind: Kind) -> bool {
    matches!(kind, Kind::VenueFill | Kind::TradeCapture)
}

fn row(event: &Event, body: &event::Execution, origin: Origin, trade_seq: u64) -> Execution {
    Execution {
        origin,
        origin_ns: event.head.origin_ns,
        kind: event.head.kind,
        exec_id: body.exec_id,
        trade_seq,
        order: body.order_id,
        account: body.account,
        node: body.leaf,
        instrument: body.instrument,
        currency: body.currency.0,
        venue: body.venue.0,
        side: body.side,
        liquidity: body.liquidity,
        qty: body.qty,
        px: body.px,
        principal: body.principal.raw(),
        fee: body.fee.raw(),
        realised: body.realised.raw(),
        closed_qty: body.closed_qty,
        settle_day: body.settle_date,
        alerts: body.alerts,
        posting: None,
    }
}

fn busted(body: &TradeBust, taken: &TakenBack, event: &Event, origin: Origin) -> Execution {
    Execution {
        origin,
        origin_ns: event.head.origin_ns,
        kind: event.head.kind,
        exec_id: body.exec_id,
        trade_seq: taken.trade_seq,
        order: taken.order_id,
        account: taken.account,
        node: taken.leaf,
        instrument: taken.instrument,
        currency: taken.currency.0,
        venue: body.venue.0,
        side: taken.side,
        liquidity: 0,
        qty: taken.qty,
        px: taken.px,
        principal: taken.principal.raw(),
        fee: taken.fee.raw(),
        realised: body.realised.raw(),
        closed_qty: body.closed_qty,
        settle_day: 0,
        alerts: body.alerts,
        posting: None,
    }
}

fn cost_delta(event: &Event, kind: Kind) -> i128 {
    match kind {
        Kind::TradeBust => event.body::<TradeBust>().cost_delta.raw(),
        _ => event.body::<event::Execution>().cost_delta.raw(),
    }
}

fn restate_order(event: &Event, taken: &TakenBack, qty: i64, px: i64, batch: &mut Batch) {
    let money = |qty: i64, px: i64| i128::from(qty) * i128::from(px);
    let restated = OrderRestated {
        id: if taken.slot.is_none() {
            OrderId::NONE
        } else {
            taken.order_id
        },
        qty: taken.order_qty,
        cum: taken.cum,
        leaves: taken.leaves,
        delta: qty.saturating_sub(taken.qty),
        value: money(qty, px) - money(taken.qty, taken.px),
    };
    orders::restated(event, &restated, batch);
}

fn sign(side: u8) -> i128 {
    Side::from_code(side).map_or(0, Side::sign)
}

/// Whose position and profit change.
struct Whose {
    holding: HoldingId,
    account: AccountId,
    node: NodeId,
    instrument: InstrumentId,
    currency: u16,
    /// Base currency units per unit at 1e-8, as of the record; 0 where none was known.
    rate: i64,
}

impl Whose {
    fn of_action(body: &CorporateAction) -> Self {
        Self {
            holding: body.holding,
            account: body.account,
            node: body.node,
            instrument: body.instrument,
            currency: body.currency.0,
            rate: body.rate,
        }
    }

    /// An amount in base currency; nothing where there is something to translate and no rate.
    fn in_base(&self, amount: i128) -> Option<i128> {
        (amount == 0 || self.rate != 0).then(|| in_base(Money::from_raw(amount), self.rate).raw())
    }
}

/// What changes of a position and of a day's profit.
struct Change {
    qty: i128,
    cost: i128,
    realised: i128,
    fee: i128,
    income: i128,
    volume: i128,
    fills: i64,
}

impl Change {
    fn of_action(qty: i64, cost: Money, realised: Money) -> Self {
        Self {
            qty: qty.into(),
            cost: cost.raw(),
            realised: realised.raw(),
            fee: 0,
            income: 0,
            volume: 0,
            fills: 0,
        }
    }

    /// Income alone.
    fn of_income(income: i128) -> Self {
        let nothing = Self::of_action(0, Money::ZERO, Money::ZERO);
        Self { income, ..nothing }
    }

    fn book(&self, whose: &Whose, origin: Origin, batch: &mut Batch) {
        let position = batch
            .positions
            .entry(whose.holding.0)
            .or_insert_with(|| PositionChange {
                holding: whose.holding.0,
                account: whose.account,
                instrument: whose.instrument,
                ..PositionChange::default()
            });
        position.qty += self.qty;
        position.cost += self.cost;
        position.realised += self.realised;
        position.fees += self.fee;
        position.income += self.income;
        position.fills += self.fills;
        position.last_seq = origin.seq;
        self.book_profit(whose, origin, batch);
    }

    /// Counts it to a node's profit of the day.
    fn book_profit(&self, whose: &Whose, origin: Origin, batch: &mut Batch) {
        let key = (origin.day, whose.node.0, whose.instrument.0);
        let pnl = batch.pnl.entry(key).or_insert_with(|| PnlChange {
            day: origin.day,
            node: whose.node,
            instrument: whose.instrument,
            account: whose.account,
            currency: whose.currency,
            base: [Some(0); 3],
            ..PnlChange::default()
        });
        pnl.realised += self.realised;
        pnl.fees += self.fee;
        pnl.income += self.income;
        pnl.volume += self.volume;
        pnl.fills += self.fills;
        for (sum, amount) in pnl.base.iter_mut().zip([self.realised, self.fee, self.income]) {
            *sum = sum.zip(whose.in_base(amount)).map(|(sum, part)| sum + part);
        }
        pnl.last_seq = origin.seq;
    }
}

impl Projection {
    /// A fill or an executed trade.
    pub(super) fn executed(&self, event: &Event, origin: Origin, posted: &Postings, batch: &mut Batch) {
        let body: &event::Execution = event.body();
        batch.executions.push(Execution {
            posting: posting(posted),
            ..row(event, body, origin, 0)
        });
        let about = About {
            account: body.account,
            instrument: body.instrument,
            order: body.order_id,
        };
        execution_alerts(event, origin, body.alerts, about, batch);
        orders::filled(event, body, batch);
        let change = Change {
            qty: sign(body.side) * i128::from(body.qty),
            cost: body.cost_delta.raw(),
            realised: body.realised.raw(),
            fee: body.fee.raw(),
            income: 0,
            volume: body.principal.raw(),
            fills: 1,
        };
        let whose = Whose {
            holding: body.holding,
            account: body.account,
            node: body.leaf,
            instrument: body.instrument,
            currency: body.currency.0,
            rate: self.names.rate(body.currency),
        };
        change.book(&whose, origin, batch);
    }

    /// What a corporate action does to a holder's position. A strategy's own position is none of the books', its share of a funding is its
    /// profit.
    pub(super) fn acted(&self, event: &Event, kind: Kind, origin: Origin, batch: &mut Batch) {
        if kind == Kind::HolderSplit {
            let body: &CorporateAction = event.body();
            if !body.holding.is_none() && !body.found_nothing() {
                let change = Change::of_action(body.qty_delta, body.cost_delta, body.split_profit());
                change.book(&Whose::of_action(body), origin, batch);
            }
            return;
        }
        let body: &HolderAction = event.body();
        let whose = Whose {
            holding: body.holding,
            account: body.account,
            node: body.node,
            instrument: body.instrument,
            currency: body.currency.0,
            rate: body.rate,
        };
        if kind == Kind::HolderFunding {
            self.earned(body.cash.raw(), &whose, origin, batch);
        } else if !body.holding.is_none() && !body.found_nothing() {
            // Margin and settlement pay profit, which is realised.
            Change::of_action(body.qty_delta, body.cost_delta, body.realised).book(&whose, origin, batch);
        }
    }

    /// A dividend of a holder or a strategy.
    pub(super) fn paid(&self, body: &CorporateAction, origin: Origin, batch: &mut Batch) {
        let net = body.gross.raw() - body.withheld.raw();
        self.earned(net, &Whose::of_action(body), origin, batch);
    }

    /// Income: of a holder, or of a strategy, whose share is no longer its account's own. The nodes of an account add up to what it got.
    fn earned(&self, income: i128, whose: &Whose, origin: Origin, batch: &mut Batch) {
        if !whose.holding.is_none() {
            return Change::of_income(income).book(whose, origin, batch);
        }
        let Some(node) = self.names.node_of(whose.account) else {
            return; // a strategy stands below an account
        };
        let own = Whose { node, ..*whose };
        Change::of_income(income).book_profit(whose, origin, batch);
        Change::of_income(-income).book_profit(&own, origin, batch);
    }

    /// A trade is taken back, and booked anew where it was corrected.
    pub(super) fn restated(&self, event: &Event, kind: Kind, origin: Origin, batch: &mut Batch) {
        let Some(taken) = event.taken_back() else {
            return; // an accepted one always says what it takes back
        };
        let new = match kind {
            Kind::TradeBust => busted(event.body(), &taken, event, origin),
            _ => row(event, event.body(), origin, taken.trade_seq),
        };
        let new = Execution {
            order: taken.order_id,
            account: taken.account,
            node: taken.leaf,
            instrument: taken.instrument,
            currency: taken.currency.0,
            side: taken.side,
            ..new
        };
        batch.executions.push(new);
        let is_bust = kind == Kind::TradeBust;
        batch.restated.insert(
            taken.trade_seq,
            Restated {
                trade_seq: taken.trade_seq,
                changed_seq: event.head.seq,
                status: if is_bust { 3 } else { 2 },
            },
        );
        let about = About {
            account: taken.account,
            instrument: taken.instrument,
            order: taken.order_id,
        };
        execution_alerts(event, origin, new.alerts, about, batch);
        // What is booked from now on; of a bust nothing.
        let (qty, px, fee, principal) = if is_bust {
            (0, 0, 0, 0)
        } else {
            (new.qty, new.px, new.fee, new.principal)
        };
        restate_order(event, &taken, qty, px, batch);
        let adjusted = event.adjustment();
        let change = Change {
            qty: sign(taken.side) * (i128::from(qty) - i128::from(taken.qty)) + i128::from(adjusted.qty),
            cost: cost_delta(event, kind),
            realised: new.realised,
            income: adjusted.income.raw() - adjusted.withheld.raw(),
            fee: fee - taken.fee.raw(),
            volume: principal - taken.principal.raw(),
            fills: if is_bust { -1 } else { 0 },
        };
        let whose = Whose {
            holding: taken.holding,
            account: taken.account,
            node: taken.leaf,
            instrument: taken.instrument,
            currency: taken.currency.0,
            rate: self.names.rate(taken.currency),
        };
        change.book(&whose, origin, batch);
    }

    /// What the event posts.
    pub(super) fn posted(&self, event: &Event) -> Postings {
        let moves_principal = execution_instrument(event).is_none_or(|id| self.moves_principal(id));
        postings(event, moves_principal)
    }

    /// The legs that the event posts, and what they do to balances.
    pub(super) fn entries(
        &self,
        event: &Event,
        kind: Kind,
        origin: Origin,
        (account, posted): (AccountId, &Postings),
        batch: &mut Batch,
    ) {
        let Some(template) = posted.template else {
            return;
        };
        // A bust names its account in what it takes back.
        let account = if kind == Kind::TradeBust {
            posted.parties.account
        } else {
            account
        };
        // What it changes of corporate actions is another posting; its lines go on behind those of the trade.
        let adjusted = adjustment(event);
        let own = posted.legs().map(|leg| (template, leg));
        let others = adjusted.legs().map(|leg| (Template::Restated, leg));
        for (line, (template, leg)) in own.chain(others).enumerate() {
            if !says_its_legs(kind) {
                batch
                    .entries
                    .push(entry(origin, line as u16, template, account, &leg));
            }
            balance(leg.debit, &leg, true, account, origin.seq, batch);
            balance(leg.credit, &leg, false, account, origin.seq, batch);
        }
    }

    /// True where the principal of the instrument's trades moves as cash.
    fn moves_principal(&self, id: InstrumentId) -> bool {
        let kind = self.names.instrument(id.0).map(|row| row.kind);
        kind.and_then(InstrumentKind::from_code).is_some_and(|kind| {
            matches!(
                kind,
                InstrumentKind::Equity | InstrumentKind::Crypto | InstrumentKind::Binary
            )
        })
    }
}

fn entry(origin: Origin, line: u16, template: Template, account: AccountId, leg: &Leg) -> Entry {
    let ((debit_class, debit_id), (credit_class, credit_id)) = (chart(leg.debit), chart(leg.credit));
    let (ledger_kind, ledger_id) = match leg.ledger {
        Ledger::Currency(id) => (1, u32::from(id.0)),
        Ledger::Instrument(id) => (2, id.0),
    };
    Entry {
        origin,
        line,
        template: template as u8,
        phase: leg.phase as u8,
        account,
        debit_class: debit_class as u8,
        debit_id,
        credit_class: credit_class as u8,
        credit_id,
        ledger_kind,
        ledger_id,
        amount: leg.amount as i128, // at most 2^80
    }
}

/// Class and number of an account of the books.
fn chart(account: Account) -> (Class, u32) {
    match account {
        Account::Cash(id) => (Class::Cash, id.0),
        Account::Street(id) => (Class::Street, id.0.into()),
        Account::Bank(id) => (Class::Bank, id.0.into()),
        Account::Fees(id) => (Class::Fees, id.0.into()),
        Account::Sec(id) => (Class::Sec, id.0),
        Account::SecStreet(id) => (Class::SecStreet, id.0),
        Account::Tax(id) => (Class::Tax, id.0.into()),
        Account::Div(id) => (Class::Div, id.0.into()),
        Account::FxPool(id) => (Class::FxPool, id.0.into()),
        Account::Borrow(id) => (Class::Borrow, id.0),
        Account::Suspense(id) => (Class::Suspense, id.0.into()),
        Account::SuspenseSec(id) => (Class::SuspenseSec, id.0),
    }
}

/// What one side of a leg does to a balance of a currency's ledger. Quantities are the positions' business.
fn balance(side: Account, leg: &Leg, is_debit: bool, account: AccountId, seq: u64, batch: &mut Batch) {
    let Ledger::Currency(currency) = leg.ledger else {
        return;
    };
    let (class, owner) = chart(side);
    let row = batch
        .balances
        .entry((class as u8, owner))
        .or_insert_with(|| BalanceChange {
            class: class as u8,
            owner,
            account: if class == Class::Cash {
                account
            } else {
                AccountId::NONE
            },
            currency: currency.0,
            ..BalanceChange::default()
        });
    row.last_seq = seq;
    let (pending, posted) = if is_debit {
        (&mut row.debits_pending, &mut row.debits_posted)
    } else {
        (&mut row.credits_pending, &mut row.credits_posted)
    };
    let amount = leg.amount as i128; // at most 2^80
    let (to_pending, to_posted) = leg.phase.signs();
    *pending += to_pending * amount;
    *posted += to_posted * amount;
}
