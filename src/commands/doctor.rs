//! `tradewind doctor`: what on this machine will hurt, and how to mend it.

use crate::cli::DoctorArgs;
use crate::{memory, output};
use serde::Serialize;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_config::Settings;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::{FileSystem, bytes_left_behind, has_writer, windows};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Costs latency or safety.
    Warn,
    /// The engine will not start.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What.
    pub subject: &'static str,
    /// How bad.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// How to mend it; empty where nothing is to be mended.
    pub mend: String,
}

fn finding(
    subject: &'static str,
    grade: Grade,
    found: impl Into<String>,
    mend: impl Into<String>,
) -> Finding {
    Finding {
        subject,
        grade,
        found: found.into(),
        mend: mend.into(),
    }
}

/// Runs the command: exit code 1 where something is bad.
pub fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = super::settings(&args.settings, &[])?;
    let mut findings = vec![
        cores(&settings),
        clock(),
        unless_taken("window", &args.data, || window(&settings, &args.data)),
        disk(&settings, &args.data),
        unless_taken("memory", &args.data, || memory(&settings, &args.data)),
        huge_pages(),
        governor(),
        open_files(&settings),
    ];
    findings.extend(left_behind(&settings));
    findings.extend(without_effect(&settings));
    let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    if args.json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            let mark = match finding.grade {
                Grade::Good => "good",
                Grade::Warn => "WARN",
                Grade::Bad => "BAD ",
            };
            output::text(format_args!("{mark} {:<12} {}\n", finding.subject, finding.found));
            if !finding.mend.is_empty() {
                output::text(format_args!("                  {}\n", finding.mend));
            }
        }
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn cores(settings: &Settings) -> Finding {
    let cores = Cores::detect();
    match crate::engine::topology_of(settings, &cores) {
        Err(error) => finding(
            "cores",
            Grade::Bad,
            format!("{error}: engine.topology"),
            "see `tradewind config show`",
        ),
        Ok(topology) => {
            let threads = topology.lanes().len();
            let found = format!("{} usable, topology {topology} takes {threads}", cores.count());
            if threads + 1 > cores.count() {
                let mend = "leave one core to the archiver and the readers: engine.topology=fused, or engine.idle=park";
                finding("cores", Grade::Warn, found, mend)
            } else {
                finding("cores", Grade::Good, found, "")
            }
        }
    }
}

fn clock() -> Finding {
    let source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    match Clock::start() {
        Err(error) => finding(
            "clock",
            Grade::Bad,
            error.to_string(),
            "the engine cannot start without a clock",
        ),
        Ok(clock) => {
            const READS: u64 = 100_000;
            let began = clock.raw();
            let last = (0..READS).fold(0, |last, _| clock.now_ns().max(last));
            let each = clock.span_ns(began, clock.raw()) / READS;
            let found = format!(
                "source {}, {each} ns a read",
                if source.is_empty() { "unknown" } else { &source }
            );
            if each > 50 || last == 0 {
                finding(
                    "clock",
                    Grade::Warn,
                    found,
                    "an invariant TSC is much cheaper: boot with clocksource=tsc where it is reliable",
                )
            } else {
                finding("clock", Grade::Good, found, "")
            }
        }
    }
}

/// A path, or the nearest of its parents that is there.
fn nearest_existing(path: &Path) -> Option<PathBuf> {
    let mut paths = path.ancestors().map(|path| {
        if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        }
    });
    paths.find(|path| path.exists()).map(Path::to_path_buf)
}

