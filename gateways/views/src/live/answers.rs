//! The live replica's answers to what is asked of the present.

use super::held::Held;
use super::history::Sum;
use super::lines::{add, base};
use super::profit::above;
use super::{Group, Live};
use crate::query::current::{
    Balance, CorporateAction, Current, Decimal, Filter, LimitUsage, LiveError, Market, Now, Order, Position,
    Profit, ProfitPoint, ReconBreak, ReconRun, Refusal, Scope, Settlement, Summary, Trade,
};
use crate::state::is_restricted;
use std::collections::HashSet;
use tradewind_domain::ids::{NodeId, OrderId, Seq};
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::UnixNanos;

/// Holdings that are valued under one hold of the lock before a sum is read.
const REFRESH_MAX: usize = 4_096;

/// A scope as ids.
enum Seen {
    All,
    Below(HashSet<NodeId>),
}

impl Seen {
    fn of(held: &Held, scope: &Scope) -> Self {
        let Scope::Below(codes) = scope else {
            return Self::All;
        };
        let registry = held.replica().registry();
        let named = codes.iter().filter_map(|code| registry.node_named(code));
        Self::Below(named.map(|row| row.node).collect())
    }

    fn sees(&self, held: &Held, node: NodeId) -> bool {
        match self {
            Self::All => true,
            Self::Below(nodes) => above(held.replica().registry(), node).any(|node| nodes.contains(&node)),
        }
    }
}

/// Which rows a filter lets through.
struct Sieve<'a> {
    seen: Seen,
    filter: &'a Filter,
}

impl<'a> Sieve<'a> {
    fn new(held: &Held, filter: &'a Filter) -> Self {
        Self {
            seen: Seen::of(held, &filter.scope),
            filter,
        }
    }

    fn lets(&self, held: &Held, node: NodeId, account: Code, symbol: Symbol) -> bool {
        self.filter.account.is_none_or(|wanted| wanted == account)
            && self.filter.symbol.is_none_or(|wanted| wanted == symbol)
            && self.seen.sees(held, node)
    }
}

impl Live {
    fn answer<T>(&self, answer: impl FnOnce(&mut Held) -> T) -> Result<Now<T>, LiveError> {
        self.read_now(|held| {
            let data = answer(held);
            let (as_of, as_of_time) = held.as_of();
            Now {
                as_of,
                as_of_time,
                data,
            }
        })
    }

    /// Brings sums up to date in small steps before they are read.
    fn refresh(&self) {
        while self.look(|held| held.refresh(REFRESH_MAX)) {}
    }
}

fn refreshed(held: &mut Held) {
    while held.refresh(usize::MAX) {}
}

/// Sums of profit that a scope sees, by group, name and currency. They are as fresh as [`Held::refresh`] has made them.
pub(super) fn profit_rows(held: &Held, scope: &Scope) -> Vec<Profit> {
    let seen = Seen::of(held, scope);
    let sees = |group: Group| match group {
        Group::Node(node) => seen.sees(held, node),
        Group::Instrument(_) | Group::Sector(_) => matches!(seen, Seen::All),
    };
    let mut rows: Vec<_> = held
        .groups()
        .filter(|key| sees(key.group))
        .filter_map(|key| held.profit(key))
        .collect();
    rows.sort_by(|a, b| (a.group, a.name, a.currency).cmp(&(b.group, b.name, b.currency)));
    rows
}

impl Current for Live {
    fn as_of(&self) -> (Seq, UnixNanos) {
        self.last()
    }

