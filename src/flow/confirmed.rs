//! The confirmed lists in force, and people seen through them: what a directory doesn't confirm is neither found nor
//! used, from the moment that its file says so, whatever is stored.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;

use crate::base::Moment;
use crate::config::{Live, Snapshot};
use crate::directory::{Activity, DirectoryFault, JitUser, Provisioned, Standing, Users};
use crate::identity::{User, UserId};
use crate::scim::Schemas;
use crate::token::family::FamilyId;

/// One configuration as SCIM needs it.
pub struct Edition {
    config: Arc<Snapshot>,
    base: String,
}

impl Edition {
    fn new(config: &Arc<Snapshot>) -> Self {
        let base = config.server.base_url.as_str().trim_end_matches('/');
        Self { config: Arc::clone(config), base: format!("{base}/usergroup/scim/v2") }
    }

    /// What a directory confirms. `None`: there is no such directory.
    #[must_use]
    pub fn schemas(&self, directory: &str) -> Option<&Arc<Schemas>> {
        self.config.schemas.get(directory)
    }

    /// `https://host/usergroup/scim/v2`, from the configuration.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// The edition of the configuration in force, made once.
#[derive(Default)]
pub struct Editions(ArcSwapOption<Edition>);

impl Editions {
    /// The edition of this configuration; made if it isn't the one that is kept.
    pub fn of(&self, config: &Arc<Snapshot>) -> Arc<Edition> {
        let kept = self.0.load_full().filter(|kept| Arc::ptr_eq(&kept.config, config));
        kept.unwrap_or_else(|| {
            let made = Arc::new(Edition::new(config));
            self.0.store(Some(Arc::clone(&made)));
            made
        })
    }
}

/// Users with what their directory confirms of them. Of a directory that is in no file they are shown as they are:
/// nobody signs in there.
pub struct ConfirmedUsers {
    inner: Arc<dyn Users>,
    config: Arc<Live>,
}

impl ConfirmedUsers {
    #[must_use]
    pub fn new(inner: Arc<dyn Users>, config: Arc<Live>) -> Self {
        Self { inner, config }
    }

    fn schemas(&self, directory: &str) -> Option<Arc<Schemas>> {
        self.config.snapshot().schemas.get(directory).cloned()
    }

    fn masked(&self, mut user: User) -> User {
        if let Some(schemas) = self.schemas(&user.directory)
            && !schemas.user.confirms_all(&user.attributes)
        {
            user.attributes.retain(|name, _| schemas.user.attribute(name).is_some());
            user.email_verified &= user.attributes.contains_key("emails");
        }
        user
    }
}

#[async_trait]
impl Users for ConfirmedUsers {
    async fn find(&self, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, DirectoryFault> {
        if self.schemas(directory).is_some_and(|schemas| schemas.user.attribute(attribute).is_none()) {
            return Ok(Vec::new());
        }
        let found = self.inner.find(directory, attribute, value).await?;
        Ok(found.into_iter().map(|user| self.masked(user)).collect())
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, DirectoryFault> {
        Ok(self.inner.user(id).await?.map(|user| self.masked(user)))
    }

    async fn standing(
        &self,
        id: &UserId,
        sid: Option<&str>,
        families: &[&FamilyId],
    ) -> Result<Option<Standing>, DirectoryFault> {
        let standing = self.inner.standing(id, sid, families).await?;
        Ok(standing.map(|standing| Standing { user: self.masked(standing.user), ..standing }))
    }

    async fn provision(&self, user: JitUser, now: Moment) -> Result<Provisioned, DirectoryFault> {
        Ok(match self.inner.provision(user, now).await? {
            Provisioned::Created(user) => Provisioned::Created(self.masked(user)),
            Provisioned::Updated(user) => Provisioned::Updated(self.masked(user)),
            Provisioned::Unchanged(user) => Provisioned::Unchanged(self.masked(user)),
            Provisioned::Conflict(what) => Provisioned::Conflict(what),
        })
    }

    async fn set_active(&self, id: &UserId, activity: Activity, now: Moment) -> Result<bool, DirectoryFault> {
        self.inner.set_active(id, activity, now).await
    }
}
