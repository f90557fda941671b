//! Every sentence of the contract about lists and about reading several records, for every implementation.

use std::collections::BTreeSet;
use std::sync::Arc;

use vestibule::base::Span;
use vestibule::state::{Entry, Kind, LIST_MAX, Name, StateStore, Taken};

use crate::contract::on_every_store;
use crate::fixture::{MINUTE, enlist, entry, list, listed, name, peek, put, record, take, until};

on_every_store! {
    a_list_is_ordered_by_the_ends_of_its_members
    a_member_stands_once_for_the_longer_of_both_times
    a_member_whose_time_is_over_is_not_on_the_list
    a_full_list_loses_those_that_end_first
    of_20_who_write_to_a_list_none_is_lost
    of_20_who_fill_a_list_the_last_to_end_stay
    records_and_members_are_written_in_one_call
    who_sees_a_record_finds_its_member_too
    a033_a_list_is_no_record_and_a_record_is_no_list
    texts_of_members_come_back_as_they_went
    peek_all_answers_each_as_peek_would
}

async fn a_list_is_ordered_by_the_ends_of_its_members(store: Arc<dyn StateStore>) {
    assert!(listed(&*store, "none").await.is_empty());
    for (member, minutes) in [("c", 3), ("a", 1), ("e", 5), ("d", 4), ("b", 2)] {
        enlist(&*store, vec![entry("a", member, Span::minutes(minutes))]).await;
    }
    assert_eq!(listed(&*store, "a").await, ["a", "b", "c", "d", "e"]);
    let reversed = (1..=5).map(|n| entry("b", &n.to_string(), Span::minutes(10 - n))).collect();
    enlist(&*store, reversed).await;
    assert_eq!(listed(&*store, "b").await, ["5", "4", "3", "2", "1"]);
}

async fn a_member_stands_once_for_the_longer_of_both_times(store: Arc<dyn StateStore>) {
    enlist(&*store, vec![entry("a", "x", Span::minutes(1)), entry("a", "y", Span::minutes(5))]).await;
    assert_eq!(listed(&*store, "a").await, ["x", "y"]);
    enlist(&*store, vec![entry("a", "x", Span::minutes(9))]).await;
    assert_eq!(listed(&*store, "a").await, ["y", "x"], "it is extended");
    enlist(&*store, vec![entry("a", "x", Span::minutes(1)), entry("a", "x", Span::ZERO)]).await;
    assert_eq!(listed(&*store, "a").await, ["y", "x"], "and never shortened");
    enlist(&*store, vec![entry("a", "y", Span::minutes(20)), entry("a", "y", Span::minutes(2))]).await;
    assert_eq!(listed(&*store, "a").await, ["x", "y"], "also in one call");
}

async fn a_member_whose_time_is_over_is_not_on_the_list(store: Arc<dyn StateStore>) {
    enlist(&*store, vec![entry("a", "over", Span::ZERO), entry("a", "stays", MINUTE), entry("b", "over", Span::ZERO)])
        .await;
    until("both are over", || async {
        listed(&*store, "a").await == ["stays"] && listed(&*store, "b").await.is_empty()
    })
    .await;
    enlist(&*store, vec![entry("a", "over", Span::hours(1)), entry("b", "over", MINUTE)]).await;
    assert_eq!(listed(&*store, "a").await, ["stays", "over"], "it may come again");
    assert_eq!(listed(&*store, "b").await, ["over"]);
}

fn minutes(n: usize) -> Span {
    Span::minutes(i64::try_from(n).unwrap())
}

