//! Signing keys at rest.

use vestibule::directory::KeyAtRest;

use super::home::{Home, at, key};

async fn kids(home: &Home) -> Vec<String> {
    home.db.keys.keys().await.unwrap().into_iter().map(|key| key.kid).collect()
}

fn names(kids: &[&str]) -> Vec<String> {
    kids.iter().map(|kid| (*kid).to_owned()).collect()
}

pub async fn keys_are_read_as_they_were_written_oldest_first(home: &Home) {
    assert!(home.db.keys.keys().await.unwrap().is_empty());
    let old = KeyAtRest { retired_at: Some(at(500)), algorithm: "ES256".to_owned(), ..key("z", 10) };
    assert!(home.db.keys.change_keys(&[], vec![key("a", 20), old.clone()], vec![]).await.unwrap());
    assert_eq!(home.db.keys.keys().await.unwrap(), [old, key("a", 20)]);
    assert_eq!((home.reopen)().keys.keys().await.unwrap(), home.db.keys.keys().await.unwrap());
}

pub async fn a_rotation_is_all_or_nothing(home: &Home) {
    home.db.keys.change_keys(&[], vec![key("a", 1), key("b", 2)], vec![]).await.unwrap();
    let retired = KeyAtRest { retired_at: Some(at(99)), ..key("b", 2) };
    // The order in which the kids were read doesn't matter.
    let expected = names(&["b", "a"]);
    assert!(home.db.keys.change_keys(&expected, vec![retired.clone(), key("c", 3)], names(&["a"])).await.unwrap());
    assert_eq!(home.db.keys.keys().await.unwrap(), [retired, key("c", 3)]);
}

pub async fn a_rotation_by_an_old_view_changes_nothing(home: &Home) {
    home.db.keys.change_keys(&[], vec![key("a", 1)], vec![]).await.unwrap();
    for stale in [names(&[]), names(&["b"]), names(&["a", "b"])] {
        assert!(!home.db.keys.change_keys(&stale, vec![key("c", 3)], names(&["a"])).await.unwrap());
        assert_eq!(kids(home).await, ["a"]);
    }
}

pub async fn of_many_rotations_at_once_one_wins(home: &Home) {
    home.db.keys.change_keys(&[], vec![key("a", 1)], vec![]).await.unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let db = if number % 2 == 0 { home.db.clone() } else { (home.reopen)() };
            tokio::spawn(async move {
                db.keys.change_keys(&names(&["a"]), vec![key(&format!("n{number}"), 2)], names(&["a"])).await.unwrap()
            })
        })
        .collect();
    let mut winners = Vec::new();
    for (number, task) in tasks.into_iter().enumerate() {
        if task.await.unwrap() {
            winners.push(format!("n{number}"));
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(kids(home).await, winners);
}
