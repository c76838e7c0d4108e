//! The dashboard's files are what they say they are.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tradewind_domain::reject::RejectCode;
use tradewind_web::{SECURITY_HEADERS, asset, assets};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(path: &str) -> &'static str {
    let asset = asset(path).unwrap_or_else(|| panic!("{path} is not there"));
    std::str::from_utf8(asset.bytes).unwrap()
}

/// Rows of the only table of a page in Markdown, without its head.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    page.lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn vendored_files_are_those_of_the_manifest_and_there_are_no_others() {
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/vendor");
    let manifest = fs::read_to_string(vendor.join("README.md")).unwrap();
    let mut named = BTreeSet::new();
    for row in rows(&manifest) {
        let [package, version, licence, file, sha256] = row[..] else {
            panic!("a row has five cells: {row:?}");
        };
        assert!(!package.is_empty() && ["MIT", "Apache-2.0"].contains(&licence));
        assert!(
            file.contains(&format!("-{version}/")),
            "{file}: its folder names {version}"
        );
        let bytes = asset(&format!("/vendor/{file}"))
            .unwrap_or_else(|| panic!("{file} is not there"))
            .bytes;
        assert_eq!(hex(&Sha256::digest(bytes)), sha256, "{file}");
        named.insert(format!("vendor/{file}"));
    }
    let shipped: BTreeSet<String> = assets()
        .iter()
        .filter(|a| a.path.starts_with("vendor/"))
        .map(|a| a.path.to_owned())
        .collect();
    assert_eq!(named, shipped);
}

#[test]
fn every_reject_code_has_words_and_no_other_word_has_a_line() {
    let table = text("/js/words/rejects.js");
    let (_, table) = table.split_once("Object.freeze({").unwrap();
    let (table, _) = table.split_once("});").unwrap();
    let mut written = BTreeSet::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (code, words) = line
            .split_once(": \"")
            .unwrap_or_else(|| panic!("CODE: \"words\" is missing: {line}"));
        assert!(words.len() > 10 && words.ends_with(".\","), "a sentence: {line}");
        assert!(written.insert(code), "{code} twice");
    }
    let known: BTreeSet<&str> = RejectCode::ALL.iter().map(|code| code.text()).collect();
    assert_eq!(
        written, known,
        "codes of the engine, and lines of js/words/rejects.js"
    );
}

#[test]
fn nothing_names_another_origin() {
    for asset in assets().iter().filter(|asset| !asset.path.starts_with("vendor/")) {
        let text = std::str::from_utf8(asset.bytes).unwrap();
        for scheme in ["http://", "https://", "ws://", "wss://"] {
            for (at, _) in text.match_indices(scheme) {
                let rest = &text[at..];
                // The name of the SVG namespace is not fetched.
                assert!(
                    rest.starts_with("http://www.w3.org/2000/svg"),
                    "{}: {:.60}",
                    asset.path,
                    rest
                );
            }
        }
    }
}

#[test]
fn modules_import_only_what_is_there() {
    let map = text("/");
    for asset in assets().iter().filter(|asset| asset.path.starts_with("js/")) {
        let folder = Path::new(asset.path).parent().unwrap();
        for target in text(asset.path)
            .split(" from \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            if target.starts_with('.') {
                let mut path = folder.to_path_buf();
                for part in target.split('/') {
                    match part {
                        "." => {}
                        ".." => assert!(path.pop()),
                        name => path.push(name),
                    }
                }
                assert!(
                    tradewind_web::asset(path.to_str().unwrap()).is_some(),
                    "{}: {target}",
                    asset.path
                );
            } else {
                assert!(
                    map.contains(&format!("\"{target}\": \"/vendor/")),
                    "{}: {target}",
                    asset.path
                );
            }
        }
    }
}

#[test]
fn the_page_names_only_files_that_are_there_and_nothing_inline_but_the_import_map() {
    let page = text("/");
    let mut named = 0;
    for mark in ["src=\"/", "href=\"/", ": \"/"] {
        for path in page.split(mark).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(asset(path).is_some(), "{path}");
            named += 1;
        }
    }
    assert!(named > 10, "paths are found at all");
    assert!(
        !page.contains("style=") && !page.contains("<style") && !page.contains(" on"),
        "inline"
    );
    let inline = page
        .split("<script")
        .skip(1)
        .filter(|rest| !rest.split('>').next().unwrap().contains("src="));
    assert_eq!(inline.count(), 1, "one script without a source: the import map");
}

#[test]
fn the_policy_allows_this_origin_and_the_import_map_only() {
    let (name, policy) = SECURITY_HEADERS[0];
    assert_eq!(name, "content-security-policy");
    assert!(policy.starts_with("default-src 'self'; script-src 'self' 'sha256-"));
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'));
}

#[test]
fn paths_that_lead_elsewhere_find_nothing() {
    for path in [
        "/..",
        "/../Cargo.toml",
        "/js",
        "/js/",
        "//index.html",
        "/vendor/README.md",
        "/INDEX.HTML",
        "/index.html?x",
    ] {
        assert!(asset(path).is_none(), "{path}");
    }
}
