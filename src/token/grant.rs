//! placeholder until merged
use serde::{Deserialize, Serialize};
use crate::base::Moment;
use crate::identity::UserId;
use crate::oidc::{ClientId, IdpId, Scope};
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub client: ClientId,
    pub user: UserId,
    pub directory: String,
    pub idp: IdpId,
    pub sid: String,
    pub scopes: Vec<Scope>,
    pub nonce: Option<String>,
    pub auth_time: Moment,
    pub acr: Option<String>,
    pub amr: Vec<String>,
}