/// Free bytes of the file system that holds a path, or of its nearest existing parent.
#[allow(unsafe_code)] // one system call without a wrapper in std
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let existing = nearest_existing(path)?;
    let name = CString::new(existing.as_os_str().as_bytes()).ok()?;
    let mut stat: libc::statvfs = zeroed_statvfs();
    // SAFETY: `name` is a C string and `stat` is a place for the answer; both live through the call.
    let result = unsafe { libc::statvfs(name.as_ptr(), &mut stat) };
    (result == 0).then(|| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Asks the system whether this user may make files in a folder; a read-only file system says no, too.
#[allow(unsafe_code)] // one system call without a wrapper in std
fn may_write(folder: &Path) -> std::io::Result<()> {
    let name = CString::new(folder.as_os_str().as_bytes())?;
    // SAFETY: `name` is a C string that lives through the call.
    match unsafe { libc::access(name.as_ptr(), libc::W_OK | libc::X_OK) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[allow(unsafe_code)]
fn zeroed_statvfs() -> libc::statvfs {
    // SAFETY: the struct is plain integers; zeros are valid.
    unsafe { std::mem::zeroed() }
}

/// Looks at memory that a start takes, where no engine of the data folder has taken it already.
fn unless_taken(subject: &'static str, data: &Path, look: impl FnOnce() -> Finding) -> Finding {
    if has_writer(data) {
        let found = format!("taken by the engine that runs on {}", data.display());
        return finding(subject, Grade::Good, found, "");
    }
    look()
}

fn window(settings: &Settings, data: &Path) -> Finding {
    let dir = PathBuf::from(&settings.journal.window_dir);
    let need = settings.journal.window_bytes;
    let (Some(free), Ok(system)) = (free_bytes(&dir), FileSystem::of(&dir)) else {
        let found = format!("{} cannot be looked at", dir.display());
        return finding("window", Grade::Bad, found, "set journal.window_dir");
    };
    let free = free.saturating_add(bytes_left_behind(&dir, data));
    let found = format!(
        "{}: {} free, {} needed",
        dir.display(),
        output::bytes(free),
        output::bytes(need)
    );
    if !system.is_in_memory() && !settings.journal.allow_unsafe_fs {
        let found = format!("{} is not on a memory file system", dir.display());
        return finding(
            "window",
            Grade::Bad,
            found,
            "set journal.window_dir to one, such as /dev/shm",
        );
    }
    if free < need {
        let mend = "make it larger (mount -o remount,size=..., or --shm-size for a container) or lower journal.window_bytes";
        return finding("window", Grade::Bad, found, mend);
    }
    if let Some(caution) = system.window_caution() {
        let found = format!("{} {caution}", dir.display());
        return finding("window", Grade::Warn, found, "set journal.window_dir");
    }
    finding("window", Grade::Good, found, "")
}

/// Windows that killed engines have left: memory that is in nobody's use, and perhaps records that are nowhere else.
fn left_behind(settings: &Settings) -> Vec<Finding> {
    let windows = windows(Path::new(&settings.journal.window_dir)).unwrap_or_default();
    let left = windows.iter().filter(|window| !window.has_writer);
    left.map(|window| {
        let (path, bytes) = (window.path.display(), output::bytes(window.bytes));
        let journal = window.journal.as_deref();
        let data = journal.and_then(Path::parent).filter(|data| data.is_dir());
        let holds = match window.holds_records {
            true => "with records that are not on disk",
            false => "and all its records are on disk",
        };
        let whose = match (data, journal) {
            (Some(data), _) => format!("{}, {holds}", data.display()),
            (None, Some(journal)) => format!("{}, which is not here (any more), {holds}", journal.display()),
            (None, None) => format!("a journal that it does not name, {holds}"),
        };
        let mend = match data {
            Some(data) => format!(
                "the next start with --data {} takes it in and removes it; only if there shall be none: rm -r {path}",
                data.display()
            ),
            None => format!("where no start on its data folder is to come, its records are given up with it: rm -r {path}"),
        };
        let found = format!("{path} of a killed engine takes {bytes}: of {whose}");
        finding("left behind", Grade::Warn, found, mend)
    })
    .collect()
}

fn disk(settings: &Settings, data: &Path) -> Finding {
    let need = settings
        .journal
        .reserve_bytes
        .saturating_add(settings.journal.segment_bytes.saturating_mul(2));
    let shown = data.display();
    let bad = |found: String, mend: &str| finding("disk", Grade::Bad, found, mend);
    let Some((free, existing)) = free_bytes(data).zip(nearest_existing(data)) else {
        return bad(format!("{shown} cannot be looked at"), "choose another --data");
    };
    if let Some(what) = unwritable(data, &existing) {
        return bad(
            what,
            "choose another --data, or give this user the right to write there",
        );
    }
    let caution = FileSystem::of(&existing).ok().and_then(|system| {
        let is_bad = system.unsafe_name().is_some() && !settings.journal.allow_unsafe_fs;
        let grade = if is_bad { Grade::Bad } else { Grade::Warn };
        Some((grade, format!("{shown} {}", system.data_caution()?)))
    });
    if free < need {
        let found = format!(
            "{} free in {shown}, {} needed before new orders are refused",
            output::bytes(free),
            output::bytes(need)
        );
        return bad(found, "free space, or lower journal.reserve_bytes");
    }
    if let Some((grade, found)) = caution {
        let mend = "put --data on a local disk file system (ext4, xfs, btrfs, zfs)";
        return finding("disk", grade, found, mend);
    }
    finding(
        "disk",
        Grade::Good,
        format!("{} free in {shown}", output::bytes(free)),
        "",
    )
}

/// Why a data folder cannot be written, where it cannot: it is no folder, or this user may not.
fn unwritable(data: &Path, existing: &Path) -> Option<String> {
    let journal = data.join("journal");
    let folders = [existing, journal.as_path()];
    let mut there = folders.into_iter().filter(|path| path.exists());
    there.find_map(|path| {
        if !path.is_dir() {
            return Some(format!("{} is no folder", path.display()));
        }
        let error = may_write(path).err()?;
        Some(format!("{} cannot be written: {error}", path.display()))
    })
}

fn memory(settings: &Settings, data: &Path) -> Finding {
    let given_back = bytes_left_behind(Path::new(&settings.journal.window_dir), data);
    let need = settings.memory_bytes();
    let Some(left) = memory::left() else {
        return finding("memory", Grade::Warn, "the system does not say what is left", "");
    };
    let found = format!(
        "{} has {} left, tables and window take {}",
        left.bound,
        output::bytes(left.bytes.saturating_add(given_back)),
        output::bytes(need)
    );
    match memory::check(settings, given_back) {
        Ok(()) if need > left.bytes.saturating_add(given_back) => {
            let mend = "engine.memory_overcommit=true starts all the same, and the kernel may end the process without a word";
            finding("memory", Grade::Warn, found, mend)
        }
        Ok(()) => finding("memory", Grade::Good, found, ""),
        Err(_) => finding(
            "memory",
            Grade::Bad,
            found,
            "lower capacity.* or journal.window_bytes",
        ),
    }
}

/// Settings that say what no engine does.
fn without_effect(settings: &Settings) -> Option<Finding> {
    let said = super::without_effect(settings)?;
    Some(finding(
        "retention",
        Grade::Warn,
        said,
        "set journal.retention_bytes=0",
    ))
}

fn huge_pages() -> Finding {
    let mode = read("/sys/kernel/mm/transparent_hugepage/enabled");
    if mode.contains("[always]") {
        finding("huge pages", Grade::Good, mode, "")
    } else {
        let mend =
            "large tables miss the TLB less with: echo always > /sys/kernel/mm/transparent_hugepage/enabled";
        finding(
            "huge pages",
            Grade::Warn,
            if mode.is_empty() {
                "unknown".to_owned()
            } else {
                mode
            },
            mend,
        )
    }
}

fn governor() -> Finding {
    let governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    match governor.as_str() {
        "" => finding(
            "governor",
            Grade::Good,
            "not visible here (virtual machine or fixed clock)",
            "",
        ),
        "performance" => finding("governor", Grade::Good, governor, ""),
        _ => finding(
            "governor",
            Grade::Warn,
            governor,
            "cpupower frequency-set -g performance",
        ),
    }
}

/// Files that a process needs beside its clients' connections: segments, sockets, databases.
const FILES_BESIDE: u64 = 1_024;

fn open_files(settings: &Settings) -> Finding {
    let clients = match settings.http.listen.is_empty() {
        true => 0,
        false => u64::from(settings.http.connections),
    };
    let need = clients + FILES_BESIDE;
    let limit = read("/proc/self/limits")
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .and_then(|line| line.split_whitespace().nth(3))
        .map_or(0, |soft| soft.parse().unwrap_or(u64::MAX)); // or "unlimited"
    if limit < need {
        let found = format!("{limit}, {need} for http.connections and the rest");
        let mend = "raise it (ulimit -n 65536, or LimitNOFILE in the unit), or lower http.connections";
        finding("open files", Grade::Warn, found, mend)
    } else {
        finding("open files", Grade::Good, limit.to_string(), "")
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}
