//! POST `/.search` at the root (RFC 7644 §3.4.3): users first, groups behind them.

use serde_json::Value;

use super::desk::{Answer, Desk};
use super::list::question;
use super::refusal::Refusal;
use super::walk::{Question, Stage};
use crate::directory::roster::Place;
use crate::scim::list::{Begin, ListRequest};
use crate::scim::page::{Resources, Told};
use crate::scim::schema::ResourceType;

/// A search of one type.
type Part = (ResourceType, ListRequest);

impl Desk<'_> {
    /// POST `/Users/.search` and `/Groups/.search`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn search(&self, of: ResourceType, body: &Value) -> Result<Answer, Refusal> {
        self.list(of, &ListRequest::of_body(body, self.schema(of))?).await
    }

    /// POST `/.search`. A type that doesn't know what the filter asks for has no match.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn search_all(&self, body: &Value) -> Result<Answer, Refusal> {
        let of = |of: ResourceType| ListRequest::of_body(body, self.schema(of)).map(|ask| (of, ask));
        let parts: Vec<Part> = match (of(ResourceType::User), of(ResourceType::Group)) {
            (Ok(users), Ok(groups)) => vec![users, groups],
            (Ok(part), Err(_)) | (Err(_), Ok(part)) => vec![part],
            (Err(fault), Err(_)) => return Err(fault.into()),
        };
        let Some((_, first)) = parts.first() else { return Err(Refusal::not_found()) };
        let types: Vec<ResourceType> = parts.iter().map(|(of, _)| *of).collect();
        let question = question(&format!("{types:?}"), first);
        match &first.begin {
            Begin::Index(index) => self.by_index(&parts, &question, *index).await,
            Begin::Cursor(cursor) => self.by_cursor(&parts, &question, cursor).await,
        }
    }

    /// What an index that nobody remembers begins with is counted from the front.
    async fn by_index(&self, parts: &[Part], question: &Question, index: u64) -> Result<Answer, Refusal> {
        let kept = if index > 1 { self.kept::<Stage>(question, index).await? } else { Some(Stage::default()) };
        let mut skip = if kept.is_some() { 0 } else { index - 1 };
        let Stage { part, mut position, before: mut total } = kept.unwrap_or_default();
        let mut resources = Resources::default();
        let mut onward = None;
        let mut is_whole = false;
        for (number, (of, ask)) in (0_u8..).zip(parts).skip(usize::from(part)) {
            let given = u32::try_from(resources.len()).unwrap_or(u32::MAX);
            let left = if is_whole { 0 } else { ask.count.saturating_sub(given) };
            let place = match position.take() {
                Some(position) => Place::Behind(position),
                None if skip > 0 => Place::Skip(skip),
                None => Place::First,
            };
            let page = self.fetch(*of, ask, place, left).await?;
            let before = total;
            skip = skip.saturating_sub(page.total);
            total = total.saturating_add(page.total);
            resources.append(&page.resources);
            if left > 0 {
                is_whole = page.next.is_some();
                onward = Some(match page.next {
                    Some(next) => Stage { part: number, position: Some(next), before },
                    None => Stage { part: number.saturating_add(1), position: None, before: total },
                });
            }
        }
        if let Some(stage) = onward.filter(|stage| usize::from(stage.part) < parts.len()) {
            self.remember(question, index.saturating_add(resources.len() as u64), &stage).await?;
        }
        Ok(Answer::json(200, resources.response(total, &Told::Index(index))))
    }

    /// A page holds one type.
    async fn by_cursor(&self, parts: &[Part], question: &Question, cursor: &str) -> Result<Answer, Refusal> {
        let onward = self.opened(question, cursor)?;
        let (mut resources, mut total, mut next) = (Resources::default(), 0_u64, None);
        for (number, (of, ask)) in (0_u8..).zip(parts) {
            let (place, limit) =
                if number == onward.part { (onward.place.clone(), ask.count) } else { (Place::First, 0) };
            let page = self.fetch(*of, ask, place, limit).await?;
            total = total.saturating_add(page.total);
            if number == onward.part {
                resources = page.resources;
                let is_last = usize::from(number) + 1 >= parts.len();
                next = match page.next {
                    Some(position) => Some(self.cursor(question, number, Some(position))),
                    None if is_last => None,
                    None => Some(self.cursor(question, number + 1, None)),
                };
            }
        }
        Ok(Answer::json(200, resources.response(total, &Told::Cursor(next))))
    }
}
