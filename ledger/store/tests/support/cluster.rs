//! A Postgres cluster of a test's own, started from the installed server's binaries.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Who runs the server where the tests run as root: Postgres refuses root.
const NOBODY: &str = "65534";

/// A server of one test, reached through a socket in its own folder.
pub(crate) struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    server: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    pub(crate) fn start() -> Self {
        let bin = binaries();
        let folder = tempfile::Builder::new()
            .prefix("tw-pg-")
            .tempdir()
            .expect("a folder");
        let mut cluster = Self {
            folder,
            bin,
            server: None,
        };
        if is_root() {
            let path = cluster.folder.path();
            std::os::unix::fs::chown(path, Some(65534), Some(65534)).expect("a folder for nobody");
        }
        let made = cluster
            .command("initdb")
            .args([
                "-D",
                "data",
                "-U",
                "tester",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb").success(), "the cluster was made");
        cluster.up();
        cluster
    }

    /// A server's program, as somebody who may run it, in the cluster's folder.
    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path()).env_remove("PGOPTIONS");
        command
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn up(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log");
        let socket = self.folder.path().display().to_string();
        let server = self
            .command("postgres")
            .args([
                "-D",
                "data",
                "-k",
                &socket,
                "-c",
                "listen_addresses=",
                "-c",
                "max_wal_size=512MB",
            ])
            .args(["-c", "shared_buffers=64MB", "-c", "log_min_messages=warning"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("a server");
        self.server = Some(server);
        for _ in 0..600 {
            if self.query("SELECT 1").is_some() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("the server does not answer: {log}");
    }

    /// Ends the server as a crash would: no shutdown, nothing flushed.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("a running server");
            server.wait().expect("its end");
        }
        // Its children see that it is gone and end; the next start waits for them.
        let pid = self.folder.path().join("data/postmaster.pid");
        for _ in 0..200 {
            if !self.children_run() {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(25));
        }
        let _ = std::fs::remove_file(pid); // as an operator would, once no server runs
    }

    fn children_run(&self) -> bool {
        let data = self.folder.path().join("data");
        let entries = std::fs::read_dir("/proc").expect("/proc");
        entries.flatten().any(|entry| {
            let is_postgres = std::fs::read_to_string(entry.path().join("comm"))
                .is_ok_and(|name| name.trim() == "postgres");
            is_postgres && std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == data)
        })
    }

    /// Runs a statement and gives its answer; none where it fails.
    pub(crate) fn query(&self, sql: &str) -> Option<String> {
        self.query_in("postgres", sql)
    }

    /// Likewise, in one database.
    pub(crate) fn query_in(&self, database: &str, sql: &str) -> Option<String> {
        let answer = self
            .command("psql")
            .args([
                "-h",
                &self.folder.path().display().to_string(),
                "-U",
                "tester",
                "-d",
                database,
            ])
            .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        answer
            .status
            .success()
            .then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }

    /// Makes an empty database and gives its address.
    pub(crate) fn database(&self, name: &str) -> String {
        self.query(&format!("CREATE DATABASE {name}"))
            .expect("a new database");
        self.url(name)
    }

    /// The address of a database.
    pub(crate) fn url(&self, name: &str) -> String {
        let host = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://tester@{host}/{name}")
    }

    /// The cluster's folder, readable for its server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Where the server's binaries are: Debian keeps them beside PATH, by version; the newest counts.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return bin;
    }
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&on_path);
    folders
        .find(|folder| folder.join("initdb").exists())
        .expect("the binaries of a Postgres server: run-tests installs them (Debian: postgresql)")
}
