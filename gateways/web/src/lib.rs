//! The dashboard: the files of the page that traders work with, embedded in the binary.
//!
//! # Invariants
//! - Nothing is fetched from elsewhere: every script, style and picture is below `assets`, and the content security policy allows
//!   no other origin and no inline script or style. The one inline element, the import map, is allowed by its hash.
//! - Vendored files are byte for byte those of their release: `assets/vendor/README.md` names version, licence and SHA-256 of each.
//! - Every reject code has words that a trader understands (`assets/js/words/rejects.js`).
//! - There is no build step for scripts: what is in the repository is what the browser runs.
//!
//! Not here: the server (`gateways/http` mounts [`asset`] at `/`), the data (`/api/v1` and `/ws`).

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One file of the dashboard.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Path below `/`, without a leading slash.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Value of `ETag`, with its quotes: half of the SHA-256 of the bytes.
    pub etag: &'static str,
    /// Value of `Cache-Control`.
    pub cache_control: &'static str,
}

/// Headers that go with every answer that carries a file of the dashboard, names in lower case.
pub const SECURITY_HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The file at a path of a request; `/` is the page.
///
/// ```
/// let page = tradewind_web::asset("/").unwrap();
/// assert_eq!(page.content_type, "text/html; charset=utf-8");
/// assert!(tradewind_web::asset("/../Cargo.toml").is_none());
/// ```
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = if path.is_empty() { "index.html" } else { path };
    let index = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    Some(ASSETS[index])
}

/// Every file, sorted by path.
pub fn assets() -> &'static [Asset] {
    ASSETS
}
