//! What every test begins with.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::audit::Trace;
use vestibule::base::{Digest, Moment, Secret};
use vestibule::directory::roster::{Act, Written};
use vestibule::directory::{
    Activity, Database, DirectoryFault, JitUser, KeyAtRest, Notice, PostgresOptions, Provisioned, SqliteOptions,
    postgres, sqlite,
};
use vestibule::identity::{StoredUser, User, UserId};
use vestibule::oidc::{ClientId, IdpId, Scope};
use vestibule::token::family::{Family, FamilyId};

use crate::invariants;
use crate::postgres_server::PostgresServer;

/// Rows of a question, each as one text.
type Asked = Box<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// A fresh database, and a way to open it as another process would.
pub struct Home {
    pub db: Database,
    pub reopen: Box<dyn Fn() -> Database + Send + Sync>,
    /// Runs a script behind the contracts' back.
    pub script: Box<dyn Fn(&str) + Send + Sync>,
    /// What a statement answers, beside the program: one text for each row.
    ask: Asked,
}

impl Home {
    /// At the end of every test, whatever it did.
    #[track_caller]
    pub fn is_sound(&self) {
        invariants::hold(&*self.ask);
    }
}

pub fn sqlite_home() -> Home {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let file = folder.path().join("vestibule.db");
    let reopen = move || sqlite(&folder.path().join("vestibule.db"), SqliteOptions::default()).unwrap();
    let opened = file.clone();
    let script = move |sql: &str| rusqlite::Connection::open(&opened).unwrap().execute_batch(sql).unwrap();
    let ask = move |sql: &str| {
        let db = rusqlite::Connection::open(&file).unwrap();
        invariants::of_sqlite(&db)(sql)
    };
    Home { db: reopen(), reopen: Box::new(reopen), script: Box::new(script), ask: Box::new(ask) }
}

/// A database of its own on the server that the tests of this program share.
pub fn postgres_home() -> Home {
    let url = Secret::new(PostgresServer::shared().fresh_database());
    let name = url.expose().rsplit('/').next().unwrap().to_owned();
    let reopen = move || postgres(&url, &PostgresOptions::default()).unwrap();
    let database = name.clone();
    let script = move |sql: &str| drop(PostgresServer::shared().ask(&database, sql));
    // No text of PostgreSQL has a zero byte: that is how it is kept.
    let text = |row: &str| row.replace("\u{FFFF}0", "\0").replace("\u{FFFF}1", "\u{FFFF}");
    let ask = move |sql: &str| PostgresServer::shared().ask(&name, sql).lines().map(text).collect();
    Home { db: reopen(), reopen: Box::new(reopen), script: Box::new(script), ask: Box::new(ask) }
}

pub const DIRECTORY: &str = "contoso";

pub fn at(secs: i64) -> Moment {
    Moment::from_secs(secs)
}

/// A login that matches by externalId.
pub fn login(fresh_id: &str, external_id: &str, attributes: Value) -> JitUser {
    let attributes: BTreeMap<String, Value> = serde_json::from_value(attributes).unwrap();
    JitUser {
        fresh_id: UserId(fresh_id.to_owned()),
        directory: DIRECTORY.to_owned(),
        match_attribute: "externalId".to_owned(),
        match_value: external_id.to_owned(),
        attributes,
        email_verified: false,
    }
}

/// A person by name: id, externalId, userName and email are made of it.
pub fn person(name: &str) -> JitUser {
    let address = format!("{name}@contoso.com");
    login(
        &format!("id-{name}"),
        &format!("x-{name}"),
        json!({ "userName": address, "emails": [{ "value": address, "primary": true }], "displayName": name }),
    )
}

pub async fn create(db: &Database, user: JitUser) -> User {
    match db.users.provision(user, at(1_000)).await.unwrap() {
        Provisioned::Created(user) => user,
        other => panic!("{other:?}"),
    }
}

pub async fn update(db: &Database, user: JitUser) -> User {
    match db.users.provision(user, at(2_000)).await.unwrap() {
        Provisioned::Updated(user) => user,
        other => panic!("{other:?}"),
    }
}

pub async fn find(db: &Database, attribute: &str, value: &str) -> Vec<String> {
    db.users.find(DIRECTORY, attribute, value).await.unwrap().into_iter().map(|user| user.id.0).collect()
}

pub fn family_id(name: &str) -> FamilyId {
    FamilyId(Digest::of(name))
}

