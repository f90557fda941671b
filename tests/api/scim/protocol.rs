//! How requests and answers look, whatever they are about.

use serde_json::json;

use super::world;
use crate::support::http::Request;
use crate::support::scim::{LIST_RESPONSE, PATCH_OP, Scim, id, is_error, person};

#[test]
fn errors_are_scim_bodies_of_its_own_type_wherever_they_arise() {
    let world = world();
    let scim = Scim::new(&world.server);
    is_error(&scim.get("/Users/unknown"), 404, None);
    is_error(&scim.get("/Else"), 404, None);
    is_error(&scim.get("/Users/a/b"), 404, None);
    is_error(&scim.get(""), 404, None);
    is_error(&scim.get("/Me"), 501, None);
    is_error(&scim.send(&scim.with_body("POST", "/Bulk", &json!({}))), 501, None);
    for (method, path, allow) in [
        ("PUT", "/Users", "GET, HEAD, POST"),
        ("DELETE", "/Groups", "GET, HEAD, POST"),
        ("POST", "/Users/abc", "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", "/Users/.search", "POST"),
        ("POST", "/Schemas", "GET, HEAD"),
        ("OPTIONS", "/Users", "GET, HEAD, POST"),
    ] {
        let answer = scim.send(&scim.request(method, path));
        is_error(&answer, 405, None);
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[test]
fn only_the_issuers_own_name_is_answered() {
    let world = world();
    let scim = Scim::new(&world.server);
    let answer = scim.send(&scim.request("GET", "/Users").instead("Host", "evil.test"));
    is_error(&answer, 421, None);
}

#[test]
fn answers_are_plain_json_for_who_takes_nothing_else() {
    let world = world();
    let scim = Scim::new(&world.server);
    for (accept, kind) in [
        (None, "application/scim+json"),
        (Some("*/*"), "application/scim+json"),
        (Some("application/scim+json"), "application/scim+json"),
        (Some("application/json"), "application/json"),
        (Some("application/json; charset=utf-8"), "application/json"),
        (Some("application/json, application/scim+json"), "application/scim+json"),
        (Some("text/html"), "application/scim+json"),
    ] {
        let mut request = scim.request("GET", "/Users/unknown");
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        assert_eq!(scim.send(&request).header("content-type"), Some(kind), "{accept:?}");
    }
}

#[test]
fn bodies_come_as_scim_or_plain_json_of_any_charset_and_nothing_else() {
    let world = world();
    let scim = Scim::new(&world.server);
    let kinds = [
        Some("application/scim+json"),
        Some("application/scim+json; charset=utf-8"),
        Some("application/json"),
        Some("Application/JSON; charset=iso-8859-1"),
        None,
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let body = person(&format!("u{n}@contoso.com"), &format!("e{n}")).to_string();
        let mut request = scim.request("POST", "/Users").body(body);
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        assert_eq!(scim.send(&request).status, 201, "{kind:?}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let request = scim.request("POST", "/Users").header("Content-Type", kind).body("{}");
        is_error(&scim.send(&request), 415, None);
    }
}

#[test]
fn broken_bodies_are_invalid_syntax_and_change_nothing() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&user));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
    let wide = format!("{{{}\"z\":1}}", (0..512).map(|n| format!("\"a{n}\":1,")).collect::<String>());
    for body in ["", " ", "{", "[]", "null", "\"x\"", "{\"userName\":}", "{\"userName\":\"a\\u0000b\"}", &deep, &wide] {
        for (method, path) in [("POST", "/Users"), ("PUT", &path), ("PATCH", &path), ("POST", "/Groups")] {
            let request = scim.request(method, path).header("Content-Type", "application/scim+json").body(body);
            is_error(&scim.send(&request), 400, Some("invalidSyntax"));
        }
    }
    assert_eq!(scim.get(&path).json(), user);
    assert_eq!(scim.get("/Users").json()["totalResults"], 1);
    assert_eq!(scim.get("/Groups").json()["totalResults"], 0);
}

#[test]
fn double_and_trailing_slashes_are_tolerated() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    for path in ["/Users/", "//Users", "//Users//"] {
        assert_eq!(scim.get(path).json()["totalResults"], 1, "{path}");
    }
    assert_eq!(scim.get(&format!("//Users//{}/", id(&user))).json(), user);
    // Before the prefix there is one spelling, as everywhere else.
    let request = scim.request("GET", "/Users").target("//usergroup/scim/v2/Users");
    assert_eq!(scim.send(&request).status, 404);
}

#[test]
fn query_strings_are_decoded_with_plus_as_a_space_and_unknown_parameters_are_ignored() {
    let world = world();
    let scim = Scim::new(&world.server);
    scim.user("alice@contoso.com", "alice");
    for query in [
        "filter=userName+eq+%22alice@contoso.com%22",
        "filter=userName%20eq%20%22alice%40contoso.com%22",
        "aadOptscim062020&filter=userName+eq+%22ALICE@contoso.com%22&made=up",
    ] {
        let answer = scim.send(&scim.request("GET", "/Users").target(&format!("/usergroup/scim/v2/Users?{query}")));
        assert_eq!(answer.json()["totalResults"], 1, "{query}: {}", answer.text());
    }
}

#[test]
fn e01_the_test_connection_of_entra_and_of_okta_gets_a_list_response() {
    let world = world();
    let scim = Scim::new(&world.server);
    let answer = scim.get("/Users?filter=userName eq \"2d9c6e1c-9d5f-4b1c-8f6e-0a3b6d8f1c11\"");
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "schemas": [LIST_RESPONSE], "totalResults": 0, "itemsPerPage": 0, "startIndex": 1, "Resources": [] })
    );
    let answer = scim.get("/Users?startIndex=1&count=2").json();
    assert!(answer["totalResults"].is_u64() && answer["startIndex"].is_u64() && answer["itemsPerPage"].is_u64());
}

#[test]
fn a_head_request_is_answered_without_a_body() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let answer = scim.send(&scim.request("HEAD", &format!("/Users/{}", id(&user))));
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
}

#[test]
fn nothing_of_a_refused_value_is_told_back() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let body = json!({ "schemas": [PATCH_OP], "Operations": [
        { "op": "replace", "path": "active", "value": "CanaryWord" },
    ]});
    let answer = scim.send(&scim.with_body("PATCH", &format!("/Users/{}", id(&user)), &body));
    let detail = is_error(&answer, 400, Some("invalidValue"));
    assert!(detail.contains("active") && !detail.contains("CanaryWord"), "{detail}");
}

#[test]
fn scripts_of_browsers_are_not_let_in() {
    let world = world();
    let scim = Scim::new(&world.server);
    let preflight = Request::new("OPTIONS", &scim.url("/Users")).header("Origin", "https://spa.example.com");
    let answer = scim.send(&preflight);
    assert!(answer.header("access-control-allow-origin").is_none(), "{answer:?}");
}
