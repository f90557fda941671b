//! Credentials of provisioning services.

use tokio::task::JoinSet;
use vestibule::base::Digest;
use vestibule::directory::roster::{SyncClient, SyncKind};

use super::home::{DIRECTORY, Home, at};

/// A token of the directory, from second 100 to `expires`.
fn token(id: &str, expires: i64) -> SyncClient {
    SyncClient {
        id: id.to_owned(),
        directory: DIRECTORY.to_owned(),
        scope: DIRECTORY.to_owned(),
        name: format!("{id}'s name"),
        kind: SyncKind::Token,
        secret: Digest::of(id),
        created: at(100),
        expires: at(expires),
        last_used: None,
    }
}

pub async fn a_credential_is_found_by_its_secret_and_id_as_it_was_written(home: &Home) {
    let (db, other) = (&home.db.sync_clients, (home.reopen)().sync_clients);
    let oauth = SyncClient { kind: SyncKind::Oauth, scope: "contoso~doctor".to_owned(), ..token("b", 900) };
    for client in [token("a", 900), oauth.clone()] {
        assert!(db.create(client, 2).await.unwrap());
    }
    assert_eq!(other.by_secret(&Digest::of("a")).await.unwrap(), Some(token("a", 900)));
    assert_eq!(other.by_id("b").await.unwrap(), Some(oauth));
    assert_eq!(other.by_secret(&Digest::of("c")).await.unwrap(), None);
    assert_eq!(other.by_id("c").await.unwrap(), None);
}

pub async fn a_scope_has_so_many_that_are_not_over(home: &Home) {
    let db = &home.db.sync_clients;
    assert!(db.create(token("a", 200), 2).await.unwrap());
    assert!(db.create(token("b", 900), 2).await.unwrap());
    assert!(!db.create(token("c", 900), 2).await.unwrap());
    assert_eq!(db.by_id("c").await.unwrap(), None);
    let elsewhere = SyncClient { directory: "fabrikam".to_owned(), scope: "fabrikam".to_owned(), ..token("d", 900) };
    assert!(db.create(elsewhere, 2).await.unwrap());
    let scratch = SyncClient { scope: "contoso~doctor".to_owned(), ..token("e", 900) };
    assert!(db.create(scratch, 2).await.unwrap(), "a scratch scope takes nobody's place");
    let later = SyncClient { created: at(200), ..token("f", 900) };
    assert!(db.create(later, 2).await.unwrap(), "a is over then");
    assert!(db.by_secret(&Digest::of("a")).await.unwrap().is_some(), "and still told apart from nobody");
}

pub async fn all_are_listed_the_oldest_first(home: &Home) {
    let db = &home.db.sync_clients;
    for (id, created) in [("a", 300), ("b", 100), ("c", 200)] {
        assert!(db.create(SyncClient { created: at(created), ..token(id, 250) }, 9).await.unwrap());
    }
    let all: Vec<String> = db.all().await.unwrap().into_iter().map(|client| client.id).collect();
    assert_eq!(all, ["b", "c", "a"]);
}

pub async fn a_revocation_holds_at_once_for_every_process(home: &Home) {
    let (db, other) = (&home.db.sync_clients, (home.reopen)().sync_clients);
    assert!(db.create(token("a", 900), 1).await.unwrap());
    assert!(other.by_secret(&Digest::of("a")).await.unwrap().is_some());
    assert!(db.revoke("a").await.unwrap());
    assert_eq!(other.by_secret(&Digest::of("a")).await.unwrap(), None);
    assert!(!other.revoke("a").await.unwrap());
    assert!(other.create(token("b", 900), 1).await.unwrap(), "its place is free");
}

pub async fn the_last_use_is_the_latest_one(home: &Home) {
    let db = &home.db.sync_clients;
    assert!(db.create(token("a", 900), 1).await.unwrap());
    for (secs, shown) in [(300, 300), (200, 300), (400, 400)] {
        db.used("a", at(secs)).await.unwrap();
        assert_eq!(db.by_id("a").await.unwrap().unwrap().last_used, Some(at(shown)));
    }
    db.used("nobody", at(1)).await.unwrap();
}

pub async fn of_many_made_at_once_no_more_than_so_many_are(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    let mut writers = JoinSet::new();
    for number in 0..20 {
        let db = handles[number % 2].clone();
        writers.spawn(async move { db.sync_clients.create(token(&format!("t{number}"), 900), 2).await.unwrap() });
    }
    assert_eq!(writers.join_all().await.into_iter().filter(|made| *made).count(), 2);
    assert_eq!(home.db.sync_clients.all().await.unwrap().len(), 2);
}