    fn positions(&self, filter: &Filter) -> Result<Now<Vec<Position>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let registry = held.replica().registry();
            let account = filter
                .account
                .map(|code| registry.node_named(&code).map(|row| row.account));
            let wanted = held.holdings().filter(|holding| {
                let holder = held.holder(*holding);
                holder.is_some_and(|(of, _)| account.is_none_or(|account| account == Some(of)))
            });
            let rows = wanted.filter_map(|holding| held.position(holding));
            let mut rows: Vec<_> = rows
                .filter(|row| sieve.lets(held, row.node, row.account, row.symbol))
                .collect();
            rows.sort_by_key(|row| (row.account, row.symbol));
            rows
        })
    }

    fn balances(&self, filter: &Filter) -> Result<Now<Vec<Balance>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let wallets = held.replica().settle().wallets();
            let rows = wallets.map(|(_, wallet)| held.balance(wallet));
            let mut rows: Vec<_> = rows
                .filter(|row| sieve.lets(held, row.node, row.account, filter.symbol.unwrap_or_default()))
                .collect();
            rows.sort_by_key(|row| (row.account, row.currency));
            rows
        })
    }

    fn open_orders(&self, filter: &Filter) -> Result<Now<Vec<Order>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let open = held.replica().limit_check().open_orders();
            let rows = open.filter_map(|(_, row)| held.order(row.order_id));
            let mut rows: Vec<_> = rows
                .filter(|row| sieve.lets(held, row.account_node, row.account, row.symbol))
                .collect();
            rows.sort_by_key(|row| row.order_id);
            rows
        })
    }

    fn recent_orders(&self, filter: &Filter, max: usize) -> Result<Now<Vec<Order>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let mut rows: Vec<_> = held
                .order_ids()
                .filter_map(|id| held.order(id))
                .filter(|row| sieve.lets(held, row.account_node, row.account, row.symbol))
                .collect();
            rows.sort_by_key(|row| std::cmp::Reverse((row.created, row.order_id)));
            rows.truncate(max);
            rows
        })
    }

    fn order(&self, order_id: OrderId) -> Result<Now<Order>, LiveError> {
        let found = self.answer(|held| held.order(order_id))?;
        let data = found
            .data
            .ok_or_else(|| LiveError::NotFound(format!("order {order_id} among the open and newest ones")))?;
        Ok(Now {
            as_of: found.as_of,
            as_of_time: found.as_of_time,
            data,
        })
    }

    fn recent_trades(&self, filter: &Filter, max: usize) -> Result<Now<Vec<Trade>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let rows = held.newest_trades();
            rows.filter(|row| sieve.lets(held, row.account_node, row.account, row.symbol))
                .take(max)
                .collect()
        })
    }

    fn recent_refusals(&self, filter: &Filter, max: usize) -> Result<Now<Vec<Refusal>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let rows = held.newest_refusals();
            rows.filter(|row| sieve.lets(held, row.account_node, row.account, row.symbol))
                .take(max)
                .collect()
        })
    }

    fn profit(&self, scope: &Scope) -> Result<Now<Vec<Profit>>, LiveError> {
        self.refresh();
        self.answer(|held| {
            refreshed(held);
            profit_rows(held, scope)
        })
    }

    fn profit_history(&self, scope: &Scope) -> Result<Now<Vec<ProfitPoint>>, LiveError> {
        self.answer(|held| {
            let points = held.history.of(&broadest(held, scope)).into_iter();
            let point = |(time, sum): (UnixNanos, Sum)| ProfitPoint {
                time,
                realised: Decimal(sum.realised),
                unrealised: Decimal(sum.unrealised),
                fees: Decimal(sum.fees),
                income: Decimal(sum.income),
                total: Decimal(sum.total()),
            };
            points.map(point).collect()
        })
    }

    fn limits(&self, scope: &Scope) -> Result<Now<Vec<LimitUsage>>, LiveError> {
        self.answer(|held| {
            let rows = held.limits_from(0, usize::MAX);
            let seen = Seen::of(held, scope);
            let rows = rows.into_iter().map(|(_, row)| row);
            let mut rows: Vec<_> = rows.filter(|row| seen.sees(held, row.node)).collect();
            rows.sort_by_key(|row| (row.scope, row.label));
            rows
        })
    }

    fn market(&self, symbol: Option<Symbol>) -> Result<Now<Vec<Market>>, LiveError> {
        self.answer(|held| {
            let rows = held.instruments().filter_map(|id| held.market(id));
            let mut rows: Vec<_> = rows
                .filter(|row| symbol.is_none_or(|wanted| wanted == row.symbol))
                .collect();
            rows.sort_by_key(|row| row.symbol);
            rows
        })
    }

    fn settlement(&self, scope: &Scope) -> Result<Now<Vec<Settlement>>, LiveError> {
        self.answer(|held| {
            let seen = Seen::of(held, scope);
            let rows = held.settlements().into_iter().map(|(_, row)| row);
            rows.filter(|row| seen.sees(held, row.node)).collect()
        })
    }

    fn recon_breaks(&self, filter: &Filter) -> Result<Now<Vec<ReconBreak>>, LiveError> {
        self.answer(|held| {
            let sieve = Sieve::new(held, filter);
            let mut rows: Vec<_> = held
                .recon()
                .rows(held.as_of().1)
                .filter(|row| sieve.lets(held, row.node, row.account, row.item))
                .collect();
            rows.reverse();
            rows
        })
    }

    fn recon_break(&self, id: Seq) -> Result<Now<ReconBreak>, LiveError> {
        let found = self.answer(|held| held.recon().row_of(id, held.as_of().1))?;
        let data = found
            .data
            .ok_or_else(|| LiveError::NotFound(format!("break {id}")))?;
        Ok(Now {
            as_of: found.as_of,
            as_of_time: found.as_of_time,
            data,
        })
    }

    fn recon_runs(&self, scope: &Scope, max: usize) -> Result<Now<Vec<ReconRun>>, LiveError> {
        let max = if *scope == Scope::All { max } else { 0 };
        self.answer(|held| held.recon().run_rows().take(max).collect())
    }

    fn corporate_actions(&self) -> Result<Now<Vec<CorporateAction>>, LiveError> {
        self.answer(|held| held.announced())
    }

    fn summary(&self, scope: &Scope) -> Result<Now<Summary>, LiveError> {
        self.answer(|held| {
            let limits = held.limits_from(0, usize::MAX);
            let seen = Seen::of(held, scope);
            let registry = held.replica().registry();
            let mut summary = Summary {
                base_currency: registry.base_currency().map(|row| row.code).unwrap_or_default(),
                ..Summary::default()
            };
            let nodes = registry.nodes().iter();
            let accounts = nodes.filter(|row| !row.account.is_none() && is_account(row, held));
            summary.accounts = accounts.filter(|row| seen.sees(held, row.node)).count() as u64;
            for (_, row) in limits.iter().filter(|(_, row)| seen.sees(held, row.node)) {
                summary.limits_warn += u64::from(row.status == "WARN");
                summary.limits_breached += u64::from(row.status == "BREACH");
            }
            let check = held.replica().limit_check();
            let open = check.open_orders().filter(|(_, row)| seen.sees(held, row.leaf));
            summary.open_orders = open.count() as u64;
            let restricted = check
                .nodes()
                .filter(|(id, row)| is_restricted(row) && seen.sees(held, *id));
            summary.restricted_nodes = restricted.count() as u64;
            let breaks = held.recon().lines().filter(|line| line.state.waits());
            summary.recon_breaks = breaks.filter(|line| seen.sees(held, line.last.node)).count() as u64;
            sum_positions(held, &seen, &mut summary);
            summary
        })
    }
}

