//! Turns the folder `assets` into a table of embedded files with their entity tags, and works out the content security
//! policy: the page's one inline script is its import map, which the policy names by hash.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("assets");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files);
    // The table is searched by the text of the path, which sorts otherwise than a path does.
    files.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));

    let mut table =
        String::from("/// Every file, sorted by path.\npub(crate) static ASSETS: &[Asset] = &[\n");
    for file in &files {
        write_row(&mut table, &root, file);
    }
    table.push_str("];\n");
    let page = fs::read_to_string(root.join("index.html")).expect("the page is there");
    let policy = policy(import_map(&page));
    writeln!(
        table,
        "/// See [`crate::SECURITY_HEADERS`].\npub(crate) const POLICY: &str = {policy:?};"
    )
    .expect("a string takes it");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("assets.rs");
    fs::write(out, table).expect("the output folder can be written");
}

/// All files below a folder but pages about them.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path.extension().is_none_or(|ending| ending != "md") {
            files.push(path);
        }
    }
}

fn write_row(table: &mut String, root: &Path, file: &Path) {
    println!("cargo::rerun-if-changed={}", file.display());
    let path = file.strip_prefix(root).expect("below the root");
    let path = path.to_str().expect("paths are UTF-8");
    let digest = Sha256::digest(fs::read(file).expect("the file can be read"));
    let tag: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let full = file.to_str().expect("paths are UTF-8");
    writeln!(
        table,
        "    Asset {{ path: {path:?}, bytes: include_bytes!({full:?}), content_type: {:?}, etag: \"\\\"{tag}\\\"\", cache_control: {:?} }},",
        content_type(path),
        cache_control(path)
    )
    .expect("a string takes it");
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "LICENSE" | "" => "text/plain; charset=utf-8",
        _ if path.ends_with("/LICENSE") => "text/plain; charset=utf-8",
        other => panic!("no content type for .{other}: {path}"),
    }
}

/// Vendored files have their version in the path and never change; everything else is asked for again by its tag.
fn cache_control(path: &str) -> &'static str {
    if path.starts_with("vendor/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn import_map(page: &str) -> &str {
    let (_, rest) = page
        .split_once("<script type=\"importmap\">")
        .expect("the page has an import map");
    rest.split_once("</script>").expect("the import map ends").0
}

fn policy(import_map: &str) -> String {
    let hash = base64(&Sha256::digest(import_map));
    format!(
        "default-src 'self'; script-src 'self' 'sha256-{hash}'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .enumerate()
            .fold(0u32, |group, (i, &byte)| group | u32::from(byte) << (16 - 8 * i));
        for i in 0..4 {
            let index = group >> (18 - 6 * i) & 63;
            text.push(if i <= chunk.len() {
                BASE64[index as usize] as char
            } else {
                '='
            });
        }
    }
    text
}
