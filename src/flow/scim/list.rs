//! Lists of one type: pages by index and by cursor.

use super::desk::{Answer, Desk};
use super::refusal::Refusal;
use super::walk::Question;
use crate::base::limits::GROUP_PAGE_MEMBERS_MAX;
use crate::directory::roster::{Listing, Page, Place, Position};
use crate::identity::StoredGroup;
use crate::scim::list::{Begin, ListRequest};
use crate::scim::page::{Resources, Told};
use crate::scim::schema::ResourceType;

/// A page, ready to be sent.
pub(super) struct Fetched {
    pub resources: Resources,
    pub total: u64,
    pub next: Option<Position>,
}

/// What a question is about, as positions in its answer remember it.
pub(super) fn question(of: &str, ask: &ListRequest) -> Question {
    Question { text: format!("{of}\n{}\n{:?}", ask.filter_text, ask.sort) }
}

impl Desk<'_> {
    /// GET and POST `.search` of `/Users` and `/Groups`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn list(&self, of: ResourceType, ask: &ListRequest) -> Result<Answer, Refusal> {
        let question = question(&format!("{of:?}"), ask);
        match &ask.begin {
            Begin::Index(index) => {
                let place = self.place_of_index(&question, *index).await?;
                let page = self.fetch(of, ask, place, ask.count).await?;
                if let Some(next) = &page.next {
                    let behind = index.saturating_add(page.resources.len() as u64);
                    self.remember(&question, behind, next).await?;
                }
                Ok(Answer::json(200, page.resources.response(page.total, &Told::Index(*index))))
            }
            Begin::Cursor(cursor) => {
                let place = self.opened(&question, cursor)?.place;
                let page = self.fetch(of, ask, place, ask.count).await?;
                let next = page.next.map(|next| self.cursor(&question, 0, Some(next)));
                Ok(Answer::json(200, page.resources.response(page.total, &Told::Cursor(next))))
            }
        }
    }

    pub(super) async fn fetch(
        &self,
        of: ResourceType,
        ask: &ListRequest,
        place: Place,
        limit: u32,
    ) -> Result<Fetched, Refusal> {
        let directory = self.pass.scope().to_owned();
        let listing = Listing { directory, filter: ask.filter.clone(), sort: ask.sort.clone(), place, limit };
        let mut resources = Resources::default();
        let rendering = self.rendering(of, &ask.selection);
        match of {
            ResourceType::User => {
                let page = self.ports.directory.lists.users(&listing).await?;
                for user in &page.items {
                    let groups = self.groups_of(user, &ask.selection).await?;
                    resources.push_user(&rendering, user, groups.as_deref());
                }
                Ok(Fetched { resources, total: page.total, next: page.next })
            }
            ResourceType::Group => {
                let page = self.group_page(listing, ask).await?;
                for group in &page.items {
                    let members = self.members_of(group, &ask.selection).await?;
                    resources.push_group(&rendering, group, members.as_deref());
                }
                Ok(Fetched { resources, total: page.total, next: page.next })
            }
        }
    }

    /// A page whose groups have too many members between them ends early (RFC 7644 §3.4.2.4 allows fewer than asked for).
    async fn group_page(&self, mut listing: Listing, ask: &ListRequest) -> Result<Page<StoredGroup>, Refusal> {
        let page = self.ports.directory.lists.groups(&listing).await?;
        if !ask.selection.wants("members") {
            return Ok(page);
        }
        let mut members = 0_u64;
        let fits = page.items.iter().take_while(|group| {
            members = members.saturating_add(group.members);
            members <= GROUP_PAGE_MEMBERS_MAX
        });
        let fitting = fits.count().max(1);
        if fitting >= page.items.len() {
            return Ok(page);
        }
        listing.limit = u32::try_from(fitting).unwrap_or(1);
        Ok(self.ports.directory.lists.groups(&listing).await?)
    }
}