/// A family of user `id-ada`, not bound to its session `sid`.
pub fn family(name: &str, sid: &str) -> Family {
    Family {
        id: family_id(name),
        generation: 1,
        client: ClientId("rp".to_owned()),
        user: UserId("id-ada".to_owned()),
        directory: DIRECTORY.to_owned(),
        idp: IdpId("entra".to_owned()),
        sid: sid.to_owned(),
        bound_to_session: false,
        scopes: vec![Scope::Openid, Scope::OfflineAccess],
        auth_time: at(900),
        acr: Some("urn:mfa".to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        created: at(1_000),
        ends: at(1_000_000),
        idle_ends: at(100_000),
        current: Digest::of(format!("{name} 1")),
        current_access: Digest::of(format!("{name} access 1")),
        previous: None,
        rotated_at: None,
        repeats: 0,
        revoked_at: None,
    }
}

pub fn bound_family(name: &str, sid: &str) -> Family {
    Family { bound_to_session: true, ..family(name, sid) }
}

/// The next generation of a family, told apart by `token`.
pub fn turned(family: &Family, token: &str) -> Family {
    Family {
        generation: family.generation + 1,
        current: Digest::of(token),
        previous: Some(family.current),
        rotated_at: Some(at(1_500)),
        ..family.clone()
    }
}

/// A notice about `id-ada`, queued at second 100.
pub fn notice(id: &str, client: &str, sid: Option<&str>) -> Notice {
    Notice {
        id: id.to_owned(),
        client: ClientId(client.to_owned()),
        user: UserId("id-ada".to_owned()),
        sid: sid.map(str::to_owned),
        created: at(100),
        attempts: 0,
    }
}

/// The ids that a client has to hand out at `now`, claimed until a second later.
pub async fn claim(db: &Database, client: &str, now: Moment) -> Vec<String> {
    let until = Moment::from_ms(now.ms() + 1_000);
    let claimed = db.notices.claim(&ClientId(client.to_owned()), 1_000, now, until).await.unwrap();
    claimed.into_iter().map(|notice| notice.id).collect()
}

/// How many notices wait.
pub async fn waiting(db: &Database) -> u64 {
    db.notices.waiting().await.unwrap().iter().map(|waiting| waiting.count).sum()
}

pub fn key(kid: &str, created: i64) -> KeyAtRest {
    KeyAtRest {
        kid: kid.to_owned(),
        algorithm: "RS256".to_owned(),
        sealed: (0..=255).collect(),
        created: at(created),
        active_from: at(created + 60),
        retired_at: None,
    }
}

pub fn trace(reference: &str, started: Moment) -> Trace {
    Trace::begin(reference.to_owned(), started)
}

/// A user as SCIM hands it in; id, externalId, userName and email are made of its name.
pub fn provisioned(name: &str) -> StoredUser {
    let address = format!("{name}@contoso.com");
    let attributes = json!({
        "userName": address, "externalId": format!("x-{name}"), "displayName": name,
        "emails": [{ "value": address, "type": "work", "primary": true }],
    });
    StoredUser {
        user: User {
            id: UserId(format!("id-{name}")),
            directory: DIRECTORY.to_owned(),
            active: true,
            sessions_valid_from: Moment::from_ms(0),
            attributes: serde_json::from_value(attributes).unwrap(),
            email_verified: false,
            former_names: Vec::new(),
            updated_at: Moment::from_ms(0),
        },
        version: 0,
        seq: 0,
        created_at: Moment::from_ms(0),
        inactive_since: None,
        identity_name: None,
    }
}

pub fn with(mut user: StoredUser, attribute: &str, value: Value) -> StoredUser {
    user.user.attributes.insert(attribute.to_owned(), value);
    user
}

pub fn switched(mut user: StoredUser, activity: Activity) -> StoredUser {
    user.user.active = activity == Activity::Active;
    user
}

/// What a credential does at a second.
pub fn act(what: &'static str, secs: i64) -> Act {
    Act { at: at(secs), by: "scim-1".to_owned(), what, changes: format!("{{\"{what}\":{{}}}}") }
}

#[track_caller]
pub fn done<T: std::fmt::Debug>(written: Result<Written<T>, DirectoryFault>) -> T {
    match written {
        Ok(Written::Done(done)) => done,
        other => panic!("{other:?}"),
    }
}

/// Who holds a name or key that is to be free.
pub fn taken<T: std::fmt::Debug>(written: Result<Written<T>, DirectoryFault>) -> (String, String, Option<String>) {
    match written {
        Ok(Written::Taken { attribute, by, external_id }) => (attribute.to_owned(), by, external_id),
        other => panic!("{other:?}"),
    }
}

/// Writes a user at second 1,000.
pub async fn enrol(db: &Database, user: StoredUser) -> StoredUser {
    done(db.roster.create(user, act("create", 1_000)).await)
}
