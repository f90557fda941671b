//! A provisioning service: a credential of one directory, and requests as such services send them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use vestibule::base::{Digest, Span};
use vestibule::directory::roster::{SyncClient, SyncKind};

use super::http::{Request, Response};
use super::server::{Server, block_on};

pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
pub const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A credential as it was given out.
#[derive(Clone, Debug)]
pub struct Credential {
    pub id: String,
    pub secret: String,
}

fn unique(what: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    Digest::of(format!("{what} {} {}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst))).base64url()
}

/// Writes a credential of a directory, good for `life`.
#[track_caller]
pub fn credential(server: &Server, directory: &str, kind: SyncKind, life: Span) -> Credential {
    let id = format!("scim-{}", &unique("id")[..22]);
    let secret = match kind {
        SyncKind::Token => format!("vsc_{}", unique("token")),
        SyncKind::Oauth => unique("secret"),
    };
    let client = SyncClient {
        id: id.clone(),
        directory: directory.to_owned(),
        scope: directory.to_owned(),
        name: "Provisioning service of the test".to_owned(),
        kind,
        secret: Digest::of(&secret),
        created: server.now(),
        expires: server.now().plus(life),
        last_used: None,
    };
    let clients = &server.running().ports().directory.sync_clients;
    assert!(block_on(clients.create(client, 2)).expect("the database works"), "a place for it");
    Credential { id, secret }
}

/// A provisioning service at work.
pub struct Scim<'s> {
    pub server: &'s Server,
    pub token: String,
    /// The id of its credential.
    pub credential: String,
}

impl<'s> Scim<'s> {
    /// With a bearer token of the directory `contoso`, good for a year.
    #[track_caller]
    pub fn new(server: &'s Server) -> Self {
        Self::of(server, "contoso")
    }

    #[track_caller]
    pub fn of(server: &'s Server, directory: &str) -> Self {
        let Credential { id, secret } = credential(server, directory, SyncKind::Token, Span::days(365));
        Self { server, token: secret, credential: id }
    }

    /// The same service with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { server: self.server, token: token.to_owned(), credential: self.credential.clone() }
    }

    pub fn url(&self, path: &str) -> String {
        self.server.url(&format!("/usergroup/scim/v2{path}"))
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        let target = path.replace(' ', "+").replace('"', "%22");
        Request::new(method, &self.url("/"))
            .target(&format!("/usergroup/scim/v2{target}"))
            .header("Authorization", &format!("Bearer {}", self.token))
    }

    pub fn with_body(&self, method: &str, path: &str, body: &Value) -> Request {
        self.request(method, path).header("Content-Type", "application/scim+json; charset=utf-8").body(body.to_string())
    }

    pub fn send(&self, request: &Request) -> Response {
        self.server.send(request)
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(&self.request("GET", path))
    }

    pub fn delete(&self, path: &str) -> Response {
        self.send(&self.request("DELETE", path))
    }

    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.send(&self.with_body("POST", path, body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Response {
        self.send(&self.with_body("PUT", path, body))
    }

    /// A PATCH of these operations.
    pub fn patch(&self, path: &str, operations: &Value) -> Response {
        self.send(&self.with_body("PATCH", path, &json!({ "schemas": [PATCH_OP], "Operations": operations })))
    }

    /// A new user, as it is answered.
    #[track_caller]
    pub fn user(&self, user_name: &str, external_id: &str) -> Value {
        let answer = self.post("/Users", &person(user_name, external_id));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// A new group, as it is answered.
    #[track_caller]
    pub fn group(&self, name: &str, members: &[&str]) -> Value {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let answer = self.post("/Groups", &json!({ "schemas": [CORE_GROUP], "displayName": name, "members": members }));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// The resources that a filter finds.
    #[track_caller]
    pub fn found(&self, of: &str, filter: &str) -> Vec<Value> {
        let answer = self.get(&format!("/{of}?filter={filter}"));
        assert_eq!(answer.status, 200, "{filter}: {}", answer.text());
        answer.json()["Resources"].as_array().cloned().expect("Resources")
    }

    /// The ids of a group's members, sorted.
    #[track_caller]
    pub fn members(&self, group: &str) -> Vec<String> {
        let answer = self.get(&format!("/Groups/{group}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let json = answer.json();
        let all = json["members"].as_array().into_iter().flatten();
        let mut ids: Vec<String> = all.filter_map(|member| member["value"].as_str().map(str::to_owned)).collect();
        ids.sort();
        ids
    }
}

/// The body of a whole user.
pub fn person(user_name: &str, external_id: &str) -> Value {
    json!({
        "schemas": [CORE_USER],
        "userName": user_name,
        "externalId": external_id,
        "name": { "givenName": "Given", "familyName": "Family" },
        "displayName": "Given Family",
        "emails": [{ "value": user_name, "type": "work", "primary": true }],
        "active": true,
    })
}

/// The id of a resource.
#[track_caller]
pub fn id(resource: &Value) -> &str {
    resource["id"].as_str().expect("an id")
}

/// A SCIM error (RFC 7644 §3.12): its status as text, its type if it has one. Gives its detail.
#[track_caller]
pub fn is_error(answer: &Response, status: u16, scim_type: Option<&str>) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["schemas"], json!([ERROR]));
    assert_eq!(body["status"], status.to_string(), "a text");
    assert_eq!(body["scimType"].as_str(), scim_type, "{body}");
    body["detail"].as_str().expect("a detail").to_owned()
}
