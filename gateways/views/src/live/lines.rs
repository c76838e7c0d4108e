//! Rows as readers get them: names for ids, exact decimals, one row for each key.

use super::blotter::{RefusalRow, TradeRow};
use super::held::Held;
use super::profit::{Group, GroupKey, sector_of};
use super::settlement::{Due, DueKey, DueState};
use crate::figures::Unit;
use crate::query::current::{
    Balance, Decimal, FeeSchedule, LimitUsage, Market, Order, Position, Profit, Refusal, Settlement, Trade,
};
use crate::state::{level, limit_action};
use tradewind_books::settle::Wallet;
use tradewind_domain::codes::{InstrumentKind, Level, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Event, FeeScheduleSet, Kind, LimitProbe, execution_alerts};
use tradewind_domain::fees::{FeeModel, fee_flags, fee_params};
use tradewind_domain::fixed::{Money, SCALE_DP};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, LimitId, NodeId, OrderId, Seq};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::text::{Code, Symbol, Text};

/// Percent of a limit at which it is a warning where the limit does not say.
const WARN_PCT: u64 = 80;

impl Held {
    fn account_code(&self, id: AccountId) -> (Code, NodeId) {
        let row = self.registry().account(id);
        row.map_or((Code::EMPTY, NodeId::NONE), |row| (row.code, row.node))
    }

    pub(super) fn node_code(&self, id: NodeId) -> Code {
        self.registry().node(id).map_or(Code::EMPTY, |row| row.code)
    }

    pub(super) fn symbol(&self, id: InstrumentId) -> Symbol {
        let row = self.registry().instrument(id);
        row.map_or(Symbol::EMPTY, |row| row.symbol)
    }

    fn currency_code(&self, id: CurrencyId) -> Text<8> {
        let row = self.registry().currency(id);
        row.map_or(Text::EMPTY, |row| row.code)
    }

    /// A position; `None` where it never traded.
    pub fn position(&self, holding: HoldingId) -> Option<Position> {
        let (stage, row) = (self.positions(), self.positions().position(holding)?);
        let instrument = stage.instrument(row.instrument)?;
        let mark = stage.mark(row.instrument);
        let value = mark
            .and_then(|mark| rounding::value_of(instrument, row.qty.abs(), mark, Rounding::HalfUp))
            .map(|value| if row.qty.is_negative() { value.neg() } else { value });
        let (account, node) = self.account_code(row.account);
        Some(Position {
            account,
            node,
            symbol: instrument.symbol,
            qty: row.qty.into(),
            avg_px: row.avg_px(instrument).map(Decimal),
            mark: mark.map(Decimal::from),
            value: value.map(Decimal::from),
            value_base: value
                .and_then(|value| self.in_base(value, instrument.currency))
                .map(Decimal::from),
            cost: row.cost.into(),
            unrealised: stage.unrealised(holding).map(Decimal::from),
            realised: row.realised.into(),
            fees: row.fees.into(),
            currency: self.currency_code(instrument.currency),
            kind: InstrumentKind::from_code(instrument.kind).map_or("", InstrumentKind::text),
            sector: sector_of(instrument.sector),
            fills: row.fills,
        })
    }

