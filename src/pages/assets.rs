//! The static files of the pages. A name carries its content's digest, so that browsers keep a file for
//! good and never an old one.

use std::path::Path;
use std::sync::LazyLock;

use crate::base::Digest;

/// A static file of ours, public and the same for everybody.
pub struct Asset {
    /// `/assets/NAME.DIGEST.EXTENSION`.
    pub path: String,
    pub bytes: &'static [u8],
    pub content_type: &'static str,
    /// A strong entity tag with its quotes (RFC 9110 §8.8.3): the SHA-256 of the bytes.
    pub etag: String,
    name: &'static str,
}

impl Asset {
    /// The name of a path stands for one content for ever (RFC 8246).
    pub const CACHE_CONTROL: &'static str = "public, max-age=31536000, immutable";
}

/// What goes with every file under `/assets/` as Content-Security-Policy: an SVG opened by itself is a
/// document of our origin, so it gets an origin of its own and may do nothing.
pub const ASSET_CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// Where the logo of `[pages]` is served; its bytes come from the config folder.
pub const LOGO_PATH: &str = "/assets/logo";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let css = "text/css; charset=utf-8";
    let script = "text/javascript; charset=utf-8";
    let svg = "image/svg+xml";
    vec![
        new("pages.css", include_bytes!("assets/pages.css"), css),
        new("form-post.js", include_bytes!("assets/form-post.js"), script),
        new("leave.js", include_bytes!("assets/leave.js"), script),
        new("mark.svg", include_bytes!("assets/mark.svg"), svg),
    ]
});

fn new(name: &'static str, bytes: &'static [u8], content_type: &'static str) -> Asset {
    let digest = Digest::of(bytes).base64url();
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let short = digest.get(..12).unwrap_or(&digest);
    let path = format!("/assets/{stem}.{short}.{extension}");
    Asset { path, bytes, content_type, etag: format!("\"{digest}\""), name }
}

/// All static files.
#[must_use]
pub fn assets() -> &'static [Asset] {
    &ASSETS
}

/// The static file at `path`.
#[must_use]
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

pub(super) fn asset_path(name: &str) -> String {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| asset.path.clone()).unwrap_or_default()
}

/// The media type of a logo by its file's extension; `None` for what isn't shown as a logo.
#[must_use]
pub fn logo_content_type(file: &Path) -> Option<&'static str> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "webp" => Some("image/webp"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_by_a_path_that_names_its_content() {
        for file in assets() {
            assert!(asset(&file.path).is_some_and(|found| found.etag == file.etag));
            assert_eq!(file.etag, format!("\"{}\"", Digest::of(file.bytes).base64url()));
            assert_eq!(asset_path(file.name), file.path);
        }
        assert!(asset("/assets/pages.css").is_none() && asset("/assets/../Cargo.toml").is_none());
    }

    #[test]
    fn styles_and_images_load_nothing_foreign_and_run_nothing() {
        for file in assets() {
            let text = std::str::from_utf8(file.bytes).expect("UTF-8").replace("http://www.w3.org/2000/svg", "");
            for foreign in ["http:", "https:", "//", "@import", "@font-face", "url(", "<script", "eval("] {
                assert!(!text.contains(foreign), "{}: {foreign}", file.name);
            }
        }
    }

    #[test]
    fn logos_are_images() {
        assert_eq!(logo_content_type(Path::new("a/Logo.SVG")), Some("image/svg+xml"));
        assert_eq!(logo_content_type(Path::new("logo.html")), None);
        assert_eq!(logo_content_type(Path::new("svg")), None);
    }
}
