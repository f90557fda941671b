//! Where the next page of a list begins: remembered by index, or sealed into a cursor (RFC 9865). Either grants nothing:
//! the pass is checked on each page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::refusal::Refusal;
use crate::base::Moment;
use crate::base::limits::{CURSOR_LIFETIME, LIST_PAGE_LIFETIME};
use crate::directory::roster::{Place, Position};
use crate::flow::sessions::encode;
use crate::scim::{ScimError, ScimType};
use crate::state::{Kind, Name, Record};

/// A question whose answer has pages: two that differ share no position.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is listed, by which filter, in which order.
    pub text: String,
}

/// What a cursor holds.
#[derive(Serialize, Deserialize)]
struct Sealed {
    expires: Moment,
    /// Which of several lists one behind the other.
    part: u8,
    /// `None`: from its beginning.
    position: Option<Position>,
}

/// Where an index of several lists, one behind the other, begins.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Stage {
    /// Which of the lists.
    pub part: u8,
    /// `None`: its beginning.
    pub position: Option<Position>,
    /// How many items the lists before it gave.
    pub before: u64,
}

/// Where a cursor leads to.
pub struct Onward {
    pub part: u8,
    pub place: Place,
}

impl Desk<'_> {
    fn index_name(&self, question: &Question, index: u64) -> Name {
        let credential = self.pass.credential();
        Name::of(Kind::ListPage, &format!("{credential}\n{}\n{index}\n{}", self.pass.scope(), question.text))
    }

    fn purpose(&self, question: &Question) -> String {
        format!("scim cursor\n{}\n{}", self.pass.scope(), question.text)
    }

    /// The place of an index: behind the row that was given last before it, if that is known.
    pub(super) async fn place_of_index(&self, question: &Question, index: u64) -> Result<Place, Refusal> {
        if index <= 1 {
            return Ok(Place::First);
        }
        let position = self.kept(question, index).await?;
        Ok(position.map_or(Place::Skip(index - 1), Place::Behind))
    }

    /// What is remembered of an index.
    pub(super) async fn kept<T: DeserializeOwned>(
        &self,
        question: &Question,
        index: u64,
    ) -> Result<Option<T>, Refusal> {
        let kept = self.ports.state.peek(self.index_name(question, index)).await?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Remembers where `index` begins: a [`Position`], or a [`Stage`].
    pub(super) async fn remember(
        &self,
        question: &Question,
        index: u64,
        begin: &impl Serialize,
    ) -> Result<(), Refusal> {
        let name = self.index_name(question, index);
        let record = Record { name, bytes: encode(begin), lifetime: LIST_PAGE_LIFETIME };
        Ok(self.ports.state.put(vec![record]).await?)
    }

    /// Opens a cursor; an empty one is the first page.
    pub(super) fn opened(&self, question: &Question, cursor: &str) -> Result<Onward, ScimError> {
        if cursor.is_empty() {
            return Ok(Onward { part: 0, place: Place::First });
        }
        let open = || {
            let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let plain = self.ports.seal.open(&self.purpose(question), &sealed)?;
            serde_json::from_slice::<Sealed>(&plain).ok()
        };
        let Some(Sealed { expires, part, position }) = open() else {
            let told = "the cursor is none that was given for this filter and order";
            return Err(ScimError::bad(ScimType::InvalidCursor, told));
        };
        if expires <= self.request.now {
            return Err(ScimError::bad(
                ScimType::ExpiredCursor,
                "the cursor has expired; begin again with an empty one",
            ));
        }
        Ok(Onward { part, place: position.map_or(Place::First, Place::Behind) })
    }

    /// A cursor for what comes behind `position`.
    pub(super) fn cursor(&self, question: &Question, part: u8, position: Option<Position>) -> String {
        let sealed = Sealed { expires: self.request.now.plus(CURSOR_LIFETIME), part, position };
        let plain = encode(&sealed);
        URL_SAFE_NO_PAD.encode(self.ports.seal.seal(&*self.ports.dice, &self.purpose(question), &plain))
    }
}
