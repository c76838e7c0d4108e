//! Once it is warm, a pipeline asks nothing of the allocator.
#![allow(unsafe_code, reason = "a counting allocator is an unsafe trait")]

mod toy;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use toy::{inputs, stages};
use tradewind_domain::codes::ClockMode;
use tradewind_machine::append::NullJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::pipeline::{Builder, Settings};
use tradewind_machine::source::SourceClass;

/// Counts the calls of this process; the test below is alone in it.
struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_million_events_after_the_warm_up_allocate_nothing() {
    let (clock, _time) = Clock::manual(1);
    let mut builder = Builder::new(
        Settings::default(),
        stages(),
        NullJournal,
        clock,
        ClockMode::Input,
    );
    let mut source = builder.source(SourceClass::Order, 1_024);
    let admin = builder.long_source();
    let inputs = inputs(10_000, 31);
    let mut pipe = builder.inline();
    let mut feed = |count: usize| {
        let mut rest = inputs.iter().cycle().take(count);
        for message in &mut rest {
            if source.push(*message).is_err() {
                pipe.run().unwrap();
                assert!(source.push(*message).is_ok());
            }
        }
        assert!(admin.push(inputs[0].into()).is_ok());
        pipe.run().unwrap();
    };
    feed(20_000);
    let before = CALLS.load(Ordering::Relaxed);
    for _ in 0..10 {
        feed(100_000);
    }
    assert_eq!(CALLS.load(Ordering::Relaxed) - before, 0);
    assert!(before > 1_000, "the counter counts");
    assert_eq!(pipe.last().seq, 1_020_011);
}
