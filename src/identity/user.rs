//! A user of a directory.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::Moment;
use crate::base::text::fold;

/// The user's own id and the `sub` of our tokens: 128 random bits, hexadecimal of those who came by SCIM and base64url of
/// those who came by a login; a dump may bring others. Stable over renames and changes of identity provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub String);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Attribute values by SCIM name (`userName`, `name.givenName`, `emails`, `externalId`, …), in
/// the form in which SCIM's JSON has them; `emails` is a list of `{ value, type, primary }`.
pub type Attributes = BTreeMap<String, Value>;

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    /// The stem of its directory.
    pub directory: String,
    pub active: bool,
    /// Sessions, codes and refresh families made before this are void.
    pub sessions_valid_from: Moment,
    pub attributes: Attributes,
    /// Whether the primary email is proven by the identity provider (`email_verified`, `xms_edov`).
    pub email_verified: bool,
    /// Earlier userNames and emails of this user, folded; a hint by one of them is no mismatch.
    pub former_names: Vec<String>,
    pub updated_at: Moment,
}

/// The most former names that a user keeps; the oldest go first.
const FORMER_NAMES_MAX: usize = 10;

/// A user with the bookkeeping of a directory.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredUser {
    pub user: User,
    /// Grows with every real change; SCIM's `meta.version`.
    pub version: u64,
    /// Its place in lists: the order of creation.
    pub seq: u64,
    pub created_at: Moment,
    /// When it was switched off, if it is.
    pub inactive_since: Option<Moment>,
    /// The name of before a tombstone took its place: shown nowhere but in the console, and free for others.
    pub identity_name: Option<String>,
}

impl StoredUser {
    /// One that is about to be written for the first time: the store numbers it.
    #[must_use]
    pub fn fresh(id: UserId, directory: &str, (attributes, active): (Attributes, bool), now: Moment) -> Self {
        let user = User {
            id,
            directory: directory.to_owned(),
            active,
            sessions_valid_from: Moment::from_ms(0),
            attributes,
            email_verified: false,
            former_names: Vec::new(),
            updated_at: now,
        };
        let inactive_since = (!active).then_some(now);
        Self { user, version: 1, seq: 0, created_at: now, inactive_since, identity_name: None }
    }
}

impl User {
    /// A single-valued attribute as text. A multi-valued one gives its primary value, else its first.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<&str> {
        let value = self.attributes.get(attribute)?;
        let text = match value {
            Value::Array(items) => {
                let primary = items.iter().find(|item| item.get("primary") == Some(&Value::Bool(true)));
                let item = primary.or_else(|| items.first())?;
                item.get("value").unwrap_or(item).as_str()
            }
            // `manager`
            Value::Object(fields) => fields.get("value")?.as_str(),
            other => other.as_str(),
        };
        text.filter(|text| !text.is_empty())
    }

    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.text("userName")
    }

    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.text("emails")
    }

    /// Everything by which a person may call this user, folded: userName, all emails, UPN, former names.
    #[must_use]
    pub fn identifiers(&self) -> Vec<String> {
        let mut all: Vec<String> = ["userName", "userPrincipalName", "preferred_username"]
            .iter()
            .filter_map(|name| self.text(name))
            .map(fold)
            .collect();
        if let Some(Value::Array(emails)) = self.attributes.get("emails") {
            all.extend(emails.iter().filter_map(|e| e.get("value").unwrap_or(e).as_str()).map(fold));
        }
        all.extend(self.former_names.iter().cloned());
        all
    }
}

/// Moves names that are gone from `before` to the former names of `next`, latest last; the oldest beyond ten go.
pub fn remember_names(before: &User, next: &mut User) {
    let current = names(next);
    let mut former: Vec<String> = next.former_names.drain(..).filter(|name| !current.contains(name)).collect();
    for gone in names(before) {
        if !current.contains(&gone) && !former.contains(&gone) {
            former.push(gone);
        }
    }
    former.drain(..former.len().saturating_sub(FORMER_NAMES_MAX));
    next.former_names = former;
}

/// The userName and all emails of a user, folded.
fn names(user: &User) -> Vec<String> {
    let mut all: Vec<String> = user.user_name().map(fold).into_iter().collect();
    if let Some(Value::Array(emails)) = user.attributes.get("emails") {
        all.extend(emails.iter().filter_map(|email| email.get("value").unwrap_or(email).as_str()).map(fold));
    }
    all
}
