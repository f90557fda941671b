//! A directory that is filled by SCIM, its provisioning service, people who sign in, and clients that are told.

use serde_json::{Value, json};
use vestibule::base::{Digest, Span};
use vestibule::directory::roster::{Change, SyncClient, SyncKind};
use vestibule::identity::{StoredUser, UserId};

use crate::sign_out::stage::Stage;
use crate::support::browser::Browser;
use crate::support::client::{Client, Tokens};
use crate::support::http::{Request, Response};
use crate::support::server::{Setup, block_on};

pub const DIRECTORY: &str = "directories/contoso.toml";
pub const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// What directories confirm in these tests.
pub const ATTRIBUTES: &str = r#"attributes = ["userName", "externalId", "emails", "name.givenName", "name.familyName", "active", "displayName", "nickName", "department", "phoneNumbers"]"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Azure,
    Okta,
}

pub const BOTH: [Source; 2] = [Source::Azure, Source::Okta];

/// Somebody in the directory.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub id: String,
    pub external_id: String,
}

pub struct Town {
    pub stage: Stage,
    pub source: Source,
    token: String,
}

impl Town {
    pub fn new(source: Source) -> Self {
        Self::with(source, |_| {})
    }

    pub fn with(source: Source, change: impl FnOnce(&mut Setup)) -> Self {
        let stage = Stage::with(|setup| {
            setup.provisioned();
            let preset = if source == Source::Azure { "source = \"azure\"" } else { "source = \"okta\"" };
            setup.edit(DIRECTORY, "source = \"generic\"", preset).keys(DIRECTORY, ATTRIBUTES);
            setup.table("clients/access.toml", "[claims]\ndepartment = \"department\"\nnick = \"nickName\"");
            change(setup);
        });
        let token = format!("vsc_{}", Digest::of(format!("{source:?}")).base64url());
        let now = stage.world.now();
        let client = SyncClient {
            id: "scim-test".to_owned(),
            directory: "contoso".to_owned(),
            scope: "contoso".to_owned(),
            name: "test".to_owned(),
            kind: SyncKind::Token,
            secret: Digest::of(&token),
            created: now,
            expires: now.plus(Span::days(400)),
            last_used: None,
        };
        let clients = &stage.world.server.running().ports().directory.sync_clients;
        assert!(block_on(clients.create(client, 2)).expect("the database works"));
        Self { stage, source, token }
    }

    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let url = self.stage.world.server.url(&format!("/usergroup/scim/v2{path}"));
        let mut request = Request::new(method, &url).header("Authorization", &format!("Bearer {}", self.token));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/scim+json").body(body.to_string());
        }
        self.stage.world.server.send(&request)
    }

    /// A call that succeeds, and its body.
    #[track_caller]
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.call(method, path, Some(body));
        assert!((200..300).contains(&answer.status), "{method} {path} {body}: {} {}", answer.status, answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// As the source's PATCH has it: Entra's default dialect, Okta's lower case.
    #[track_caller]
    pub fn patch(&self, path: &str, operations: &Value) -> Value {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        self.done("PATCH", path, &json!({ "schemas": schemas, "Operations": operations }))
    }

    pub fn external_id(&self, name: &str) -> String {
        let digest = Digest::of(name);
        let hex: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        match self.source {
            Source::Azure => {
                format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
            }
            Source::Okta => format!("00u{}", &hex[..17]),
        }
    }

    /// The body with which the source creates somebody.
    pub fn body(&self, name: &str) -> Value {
        json!({
            "schemas": [CORE, ENTERPRISE], "externalId": self.external_id(name), "userName": format!("{name}@contoso.com"),
            "active": true, "displayName": format!("{name} Adams"), "nickName": "Nick",
            "name": { "givenName": name, "familyName": "Adams" },
            "emails": [{ "type": "work", "primary": true, "value": format!("{name}@contoso.com") }],
            "phoneNumbers": [{ "type": "work", "value": "+1 555" }],
            ENTERPRISE: { "department": "Research" },
        })
    }

    #[track_caller]
    pub fn hire(&self, name: &str) -> Person {
        self.hire_as(name, &self.body(name))
    }

    #[track_caller]
    pub fn hire_as(&self, name: &str, body: &Value) -> Person {
        let made = self.done("POST", "/Users", body);
        let text = |field: &str| made[field].as_str().unwrap_or_else(|| panic!("no {field}: {made}")).to_owned();
        Person { name: name.to_owned(), id: text("id"), external_id: text("externalId") }
    }

    /// Who signs in next at the identity provider.
    pub fn next_is(&self, person: &Person) {
        let claims = json!({ "sub": person.external_id, "preferred_username": format!("{}@contoso.com", person.name),
            "email": format!("{}@contoso.com", person.name), "email_verified": true });
        let claims = claims.as_object().cloned().unwrap_or_default();
        self.stage.world.idp.set(|script| script.person = claims);
    }

    /// A whole login with a refresh token.
    #[track_caller]
    pub fn sign_in(&self, person: &Person, browser: &mut Browser) -> Tokens {
        self.next_is(person);
        let client = Client::access();
        let scope = "openid profile email user offline_access";
        let ask = client.ask(&self.stage.world.server).with("scope", scope);
        client.sign_in(&self.stage.world.server, browser, &ask)
    }

    #[track_caller]
    pub fn claims(&self, person: &Person) -> serde_json::Map<String, Value> {
        self.sign_in(person, &mut self.browser()).claims
    }

    pub fn browser(&self) -> Browser {
        self.stage.world.server.browser()
    }

    /// A new login ends at a page, and nowhere else.
    #[track_caller]
    pub fn is_barred(&self, person: &Person) {
        self.next_is(person);
        let page = self.browser().open(&Client::access().ask(&self.stage.world.server).url());
        self.stage.world.is_page(&page, 403);
    }

    /// Switches somebody off in one of the source's ways.
    #[track_caller]
    pub fn switch_off(&self, person: &Person) {
        let path = format!("/Users/{}", person.id);
        match self.source {
            Source::Azure => {
                self.patch(&path, &json!([{ "op": "Replace", "path": "active", "value": "False" }]));
            }
            Source::Okta => {
                self.patch(&path, &json!([{ "op": "replace", "value": { "active": false } }]));
            }
        }
    }

    #[track_caller]
    pub fn switch_on(&self, person: &Person) {
        let path = format!("/Users/{}", person.id);
        let operations = match self.source {
            Source::Azure => json!([
                { "op": "Replace", "path": "userName", "value": format!("{}@contoso.com", person.name) },
                { "op": "Replace", "path": "active", "value": "True" },
            ]),
            Source::Okta => json!([{ "op": "replace", "value": { "active": true } }]),
        };
        self.patch(&path, &operations);
    }

    /// A group of these.
    #[track_caller]
    pub fn group(&self, name: &str, of: &[&Person]) -> String {
        let members: Vec<Value> = of.iter().map(|person| json!({ "value": person.id })).collect();
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
        let made = self.done("POST", "/Groups", &json!({ "schemas": schemas, "displayName": name }));
        let id = made["id"].as_str().unwrap_or_else(|| panic!("no id: {made}")).to_owned();
        self.patch(&format!("/Groups/{id}"), &json!([{ "op": "Add", "path": "members", "value": members }]));
        id
    }

    #[track_caller]
    pub fn members(&self, group: &str) -> Vec<String> {
        let group = self.call("GET", &format!("/Groups/{group}"), None).json();
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().filter_map(|member| member["value"].as_str().map(str::to_owned)).collect()
    }

    /// The user as the directory has it.
    pub fn stored(&self, person: &Person) -> Option<StoredUser> {
        let roster = &self.stage.world.server.running().ports().directory.roster;
        block_on(roster.user("contoso", &UserId(person.id.clone()))).expect("the database works")
    }

    /// What readiness says to admins.
    pub fn reasons(&self) -> String {
        let management = self.stage.world.server.running().management().expect("a management address");
        Request::get(&format!("http://{management}/readyz")).send(management).text()
    }

    pub fn newest(&self) -> u64 {
        let feed = &self.stage.world.server.running().ports().directory.feed;
        block_on(feed.newest("contoso")).expect("the database works")
    }

    /// What changed since, as whoever provisions services will see it.
    pub fn changes(&self, since: u64) -> Vec<Change> {
        let feed = &self.stage.world.server.running().ports().directory.feed;
        block_on(feed.changes("contoso", since, 1_000)).expect("the database works")
    }
}
