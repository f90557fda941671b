//! The token endpoint: one proof, in its place, of the right kind; nothing cacheable, nothing readable by others.

use std::collections::BTreeSet;

use crate::support::client::{Client, Proof, basic};
use crate::support::http::{Request, Response};
use crate::support::redis::RedisServer as Redis;
use crate::world::World;

fn post(world: &World, fields: &[(&str, &str)]) -> Request {
    Request::form(&world.server.url("/acs/token"), fields)
}

#[track_caller]
fn says(answer: &Response, status: u16, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{}", answer.text());
    assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")), "answers aren't kept");
}

#[test]
fn a082_two_proofs_at_once_are_refused() {
    let world = World::new();
    let (ask, code) = world.fresh_code(&Client::access());
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", ask.get("redirect_uri").expect("set")),
        ("code_verifier", ask.verifier.as_str()),
        ("client_id", "access"),
    ];
    let header = basic("access", "access-secret");
    let both = [fields.as_slice(), &[("client_secret", "access-secret")]].concat();
    says(&world.server.send(&post(&world, &both).header("Authorization", &header)), 400, "invalid_request");
    let jwt_bearer = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let assertion = [fields.as_slice(), &[jwt_bearer, ("client_assertion", "e30.e30.")]].concat();
    says(&world.server.send(&post(&world, &assertion).header("Authorization", &header)), 400, "invalid_request");
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).status, 200, "the code was not touched");
}

#[test]
fn a083_nothing_is_taken_from_the_query_and_get_is_no_method() {
    let world = World::new();
    let (ask, code) = world.fresh_code(&Client::access());
    let uri = form_urlencoded::byte_serialize(ask.get("redirect_uri").expect("set").as_bytes()).collect::<String>();
    let query = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={uri}&code_verifier={}&client_id=access&client_secret=access-secret",
        ask.verifier
    );
    let url = world.server.url(&format!("/acs/token?{query}"));
    assert_eq!(world.server.send(&Request::get(&url)).status, 405);
    let answer = world.server.send(&Request::form::<&str, &str>(&url, &[]));
    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
    let with_secret_outside = world.server.url("/acs/token?client_id=access&client_secret=access-secret");
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert!(matches!(world.server.send(&Request::form(&with_secret_outside, &fields)).status, 400 | 401));
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).status, 200, "the code was not touched");
}

#[test]
fn a084_an_empty_or_missing_secret_proves_nothing() {
    let world = World::new();
    let fields = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", "access")];
    says(&world.server.send(&post(&world, &fields)), 401, "invalid_client");
    let empty = [fields.as_slice(), &[("client_secret", "")]].concat();
    says(&world.server.send(&post(&world, &empty)), 401, "invalid_client");
    for header in ["Basic", "Basic ", "Basic Og==", "Basic !!!", &basic("access", ""), "Bearer x"] {
        let request = post(&world, &fields[..2]).header("Authorization", header);
        let answer = world.server.send(&request);
        says(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").is_some_and(|v| v.starts_with("Basic")), "RFC 6749 §5.2: {header}");
    }
    says(&world.server.send(&post(&world, &fields[..2])), 401, "invalid_client");
}

#[test]
fn a_secret_of_any_characters_is_read_as_rfc_6749_says() {
    let secret = "p:ä+ %41&=é/";
    let world = World::with(|setup, _| {
        setup.env.insert("ACCESS_SECRET".to_owned(), secret.to_owned());
        setup.keys("clients/access.toml", "client_id = \"acc: ess+1\"");
    });
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    for proof in [Proof::Basic, Proof::Post] {
        let known =
            |secret: &str| Client::new("acc: ess+1", proof(secret.to_owned()), "").token(&world.server, &fields);
        says(&known(secret), 400, "invalid_grant");
        for wrong in ["p:ä+ A&=é/", "p:ä  %41&=é/", "p", "p:a\u{308}+ %41&=é/", &format!("{secret} ")] {
            says(&known(wrong), 401, "invalid_client");
        }
    }
}

#[test]
fn a085_an_unknown_client_and_a_wrong_secret_are_answered_alike() {
    let world = World::new();
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let wrong = Client::new("access", Proof::Basic("wrong".to_owned()), "").token(&world.server, &fields);
    let unknown = Client::new("nobody", Proof::Basic("wrong".to_owned()), "").token(&world.server, &fields);
    says(&wrong, 401, "invalid_client");
    assert_eq!((wrong.status, wrong.text()), (unknown.status, unknown.text()));
    let names = |answer: &Response| answer.headers.iter().map(|(n, _)| n.to_lowercase()).collect::<BTreeSet<_>>();
    assert_eq!(names(&wrong), names(&unknown));
}

#[test]
fn a086_wrong_secrets_without_end_are_put_off_and_the_right_one_still_pays() {
    let world = World::new();
    let wrong = Client::new("access", Proof::Basic("wrong".to_owned()), "");
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let put_off = (0..60).map(|_| wrong.token(&world.server, &fields)).find(|answer| answer.status != 401);
    let put_off = put_off.expect("not sixty guesses in a minute");
    assert!(matches!(put_off.status, 429 | 503), "{}", put_off.status);
    let wait = put_off.header("retry-after").expect("says when");
    assert!(wait.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{wait}");
    let (ask, code) = world.fresh_code(&Client::access());
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).status, 200, "the rightful client gets in");
}