async fn a_full_list_loses_those_that_end_first(store: Arc<dyn StateStore>) {
    let numbers = |from: usize| (from..from + LIST_MAX).map(|n| n.to_string()).collect::<Vec<_>>();
    // Those that end last come first: what goes is decided by the end, and not by the order of coming.
    enlist(&*store, (1..=LIST_MAX).rev().map(|n| entry("a", &n.to_string(), minutes(n))).collect()).await;
    assert_eq!(listed(&*store, "a").await, numbers(1));
    for n in LIST_MAX + 1..=LIST_MAX + 3 {
        enlist(&*store, vec![entry("a", &n.to_string(), minutes(n))]).await;
    }
    assert_eq!(listed(&*store, "a").await, numbers(4));
    enlist(&*store, vec![entry("a", "too short", MINUTE)]).await;
    assert_eq!(listed(&*store, "a").await, numbers(4), "the one that ends first is the one that came");
    enlist(&*store, vec![entry("a", "4", minutes(LIST_MAX + 3)), entry("b", "other", MINUTE)]).await;
    let found = listed(&*store, "a").await;
    assert_eq!(found.len(), LIST_MAX);
    assert_eq!(found.iter().filter(|member| *member == "4").count(), 1);
    assert_eq!(found[0], "5", "to extend a member drops none");
    assert_eq!(listed(&*store, "b").await, ["other"], "each list is full for itself");
}

/// Runs 20 writers at once, each of which writes its members one after the other.
async fn race(store: &Arc<dyn StateStore>, entries_of: impl Fn(usize) -> Vec<Entry>) {
    let start = Arc::new(tokio::sync::Barrier::new(20));
    let tasks: Vec<_> = (0..20)
        .map(|writer| {
            let (store, start, entries) = (Arc::clone(store), Arc::clone(&start), entries_of(writer));
            tokio::spawn(async move {
                start.wait().await;
                for entry in entries {
                    enlist(&*store, vec![entry]).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn of_20_who_write_to_a_list_none_is_lost(store: Arc<dyn StateStore>) {
    let entries_of = |writer: usize| {
        let own = (0..20).map(move |n| entry("a", &format!("{writer} {n}"), MINUTE));
        // All extend this one, in every order.
        let shared = (0..20).map(move |n| entry("a", "shared", minutes(1 + (writer * 7 + n * 3) % 20)));
        own.chain(shared).collect()
    };
    race(&store, entries_of).await;
    enlist(&*store, vec![entry("a", "nearly as long", minutes(19))]).await;
    let found = listed(&*store, "a").await;
    assert_eq!(found[400..], ["nearly as long", "shared"], "the longest of its times holds");
    assert_eq!(found.len(), 402);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>().len(), 402);
}

async fn of_20_who_fill_a_list_the_last_to_end_stay(store: Arc<dyn StateStore>) {
    let each = LIST_MAX / 20 + 10;
    race(&store, |writer| {
        (0..each).map(|n| entry("a", &(writer + 20 * n).to_string(), minutes(10 + writer + 20 * n))).collect()
    })
    .await;
    let expected: Vec<_> = (20 * each - LIST_MAX..20 * each).map(|n| n.to_string()).collect();
    assert_eq!(listed(&*store, "a").await, expected);
}

async fn records_and_members_are_written_in_one_call(store: Arc<dyn StateStore>) {
    put(&*store, Kind::Session, "a", "old").await;
    let records = vec![record(Kind::Session, "a", "new"), record(Kind::Code, "b", "code")];
    let on = |kind, member: &str| Entry { list: name(kind, "l"), member: member.to_owned(), lifetime: MINUTE };
    let entries = vec![
        on(Kind::SessionsOfUser, "session"),
        on(Kind::SessionsOfUpstream, "upstream"),
        on(Kind::ClientsOfSession, "client"),
    ];
    store.put_listed(records, entries).await.unwrap();
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap().unwrap(), b"new");
    assert_eq!(peek(&*store, Kind::Code, "b").await.unwrap().unwrap(), b"code");
    for (kind, member) in
        [(Kind::SessionsOfUser, "session"), (Kind::SessionsOfUpstream, "upstream"), (Kind::ClientsOfSession, "client")]
    {
        assert_eq!(store.list(name(kind, "l")).await.unwrap(), [member], "a list of one kind is none of another");
    }
    store.put_listed(Vec::new(), Vec::new()).await.unwrap();
}

async fn who_sees_a_record_finds_its_member_too(store: Arc<dyn StateStore>) {
    let readers: Vec<_> = (0..300)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let token = format!("{n}");
                while peek(&*store, Kind::Session, &token).await.unwrap().is_none() {
                    tokio::task::yield_now().await;
                }
                assert_eq!(listed(&*store, &token).await, ["member"]);
            })
        })
        .collect();
    for n in 0..300 {
        let token = format!("{n}");
        let entries = vec![entry("all", &token, MINUTE), entry(&token, "member", MINUTE)];
        store.put_listed(vec![record(Kind::Session, &token, "bytes")], entries).await.unwrap();
    }
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(listed(&*store, "all").await.len(), 300);
}

