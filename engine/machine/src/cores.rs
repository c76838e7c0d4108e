//! Cores that this process may use, and pinning of the calling thread to one of them.
//!
//! # Invariants
//! - The list is taken once, before anything is pinned: a pinned thread would see its own core alone.
//! - Only a pipeline thread pins, and only itself; pipeline threads start no threads, so no helper inherits a pin.
//! - Helpers are started by a thread that keeps off the pinned cores, and inherit that.

#![allow(unsafe_code)] // one system call without a safe name: a thread's set of cores

use core_affinity::CoreId;

/// The cores that the process may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    ids: Vec<usize>,
}

/// Why a thread could not be pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// There is no such core, or the process may not use it.
    #[error("core {core} is not one that this process may use: {}", listing(available))]
    NoSuchCore {
        /// The core asked for.
        core: usize,
        /// Those there are.
        available: Vec<usize>,
    },
    /// The operating system said no.
    #[error("the operating system refused to pin a thread to core {core}")]
    Refused {
        /// The core asked for.
        core: usize,
    },
}

fn listing(cores: &[usize]) -> String {
    let names: Vec<String> = cores.iter().map(usize::to_string).collect();
    if names.is_empty() {
        "the system names none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Lets the calling thread run on these cores alone. False where the system refuses, or has no such call.
#[cfg(target_os = "linux")]
fn allow_current(cores: &[usize]) -> bool {
    // SAFETY: the set is plain bits; all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &core in cores.iter().filter(|&&core| core < libc::CPU_SETSIZE as usize) {
        // SAFETY: the core's number lies within the set.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: `set` lives through the call and its size is given; 0 is the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn allow_current(_cores: &[usize]) -> bool {
    false
}

impl Cores {
    /// Asks the system. To be called before any thread is pinned.
    pub fn detect() -> Self {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        Self {
            ids: ids.into_iter().map(|core| core.id).collect(),
        }
    }

    /// The cores by number.
    pub fn ids(&self) -> &[usize] {
        &self.ids
    }

    /// How many threads can run at once; 1 where the system does not say.
    pub fn count(&self) -> usize {
        self.ids.len().max(1)
    }

    /// Keeps the calling thread, and the threads that it starts from now on, off these cores: what helps a pinned thread must
    /// not run in its place. Does nothing where no core would be left. Gives the cores that are left.
    pub fn keep_off(&self, taken: &[usize]) -> Vec<usize> {
        let left: Vec<usize> = self
            .ids
            .iter()
            .copied()
            .filter(|core| !taken.contains(core))
            .collect();
        if left.is_empty() || taken.is_empty() || !allow_current(&left) {
            return self.ids.clone();
        }
        left
    }

    /// Says whether a thread may be pinned to this core.
    pub fn check(&self, core: usize) -> Result<(), PinError> {
        if self.ids.contains(&core) {
            Ok(())
        } else {
            Err(PinError::NoSuchCore {
                core,
                available: self.ids.clone(),
            })
        }
    }

    /// Pins the calling thread.
    pub fn pin_current(&self, core: usize) -> Result<(), PinError> {
        self.check(core)?;
        if core_affinity::set_for_current(CoreId { id: core }) {
            Ok(())
        } else {
            Err(PinError::Refused { core })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_is_not_there_is_named_with_those_that_are() {
        let cores = Cores { ids: vec![0, 1] };
        let error = cores.pin_current(7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "core 7 is not one that this process may use: 0, 1"
        );
        assert_eq!(Cores { ids: vec![] }.count(), 1);
    }

    #[test]
    fn a_thread_pins_itself_and_leaves_others_alone() {
        let cores = Cores::detect();
        let Some(&core) = cores.ids().first() else { return };
        std::thread::spawn({
            let cores = cores.clone();
            move || cores.pin_current(core).unwrap()
        })
        .join()
        .unwrap();
        assert_eq!(Cores::detect(), cores, "this thread still sees all cores");
    }
}
