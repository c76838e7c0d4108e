//! Documents say what is: their links lead somewhere, and the tests that they name exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders that hold no part of the repository.
const SKIPPED: [&str; 5] = ["target", ".git", "corpus", "artifacts", "data"];

/// Files below a folder whose names end so.
fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn all(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(Path::new(env!("CARGO_MANIFEST_DIR")), ending, &mut found);
    found.sort();
    found
}

#[test]
fn links_between_documents_lead_to_files_that_exist() {
    let mut links = 0;
    for page in all(".md") {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or("");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let path = page.parent().unwrap().join(target);
            assert!(
                path.exists(),
                "{} links to {target}, which is not there",
                page.display()
            );
        }
    }
    assert!(links > 10, "links are found at all");
}

#[test]
fn tests_named_in_the_architecture_exist() {
    let mut functions = BTreeSet::new();
    for file in all(".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        let names = text
            .split("fn ")
            .skip(1)
            .filter_map(|rest| rest.split('(').next());
        functions.extend(names.map(str::to_owned));
    }
    let page = include_str!("../docs/ARCHITECTURE.md");
    // A name of five words or more is that of a test.
    let named: BTreeSet<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.matches('_').count() >= 4 && !code.contains(' '))
        .collect();
    let missing: Vec<_> = named.iter().filter(|name| !functions.contains(**name)).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
    assert!(named.len() > 20, "names are found at all");
}
