//! Walking along a list: where a page begins, and what is looked at row by row.

use std::sync::Arc;

use super::listed::{Listed, Question, Stretch};
use super::store::Store;
use crate::directory::roster::{ListFault, Place, ROWS_LOOKED_AT_MAX};

/// Rows that are looked at before others have their turn.
const PORTION: u64 = 500;

/// A place as numbers.
pub(super) struct Begin {
    pub after: u64,
    pub skip: u64,
    /// What lies before it.
    pub given: u64,
    /// What had been deleted when the walk began.
    pub deletions: Option<u64>,
}

impl Begin {
    pub(super) const fn of(place: &Place) -> Self {
        match place {
            Place::First => Self { after: 0, skip: 0, given: 0, deletions: None },
            Place::Skip(rows) => Self { after: 0, skip: *rows, given: *rows, deletions: None },
            Place::Behind(from) => {
                Self { after: from.seq, skip: 0, given: from.given, deletions: Some(from.deletions) }
            }
        }
    }
}

pub(super) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// All rows that match, in the order of creation, in portions.
pub(super) struct Walk {
    question: Arc<Question>,
    after: u64,
    looked_at: u64,
    over: bool,
}

impl Walk {
    pub(super) const fn new(question: Arc<Question>, after: u64) -> Self {
        Self { question, after, looked_at: 0, over: false }
    }

    /// The matches of the next portion; `None`: there are no more.
    pub(super) async fn next<T: Listed>(&mut self, store: &Store) -> Result<Option<Vec<T>>, ListFault> {
        if self.over {
            return Ok(None);
        }
        if self.looked_at > 0 {
            tokio::task::yield_now().await;
        }
        let (question, after) = (Arc::clone(&self.question), self.after);
        let (rows, last, matches) = store
            .read(move |db| {
                let rows: Vec<T> = question.rows(db, Stretch { after, skip: 0, most: PORTION })?;
                let (count, last) = (length(&rows), rows.last().map(T::seq));
                let mut matches = Vec::new();
                for row in rows {
                    if question.matches(db, &row)? {
                        matches.push(row);
                    }
                }
                Ok((count, last, matches))
            })
            .await?;
        self.looked_at = self.looked_at.saturating_add(rows);
        if self.looked_at > ROWS_LOOKED_AT_MAX {
            return Err(ListFault::TooMany);
        }
        self.over = rows < PORTION;
        self.after = last.unwrap_or(self.after);
        Ok(Some(matches))
    }
}
