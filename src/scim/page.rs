//! A page of a list as SCIM's JSON (RFC 7644 §3.4.2, RFC 9865 §2).

use serde::Serialize;

use super::render::{Rendering, write_group, write_user};
use super::urn::LIST_RESPONSE;
use super::writer::Writer;
use crate::identity::group::{GroupOf, Member};
use crate::identity::{StoredGroup, StoredUser};

/// What a page has besides its resources: some 200 bytes, and a cursor.
const HEAD_BYTES: usize = 512;

/// The resources of a page, as their JSON.
#[derive(Debug, Default)]
pub struct Resources {
    /// One behind the other, with commas between them.
    json: Vec<u8>,
    count: usize,
}

/// Where a page stands in its list, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Index(u64),
    /// With the cursor of the next page; `None` on the last.
    Cursor(Option<String>),
}

impl Resources {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// As [`write_user`].
    pub fn push_user(&mut self, rendering: &Rendering<'_>, user: &StoredUser, groups: Option<&[GroupOf]>) {
        write_user(rendering, user, groups, &mut self.json);
        self.count += 1;
    }

    /// As [`write_group`].
    pub fn push_group(&mut self, rendering: &Rendering<'_>, group: &StoredGroup, members: Option<&[Member]>) {
        write_group(rendering, group, members, &mut self.json);
        self.count += 1;
    }

    /// Any other resource.
    pub fn push<T: Serialize + ?Sized>(&mut self, resource: &T) {
        Writer::new(&mut self.json).value(resource);
        self.count += 1;
    }

    /// Those of another page, behind these.
    pub fn append(&mut self, behind: &Self) {
        if !self.json.is_empty() && !behind.json.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(&behind.json);
        self.count += behind.count;
    }

    /// The list response.
    #[must_use]
    pub fn response(&self, total: u64, told: &Told) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + self.json.len());
        let mut json = Writer::new(&mut out);
        json.open(b'{');
        json.name("schemas");
        json.value(&[LIST_RESPONSE]);
        json.name("totalResults");
        json.value(&total);
        json.name("itemsPerPage");
        json.value(&self.count);
        match told {
            Told::Index(index) => {
                json.name("startIndex");
                json.value(index);
            }
            Told::Cursor(Some(next)) => {
                json.name("nextCursor");
                json.value(next);
            }
            Told::Cursor(None) => {}
        }
        json.name("Resources");
        json.open(b'[');
        json.raw(&self.json);
        json.close(b']');
        json.close(b'}');
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn pages_are_put_together_and_say_where_they_stand() {
        let read = |page: &Resources, told| -> Value {
            serde_json::from_slice(&page.response(9, &told)).expect("a page is JSON")
        };
        let mut page = Resources::default();
        let none = read(&page, Told::Cursor(None));
        let empty = json!({"schemas": [LIST_RESPONSE], "totalResults": 9, "itemsPerPage": 0, "Resources": []});
        assert_eq!(none, empty);
        page.append(&Resources::default());
        page.push(&json!({"id": "a"}));
        let mut more = Resources::default();
        more.push(&json!({"id": "b"}));
        more.push(&json!({"id": "c"}));
        page.append(&more);
        page.append(&Resources::default());
        let by_index = read(&page, Told::Index(4));
        assert_eq!(by_index["Resources"], json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]));
        assert_eq!((&by_index["itemsPerPage"], &by_index["startIndex"]), (&json!(3), &json!(4)));
        assert_eq!(read(&page, Told::Cursor(Some("on".to_owned())))["nextCursor"], "on");
    }
}
