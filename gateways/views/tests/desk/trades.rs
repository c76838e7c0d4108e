//! Executed trades that are captured, and what becomes of them afterwards.

use super::{Desk, dec, text};
use bytemuck::Zeroable;
use tradewind_domain::codes::{QuarantineAction, Side};
use tradewind_domain::event::{
    Allocation, AllocationTail, Event, Execution, Kind, LotSelect, LotTail, NamedExecution, NamedLeg,
    QuarantineResolve, TradeBust,
};
use tradewind_domain::ids::VenueId;
use tradewind_domain::text::ExecId;
use tradewind_machine::append::Append;

impl<J: Append<Event> + 'static> Desk<J> {
    pub fn trade(&mut self, account: &str, side: Side, qty: &str, px: &str) {
        self.trade_in("ACME", account, side, qty, px);
    }

    pub fn trade_in(&mut self, symbol: &str, account: &str, side: Side, qty: &str, px: &str) {
        let body = Execution {
            side: side as u8,
            ..self.execution(qty, px)
        };
        self.send(Kind::TradeCapture, &body, symbol, account);
    }

    /// A block that these executions have made is allocated; no legs take the allocation back.
    pub fn allocate(&mut self, id: &str, block: &str, executions: &[ExecId], legs: &[(&str, &str)]) {
        let named = |exec_id: &ExecId| NamedExecution {
            venue: VenueId(0),
            trade_date: 0,
            exec_id: *exec_id,
        };
        let leg = |(account, qty): &(&str, &str)| NamedLeg {
            account: text(account),
            qty: dec(qty),
        };
        let executions: Vec<NamedExecution> = executions.iter().map(named).collect();
        let legs: Vec<NamedLeg> = legs.iter().map(leg).collect();
        let tail = AllocationTail::new(&executions, &legs).unwrap();
        let body = Allocation {
            alloc_id: text(id),
            executions: executions.len() as u16,
            legs: legs.len() as u16,
            ..Allocation::zeroed()
        };
        self.send_with_tail(Kind::Allocation, &body, "ACME", block, tail.as_bytes());
    }

    /// The execution of a record closes these lots first: the executions that opened them, and how much of each.
    pub fn select(&mut self, closing: ExecId, lots: &[(ExecId, &str)]) {
        let named = |(exec_id, qty): &(ExecId, &str)| {
            let execution = NamedExecution {
                venue: VenueId(0),
                trade_date: 0,
                exec_id: *exec_id,
            };
            (execution, dec(qty))
        };
        let named: Vec<(NamedExecution, i64)> = lots.iter().map(named).collect();
        let body = LotSelect {
            exec_id: closing,
            lots: named.len() as u16,
            author: text("ann"),
            ..LotSelect::zeroed()
        };
        let tail = LotTail::new(&named).unwrap();
        self.send_with_tail(Kind::LotSelect, &body, "", "", tail.as_bytes());
    }

    /// The execution of a record is taken back.
    pub fn bust(&mut self, booked: &Event) {
        let trade: &Execution = booked.body();
        let body = TradeBust {
            exec_id: text("bust"),
            exec_ref_id: trade.exec_id,
            trade_date: trade.trade_date,
            venue: trade.venue,
            ..TradeBust::zeroed()
        };
        self.send(Kind::TradeBust, &body, "", "");
    }

    /// Quantity and price of the execution of a record are corrected.
    pub fn correct(&mut self, booked: &Event, qty: &str, px: &str) {
        let trade: &Execution = booked.body();
        let body = Execution {
            exec_id: trade.exec_id,
            trade_date: trade.trade_date,
            venue: trade.venue,
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            ..Execution::zeroed()
        };
        self.send(Kind::TradeCorrect, &body, "", "");
    }

    /// A person decides about a trade in quarantine; the account is a repair's.
    pub fn resolve(&mut self, trade_seq: u64, action: QuarantineAction, account: &str) {
        let body = QuarantineResolve {
            trade_seq,
            author: text("ann"),
            action: action as u8,
            qty_dp: 8,
            px_dp: 8,
            ..QuarantineResolve::zeroed()
        };
        self.send(Kind::QuarantineResolve, &body, "", account);
    }
}
