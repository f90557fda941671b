//! `If-Match` and `If-None-Match` (RFC 9110 §13.1, RFC 7644 §3.14): weak and strong tags compare alike.

use actix_web::HttpRequest;

use crate::flow::scim::desk::Tags;

/// The tags of a header. Those that are none of ours match no version.
pub fn tags(request: &HttpRequest, name: &str) -> Tags {
    let mut versions = Vec::new();
    let mut is_there = false;
    for header in request.headers().get_all(name) {
        is_there = true;
        for tag in header.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Tags::Any;
            }
            versions.extend(version(tag));
        }
    }
    if is_there { Tags::Versions(versions) } else { Tags::None }
}

/// The version that a tag names; some clients leave the quotes out.
fn version(tag: &str) -> Option<u64> {
    let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    bare.parse().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn tags_are_read_in_every_form() {
        let read = |value: &str| {
            tags(&TestRequest::default().insert_header(("If-Match", value)).to_http_request(), "if-match")
        };
        assert_eq!(read("W/\"7\""), Tags::Versions(vec![7]));
        assert_eq!(read("\"7\", W/\"8\" , 9"), Tags::Versions(vec![7, 8, 9]));
        assert_eq!(read("*"), Tags::Any);
        assert_eq!(read("\"other\""), Tags::Versions(Vec::new()));
        assert!(!read("\"other\"").hold(1));
        assert_eq!(tags(&TestRequest::default().to_http_request(), "if-match"), Tags::None);
    }
}
