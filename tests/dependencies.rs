//! What may be compiled into code on pinned threads, held against Cargo.lock: there the dependencies of tests and builds stand as well, so
//! what is not reached there is reached by no choice of features.

use std::collections::{BTreeMap, BTreeSet};

/// Crates whose code runs on pinned threads.
const PINNED: [&str; 6] = [
    "tradewind-domain",
    "tradewind-machine",
    "tradewind-feeds",
    "tradewind-risk",
    "tradewind-rules",
    "tradewind-books",
];
/// Beginnings of names of what they never compile: an executor, a database.
const DENIED: [&str; 4] = ["tokio", "sqlx", "async-std", "smol"];

/// Names of packages with those that they depend on.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let lock = include_str!("../Cargo.lock");
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in lock.split("[[package]]").skip(1) {
        let name = entry.lines().find_map(|line| line.strip_prefix("name = "));
        let name = name.expect("a package has a name").trim_matches('"');
        let listed = entry.split_once("dependencies = [").map_or("", |(_, rest)| rest);
        let listed = listed.split(']').next().unwrap_or("");
        let names = listed.lines().filter_map(|line| {
            let text = line.trim().trim_matches([',', '"']);
            text.split(' ').next().filter(|name| !name.is_empty())
        });
        // Versions of one name are taken together.
        let entry = packages.entry(name.to_owned()).or_default();
        entry.extend(names.map(str::to_owned));
    }
    packages
}

#[test]
fn code_on_pinned_threads_never_compiles_an_executor_or_a_database() {
    let packages = packages();
    for pinned in PINNED {
        let mut reached = BTreeSet::new();
        let mut next = vec![pinned];
        while let Some(name) = next.pop() {
            let depends = packages
                .get(name)
                .unwrap_or_else(|| panic!("{name} is not in Cargo.lock"));
            if reached.insert(name) {
                next.extend(depends.iter().map(String::as_str));
            }
        }
        assert!(reached.len() > 10, "{pinned}: its dependencies were not read");
        let denied: Vec<_> = reached
            .into_iter()
            .filter(|name| DENIED.iter().any(|denied| name.starts_with(denied)))
            .collect();
        assert!(denied.is_empty(), "{pinned} compiles {denied:?}");
    }
    assert!(
        packages["tradewind-http"].contains("tokio"),
        "the list says what it is about"
    );
}
