//! Names to ids and decimals to 1e-8, kind by kind.
//!
//! An order or a trade needs its account and its instrument. A cancel or a control may leave them out: an empty name then
//! means "none", while a name that is given and unknown is a finding.

use crate::registry::{Leaf, Listing, Registry};
use tradewind_domain::codes::{FirmAccount, ReconSubject, TransferPhase};
use tradewind_domain::decimal::rescale;
use tradewind_domain::event::{
    AccessSet, AlertMaintenance, Allocation, Capacities, CashMove, Control, CorporateAction, Event,
    Execution, FeeScheduleSet, FxConversion, FxRate, InstrumentStatus, Kind, LastTrade, LedgerTransfer,
    LimitProbe, LimitSet, Locate, LotMethodSet, Mark, MassCancel, Names, OrderCancel, OrderNew, OrderReplace,
    QuarantineResolve, QuotaGrant, Quote, ReconEnd, ReconFinding, RestrictedSet, SymbolChange, TransferFacts,
    Valuation, VenueReport, resolve_legs,
};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, LimitId, NodeId, OrderSlot, WalletId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::{Code, Symbol, Text};

/// What an empty name means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Required,
    Optional,
}

/// Resolves and scales for one event, collecting findings.
struct Resolver<'a> {
    registry: &'a Registry,
    names: Names,
    notes: u64,
    /// A name that was given did not resolve.
    unresolved: bool,
}

impl<'a> Resolver<'a> {
    #[inline]
    fn new(registry: &'a Registry, event: &Event) -> Self {
        Self {
            registry,
            names: event.names,
            notes: 0,
            unresolved: false,
        }
    }

    fn miss(&mut self, note: Note) {
        self.notes |= note.bit();
        self.unresolved = true;
    }

    #[inline]
    fn listing(&mut self, name: Name) -> Listing {
        let symbol = self.names.symbol;
        if let Some(listing) = self.registry.listing(&symbol) {
            return listing;
        }
        if name == Name::Required || !symbol.is_empty() {
            self.miss(Note::UnknownSymbol);
        }
        Listing::NONE
    }

    /// The account itself or a strategy below it; a broader node is no account.
    #[inline]
    fn leaf(&mut self, name: Name) -> Leaf {
        let code = self.names.account;
        if let Some(leaf) = self.registry.leaf(&code).filter(|leaf| !leaf.account.is_none()) {
            return leaf;
        }
        if name == Name::Required || !code.is_empty() {
            self.miss(Note::UnknownAccount);
        }
        Leaf::NONE
    }

    fn node(&mut self, name: Name) -> NodeId {
        let code = self.names.account;
        if let Some(leaf) = self.registry.leaf(&code) {
            return leaf.node;
        }
        if name == Name::Required || !code.is_empty() {
            self.miss(Note::UnknownNode);
        }
        NodeId::NONE
    }

    fn currency(&mut self) -> CurrencyId {
        let code = self.names.symbol;
        self.registry.currency_id(&code).unwrap_or_else(|| {
            self.miss(Note::UnknownCurrency);
            CurrencyId::NONE
        })
    }

    /// Scales values that share their decimals: all of them, or none.
    #[inline]
    fn scale<const N: usize>(&mut self, values: [&mut i64; N], dp: &mut u8) {
        if u32::from(*dp) == SCALE_DP {
            return;
        }
        let mut scaled = [0; N];
        for (to, from) in scaled.iter_mut().zip(&values) {
            let Some(value) = rescale(**from, *dp) else {
                self.notes |= Note::InvalidPrecision.bit();
                return;
            };
            *to = value;
        }
        for (to, from) in values.into_iter().zip(scaled) {
            *to = from;
        }
        *dp = SCALE_DP as u8;
    }

    /// Writes the findings on the event.
    #[inline]
    fn finish(self, event: &mut Event) {
        event.head.notes |= self.notes;
        if self.unresolved {
            append_names(event, &self.names);
        }
    }
}

/// Appends the names to the tail, after what stands there already (the reason of an admin event).
fn append_names(event: &mut Event, names: &Names) {
    append_name(event, b"symbol=", &names.symbol);
    append_name(event, b"account=", &names.account);
}

