//! The management address, and what the public one keeps to itself.

use std::collections::BTreeSet;

use crate::browser::{Browser, redeem};
use crate::evil_idp::Answer as Script;
use crate::http::{raw, request};
use crate::provider;
use crate::redis::RedisServer;
use crate::stage::{HOST, SERVER, Server, Stage, until};

/// Names and labels of all series, without their values.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

fn value(text: &str, series: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in {text}")).parse().expect("a number")
}

#[test]
fn metrics_are_openmetrics_with_histograms_refusals_and_upstream_errors() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let code = Browser::default().login(&server, &[]).code();
    assert_eq!(redeem(&server, &code).status, 200);
    redeem(&server, &code);
    server.get("/acs/authorize?client_id=nobody");
    idp.set(|script| script.token = Script::Fixed(500, "text/plain", "out of order".to_owned()));
    Browser::default().login(&server, &[]);

    let answer = server.managed("/metrics");
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text")));
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for series in [
        "vestibule_http_requests_total{endpoint=\"token\",status=\"200\"}",
        "vestibule_http_requests_total{endpoint=\"token\",status=\"400\"}",
        "vestibule_http_request_seconds_count{endpoint=\"callback\"}",
        "vestibule_http_request_seconds_bucket{le=\"+Inf\",endpoint=\"authorize\"}",
        "vestibule_refusals_total{code=\"invalid_grant\"}",
        "vestibule_upstream_errors_total{idp=\"contoso\",fault=\"unavailable\"}",
        "vestibule_logins_total{code=\"signed_in\"}",
        "vestibule_logins_total{code=\"failed\"}",
    ] {
        assert!(value(&text, series) >= 1.0, "{series}");
    }
    check_syntax(&text);
}

/// OpenMetrics 1.0: each family is described once, before its samples, and its buckets add up.
fn check_syntax(text: &str) {
    let mut described = BTreeSet::new();
    let mut last_bucket: Option<(String, f64)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().expect("a name");
            assert!(described.insert(name.to_owned()), "{name} is described twice");
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (series, number) = line.rsplit_once(' ').expect("a sample");
        let number: f64 = number.parse().unwrap_or_else(|_| panic!("{line}"));
        let name = series.split('{').next().expect("a name");
        let family = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        assert!(described.contains(family.unwrap_or(name)), "{line} is not described");
        if name.ends_with("_bucket") {
            let endpoint = series.rsplit("endpoint=").next().expect("a label").to_owned();
            if let Some((same, before)) = &last_bucket {
                assert!(*same != endpoint || *before <= number, "{line} is less than the bucket before");
            }
            last_bucket = Some((endpoint, number));
        }
    }
    assert!(described.len() > 5, "{described:?}");
}

#[test]
fn a208_what_comes_in_makes_no_new_series() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let strange = |n: usize| {
        let random = format!("canary{n}x{}", n * 7919);
        for target in [
            format!("/acs/authorize?client_id={random}&response_type={random}"),
            format!("/acs/authorize?client_id=access&redirect_uri=https://{random}.example.com"),
            format!("/federation/auth/response/oauth2/{random}?state={random}&error={random}"),
            format!("/federation/auth/initiate?iss=https://{random}.example.com"),
            format!("/{random}"),
            format!("/assets/{random}.css"),
        ] {
            server.get(&target);
        }
        let host = format!("{random}.example.com");
        let misdirected = request("GET", "/acs/jwks", &host, &[("User-Agent", &random)], "");
        raw(server.address, misdirected.as_bytes()).expect("an answer");
        raw(server.address, request(&random.to_uppercase(), "/acs/jwks", HOST, &[], "").as_bytes());
        let form = format!("grant_type={random}&client_id={random}&client_secret={random}&code={random}");
        server.ask("POST", "/acs/token", &[("Content-Type", "application/x-www-form-urlencoded")], &form);
        server.ask("GET", "/acs/userinfo", &[("Authorization", &format!("Bearer {random}"))], "");
    };
    for n in 0..3 {
        strange(n);
    }
    let before = server.metrics();
    for n in 3..40 {
        strange(n);
    }
    let after = server.metrics();
    assert_eq!(series(&before), series(&after));
    assert!(!after.contains("canary"), "{after}");
}

#[test]
fn a255_the_public_address_gives_codes_only_under_any_host() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    stage.edit("idps/contoso.toml", "kind = ", "knid = ");
    until("the reason is told", || server.managed("/readyz").text().contains("contoso.toml"));
    for host in [HOST, "evil.test", "10.0.0.7:8080"] {
        for (target, text) in [("/healthz", "ok"), ("/readyz", "ready")] {
            let answer = raw(server.address, request("GET", target, host, &[], "").as_bytes()).expect("an answer");
            assert_eq!((answer.status, answer.text().as_str()), (200, text), "{host}");
            assert!(answer.header("server").is_none(), "{}", answer.everything());
        }
    }
    for target in ["/metrics", "/readyz/", "/management", "/debug/pprof"] {
        assert_eq!(server.get(target).status, 404, "{target}");
    }
    assert_eq!(server.managed("/acs/jwks").status, 404, "the management address has nothing of the public one");
    assert_eq!(server.managed("/healthz").status, 200);
}

#[test]
fn without_a_management_address_there_are_no_metrics() {
    let stage = Stage::new(Some("https://idp.example.com"));
    stage.edit("vestibule.toml", "[management]\nlisten = \"127.0.0.1:0\"\n", "");
    let server = stage.serve();
    assert_eq!(server.management.port(), 0);
    assert_eq!(server.get("/metrics").status, 404);
}

#[test]
fn readiness_names_a_store_that_is_down_and_comes_back() {
    let mut redis = RedisServer::start();
    let idp = provider();
    let stage = Stage::at(&idp);
    stage.write("vestibule.toml", &format!("{SERVER}[state]\nurl = \"{}\"\n", redis.url()));
    let server = stage.serve();
    assert_eq!(server.get("/readyz").status, 200);
    redis.kill();
    until("it is unready", || server.get("/readyz").status == 503);
    let public = server.get("/readyz");
    assert_eq!(public.text(), "state");
    assert!(public.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()));
    let told = server.managed("/readyz");
    assert_eq!((told.status, &told.json()["blockers"][0]["code"]), (503, &"state".into()));
    assert!(!told.json()["blockers"][0]["detail"].as_str().expect("a text").is_empty());
    assert_eq!(server.get("/healthz").status, 200, "it lives");
    redis.restart();
    until("it is ready again", || server.get("/readyz").status == 200);
    server.stop();
}

#[test]
fn a_provider_that_does_not_answer_is_a_reason_and_no_unreadiness() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server: Server = stage.serve();
    idp.set(|script| script.discovery = Script::Fixed(500, "text/plain", "out of order".to_owned()));
    Browser::default().login(&server, &[]);
    let ready = server.managed("/readyz");
    assert_eq!(ready.status, 200);
    let cares = ready.json()["cares"].to_string();
    assert!(cares.contains("identity_provider") && cares.contains("contoso"), "{cares}");
}