#[test]
fn a092_no_other_grant_exists() {
    let world = World::new();
    let client = Client::access();
    for grant in
        ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "made_up", "CLIENT_CREDENTIALS"]
    {
        let fields = [("grant_type", grant), ("username", "a"), ("password", "b")];
        says(&client.token(&world.server, &fields), 400, "unsupported_grant_type");
    }
    says(&client.token(&world.server, &[("code", "x")]), 400, "invalid_request");
    let world = World::with(|setup, _| {
        setup.edit("clients/second.toml", ", \"refresh_token\"", "");
    });
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    says(&Client::second().token(&world.server, &fields), 400, "unauthorized_client");
}

#[test]
fn a094_only_a_form_of_bounded_size_is_read() {
    let world = World::new();
    let url = world.server.url("/acs/token");
    let header = basic("access", "access-secret");
    let send = |kind: &str, body: &str| {
        let request = Request::new("POST", &url).header("Content-Type", kind).header("Authorization", &header);
        world.server.send(&request.body(body))
    };
    assert_eq!(send("application/json", "{\"grant_type\":\"authorization_code\"}").status, 400);
    assert_eq!(send("multipart/form-data; boundary=x", "--x--").status, 400);
    assert_eq!(send("text/plain", "grant_type=authorization_code").status, 400);
    let form = "application/x-www-form-urlencoded";
    assert_eq!(
        send(form, "grant_type=authorization_code&grant_type=authorization_code&code=x").error(),
        "invalid_request"
    );
    assert_eq!(send(form, "grant_type=authorization_code&code=%FF").status, 400, "broken UTF-8");
    assert_eq!(send(form, &format!("a={}", "x".repeat(64 * 1024))).status, 413);
}

#[test]
fn a095_no_foreign_origin_reads_an_answer() {
    let world = World::new();
    let fields = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", "spa")];
    let allowed = |origin: &str, path: &str, fields: &[(&str, &str)]| {
        let request = Request::form(&world.server.url(path), fields).header("Origin", origin);
        world.server.send(&request).header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed("https://evil.test", "/acs/token", &fields), None);
    assert_eq!(allowed("null", "/acs/token", &fields), None);
    assert_eq!(allowed("https://spa.example.com", "/acs/token", &fields).as_deref(), Some("https://spa.example.com"));
    let confidential = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", "access")];
    assert_eq!(allowed("https://rp.example.com", "/acs/token", &confidential), None);
}

