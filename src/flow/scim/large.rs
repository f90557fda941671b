//! A group of many members as an answer: its members are read while it is sent, so that no more than a page of them is
//! ever held, however slowly somebody reads.

use std::sync::Arc;

use futures_util::stream::unfold;

use super::desk::{Answer, Desk, Pieces};
use super::members::{PAGE, member_page};
use super::pass::Pass;
use crate::base::limits::GROUP_ANSWER_MEMBERS_MAX;
use crate::directory::roster::Groups;
use crate::flow::ports::Unavailable;
use crate::identity::StoredGroup;
use crate::scim::list::Selection;
use crate::scim::render::{Rendering, begin_group, end_group, shows_members, write_members};
use crate::scim::schema::ResourceType;

/// A group that is being sent.
struct Sending {
    groups: Arc<dyn Groups>,
    pass: Pass,
    group: StoredGroup,
    selection: Selection,
    next: Next,
    /// What was written and not yet sent.
    json: Vec<u8>,
}

/// What comes next.
enum Next {
    Members {
        /// Behind this one.
        after: Option<String>,
    },
    Nothing,
}

impl Desk<'_> {
    /// The whole group in pieces, if it has so many members that are to be shown.
    pub(super) fn in_pieces(&self, status: u16, group: &StoredGroup) -> Option<Answer> {
        let selection = &self.terms.selection;
        let rendering = self.rendering(ResourceType::Group, selection);
        if group.members <= GROUP_ANSWER_MEMBERS_MAX || !selection.wants("members") || !shows_members(&rendering) {
            return None;
        }
        let mut json = Vec::new();
        begin_group(&rendering, group, &mut json);
        let sending = Sending {
            groups: Arc::clone(&self.ports.directory.groups),
            pass: self.pass.clone(),
            group: group.clone(),
            selection: selection.clone(),
            next: Next::Members { after: None },
            json,
        };
        let pieces = unfold(sending, |sending| async move { sending.piece().await });
        Some(Answer {
            status,
            version: Some(group.version),
            pieces: Some(Pieces(Box::pin(pieces))),
            ..Answer::default()
        })
    }
}

impl Sending {
    async fn piece(mut self) -> Option<(Result<Vec<u8>, Unavailable>, Self)> {
        let Next::Members { after } = std::mem::replace(&mut self.next, Next::Nothing) else { return None };
        let page = match member_page(&*self.groups, &self.pass, &self.group.id, after.as_deref()).await {
            Ok(page) => page,
            // What was begun can't be taken back: the connection breaks off, and nobody takes a part for the whole.
            Err(fault) => return Some((Err(fault), self)),
        };
        let mut json = std::mem::take(&mut self.json);
        let schema = &self.pass.schemas().group;
        let rendering = Rendering { schema, base: self.pass.base(), selection: &self.selection };
        write_members(&rendering, &page, &mut json);
        if page.len() < PAGE as usize {
            end_group(&rendering, &self.group, &mut json);
        } else {
            self.next = Next::Members { after: page.last().map(|member| member.id.clone()) };
            // What stands before the next member says whether a comma does too.
            self.json.extend(json.pop());
        }
        Some((Ok(json), self))
    }
}