fn append_name<const N: usize>(event: &mut Event, label: &[u8], name: &Text<N>) {
    const ROOM: usize = 64;
    if name.is_empty() {
        return;
    }
    let mut text = [0; ROOM];
    let mut len = 0;
    let space: &[u8] = if event.head.tail_len == 0 { b"" } else { b" " };
    for part in [space, label, name.as_bytes()] {
        text[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    // A tail without room keeps what it has: the note still says what was wrong.
    event.append_tail(&text[..len]);
}

/// Resolves and scales an event of any kind but reference data.
pub(super) fn names(registry: &Registry, kind: Kind, event: &mut Event) {
    let mut resolver = Resolver::new(registry, event);
    let it = &mut resolver;
    match kind {
        Kind::OrderNew | Kind::Probe => order_new(it, event.body_mut()),
        Kind::OrderCancel => order_cancel(it, event.body_mut()),
        Kind::OrderReplace => order_replace(it, event.body_mut()),
        Kind::MassCancel => mass_cancel(it, event.body_mut()),
        Kind::VenueAck
        | Kind::VenueReject
        | Kind::VenueCancelled
        | Kind::VenueReplaced
        | Kind::VenueCancelReject
        | Kind::VenueExpired
        | Kind::VenueStatus
        | Kind::OrderUnknown => venue_report(it, event.body_mut()),
        Kind::VenueFill => venue_fill(it, event.body_mut()),
        Kind::TradeCapture => trade(it, event.body_mut()),
        Kind::TradeCorrect => trade_correct(it, event.body_mut()),
        Kind::Quote => quote(it, event.body_mut()),
        Kind::LastTrade => last_trade(it, event.body_mut()),
        Kind::Mark => mark(it, event.body_mut()),
        Kind::InstrumentStatus => {
            event.body_mut::<InstrumentStatus>().instrument = it.listing(Name::Required).instrument
        }
        Kind::FxRate => fx_rate(it, event.body_mut()),
        Kind::Deposit | Kind::Withdrawal => cash_move(it, event.body_mut()),
        Kind::Valuation => event.body_mut::<Valuation>().node = it.node(Name::Required),
        Kind::Locate => locate(it, event.body_mut()),
        Kind::FxConversion => conversion(it, event.body_mut()),
        Kind::FeeScheduleSet => fee_schedule(it, event.body_mut()),
        Kind::CorporateAction => corporate_action(it, event.body_mut()),
        Kind::StateSet | Kind::Kill | Kind::Rearm | Kind::Flatten => control(it, event.body_mut()),
        Kind::RestrictedSet => restricted(it, event.body_mut()),
        Kind::QuarantineResolve => quarantine(it, event.body_mut()),
        Kind::AlertMaintenance => event.body_mut::<AlertMaintenance>().node = it.node(Name::Optional),
        Kind::LimitProbe => limit_probe(it, event.body_mut()),
        Kind::QuotaGrant => event.body_mut::<QuotaGrant>().limit = quota_limit(it),
        Kind::ReconFinding => recon_finding(registry, event.body_mut()),
        Kind::ReconEnd => recon_end(registry, event.body_mut()),
        _ => return,
    }
    resolver.finish(event);
}

/// The kinds whose bodies end in the same five resolved ids.
macro_rules! set_ids {
    ($body:expr, $leaf:expr, $listing:expr) => {{
        let (leaf, listing) = ($leaf, $listing);
        ($body.leaf, $body.account) = (leaf.node, leaf.account);
        ($body.instrument, $body.currency, $body.calendar) =
            (listing.instrument, listing.currency, listing.calendar);
    }};
}

/// A statement may speak of accounts and instruments that we do not know: that is what is found, and no fault of the event.
fn recon_finding(registry: &Registry, body: &mut ReconFinding) {
    let leaf = registry.leaf(&body.account_code).unwrap_or(Leaf::NONE);
    (body.account, body.node) = (leaf.account, leaf.node);
    let is_cash = body.subject == ReconSubject::Cash as u8;
    let listing = registry.listing(&body.item).filter(|_| !is_cash);
    body.instrument = listing.unwrap_or(Listing::NONE).instrument;
}

fn recon_end(registry: &Registry, body: &mut ReconEnd) {
    let leaf = registry.leaf(&body.account_code).unwrap_or(Leaf::NONE);
    (body.account, body.node) = (leaf.account, leaf.node);
}

#[inline]
fn order_new(it: &mut Resolver<'_>, body: &mut OrderNew) {
    set_ids!(body, it.leaf(Name::Required), it.listing(Name::Required));
    it.scale([&mut body.qty], &mut body.qty_dp);
    it.scale(
        [&mut body.px, &mut body.stop_px, &mut body.stop_loss_px],
        &mut body.px_dp,
    );
}

fn order_cancel(it: &mut Resolver<'_>, body: &mut OrderCancel) {
    set_ids!(body, it.leaf(Name::Optional), it.listing(Name::Optional));
}

fn order_replace(it: &mut Resolver<'_>, body: &mut OrderReplace) {
    set_ids!(body, it.leaf(Name::Optional), it.listing(Name::Optional));
    it.scale([&mut body.qty], &mut body.qty_dp);
    it.scale([&mut body.px, &mut body.stop_px], &mut body.px_dp);
}

fn mass_cancel(it: &mut Resolver<'_>, body: &mut MassCancel) {
    body.node = it.node(Name::Optional);
    body.instrument = it.listing(Name::Optional).instrument;
}

/// Account and instrument are those of the order: the limit check fills them in.
fn venue_report(it: &mut Resolver<'_>, body: &mut VenueReport) {
    set_ids!(body, Leaf::NONE, Listing::NONE);
    it.scale([&mut body.qty], &mut body.qty_dp);
    it.scale([&mut body.px], &mut body.px_dp);
}

/// As for reports.
#[inline]
fn venue_fill(it: &mut Resolver<'_>, body: &mut Execution) {
    set_ids!(body, Leaf::NONE, Listing::NONE);
    scale_execution(it, body);
}

#[inline]
fn trade(it: &mut Resolver<'_>, body: &mut Execution) {
    set_ids!(body, it.leaf(Name::Required), it.listing(Name::Required));
    scale_execution(it, body);
}

/// The trade's identifier says whose it is; where names are given they must be its own.
fn trade_correct(it: &mut Resolver<'_>, body: &mut Execution) {
    set_ids!(body, it.leaf(Name::Optional), it.listing(Name::Optional));
    scale_execution(it, body);
}

#[inline]
fn scale_execution(it: &mut Resolver<'_>, body: &mut Execution) {
    (body.slot, body.holding, body.wallet) = (OrderSlot::NONE, HoldingId::NONE, WalletId::NONE);
    it.scale([&mut body.qty], &mut body.qty_dp);
    it.scale([&mut body.px], &mut body.px_dp);
}

#[inline]
fn quote(it: &mut Resolver<'_>, body: &mut Quote) {
    body.instrument = it.listing(Name::Required).instrument;
    it.scale([&mut body.bid, &mut body.ask], &mut body.px_dp);
    it.scale([&mut body.bid_qty, &mut body.ask_qty], &mut body.qty_dp);
}

fn last_trade(it: &mut Resolver<'_>, body: &mut LastTrade) {
    body.instrument = it.listing(Name::Required).instrument;
    it.scale([&mut body.px], &mut body.px_dp);
    it.scale([&mut body.qty], &mut body.qty_dp);
}

fn mark(it: &mut Resolver<'_>, body: &mut Mark) {
    body.instrument = it.listing(Name::Required).instrument;
    it.scale([&mut body.px], &mut body.px_dp);
}

fn fx_rate(it: &mut Resolver<'_>, body: &mut FxRate) {
    body.currency = it.currency();
    it.scale([&mut body.rate], &mut body.rate_dp);
}

fn cash_move(it: &mut Resolver<'_>, body: &mut CashMove) {
    let leaf = it.leaf(Name::Required);
    (body.leaf, body.account) = (leaf.node, leaf.account);
    body.currency = it.currency();
    body.wallet = WalletId::NONE;
}

fn conversion(it: &mut Resolver<'_>, body: &mut FxConversion) {
    let leaf = it.leaf(Name::Required);
    (body.leaf, body.account) = (leaf.node, leaf.account);
    body.sold = it.currency();
    let decimals = it.registry.currency(body.sold).map_or(0, |row| row.money_dp);
    let bought = it.registry.currency_named(&body.bought_code);
    (body.sold_dp, body.bought_dp) = (decimals, bought.map_or(0, |row| row.money_dp));
    body.currency_bought = bought.map_or(CurrencyId::NONE, |row| row.currency);
    if body.currency_bought.is_none() {
        it.miss(Note::UnknownCurrency);
    }
    it.scale([&mut body.rate], &mut body.rate_dp);
}

/// What is not named is left open.
fn fee_schedule(it: &mut Resolver<'_>, body: &mut FeeScheduleSet) {
    body.account = it.leaf(Name::Optional).account;
    body.instrument = it.listing(Name::Optional).instrument;
}

fn locate(it: &mut Resolver<'_>, body: &mut Locate) {
    let leaf = it.leaf(Name::Required);
    (body.leaf, body.account) = (leaf.node, leaf.account);
    body.instrument = it.listing(Name::Required).instrument;
    body.holding = HoldingId::NONE;
    it.scale([&mut body.qty], &mut body.qty_dp);
}

/// A line for a label that is not known names no limit.
fn restricted(it: &mut Resolver<'_>, body: &mut RestrictedSet) {
    body.limit = it.registry.limit_named(&body.label).unwrap_or_default();
    body.instrument = it.listing(Name::Required).instrument;
}

/// Names are given where the repair changes them.
fn quarantine(it: &mut Resolver<'_>, body: &mut QuarantineResolve) {
    let leaf = it.leaf(Name::Optional);
    (body.leaf, body.account) = (leaf.node, leaf.account);
    body.instrument = it.listing(Name::Optional).instrument;
    it.scale([&mut body.qty], &mut body.qty_dp);
    it.scale([&mut body.px], &mut body.px_dp);
}

/// The account is any node here: limits are asked about at every level.
fn limit_probe(it: &mut Resolver<'_>, body: &mut LimitProbe) {
    body.limit = it.registry.limit_named(&body.label).unwrap_or_default();
    body.leaf = it.node(Name::Optional);
    body.account = AccountId::NONE;
    body.instrument = it.listing(Name::Optional).instrument;
    it.scale([&mut body.qty], &mut body.qty_dp);
    it.scale(
        [&mut body.px, &mut body.stop_px, &mut body.stop_loss_px],
        &mut body.px_dp,
    );
}

/// How an account's lots are kept: the verdict, and the account's id.
pub(super) fn lot_method(registry: &Registry, event: &mut Event) {
    let mut resolver = Resolver::new(registry, event);
    let leaf = resolver.leaf(Name::Required);
    let is_unknown = resolver.unresolved;
    let body = event.body_mut::<LotMethodSet>();
    body.account = leaf.account;
    let is_well_formed = body.is_well_formed();
    resolver.finish(event);
    if is_unknown {
        event.reject(RejectCode::UnknownAccount);
    } else if !is_well_formed {
        event.reject(RejectCode::InvalidValue);
    }
}

/// Another symbol for an instrument: the verdict, and what it was called before. A name that an instrument had is its own for good.
pub(super) fn symbol_change(registry: &Registry, logical: &Capacities, event: &mut Event) {
    let mut resolver = Resolver::new(registry, event);
    let instrument = resolver.listing(Name::Required).instrument;
    let body: &mut SymbolChange = event.body_mut();
    body.instrument = instrument;
    body.symbol_before = registry
        .instrument(instrument)
        .map_or(Symbol::EMPTY, |row| row.symbol);
    let held = registry.listing(&body.symbol).map(|listing| listing.instrument);
    let code = if resolver.unresolved {
        Some(RejectCode::UnknownSymbol)
    } else if body.symbol.is_empty() || body.author.is_empty() || body.symbol == body.symbol_before {
        Some(RejectCode::InvalidValue)
    } else if held.is_some_and(|held| held != instrument) {
        Some(RejectCode::NameTaken)
    } else if held.is_none() && registry.aliases_full(logical.instruments) {
        Some(RejectCode::Capacity)
    } else {
        None
    };
    resolver.finish(event);
    if let Some(code) = code {
        event.reject(code);
    }
}

fn corporate_action(it: &mut Resolver<'_>, body: &mut CorporateAction) {
    let listing = it.listing(Name::Required);
    (body.instrument, body.currency) = (listing.instrument, listing.currency);
    body.node = NodeId::NONE;
    (body.holding, body.account, body.wallet) = (HoldingId::NONE, AccountId::NONE, WalletId::NONE);
}

/// The event names account and instrument of the block, its tail the accounts of the legs.
pub(super) fn allocation(registry: &Registry, event: &mut Event) {
    let mut resolver = Resolver::new(registry, event);
    let (leaf, listing) = (resolver.leaf(Name::Required), resolver.listing(Name::Required));
    let body: &mut Allocation = event.body_mut();
    (body.leaf, body.account) = (leaf.node, leaf.account);
    (body.instrument, body.currency, body.calendar) =
        (listing.instrument, listing.currency, listing.calendar);
    let account = |code: &Code| {
        let leaf = registry.leaf(code).filter(|leaf| !leaf.account.is_none())?;
        Some((leaf.account, leaf.node))
    };
    if let Err(note) = resolve_legs(event, account) {
        resolver.notes |= note.bit();
    }
    resolver.finish(event);
}

/// A transfer names accounts of the firm; the one that posts or voids another names none.
pub(super) fn transfer(registry: &Registry, event: &mut Event) {
    let body: LedgerTransfer = *event.body();
    if matches!(body.phase(), Some(TransferPhase::Post | TransferPhase::Void)) {
        return event.put_transfer_facts(&TransferFacts::default());
    }
    match (
        firm_account(registry, &body.debit),
        firm_account(registry, &body.credit),
    ) {
        (Some((debit, ledger)), Some((credit, other))) if ledger == other => {
            let (debit, credit) = (debit as u8, credit as u8);
            event.put_transfer_facts(&TransferFacts {
                debit,
                credit,
                ..ledger
            });
        }
        (Some(_), Some(_)) => event.note(Note::LedgerMismatch),
        _ => event.note(Note::UnknownLedgerAccount),
    }
}

/// An account of the firm by its name in the chart, `CLASS:CURRENCY` or `CLASS:SYMBOL`, and facts that say its ledger. SUSPENSE has both: a
/// currency goes before an instrument of the same name.
fn firm_account(registry: &Registry, code: &Code) -> Option<(FirmAccount, TransferFacts)> {
    let text = code.as_bytes();
    let at = text.iter().position(|&byte| byte == b':')?;
    let name: Symbol = Text::new(&text[at + 1..]).ok()?;
    let class = std::str::from_utf8(&text[..at]).ok()?;
    let currency = || {
        let row = registry.currency(registry.currency_id(&name)?)?;
        Some(TransferFacts {
            currency: row.currency,
            money_dp: row.money_dp,
            ..TransferFacts::default()
        })
    };
    let instrument = || {
        Some(TransferFacts {
            instrument: registry.listing(&name)?.instrument,
            money_dp: SCALE_DP as u8,
            ..TransferFacts::default()
        })
    };
    match FirmAccount::from_text(class)? {
        FirmAccount::SuspenseSec => None, // it is called SUSPENSE
        FirmAccount::SecStreet => Some((FirmAccount::SecStreet, instrument()?)),
        FirmAccount::Suspense => match currency() {
            Some(ledger) => Some((FirmAccount::Suspense, ledger)),
            None => Some((FirmAccount::SuspenseSec, instrument()?)),
        },
        class => Some((class, currency()?)),
    }
}

fn control(it: &mut Resolver<'_>, body: &mut Control) {
    body.node = it.node(Name::Optional);
    body.instrument = it.listing(Name::Optional).instrument;
}

/// A grant for a label that is not known names no limit.
fn quota_limit(it: &mut Resolver<'_>) -> LimitId {
    it.registry.limit_named(&it.names.account).unwrap_or_default()
}

/// Who may do what: the verdict, and the node's id. No node means the whole firm.
pub(super) fn access(registry: &Registry, event: &mut Event) {
    let mut resolver = Resolver::new(registry, event);
    let node = resolver.node(Name::Optional);
    let is_unknown = resolver.unresolved;
    let body = event.body_mut::<AccessSet>();
    body.node = node;
    let is_well_formed = body.is_well_formed();
    resolver.finish(event);
    if is_unknown {
        event.reject(RejectCode::UnknownNode);
    } else if !is_well_formed {
        event.reject(RejectCode::InvalidValue);
    }
}

/// Resolves a limit's node and filter and gives its label an id (module invariant). A removal looks its label up and takes
/// no new id; it may leave the node out.
pub(super) fn limit(registry: &Registry, logical: u32, event: &mut Event) {
    let mut resolver = Resolver::new(registry, event);
    let body = event.body_mut::<LimitSet>();
    let node = if body.removed == 0 {
        Name::Required
    } else {
        Name::Optional
    };
    body.node = resolver.node(node);
    body.filter_instrument = resolver.listing(Name::Optional).instrument;
    body.limit = registry.limit_named(&body.label).unwrap_or_default();
    if body.limit.is_none() && body.removed == 0 && resolver.notes == 0 {
        if body.label.is_empty() {
            resolver.notes |= Note::InvalidValue.bit();
        } else if registry.limits_full(logical) {
            resolver.notes |= Note::Capacity.bit();
        } else {
            body.limit = LimitId(registry.limits().len() as u32);
        }
    }
    resolver.finish(event);
}
