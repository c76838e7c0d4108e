//! Work on a thread of its own, on one core.

use std::thread;
use tradewind_machine::cores::Cores;

/// Runs `work` on a fresh thread, pinned to `core` where there is one and it can be had, and waits for it.
///
/// # Panics
/// Where `work` panics, or where the system gives no thread.
pub fn on_core<T: Send>(cores: &Cores, core: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            if let Some(core) = core {
                // Unpinned it measures the same thing with more noise; the report names the core that was asked for.
                let _ = cores.pin_current(core);
            }
            work()
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
