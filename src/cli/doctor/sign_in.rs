//! Whether the person whom the play provisioned could sign in: what the identity provider's token says of her, against
//! what its default mapping has stored.

use serde_json::{Map, Value, json};

use super::Provisioner;
use crate::base::text::fold;
use crate::broker::admit::match_key;
use crate::config::Snapshot;
use crate::directory::{Database, DirectoryFault};
use crate::identity::{Directory, UserId};
use crate::oidc::Idp;

/// The verdict over one identity provider.
#[derive(Debug, serde::Serialize)]
pub struct SignIn {
    pub idp: String,
    /// `ok` or `wrong`.
    pub outcome: &'static str,
    pub says: String,
    pub mend: Option<String>,
}

/// The person of the play.
pub struct Person<'a> {
    /// The scratch scope.
    pub scope: &'a str,
    pub id: &'a str,
    /// Entra's object id, or Okta's id of the user.
    pub object: &'a str,
    pub upn: &'a str,
}

/// Each identity provider of the directory.
///
/// # Errors
/// When the database can't be asked.
pub async fn check(
    config: &Snapshot,
    database: &Database,
    directory: &Directory,
    (service, person): (Provisioner, &Person<'_>),
) -> Result<Vec<SignIn>, DirectoryFault> {
    let mut verdicts = Vec::new();
    for idp in config.idps.values().filter(|idp| idp.enabled && idp.directory == directory.id) {
        let verdict = one(database, idp, (service, person)).await?;
        let (outcome, says, mend) = match verdict {
            Ok(says) => ("ok", says, None),
            Err((says, mend)) => ("wrong", says, Some(mend)),
        };
        verdicts.push(SignIn { idp: idp.id.0.clone(), outcome, says, mend });
    }
    Ok(verdicts)
}

/// What is right, or what is wrong with its mend.
type Verdict = Result<String, (String, String)>;

async fn one(
    database: &Database,
    idp: &Idp,
    (service, person): (Provisioner, &Person<'_>),
) -> Result<Verdict, DirectoryFault> {
    let (claim, attribute) = (&idp.matching.claim, &idp.matching.attribute);
    let file = format!("idps/{}.toml", idp.id);
    let usual = service.usual_match();
    let preset = format!("in {file} under [match] write {usual}, which is the preset of its kind");
    let claims = claims(service, idp, person);
    let key = match match_key(idp, &claims) {
        Ok(key) => key,
        Err(why) => {
            let says =
                format!("{} puts no usable claim \"{claim}\" into its ID token: {}", service.name(), why.as_str());
            return Ok(Err((says, preset)));
        }
    };
    let found = database.users.find(person.scope, &key.attribute, &key.value).await?;
    if matches!(found.as_slice(), [user] if user.id.0 == person.id) {
        return Ok(Ok(format!("claim {claim} finds the provisioned person by {attribute}")));
    }
    if !found.is_empty() {
        let says = format!("claim {claim} finds somebody else, or several people, by {attribute}");
        return Ok(Err((says, format!("{attribute} is not unique among people: {preset}"))));
    }
    let user = database.roster.user(person.scope, &UserId(person.id.to_owned())).await?;
    let stored = user.as_ref().and_then(|stored| stored.user.text(attribute));
    Ok(Err(match stored {
        None => (
            format!("{}'s default mapping does not fill \"{attribute}\", so nobody would be found", service.name()),
            format!("add a mapping to {attribute} in the provisioning app, or {preset}"),
        ),
        Some(stored) if fold(stored) == fold(&key.value) => (
            format!(
                "claim {claim} and {attribute} differ in upper and lower case only, and {attribute} compares exactly"
            ),
            preset,
        ),
        Some(_) => (
            format!("claim {claim} and {attribute} hold different things, so nobody would be found"),
            format!("{}'s default mapping puts {} into externalId: {preset}", service.name(), service.object()),
        ),
    }))
}

/// What the ID token says of the person, without optional claims.
fn claims(service: Provisioner, idp: &Idp, person: &Person<'_>) -> Map<String, Value> {
    let upn = person.upn.to_lowercase();
    let told = match service {
        Provisioner::Entra => json!({
            "oid": person.object, "sub": "another-one-for-every-application", "tid": idp.matching.tenant,
            "preferred_username": upn, "email": upn, "name": "Vera Doctor"
        }),
        Provisioner::Okta => json!({
            "sub": person.object, "preferred_username": upn, "email": upn, "email_verified": true,
            "name": "Vera Doctor", "given_name": "Vera", "family_name": "Doctor"
        }),
    };
    told.as_object().cloned().unwrap_or_default()
}
