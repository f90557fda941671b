//! What this directory's endpoint can do (RFC 7644 §4).

use serde_json::Value;

use super::desk::{Answer, Desk};
use super::refusal::Refusal;
use crate::scim::documents::{resource_types, schemas, service_provider_config};
use crate::scim::page::{Resources, Told};

impl Desk<'_> {
    /// GET `/ServiceProviderConfig`.
    #[must_use]
    pub fn service_provider_config(&self) -> Answer {
        Answer::of(200, &service_provider_config(self.pass.base()))
    }

    /// GET `/ResourceTypes`, or the one of that name.
    ///
    /// # Errors
    /// 404 if there is no such one.
    pub fn resource_types(&self, name: Option<&str>) -> Result<Answer, Refusal> {
        let all = resource_types(self.pass.base(), self.pass.schemas());
        one_or_all(all.into_iter().map(|(name, document)| (name.to_owned(), document)), name)
    }

    /// GET `/Schemas`, or the one of that URN.
    ///
    /// # Errors
    /// 404 if there is no such one.
    pub fn schemas(&self, urn: Option<&str>) -> Result<Answer, Refusal> {
        one_or_all(schemas(self.pass.base(), self.pass.schemas()).into_iter(), urn)
    }
}

fn one_or_all(all: impl Iterator<Item = (String, Value)>, wanted: Option<&str>) -> Result<Answer, Refusal> {
    let Some(wanted) = wanted else {
        let mut documents = Resources::default();
        all.for_each(|(_, document)| documents.push(&document));
        return Ok(Answer::json(200, documents.response(documents.len() as u64, &Told::Index(1))));
    };
    let mut all = all;
    let found = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, document)| Answer::of(200, &document)).ok_or_else(Refusal::not_found)
}