async fn a033_a_list_is_no_record_and_a_record_is_no_list(store: Arc<dyn StateStore>) {
    for kind in Kind::ALL {
        let at = name(kind, "same");
        let on_list = Entry { list: at, member: "member".to_owned(), lifetime: MINUTE };
        enlist(&*store, vec![on_list.clone()]).await;
        assert_eq!(store.peek(at).await.unwrap(), None);
        assert_eq!(store.peek_all(vec![at]).await.unwrap(), [None]);
        assert_eq!(take(&*store, kind, "same", "r").await.unwrap(), Taken::Never);
        assert!(!store.swap(b"member".to_vec(), record(kind, "same", "x")).await.unwrap());
        assert!(store.put_new(record(kind, "same", "bytes")).await.unwrap());
        assert_eq!(store.list(at).await.unwrap(), ["member"]);
        store.forget(at).await.unwrap();
        assert_eq!(
            store.list(at).await.unwrap(),
            ["member"],
            "no record is on it, and none that is forgotten takes it"
        );

        put(&*store, kind, "record", "bytes").await;
        let at: Name = name(kind, "record");
        assert!(store.list(at).await.unwrap().is_empty());
        enlist(&*store, vec![Entry { list: at, ..on_list }]).await;
        assert_eq!(store.peek(at).await.unwrap().unwrap(), b"bytes");
    }
}

async fn texts_of_members_come_back_as_they_went(store: Arc<dyn StateStore>) {
    let texts = ["", "a b", "(1", "+inf", "-1", "\r\n$-1\r\n\0", "Grüße 🏰", &"x".repeat(256)].map(str::to_owned);
    let entries = texts.iter().enumerate().map(|(n, text)| entry("a", text, minutes(n + 1))).collect();
    enlist(&*store, entries).await;
    assert_eq!(listed(&*store, "a").await, texts);
}

async fn peek_all_answers_each_as_peek_would(store: Arc<dyn StateStore>) {
    assert!(store.peek_all(Vec::new()).await.unwrap().is_empty());
    put(&*store, Kind::Session, "a", "a").await;
    put(&*store, Kind::Code, "taken", "c").await;
    take(&*store, Kind::Code, "taken", "residue").await.unwrap();
    put(&*store, Kind::Code, "b", "").await;
    let names = vec![
        name(Kind::Code, "b"),
        name(Kind::Session, "none"),
        name(Kind::Session, "a"),
        name(Kind::Code, "taken"),
        name(Kind::AccessToken, "a"),
        name(Kind::Session, "a"),
        list("a"),
    ];
    let expected = [Some(Vec::new()), None, Some(b"a".to_vec()), None, None, Some(b"a".to_vec()), None];
    assert_eq!(store.peek_all(names).await.unwrap(), expected);
    let many: Vec<_> = (0..LIST_MAX).map(|n| record(Kind::Session, &format!("{n}"), format!("{n}"))).collect();
    let names = many.iter().rev().map(|record| record.name).collect();
    let expected: Vec<_> = many.iter().rev().map(|record| Some(record.bytes.clone())).collect();
    store.put(many).await.unwrap();
    assert_eq!(store.peek_all(names).await.unwrap(), expected);
}
