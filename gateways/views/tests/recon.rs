//! The life of breaks, record by record.

use bytemuck::Zeroable;
use tradewind_domain::codes::{
    BreakSeverity, ControlState, ReconResolution, ReconStatus, ReconSubject, ReconVerb,
};
use tradewind_domain::event::{
    Body, Control, Event, Kind, ReconAction, ReconEnd, ReconFinding, ReconRun, recon_covers,
};
use tradewind_domain::ids::{InstrumentId, Seq};
use tradewind_domain::text::Text;
use tradewind_views::recon::{BreakState, ReconBook};

const DAY_NS: u64 = 86_400_000_000_000;

/// A book, and the number of the last record.
#[derive(Default)]
struct Desk {
    book: ReconBook,
    seq: Seq,
    now_ns: u64,
}

impl Desk {
    fn put<T: Body>(&mut self, kind: Kind, body: T) -> Seq {
        self.seq += 1;
        let mut event = Event::empty();
        event.reset(kind);
        (event.head.seq, event.head.recv_ns) = (self.seq, self.now_ns);
        *event.body_mut() = body;
        self.book.observe(&event);
        self.seq
    }

    fn run(&mut self) -> Seq {
        self.put(
            Kind::ReconRun,
            ReconRun {
                accounts: 1,
                ..ReconRun::zeroed()
            },
        )
    }

    fn found(&mut self, run: Seq, key: u8, status: ReconStatus) -> Seq {
        let restricted_by = 0;
        self.finding(run, key, status, restricted_by)
    }

    fn finding(&mut self, run: Seq, key: u8, status: ReconStatus, restricted_by: Seq) -> Seq {
        let body = ReconFinding {
            run,
            key: [key; 16],
            restricted_by,
            account_code: Text::lossy("A1"),
            subject: ReconSubject::Position as u8,
            status: status as u8,
            ..ReconFinding::zeroed()
        };
        self.put(Kind::ReconFinding, body)
    }

    fn end(&mut self, run: Seq, covers: u8) {
        let body = ReconEnd {
            run,
            account_code: Text::lossy("A1"),
            covers,
            ..ReconEnd::zeroed()
        };
        self.put(Kind::ReconEnd, body);
    }

    fn resolve(&mut self, break_seq: Seq) {
        let body = ReconAction {
            break_seq,
            verb: ReconVerb::Resolve as u8,
            resolution: ReconResolution::Booked as u8,
            ..ReconAction::zeroed()
        };
        self.put(Kind::ReconAction, body);
    }

    fn state(&self, id: Seq) -> Option<BreakState> {
        self.book.line(id).map(|line| line.state)
    }
}

#[test]
fn a_line_that_is_found_again_is_the_same_break_and_ages() {
    let mut desk = Desk::default();
    let run = desk.run();
    let id = desk.found(run, 1, ReconStatus::QtyBreak);
    desk.end(run, recon_covers::POSITIONS);
    desk.now_ns = 2 * DAY_NS;
    let run = desk.run();
    desk.found(run, 1, ReconStatus::QtyBreak);
    desk.end(run, recon_covers::POSITIONS);
    let line = desk.book.line(id).unwrap();
    assert_eq!(
        (line.state, line.found, line.age_days(desk.now_ns)),
        (BreakState::Open, 2, 2)
    );
    assert_eq!(line.severity(), BreakSeverity::Critical);
    assert_eq!(desk.book.lines().count(), 1);
}

#[test]
fn what_a_covering_run_does_not_find_is_gone_and_waits_for_its_code() {
    let mut desk = Desk::default();
    let run = desk.run();
    let id = desk.found(run, 1, ReconStatus::QtyBreak);
    desk.end(run, recon_covers::POSITIONS);
    let other = desk.run();
    desk.end(other, recon_covers::CASH);
    assert_eq!(
        desk.state(id),
        Some(BreakState::Open),
        "cash alone says nothing of it"
    );
    let cut_off = desk.run();
    assert_eq!(
        desk.state(id),
        Some(BreakState::Open),
        "run {cut_off} did not come to its end"
    );
    let run = desk.run();
    desk.end(run, recon_covers::POSITIONS);
    assert_eq!(desk.state(id), Some(BreakState::Gone));
    desk.resolve(id);
    assert_eq!(desk.state(id), Some(BreakState::Resolved));
    let run = desk.run();
    let anew = desk.found(run, 1, ReconStatus::QtyBreak);
    assert_eq!(
        desk.state(anew),
        Some(BreakState::Open),
        "it had been over: another break"
    );
}

#[test]
fn a_break_that_was_closed_and_is_found_again_opens_again_with_its_age() {
    let mut desk = Desk::default();
    let run = desk.run();
    let id = desk.found(run, 1, ReconStatus::CashBreak);
    desk.resolve(id);
    desk.now_ns = DAY_NS;
    let run = desk.run();
    desk.found(run, 1, ReconStatus::CashBreak);
    let line = desk.book.line(id).unwrap();
    assert_eq!(
        (line.state, line.reopened, line.resolution),
        (BreakState::Open, 1, None)
    );
    assert_eq!(line.age_days(desk.now_ns), 1);
}

#[test]
fn what_explains_itself_needs_no_code_and_leaves_by_itself() {
    let mut desk = Desk::default();
    let run = desk.run();
    let id = desk.found(run, 1, ReconStatus::Timing);
    assert_eq!(desk.state(id), Some(BreakState::Explained));
    desk.resolve(id);
    assert_eq!(
        desk.state(id),
        Some(BreakState::Explained),
        "there is nothing to close"
    );
    let run = desk.run();
    let broken = desk.found(run, 1, ReconStatus::QtyBreak);
    assert_eq!(
        (desk.state(id), desk.state(broken)),
        (None, Some(BreakState::Open))
    );
    let run = desk.run();
    desk.found(run, 1, ReconStatus::Timing);
    assert_eq!(
        desk.state(broken),
        Some(BreakState::Gone),
        "explained now, by whom is to be said"
    );
}

#[test]
fn a_restriction_counts_until_somebody_says_something_else_of_the_instrument() {
    let mut desk = Desk::default();
    let instrument = InstrumentId(3);
    let control = Control {
        instrument,
        state_after: ControlState::ReduceOnly as u8,
        ..Control::zeroed()
    };
    assert!(desk.book.is_free(instrument));
    let run = desk.run();
    let set = desk.put(Kind::StateSet, control);
    assert_eq!(
        desk.book.restriction(instrument),
        None,
        "no line speaks of it yet"
    );
    let (one, two) = (
        desk.finding(run, 1, ReconStatus::QtyBreak, set),
        desk.finding(run, 2, ReconStatus::QtyBreak, set),
    );
    assert_eq!(desk.book.restriction(instrument), Some(set));
    desk.resolve(one);
    assert!(desk.book.is_held(set));
    desk.resolve(two);
    assert!(!desk.book.is_held(set));
    desk.put(Kind::Kill, control);
    assert_eq!(desk.book.restriction(instrument), None);
}
