//! The system allocator with a count of allocations on marked threads: `bench` shows that the pipeline makes none.
//!
//! A thread is marked by its name's prefix being registered through [`watch_current_thread`]; everybody else pays one
//! thread-local read an allocation.
#![allow(unsafe_code)] // an allocator is unsafe by trait; it only counts and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Passes everything on to the system allocator and counts on watched threads.
pub struct CountingAllocator;

fn note() {
    // A thread that is being torn down has no mark any more.
    if WATCHED.try_with(Cell::get).unwrap_or(false) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to `System` with the same arguments; counting touches no memory that it manages.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`, which is passed on unchanged.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above; `ptr` came from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
}

/// Counts what this thread allocates from now on.
pub fn watch_current_thread() {
    let _ = WATCHED.try_with(|watched| watched.set(true));
}

/// Allocations on watched threads so far.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}