    /// Positions that ever traded.
    pub fn holdings(&self) -> impl Iterator<Item = HoldingId> + '_ {
        self.positions().positions().map(|(holding, _)| holding)
    }

    /// Account and instrument of a position.
    pub(super) fn holder(&self, holding: HoldingId) -> Option<(AccountId, InstrumentId)> {
        let row = self.positions().position(holding)?;
        Some((row.account, row.instrument))
    }

    pub(super) fn balance(&self, wallet: Wallet) -> Balance {
        let (account, node) = self.account_code(wallet.account);
        Balance {
            account,
            node,
            currency: self.currency_code(wallet.currency),
            settled: wallet.settled.into(),
            pending_in: wallet.pending_in.into(),
            pending_out: wallet.pending_out.into(),
            reserved: wallet.reserved.into(),
            available: wallet.available.into(),
            withdrawable: wallet.withdrawable().into(),
            trade_date_balance: wallet.trade_date_balance().into(),
        }
    }

    /// An order that is open, or among the newest closed ones.
    pub fn order(&self, order: OrderId) -> Option<Order> {
        let extra = self.orders.get(order)?;
        let row = self.replica.limit_check().order(order)?;
        let (account, account_node) = self.account_code(row.account);
        let px = |px: i64| (px != 0).then_some(Decimal(i128::from(px)));
        Some(Order {
            order_id: row.order_id,
            cl_ord_id: row.cl_ord_id,
            account,
            node: self.node_code(row.leaf),
            account_node,
            symbol: self.symbol(row.instrument),
            side: Side::from_code(row.side).map_or("", Side::text),
            ord_type: OrderType::from_code(row.ord_type).map_or("", OrderType::text),
            tif: TimeInForce::from_code(row.tif).map_or("", TimeInForce::text),
            qty: Decimal(row.qty.into()),
            cum: Decimal(row.cum.into()),
            leaves: Decimal(row.leaves.into()),
            px: px(row.px),
            stop_px: px(row.stop_px),
            avg_px: extra.avg_px().map(Decimal),
            state: OrderState::from_code(row.state).map_or("", OrderState::text),
            reserved_cash: row.reserved_cash().into(),
            currency: self.currency_code(row.currency),
            session: row.session.0,
            created: extra.created_ns,
            updated: extra.updated_ns,
            last_seq: extra.last_seq,
        })
    }

    /// Orders that are open, and the newest closed ones.
    pub fn order_ids(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.orders.ids()
    }

    /// The market of an instrument.
    pub fn market(&self, id: InstrumentId) -> Option<Market> {
        let instrument = self.registry().instrument(id)?;
        let top = self.tops.get(id);
        let mark = self.positions().mark(id);
        let side = |px: i64, qty: i64| (qty != 0).then_some(Decimal(px.into()));
        let change = top.first_mark.zip(mark).and_then(|(first, mark)| {
            let change = i128::from(mark.raw()) - i128::from(first);
            let hundredths = rounding::div_round(change * 10_000, i128::from(first).abs(), Rounding::HalfUp)?;
            hundredths.checked_mul(10i128.pow(SCALE_DP - 2)).map(Decimal)
        });
        Some(Market {
            symbol: instrument.symbol,
            bid: side(top.bid, top.bid_qty),
            bid_qty: side(top.bid_qty, top.bid_qty),
            ask: side(top.ask, top.ask_qty),
            ask_qty: side(top.ask_qty, top.ask_qty),
            last: top.has_last.then_some(Decimal(top.last.into())),
            last_qty: top.has_last.then_some(Decimal(top.last_qty.into())),
            mark: mark.map(Decimal::from),
            change_pct: change,
            status: if top.halted { "HALTED" } else { "TRADING" },
            currency: self.currency_code(instrument.currency),
            kind: InstrumentKind::from_code(instrument.kind).map_or("", InstrumentKind::text),
            sector: sector_of(instrument.sector),
            updated: top.updated_ns,
        })
    }

    /// Fee schedules in force.
    pub fn fee_schedules(&self) -> Vec<FeeSchedule> {
        self.fees.all().map(|set| self.fee_schedule(set)).collect()
    }

    fn fee_schedule(&self, set: &FeeScheduleSet) -> FeeSchedule {
        let (account, node) = self.account_code(set.account);
        let param = |at: usize| Decimal(set.params[at].into());
        FeeSchedule {
            name: set.code,
            account,
            node,
            symbol: self.symbol(set.instrument),
            venue: (!set.venue.is_none()).then_some(set.venue.0),
            model: FeeModel::from_code(set.model).map_or("", FeeModel::text),
            rate: param(fee_params::RATE),
            min: param(fee_params::MIN),
            max: param(fee_params::MAX),
            max_pct: param(fee_params::MAX_PCT),
            maker_rate: (set.flags & fee_flags::HAS_MAKER_RATE != 0).then(|| param(fee_params::MAKER_RATE)),
        }
    }

    /// Instruments that there are.
    pub fn instruments(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        self.registry().instruments().iter().map(|row| row.id)
    }

    /// A sum of profit.
    pub fn profit(&self, key: GroupKey) -> Option<Profit> {
        let part = self.profits.get(key)?;
        let registry = self.registry();
        let (group, name, node) = match key.group {
            Group::Node(id) => {
                let row = registry.node(id)?;
                (Level::from_code(row.level)?.text(), row.code, id)
            }
            Group::Instrument(id) => ("INSTRUMENT", registry.instrument(id)?.symbol, NodeId::NONE),
            Group::Sector(sector) => ("SECTOR", sector, NodeId::NONE),
        };
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        Some(Profit {
            group,
            name,
            node,
            currency: self.currency_code(key.currency),
            realised: part.realised.into(),
            unrealised: part.unrealised.into(),
            fees: part.fees.into(),
            income: part.income.into(),
            total: part.total().into(),
            total_base: self.in_base(part.total(), key.currency).map(Decimal::from),
            open: count(part.open),
            unmarked: count(part.unmarked),
        })
    }

    /// Sums that something went into.
    pub fn groups(&self) -> impl Iterator<Item = GroupKey> + '_ {
        self.profits.keys()
    }

    pub(super) fn trade(&self, row: &TradeRow) -> Trade {
        let (account, account_node) = self.account_code(row.account);
        Trade {
            seq: row.seq,
            part: row.part,
            time: row.recv_ns,
            kind: match row.kind {
                Kind::VenueFill => "FILL",
                Kind::TradeBust => "BUST",
                Kind::TradeCorrect => "CORRECT",
                _ => "TRADE",
            },
            exec_id: row.exec_id,
            ref_seq: row.ref_seq,
            order_id: (!row.order_id.is_none()).then_some(row.order_id),
            account,
            node: self.node_code(row.leaf),
            account_node,
            symbol: self.symbol(row.instrument),
            side: Side::from_code(row.side).map_or("", Side::text),
            qty: Decimal(row.qty.into()),
            px: Decimal(row.px.into()),
            principal: row.principal.into(),
            fee: row.fee.into(),
            currency: self.currency_code(row.currency),
            realised: row.realised.into(),
            leaves: row.leaves.map(|leaves| Decimal(leaves.into())),
            liquidity: match row.liquidity {
                1 => Some("MAKER"),
                2 => Some("TAKER"),
                _ => None,
            },
            flags: flags(row.alerts),
        }
    }

    /// Executions behind a place in the journal, oldest first, at most `max`; `None` where some of them were forgotten.
    pub fn trades_after(&self, place: (Seq, u32), max: usize) -> Option<Vec<Trade>> {
        let rows = self.trades.after(place).take(max);
        self.trades
            .reaches_back_to(place)
            .then(|| rows.map(|row| self.trade(row)).collect())
    }

    /// Refusals behind a place in the journal, as [`Held::trades_after`].
    pub fn refusals_after(&self, place: (Seq, u32), max: usize) -> Option<Vec<Refusal>> {
        let rows = self.refusals.after(place).take(max);
        self.refusals
            .reaches_back_to(place)
            .then(|| rows.map(|row| self.refusal(row)).collect())
    }

    /// Newest executions first.
    pub fn newest_trades(&self) -> impl Iterator<Item = Trade> + '_ {
        self.trades.newest().map(|row| self.trade(row))
    }

    /// Newest refusals first.
    pub fn newest_refusals(&self) -> impl Iterator<Item = Refusal> + '_ {
        self.refusals.newest().map(|row| self.refusal(row))
    }

    /// Places of the newest execution and the newest refusal.
    pub fn newest_places(&self) -> [Option<(Seq, u32)>; 2] {
        [self.trades.last(), self.refusals.last()]
    }

    pub(super) fn refusal(&self, row: &RefusalRow) -> Refusal {
        let (account, account_node) = self.account_code(row.account);
        let code = RejectCode::from_number(row.code);
        let limit = self.registry().limit(row.hit.limit).copied().unwrap_or_default();
        let in_force = self.known.limits().find(|known| known.label == limit);
        let shown = in_force.filter(|_| !limit.is_empty()).map(|known| {
            let unit = Unit::of_hit(known.limit_type, code, &known.params);
            let figure = |raw: i128| unit.show(raw, &known.params);
            (figure(row.hit.used), figure(row.hit.hard), unit.text())
        });
        let words = code.map_or("", RejectCode::words);
        let words = words.split(" (").next().unwrap_or("").trim_end_matches('.');
        let reason = match &shown {
            Some((used, hard, unit)) if !unit.is_empty() => {
                format!("{words}: {used} against {hard} ({unit}; limit {limit}).")
            }
            Some(_) => format!("{words} (limit {limit})."),
            None => format!("{words}."),
        };
        let (used, hard, unit) = shown.map_or((None, None, ""), |(used, hard, unit)| {
            let is_figure = !unit.is_empty();
            (is_figure.then_some(used), is_figure.then_some(hard), unit)
        });
        Refusal {
            seq: row.seq,
            part: row.part,
            time: row.recv_ns,
            kind: row.kind.text(),
            cl_ord_id: row.cl_ord_id,
            account,
            node: self.node_code(row.leaf),
            account_node: if account_node.is_none() {
                row.leaf
            } else {
                account_node
            },
            symbol: self.symbol(row.instrument),
            side: Side::from_code(row.side).map(Side::text),
            qty: row.qty.map(|qty| Decimal(qty.into())),
            px: row.px.map(|px| Decimal(px.into())),
            code: code.map_or("", RejectCode::text),
            limit,
            used,
            hard,
            unit,
            reason,
        }
    }

    /// What falls due, by date, account and currency.
    pub fn settlements(&self) -> Vec<(DueKey, Settlement)> {
        let (_, now_ns) = self.as_of();
        let sums = self.settled.with_pending(self.replica.limit_check(), now_ns);
        let line = |(key, (due, state)): (DueKey, (Due, DueState))| {
            let (account, node) = self.account_code(key.account);
            let net = due.to_receive.raw().wrapping_sub(due.to_pay.raw());
            let line = Settlement {
                settle_date: key.date,
                account,
                node,
                currency: self.currency_code(key.currency),
                to_receive: due.to_receive.into(),
                to_pay: due.to_pay.into(),
                net: Decimal(net),
                trades: due.trades,
                state: state.text(),
            };
            (key, line)
        };
        sums.into_iter().map(line).collect()
    }

    /// Limits in force, by id.
    pub fn limit_ids(&self) -> impl Iterator<Item = LimitId> + '_ {
        self.replica.limit_check().limits().map(|used| used.id)
    }

    /// At most `max` limits behind `from` in the order of ids, with what is used of them; the stage answers, and is not changed.
    pub fn limits_from(&mut self, from: usize, max: usize) -> Vec<(LimitId, LimitUsage)> {
        let rows = self.replica.limit_check().limits().skip(from).take(max);
        let unused: Vec<_> = rows
            .map(|used| {
                let (row, limit_type) = (used.row, LimitType::from_code(used.row.limit_type));
                let params = row.all_params();
                let unit = limit_type.map(Unit::of_limit);
                let usage = LimitUsage {
                    label: self.registry().limit(used.id).copied().unwrap_or_default(),
                    limit_type: limit_type
                        .map_or_else(|| row.limit_type.to_string(), |known| known.to_string()),
                    scope: self.node_code(row.node),
                    node: row.node,
                    level: level(used.node.level),
                    symbol: self.symbol(row.instrument),
                    used: None,
                    hard: unit.map_or_else(|| row.hard.to_string(), |unit| unit.show(row.hard, &params)),
                    unit: unit.map_or("", Unit::text),
                    used_pct: None,
                    soft_pct: row.soft_pct,
                    action: limit_action(limit_type, row.action, &params),
                    status: "OK",
                };
                (used.id, limit_type, params, usage)
            })
            .collect();
        let mut event = Box::new(Event::empty());
        unused
            .into_iter()
            .map(|(id, limit_type, params, usage)| {
                let usage = self.with_use(usage, limit_type, &params, &mut event);
                (id, usage)
            })
            .collect()
    }

    fn with_use(
        &mut self,
        mut usage: LimitUsage,
        limit_type: Option<LimitType>,
        params: &[i64; 6],
        event: &mut Event,
    ) -> LimitUsage {
        event.reset(Kind::LimitProbe);
        *event.body_mut::<LimitProbe>() = LimitProbe {
            label: usage.label,
            qty_dp: SCALE_DP as u8,
            px_dp: SCALE_DP as u8,
            ..bytemuck::Zeroable::zeroed()
        };
        self.replica.question(event);
        let unit = limit_type.map(|limit_type| Unit::of_hit(limit_type, None, params));
        let counts = unit.filter(|unit| *unit != Unit::Gate);
        if event.is_rejected() {
            return usage;
        }
        let (Some(unit), probe) = (counts, event.body::<LimitProbe>()) else {
            return usage;
        };
        // A rate that has long been silent is behind, and none of it is used.
        let used = if unit == Unit::Ahead {
            probe.used.max(0)
        } else {
            probe.used
        };
        usage.used = Some(unit.show(used, params));
        usage.hard = unit.show(probe.hard, params);
        usage.unit = unit.text();
        usage.used_pct = percent(used, probe.hard);
        let warn_pct = match usage.soft_pct {
            0 => WARN_PCT,
            soft_pct => u64::from(soft_pct),
        };
        usage.status = match usage.used_pct {
            Some(pct) if pct >= 100 => "BREACH",
            Some(pct) if pct >= warn_pct => "WARN",
            _ => "OK",
        };
        usage
    }
}

