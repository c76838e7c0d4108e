//! The binary's allocator: the system's, with two additions.
//!
//! It counts what watched threads allocate: `bench` shows that pipeline threads allocate nothing. And it asks the kernel to back
//! large blocks by huge pages and to provide them at once: the engine's tables are large, are looked up at random, and must not
//! fault on a pipeline thread.
#![allow(unsafe_code)] // an allocator is unsafe by trait; this one counts, advises and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Blocks from this size on are advised, bytes.
const LARGE: usize = 4 << 20;
/// Huge pages of x86-64 and most others, bytes.
const HUGE_PAGE: usize = 2 << 20;

static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Passes everything on to the system allocator.
pub struct Allocator;

fn note() {
    // A thread that is being torn down has no mark any more.
    if WATCHED.try_with(Cell::get).unwrap_or(false) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

/// Advises the huge pages that lie wholly within a block. Where the kernel knows no such advice, nothing happens.
fn advise(block: *mut u8, size: usize) {
    if block.is_null() || size < LARGE {
        return;
    }
    let start = (block as usize).next_multiple_of(HUGE_PAGE);
    let end = (block as usize + size) / HUGE_PAGE * HUGE_PAGE;
    if start >= end {
        return;
    }
    for advice in [libc::MADV_HUGEPAGE, libc::MADV_POPULATE_WRITE] {
        // SAFETY: the range lies within a block that was just allocated and that nobody else knows; neither advice changes
        // what can be read from it. Errors are of no consequence.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, advice) };
    }
}

// SAFETY: every call goes to `System` with the same arguments; counting and advising touch no memory that it manages.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`, which is passed on unchanged.
        let block = unsafe { System.alloc(layout) };
        advise(block, layout.size());
        block
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
        let block = unsafe { System.alloc_zeroed(layout) };
        advise(block, layout.size());
        block
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
