//! What an address means. Other than our own addresses these have several spellings: double and trailing slashes are
//! what provisioning services make of the base address that somebody typed.

use std::borrow::Cow;

use crate::flow::scim::refusal::Refusal;
use crate::scim::ScimError;
use crate::scim::schema::ResourceType;

/// The most bytes of an id; longer ones are nobody's.
const ID_BYTES_MAX: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'p> {
    Users,
    User(Cow<'p, str>),
    Groups,
    Group(Cow<'p, str>),
    /// `.search`; `None`: at the root.
    Search(Option<ResourceType>),
    Me,
    Bulk,
    Config,
    ResourceTypes(Option<Cow<'p, str>>),
    Schemas(Option<Cow<'p, str>>),
    Nothing,
}

impl<'p> Target<'p> {
    /// What the path behind the prefix means.
    pub fn at(rest: &'p str) -> Self {
        let mut segments = rest.split('/').filter(|segment| !segment.is_empty());
        let (first, second, third) = (segments.next(), segments.next(), segments.next());
        let id = second.and_then(decoded);
        match (first, second, third) {
            (_, _, Some(_)) => Self::Nothing,
            (Some("Users"), None, _) => Self::Users,
            (Some("Groups"), None, _) => Self::Groups,
            (Some("Users"), Some(".search"), _) => Self::Search(Some(ResourceType::User)),
            (Some("Groups"), Some(".search"), _) => Self::Search(Some(ResourceType::Group)),
            (Some("Users"), Some(_), _) => id.map_or(Self::Nothing, Self::User),
            (Some("Groups"), Some(_), _) => id.map_or(Self::Nothing, Self::Group),
            (Some(".search"), None, _) => Self::Search(None),
            (Some("Me"), _, _) => Self::Me,
            (Some("Bulk"), None, _) => Self::Bulk,
            (Some("ServiceProviderConfig"), None, _) => Self::Config,
            (Some("ResourceTypes"), None, _) => Self::ResourceTypes(None),
            (Some("ResourceTypes"), Some(_), _) => id.map_or(Self::Nothing, |id| Self::ResourceTypes(Some(id))),
            (Some("Schemas"), None, _) => Self::Schemas(None),
            (Some("Schemas"), Some(_), _) => id.map_or(Self::Nothing, |id| Self::Schemas(Some(id))),
            _ => Self::Nothing,
        }
    }

    /// The methods it knows, for `Allow`; `None`: it isn't there.
    pub const fn methods(&self) -> Option<&'static [&'static str]> {
        Some(match self {
            Self::Users | Self::Groups => &["GET", "HEAD", "POST"],
            Self::User(_) | Self::Group(_) => &["GET", "HEAD", "PUT", "PATCH", "DELETE"],
            Self::Search(_) => &["POST"],
            Self::Config | Self::ResourceTypes(_) | Self::Schemas(_) => &["GET", "HEAD"],
            Self::Me | Self::Bulk | Self::Nothing => return None,
        })
    }

    /// Why it isn't there.
    pub fn absent(&self) -> Refusal {
        match self {
            // RFC 7644 §3.11
            Self::Me => ScimError::status(501, "a credential of a provisioning service is no user").into(),
            Self::Bulk => ScimError::status(501, "bulk requests are not supported").into(),
            _ => Refusal::not_found(),
        }
    }

    pub const fn is_document(&self) -> bool {
        matches!(self, Self::Config | Self::ResourceTypes(_) | Self::Schemas(_))
    }

    /// What its bodies are about.
    pub const fn resource(&self) -> ResourceType {
        match self {
            Self::Groups | Self::Group(_) => ResourceType::Group,
            _ => ResourceType::User,
        }
    }

    pub const fn label(&self) -> &'static str {
        match self {
            Self::Users => "scim_users",
            Self::User(_) => "scim_user",
            Self::Groups => "scim_groups",
            Self::Group(_) => "scim_group",
            Self::Search(_) => "scim_search",
            Self::Me | Self::Bulk | Self::Nothing => "scim_other",
            Self::Config | Self::ResourceTypes(_) | Self::Schemas(_) => "scim_documents",
        }
    }
}

/// A segment without its percent-encoding (RFC 3986 §2.1); `None` for what no id can be.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    if segment.len() > ID_BYTES_MAX * 3 {
        return None;
    }
    let text = if segment.contains('%') {
        let mut bytes = Vec::with_capacity(segment.len());
        let mut rest = segment.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            } else {
                bytes.push(byte);
            }
        }
        Cow::Owned(String::from_utf8(bytes).ok()?)
    } else {
        Cow::Borrowed(segment)
    };
    (text.len() <= ID_BYTES_MAX && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_tolerated_and_other_spellings_are_not() {
        for users in ["/Users", "/Users/", "//Users", "//Users//"] {
            assert_eq!(Target::at(users), Target::Users, "{users}");
        }
        assert_eq!(Target::at("//Users//abc/"), Target::User("abc".into()));
        assert_eq!(Target::at("/Groups/.search"), Target::Search(Some(ResourceType::Group)));
        assert_eq!(Target::at("/.search"), Target::Search(None));
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        assert_eq!(
            Target::at("/Schemas/urn%3Aietf:params:scim:schemas:core:2.0:User"),
            Target::Schemas(Some(urn.into()))
        );
        for nothing in
            ["", "/", "/users", "/Users/a/b", "/Users/%00", "/Users/%zz", "/Users/%ff", "/Else", "/Users%2fabc"]
        {
            assert_eq!(Target::at(nothing), Target::Nothing, "{nothing}");
        }
        assert_eq!(Target::at(&format!("/Users/{}", "a".repeat(ID_BYTES_MAX + 1))), Target::Nothing);
    }
}
