//! What the Redis store promises of its lists besides the contract: what stands in the server, and for how long.

use vestibule::base::Span;
use vestibule::state::{Kind, LIST_MAX};

use crate::fixture::{MINUTE, enlist, entry, in_time, list, listed, name, record, redis_at, until};
use crate::redis_server::RedisServer;

fn key(of: &str) -> String {
    format!("vestibule:list:{{sessions_of_user:{}}}", list(of).digest.base64url())
}

fn number(server: &RedisServer, command: &[&str]) -> i64 {
    redis::from_redis_value(server.ask(command)).unwrap()
}

#[tokio::test]
async fn a_list_is_a_sorted_set_by_the_moments_at_which_times_end() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    enlist(&*store, vec![entry("a", "member", Span::hours(8))]).await;
    assert_eq!(server.ask(&["KEYS", "*"]), redis::Value::Array(vec![redis::Value::BulkString(key("a").into_bytes())]));
    let score: String = redis::from_redis_value(server.ask(&["ZSCORE", &key("a"), "member"])).unwrap();
    let [secs, micros]: [i64; 2] = {
        let time: Vec<String> = redis::from_redis_value(server.ask(&["TIME"])).unwrap();
        [time[0].parse().unwrap(), time[1].parse().unwrap()]
    };
    let left = score.parse::<i64>().unwrap() - (secs * 1_000 + micros / 1_000);
    assert!(left <= Span::hours(8).ms() && left > Span::hours(8).ms() - 10_000, "{left}");
}

#[tokio::test]
async fn the_key_of_a_list_lives_as_long_as_its_longest_member() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let near = |expected: Span| {
        let found = number(&server, &["PTTL", &key("a")]);
        let most = expected.ms() + 1_000;
        assert!(found <= most && found > most - 10_000, "{found} ms for {} ms", expected.ms());
    };
    enlist(&*store, vec![entry("a", "x", MINUTE)]).await;
    near(MINUTE);
    enlist(&*store, vec![entry("a", "y", Span::hours(2))]).await;
    near(Span::hours(2));
    enlist(&*store, vec![entry("a", "z", MINUTE), entry("a", "y", MINUTE)]).await;
    near(Span::hours(2));
    enlist(&*store, vec![entry("a", "x", Span::hours(24 * 400))]).await;
    near(Span::hours(24 * 400));
    // Lifetimes that a number in a script might write with an exponent.
    for secs in [100_000, 1_000_000, 100_000_000] {
        server.ask(&["DEL", &key("a")]);
        enlist(&*store, vec![entry("a", "x", Span::from_ms(secs * 1_000 - 1_000))]).await;
        near(Span::from_ms(secs * 1_000 - 1_000));
    }
    enlist(&*store, vec![entry("b", "x", Span::ZERO)]).await;
    until("the key is gone", || async { number(&server, &["EXISTS", &key("b")]) == 0 }).await;
}

#[tokio::test]
async fn a_write_drops_what_is_over_and_what_is_too_much() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let mut entries: Vec<_> = (0..50).map(|n| entry("a", &n.to_string(), Span::ZERO)).collect();
    entries.push(entry("a", "stays", Span::hours(1)));
    enlist(&*store, entries).await;
    until("their time is over", || async { listed(&*store, "a").await == ["stays"] }).await;
    enlist(&*store, vec![entry("a", "new", MINUTE)]).await;
    assert_eq!(number(&server, &["ZCARD", &key("a")]), 2);
    enlist(&*store, (0..LIST_MAX + 30).map(|n| entry("a", &n.to_string(), MINUTE)).collect()).await;
    assert_eq!(number(&server, &["ZCARD", &key("a")]), i64::try_from(LIST_MAX).unwrap());
}

#[tokio::test]
async fn each_method_of_lists_is_one_round_trip() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let records = (0..5).map(|n| record(Kind::Session, &format!("{n}"), "bytes")).collect();
    let entries = (0..3).map(|n| entry(&format!("{n}"), "member", MINUTE)).collect();
    store.put_listed(records, entries).await.unwrap();
    assert_eq!(store.round_trips(), 1);
    listed(&*store, "0").await;
    store.peek_all((0..5).map(|n| name(Kind::Session, &format!("{n}"))).collect()).await.unwrap();
    assert_eq!(store.round_trips(), 3);
}

#[tokio::test]
async fn the_scripts_of_lists_are_told_again_after_a_flush() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    store.ping().await.unwrap();
    server.ask(&["SCRIPT", "FLUSH"]);
    store.put_listed(vec![record(Kind::Session, "a", "bytes")], vec![entry("a", "member", MINUTE)]).await.unwrap();
    server.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(listed(&*store, "a").await, ["member"]);
}

#[tokio::test]
async fn each_command_of_lists_that_is_asked_for_is_needed_and_together_they_are_enough() {
    let server = RedisServer::start();
    let rights = ["+hello", "+client", "+select", "+info", "+script|load", "+evalsha", "+get", "+set", "+del", "+time"];
    let of_lists = ["+zadd", "+zrange", "+zremrangebyscore", "+zremrangebyrank", "+pttl", "+pexpire"];
    let user = ["ACL", "SETUSER", "vestibule", "reset", "on", ">pass", "~vestibule:*"];
    let store = redis_at(&format!("redis://vestibule:pass@{}", server.address()));
    let both = || async {
        in_time(store.put_listed(Vec::new(), vec![entry("a", "x", MINUTE), entry("a", "y", Span::hours(1))])).await?;
        in_time(store.list(list("a"))).await
    };
    for missing in of_lists {
        let others: Vec<_> = of_lists.into_iter().filter(|right| *right != missing).collect();
        server.ask(&["DEL", &key("a")]);
        server.ask(&[&user[..], &rights[..], &others[..]].concat());
        let fault = both().await.expect_err(missing);
        assert!(!fault.0.contains("vestibule:"), "{fault}");
    }
    server.ask(&["DEL", &key("a")]);
    server.ask(&[&user[..], &rights[..], &of_lists[..]].concat());
    assert_eq!(both().await.unwrap(), ["x", "y"]);
}

#[tokio::test]
async fn f08_a_full_server_refuses_new_members_and_still_lists_those_it_has() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    enlist(&*store, vec![entry("a", "member", MINUTE)]).await;
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "100"]);
    let fault = store.put_listed(Vec::new(), vec![entry("a", "new", MINUTE)]).await.unwrap_err();
    assert!(fault.0.contains("OOM"), "{fault}");
    assert!(store.put_listed(Vec::new(), vec![entry("b", "new", MINUTE)]).await.is_err());
    assert_eq!(listed(&*store, "a").await, ["member"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(listed(&*store, "b").await.is_empty());
    enlist(&*store, vec![entry("a", "new", Span::hours(1))]).await;
    assert_eq!(listed(&*store, "a").await, ["member", "new"]);
}

#[tokio::test]
async fn something_else_under_the_key_of_a_list_is_a_fault() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    server.ask(&["SET", &key("a"), "x"]);
    assert!(store.put_listed(Vec::new(), vec![entry("a", "member", MINUTE)]).await.is_err());
    assert!(store.list(list("a")).await.is_err());
}