/// Requests that each end at another place: wrong method, unreadable in several ways, too long, unproven.
fn refusals(url: &str) -> Vec<Request> {
    let form = Request::form(url, &[("token", "x")]);
    vec![
        Request::new("DELETE", url),
        form.clone(),
        form.clone().instead("Content-Type", "application/json"),
        form.clone().header("Content-Encoding", "gzip"),
        form.clone().header("Authorization", "Basic eDp5").header("Authorization", "Basic eDp5"),
        form.clone().header("Authorization", "Basic eDp5"),
        form.clone().body(format!("a={}", "x".repeat(64 * 1024))),
        form.clone().body("\u{feff}token=x"),
        form.body(""),
        Request::form(&format!("{url}?a=1"), &[("a", "1")]),
    ]
}

#[test]
fn a095_at_no_endpoint_is_an_answer_kept_or_read_by_a_foreign_origin() {
    let world = World::new();
    for (path, for_browsers) in [
        ("/acs/token", true),
        ("/acs/userinfo", true),
        ("/acs/revoke", true),
        ("/acs/par", true),
        ("/acs/introspect", false),
        ("/federation/auth/logout/backchannel", false),
    ] {
        let url = world.server.url(path);
        let allowed = |request: Request, origin: &str| {
            let answer = world.server.send(&request.header("Origin", origin));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            (answer.header("access-control-allow-origin").map(str::to_owned), answer)
        };
        for request in refusals(&url) {
            for foreign in ["https://evil.test", "null", "https://spa.example.com.evil.test", "http://spa.example.com"]
            {
                let (origin, answer) = allowed(request.clone(), foreign);
                let what = format!("{} {path} {:?}: {}", request.method, request.headers, answer.text());
                assert_eq!(origin, None, "{what}");
                assert!((400..=413).contains(&answer.status), "{} {what}", answer.status);
                assert!(answer.header("cache-control").is_some_and(|kept| kept.contains("no-store")), "{what}");
                if !answer.text().is_empty() {
                    assert!(answer.json()["error"].is_string(), "{what}");
                }
            }
        }
        let preflight = Request::new("OPTIONS", &url).header("Access-Control-Request-Method", "POST");
        assert_eq!(allowed(preflight.clone(), "https://evil.test").0, None);
        let own = for_browsers.then(|| "https://spa.example.com".to_owned());
        assert_eq!(allowed(preflight, "https://spa.example.com").0, own, "{path}");
        let (origin, answer) = allowed(Request::form(&url, &[("a", "1")]), "https://spa.example.com");
        assert_eq!(origin, own, "{path}");
        let shown = own.map(|_| "WWW-Authenticate, Retry-After");
        assert_eq!(answer.header("access-control-expose-headers"), shown, "{path}: why, and when to come again");
    }
}

#[test]
fn a096_a_public_client_has_no_secret_and_a_disabled_one_no_right() {
    let world = World::with(|setup, _| {
        setup.keys("clients/second.toml", "enabled = false");
    });
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let public = Client::new("spa", Proof::Post("secret".to_owned()), "");
    says(&public.token(&world.server, &fields), 401, "invalid_client");
    says(&Client::second().token(&world.server, &fields), 401, "invalid_client");
}

#[test]
fn a098_while_the_store_is_down_a_code_is_unavailable_not_invalid() {
    let mut redis = Redis::start();
    let world = World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
    });
    let client = Client::access();
    let tokens = world.sign_in(&mut world.server.browser());
    let (ask, code) = world.fresh_code(&client);
    redis.freeze();
    let answer = client.redeem(&world.server, &ask, &code);
    says(&answer, 503, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some_and(|v| v.parse::<u32>().is_ok()));
    assert_eq!(crate::support::client::userinfo(&world.server, &tokens.access).status, 503);
    redis.thaw();
    crate::support::server::wait_until("the store is back", || world.server.get("/readyz").status == 200);
    let late = client.redeem(&world.server, &ask, &code);
    // The command that was given up may have reached the store: then the code is spent, and that is what is said.
    assert!(late.status == 200 || late.error() == "invalid_grant", "{}", late.text());
    redis.kill();
    let (status, error) = {
        let answer = client.redeem(&world.server, &ask, "a-code-of-some-sort");
        (answer.status, answer.error())
    };
    assert_eq!((status, error.as_str()), (503, "temporarily_unavailable"));
}
