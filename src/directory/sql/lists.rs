//! Lists of users and groups, page by page.
//!
//! Where an index serves the whole filter, a page is one statement and its count another. Else rows are looked at in
//! portions, and other requests have their turn between these.

use std::sync::Arc;

use async_trait::async_trait;

use super::engine::{Sql, SqlFault};
use super::listed::{Listed, Question, Stretch, counted};
use super::sorted;
use super::store::Store;
use super::walk::{Begin, Walk, length};
use crate::directory::roster::{ListFault, Listing, Lists, Page, Place, Position};
use crate::identity::{StoredGroup, StoredUser};

#[async_trait]
impl Lists for Store {
    async fn users(&self, listing: &Listing) -> Result<Page<StoredUser>, ListFault> {
        page(self, listing).await
    }

    async fn groups(&self, listing: &Listing) -> Result<Page<StoredGroup>, ListFault> {
        page(self, listing).await
    }
}

/// What a first look gave.
enum Found<T> {
    Page(Page<T>),
    /// Rows have to be looked at one by one.
    LookAt(Question, u64),
}

async fn page<T: Listed>(store: &Store, listing: &Listing) -> Result<Page<T>, ListFault> {
    let listing = Arc::new(listing.clone());
    let asked = Arc::clone(&listing);
    match store.read(move |db| first_look(db, &asked)).await? {
        Found::Page(page) => Ok(page),
        Found::LookAt(question, deletions) => {
            let question = Arc::new(question);
            match &listing.sort {
                None => looked_at(store, &listing, question, deletions).await,
                Some(sort) => sorted::in_memory(store, &listing, sort, (question, deletions)).await,
            }
        }
    }
}

fn first_look<T: Listed>(db: &dyn Sql, listing: &Listing) -> Result<Found<T>, SqlFault> {
    let question = Question::new(db, T::KIND, &listing.directory, listing.filter.as_ref())?;
    if let Some(sort) = &listing.sort {
        let indexed = if question.filtered { None } else { sorted::Indexed::of(T::KIND, sort) };
        if let Some(indexed) = indexed {
            return indexed.page(db, listing).map(Found::Page);
        }
    } else if question.looked_at.is_none() {
        return exact(db, listing, &question).map(Found::Page);
    }
    let (_, deletions) = counted::<T>(db, &listing.directory)?;
    Ok(Found::LookAt(question, deletions))
}

/// A page in the order of creation of rows that all match.
fn exact<T: Listed>(db: &dyn Sql, listing: &Listing, question: &Question) -> Result<Page<T>, SqlFault> {
    let (limit, begin) = (u64::from(listing.limit), Begin::of(&listing.place));
    let mut items: Vec<T> = Vec::new();
    if limit > 0 {
        items = question.rows(db, Stretch { after: begin.after, skip: begin.skip, most: limit.saturating_add(1) })?;
    }
    let more = length(&items) > limit;
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let here = length(&items);
    // An empty page behind a skip may lie behind the end.
    let is_last = limit > 0 && !more && (here > 0 || begin.skip == 0);
    let tally = if question.filtered && !more { None } else { Some(counted::<T>(db, &listing.directory)?) };
    let total = match (tally, &listing.place) {
        (Some((all, _)), Place::First | Place::Skip(_)) if !question.filtered => all,
        (Some((all, deletions)), Place::Behind(from)) if !question.filtered && from.deletions == deletions => all,
        _ if is_last => begin.given.saturating_add(here),
        (_, Place::Skip(_)) => question.count(db, 0)?,
        _ => begin.given.saturating_add(question.count(db, begin.after)?),
    };
    let deletions = begin.deletions.or(tally.map(|(_, deletions)| deletions)).unwrap_or_default();
    let next = items.last().filter(|_| more).map(|last| Position {
        key: None,
        seq: last.seq(),
        given: begin.given.saturating_add(here),
        deletions,
    });
    Ok(Page { items, total, next })
}

/// A page in the order of creation of rows that are looked at one by one, up to the end, for the total.
async fn looked_at<T: Listed>(
    store: &Store,
    listing: &Listing,
    question: Arc<Question>,
    deletions: u64,
) -> Result<Page<T>, ListFault> {
    let begin = Begin::of(&listing.place);
    let limit = u64::from(listing.limit);
    let (mut items, mut matched, mut walk) = (Vec::new(), 0_u64, Walk::new(question, begin.after));
    while let Some(some) = walk.next::<T>(store).await? {
        for item in some {
            matched = matched.saturating_add(1);
            if matched > begin.skip && length(&items) < limit {
                items.push(item);
            }
        }
    }
    let here = length(&items);
    let more = limit > 0 && matched > begin.skip.saturating_add(here);
    let next = items.last().filter(|_| more).map(|last: &T| Position {
        key: None,
        seq: last.seq(),
        given: begin.given.saturating_add(here),
        deletions: begin.deletions.unwrap_or(deletions),
    });
    let before = if begin.skip > 0 { 0 } else { begin.given };
    Ok(Page { items, total: before.saturating_add(matched), next })
}
