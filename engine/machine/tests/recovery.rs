//! Recovery after a crash at any record: the same state, and the same journal in the end.

mod toy;

use toy::{MoodyJournal, assert_same_journal, digests_of, inputs, naive, stages};
use tradewind_domain::event::{Event, head_flags};
use tradewind_machine::append::VecJournal;
use tradewind_machine::pipeline::LastSeen;
use tradewind_machine::replay::{Replay, ReplayError};

/// State after all records up to this index and the rest of their group.
fn state_after_group(journal: &[Event], cut: usize) -> (usize, Vec<u8>) {
    let end = (cut..journal.len())
        .find(|at| journal[*at].head.flags & head_flags::LAST != 0)
        .unwrap()
        + 1;
    let mut stages = stages();
    let mut replay = Replay::new(&mut stages);
    journal[..end]
        .iter()
        .for_each(|event| replay.apply(event).unwrap());
    assert!(!replay.is_open());
    (end, digests_of(&stages))
}

#[test]
fn records_applied_leave_the_state_that_processing_left() {
    let (journal, digests) = naive(&inputs(3_000, 21));
    let mut stages = stages();
    let mut replay = Replay::new(&mut stages);
    journal.iter().for_each(|event| replay.apply(event).unwrap());
    assert_eq!(replay.records(), journal.len() as u64);
    assert_eq!(
        replay.last(),
        LastSeen {
            seq: 3_000,
            recv_ns: journal.last().unwrap().head.recv_ns
        }
    );
    assert_eq!(digests_of(&stages), digests);
}

#[test]
fn a_group_cut_anywhere_is_finished_as_it_would_have_been() {
    let (journal, _) = naive(&inputs(150, 22));
    let mut open_groups = 0;
    for cut in 0..journal.len() {
        let mut stages = stages();
        let mut replay = Replay::new(&mut stages);
        journal[..=cut]
            .iter()
            .for_each(|event| replay.apply(event).unwrap());
        open_groups += u64::from(replay.is_open());
        let mut rest = VecJournal::new();
        let effects = replay.finish_group(&mut rest, 1).unwrap();
        assert!(!replay.is_open());
        assert_eq!(replay.last().seq, journal[cut].head.seq);
        let (end, expected) = state_after_group(&journal, cut);
        assert_eq!(effects as usize, end - cut - 1);
        assert_same_journal(
            rest.events(),
            &journal[cut + 1..end],
            &format!("cut after record {cut}"),
        );
        assert_eq!(digests_of(&stages), expected, "cut after record {cut}");
    }
    assert!(
        open_groups > 100,
        "only {open_groups} of the cuts were inside a group"
    );
}

#[test]
fn a_full_journal_makes_the_finishing_wait() {
    let (journal, _) = naive(&[toy::input(1, 50, false, 10)]);
    let mut stages = stages();
    let mut replay = Replay::new(&mut stages);
    replay.apply(&journal[0]).unwrap();
    let mut rest = MoodyJournal::full_every(2);
    assert_eq!(replay.finish_group(&mut rest, 1).unwrap(), 50);
    assert_same_journal(&rest.events, &journal[1..], "a journal that is often full");
}

#[test]
fn a_journal_that_fails_while_a_group_is_finished_says_so() {
    let (journal, _) = naive(&[toy::input(1, 50, false, 10)]);
    let mut stages = stages();
    let mut replay = Replay::new(&mut stages);
    replay.apply(&journal[0]).unwrap();
    let mut rest = MoodyJournal {
        fails_after: Some(10),
        ..MoodyJournal::default()
    };
    assert!(matches!(
        replay.finish_group(&mut rest, 1),
        Err(ReplayError::Journal(_))
    ));
}

#[test]
fn a_gap_in_the_records_is_refused() {
    let (journal, _) = naive(&inputs(40, 23));
    for skipped in 1..journal.len() - 1 {
        let mut stages = stages();
        let mut replay = Replay::new(&mut stages);
        journal[..skipped]
            .iter()
            .for_each(|event| replay.apply(event).unwrap());
        let error = replay.apply(&journal[skipped + 1]).unwrap_err();
        assert!(matches!(error, ReplayError::OutOfSequence { .. }), "{error}");
    }
}

#[test]
fn an_open_group_that_nothing_finishes_is_an_error() {
    let (journal, _) = naive(&[toy::input(1, 0, false, 10)]);
    let mut open = journal[0];
    open.head.flags = 0;
    let mut stages = stages();
    let mut replay = Replay::new(&mut stages);
    replay.apply(&open).unwrap();
    let error = replay.finish_group(&mut VecJournal::new(), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "group 1 is open after part 0, but there is nothing to finish it with"
    );
}
