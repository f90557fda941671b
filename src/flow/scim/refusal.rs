//! Why a SCIM request is not done.

use crate::directory::DirectoryFault;
use crate::directory::roster::{ListFault, MEMBERS_MAX, Written};
use crate::flow::ports::Unavailable;
use crate::scim::lifecycle::taken;
use crate::scim::{ScimError, ScimType};
use crate::state::StateFault;

#[derive(Debug)]
pub enum Refusal {
    /// What the client asks for can't be done (RFC 7644 §3.12).
    Scim(ScimError),
    /// No credential that holds: one answer for none, an unknown one and one that is over.
    Unauthorized,
    /// More requests in a second than this credential may send.
    TooMany,
    /// Something that we depend on is away.
    Unavailable,
}

impl From<ScimError> for Refusal {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl From<Unavailable> for Refusal {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<DirectoryFault> for Refusal {
    fn from(fault: DirectoryFault) -> Self {
        Unavailable::from(fault).into()
    }
}

impl From<StateFault> for Refusal {
    fn from(fault: StateFault) -> Self {
        Unavailable::from(fault).into()
    }
}

impl From<ListFault> for Refusal {
    fn from(fault: ListFault) -> Self {
        match fault {
            ListFault::Fault(fault) => fault.into(),
            ListFault::TooMany => Self::Scim(ScimError::bad(
                ScimType::TooMany,
                "too many resources would have to be looked at; a filter by userName, externalId, displayName or emails would be served",
            )),
        }
    }
}

impl Refusal {
    /// One answer for what is not there, was deleted, or is another directory's.
    #[must_use]
    pub fn not_found() -> Self {
        Self::Scim(ScimError::status(404, "there is no such resource"))
    }

    /// `If-Match` names another version, or `If-None-Match` this one (RFC 7644 §3.14).
    #[must_use]
    pub fn changed_meanwhile() -> Self {
        Self::Scim(ScimError::status(
            412,
            "the resource is of another version than If-Match names, or of one that If-None-Match does",
        ))
    }

    /// Others were faster each time.
    #[must_use]
    pub fn contended() -> Self {
        Self::Scim(ScimError::status(409, "the resource was changed by others again and again; try again"))
    }

    /// Why the store didn't write.
    #[must_use]
    pub fn unwritten<T>(written: Written<T>) -> Self {
        match written {
            Written::Done(_) | Written::Stale => Self::contended(),
            Written::Taken { attribute, external_id, .. } => Self::taken(attribute, external_id.as_deref()),
            Written::UnknownMember(_) => Self::Scim(ScimError::value(
                "members",
                "members names an id that no user and no group has; the id of one would be accepted",
            )),
            Written::TooManyMembers => {
                let told = format!("members would have more than {MEMBERS_MAX} values, the most that a group has");
                Self::Scim(ScimError::value("members", told))
            }
        }
    }

    /// 409: somebody holds the value of a unique attribute.
    #[must_use]
    pub fn taken(attribute: &str, external_id: Option<&str>) -> Self {
        Self::Scim(taken(attribute, external_id))
    }
}
