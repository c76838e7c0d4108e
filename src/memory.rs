//! Memory that is left for an engine: what the machine says, and each control group that the process is in.
//!
//! All tables and the window are taken at the start. A process that takes more than is left is ended by the kernel without a word, so it is
//! asked before anything is begun ([`check`]).
//!
//! Not here: how much an engine needs (`Settings::memory_estimate`), and swap: an engine that swaps is none.

use crate::output;
use std::fmt;
use std::path::{Path, PathBuf};
use tradewind_config::Settings;

/// Memory that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Bytes.
    pub bytes: u64,
    /// What bounds it.
    pub bound: Bound,
}

/// What bounds the memory that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The machine.
    Machine,
    /// A control group: that of a container or a service.
    Group(PathBuf),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("this machine"),
            Self::Group(path) => write!(f, "the control group {}", path.display()),
        }
    }
}

/// More is needed than is left.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "tables and window take {}, and {bound} has {} left; largest: {}. Lower capacity.* or journal.window_bytes, choose a smaller --profile, \
     or start all the same with --set engine.memory_overcommit=true",
    output::bytes(*need),
    output::bytes(*left),
    largest.join(", ")
)]
pub struct TooLittle {
    /// Bytes that are needed.
    pub need: u64,
    /// Bytes that are left.
    pub left: u64,
    /// What bounds them.
    pub bound: Bound,
    /// The parts that take most, with their bytes.
    pub largest: Vec<String>,
}

/// Parts that are named where memory does not suffice.
const PARTS_NAMED: usize = 4;

/// Refuses settings that need more than is left; `given_back` bytes become free before they are taken. What nobody can tell is no obstacle.
pub fn check(settings: &Settings, given_back: u64) -> Result<(), TooLittle> {
    let Some(left) = left().filter(|_| !settings.engine.memory_overcommit) else {
        return Ok(());
    };
    compare(settings, left, given_back)
}

fn compare(settings: &Settings, left: Left, given_back: u64) -> Result<(), TooLittle> {
    let need = settings.memory_bytes();
    if need <= left.bytes.saturating_add(given_back) {
        return Ok(());
    }
    let named = |(name, bytes): &(&str, u64)| format!("{name} {}", output::bytes(*bytes));
    Err(TooLittle {
        need,
        left: left.bytes,
        bound: left.bound,
        largest: settings
            .memory_estimate()
            .iter()
            .take(PARTS_NAMED)
            .map(named)
            .collect(),
    })
}

/// The memory that is left; `None` where the system does not say.
pub fn left() -> Option<Left> {
    let machine = of_machine(&std::fs::read_to_string("/proc/meminfo").ok()?).map(|bytes| Left {
        bytes,
        bound: Bound::Machine,
    });
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = of_groups(&groups, Path::new("/sys/fs/cgroup"));
    machine.into_iter().chain(group).min_by_key(|left| left.bytes)
}

/// What `/proc/meminfo` says is available: free, and what the kernel would give back.
fn of_machine(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Names of a memory controller's files: limit, use, and the line of `memory.stat` with what the kernel would give back.
struct Names {
    limit: &'static str,
    used: &'static str,
    given_back: &'static str,
}

const V2: Names = Names {
    limit: "memory.max",
    used: "memory.current",
    given_back: "inactive_file",
};
const V1: Names = Names {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    given_back: "total_inactive_file",
};

/// The least that a group of the process, or one above it, has left. `groups` is `/proc/self/cgroup`.
fn of_groups(groups: &str, root: &Path) -> Option<Left> {
    groups
        .lines()
        .filter_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let is_v1 = controllers.split(',').any(|name| name == "memory");
            let (names, root) = match controllers {
                "" => (V2, root.to_path_buf()),
                _ if is_v1 => (V1, root.join("memory")),
                _ => return None,
            };
            let dir = root.join(path.trim_start_matches('/'));
            let dirs = dir.ancestors().take_while(|dir| dir.starts_with(&root));
            dirs.filter_map(|dir| of_group(dir, &names))
                .min_by_key(|left| left.bytes)
        })
        .min_by_key(|left| left.bytes)
}

/// `None` for a group that is not there or has no limit.
fn of_group(dir: &Path, names: &Names) -> Option<Left> {
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let limit = number(names.limit)?;
    let stat = read("memory.stat").unwrap_or_default();
    let given_back = stat.lines().find_map(|line| {
        let (name, bytes) = line.split_once(' ')?;
        (name == names.given_back).then(|| bytes.trim().parse::<u64>().ok())?
    });
    let used = number(names.used)?.saturating_sub(given_back.unwrap_or(0));
    Some(Left {
        bytes: limit.saturating_sub(used),
        bound: Bound::Group(dir.to_path_buf()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_says_what_is_available() {
        let text = "MemTotal:        8000000 kB\nMemFree: 5 kB\nMemAvailable:    2000 kB\n";
        assert_eq!(of_machine(text), Some(2_048_000));
        assert_eq!(of_machine("MemTotal: 8 kB\n"), None);
        assert_eq!(of_machine("MemAvailable: many kB\n"), None);
    }

    fn write(dir: &Path, files: &[(&str, &str)]) {
        std::fs::create_dir_all(dir).unwrap();
        for (name, text) in files {
            std::fs::write(dir.join(name), text).unwrap();
        }
    }

    #[test]
    fn the_tightest_group_above_the_process_counts() {
        let root = tempfile::tempdir().unwrap();
        let (slice, unit) = (root.path().join("slice"), root.path().join("slice/unit"));
        write(
            &slice,
            &[
                ("memory.max", "1000\n"),
                ("memory.current", "900\n"),
                ("memory.stat", "anon 400\ninactive_file 300\n"),
            ],
        );
        write(&unit, &[("memory.max", "max\n"), ("memory.current", "800\n")]);
        let left = of_groups("0::/slice/unit\n", root.path());
        let expected = Left {
            bytes: 400,
            bound: Bound::Group(slice),
        };
        assert_eq!(left, Some(expected));
        assert_eq!(of_groups("0::/elsewhere\n", root.path()), None);
    }

    #[test]
    fn groups_of_the_first_version_are_read_as_well() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("memory.limit_in_bytes", "500"),
            ("memory.usage_in_bytes", "200"),
            ("memory.stat", "total_inactive_file 50\n"),
        ];
        write(&root.path().join("memory"), &files);
        let left = of_groups("5:cpu,memory:/docker/abc\n4:cpuset:/\n", root.path());
        assert_eq!(left.map(|left| left.bytes), Some(350));
    }

    #[test]
    fn what_a_dead_engine_gives_back_counts_as_left_and_less_is_refused_with_its_settings() {
        let settings = Settings::load("demo", None, [], &[]).unwrap();
        let need = settings.memory_bytes();
        let left = |bytes| Left {
            bytes,
            bound: Bound::Machine,
        };
        assert_eq!(compare(&settings, left(need), 0), Ok(()));
        assert_eq!(compare(&settings, left(need - 10), 10), Ok(()));
        let refused = compare(&settings, left(need - 1), 0).unwrap_err().to_string();
        for word in [
            "capacity.",
            "journal.window_bytes",
            "engine.memory_overcommit=true",
            "this machine",
        ] {
            assert!(refused.contains(word), "{word}: {refused}");
        }
    }
}