/// Whole percent, rounded down; a limit of nothing has none.
fn percent(used: i128, hard: i128) -> Option<u64> {
    if hard <= 0 || hard == i128::MAX {
        return None;
    }
    u64::try_from(used.max(0).checked_mul(100)? / hard).ok()
}

fn flags(alerts: u8) -> String {
    const WORDS: [(u8, &str); 8] = [
        (execution_alerts::LATE_FILL, "LATE_FILL"),
        (execution_alerts::OVERFILL, "OVERFILL"),
        (execution_alerts::OVERDRAFT, "OVERDRAFT"),
        (execution_alerts::BREACH, "BREACH"),
        (execution_alerts::PRIOR_DAY_ADJ, "PRIOR_DAY_ADJ"),
        (execution_alerts::NOT_REPLAYED, "NOT_REPLAYED"),
        (execution_alerts::TAKING_BACK_WAITS, "TAKING_BACK_WAITS"),
        (execution_alerts::SETTLED_EARLY, "SETTLED_EARLY"),
    ];
    let words: Vec<_> = WORDS
        .iter()
        .filter(|(bit, _)| alerts & bit != 0)
        .map(|(_, word)| *word)
        .collect();
    words.join(" ")
}

/// Money that may be missing, as a sum.
pub(super) fn add(sum: &mut Decimal, amount: Option<Decimal>) -> bool {
    if let Some(amount) = amount {
        sum.0 = sum.0.wrapping_add(amount.0);
    }
    amount.is_some()
}

/// An amount in base currency as a sum's part.
pub(super) fn base(held: &Held, amount: Decimal, currency: CurrencyId) -> Option<Decimal> {
    held.in_base(Money::from_raw(amount.0), currency)
        .map(Decimal::from)
}