/// The nodes that stand for a scope: none of them is below another.
fn broadest(held: &Held, scope: &Scope) -> Vec<NodeId> {
    let registry = held.replica().registry();
    let named: HashSet<NodeId> = match scope {
        Scope::All => registry.nodes().iter().map(|row| row.node).collect(),
        Scope::Below(codes) => {
            let rows = codes.iter().filter_map(|code| registry.node_named(code));
            rows.map(|row| row.node).collect()
        }
    };
    let is_below_another = |node: &NodeId| above(registry, *node).skip(1).any(|node| named.contains(&node));
    named
        .iter()
        .copied()
        .filter(|node| !is_below_another(node))
        .collect()
}

fn is_account(row: &tradewind_feeds::NodeRow, held: &Held) -> bool {
    let account = held.replica().registry().account(row.account);
    account.is_some_and(|account| account.node == row.node)
}

fn sum_positions(held: &Held, seen: &Seen, summary: &mut Summary) {
    let registry = held.replica().registry();
    for holding in held.holdings() {
        let Some(row) = held.position(holding).filter(|row| seen.sees(held, row.node)) else {
            continue;
        };
        let currency = registry.currency_named(&row.currency).map(|row| row.currency);
        let in_base = |amount| base(held, amount, currency?);
        let is_open = row.qty.0 != 0;
        summary.open_positions += u64::from(is_open);
        let unrealised = if is_open {
            row.unrealised
        } else {
            Some(Default::default())
        };
        let income = held.replica().positions().income(holding);
        let income = income.map_or_else(Default::default, |income| income.net().into());
        let parts = (
            in_base(row.realised),
            in_base(row.fees),
            in_base(income),
            unrealised.and_then(in_base),
        );
        let (Some(realised), Some(fees), Some(income), Some(unrealised)) = parts else {
            summary.not_valued += 1;
            continue;
        };
        add(&mut summary.realised, Some(realised));
        add(&mut summary.fees, Some(fees));
        add(&mut summary.income, Some(income));
        add(&mut summary.unrealised, Some(unrealised));
        let value = row.value_base.unwrap_or_default().0;
        if value >= 0 {
            summary.long_value.0 = summary.long_value.0.wrapping_add(value);
        } else {
            summary.short_value.0 = summary.short_value.0.wrapping_sub(value);
        }
    }
    let gain = summary.realised.0.wrapping_add(summary.unrealised.0);
    let sum = gain.wrapping_add(summary.income.0);
    summary.profit.0 = sum.wrapping_sub(summary.fees.0);
}
