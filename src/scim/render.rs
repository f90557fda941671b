//! A user or group as SCIM's JSON.

use serde_json::Value;

use super::chosen::{Chosen, Shown};
use super::list::Selection;
use super::schema::{Attribute, Common, Schema};
use super::urn;
use super::writer::Writer;
use crate::base::Moment;
use crate::identity::group::{GroupOf, Member, MemberKind};
use crate::identity::user::Attributes;
use crate::identity::{StoredGroup, StoredUser};

/// How an answer is made.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    pub schema: &'a Schema,
    /// `https://host/usergroup/scim/v2`, from the configuration.
    pub base: &'a str,
    pub selection: &'a Selection,
}

/// Appends a user's JSON; `groups` only if they are wanted. Only what is confirmed is shown, nothing is null, and `schemas`
/// lists the extensions of which something is there.
pub fn write_user(rendering: &Rendering<'_>, user: &StoredUser, groups: Option<&[GroupOf]>, out: &mut Vec<u8>) {
    let active = Value::Bool(user.user.active);
    let resource = Resource {
        id: &user.user.id.0,
        attributes: &user.user.attributes,
        active: Some(&active),
        times: (user.created_at, user.user.updated_at),
        version: user.version,
    };
    let mut page = Page::new(rendering, out);
    page.begin(&resource);
    if let Some(groups) = groups {
        page.groups(groups);
    }
    page.end(&resource);
}

/// Appends a group's JSON; `members` only if they are wanted.
pub fn write_group(rendering: &Rendering<'_>, group: &StoredGroup, members: Option<&[Member]>, out: &mut Vec<u8>) {
    let resource = Resource::of_group(group);
    let mut page = Page::new(rendering, out);
    page.begin(&resource);
    if let Some(members) = members {
        page.members(members);
    }
    page.end(&resource);
}

/// Whether the members of a group are shown.
#[must_use]
pub fn shows_members(rendering: &Rendering<'_>) -> bool {
    Chosen::of(rendering.selection, rendering.schema).shows_members() != Shown::No
}

/// Appends a group's JSON up to its first member: for one that is written piece by piece, with [`write_members`] and
/// [`end_group`]. Its members have to be shown.
pub fn begin_group(rendering: &Rendering<'_>, group: &StoredGroup, out: &mut Vec<u8>) {
    let mut page = Page::new(rendering, out);
    page.begin(&Resource::of_group(group));
    page.json.name("members");
    page.json.open(b'[');
}

/// Appends more members; what was written last must stand before them.
pub fn write_members(rendering: &Rendering<'_>, members: &[Member], out: &mut Vec<u8>) {
    let mut page = Page::new(rendering, out);
    let shown = page.chosen.shows_members();
    page.member_links(members, shown);
}

/// Appends what stands behind the last member.
pub fn end_group(rendering: &Rendering<'_>, group: &StoredGroup, out: &mut Vec<u8>) {
    let mut page = Page::new(rendering, out);
    page.json.close(b']');
    page.end(&Resource::of_group(group));
}

/// As [`write_user`], for those who look into it.
#[must_use]
pub fn user(rendering: &Rendering<'_>, user: &StoredUser, groups: Option<&[GroupOf]>) -> Value {
    let mut out = Vec::with_capacity(1_024);
    write_user(rendering, user, groups, &mut out);
    serde_json::from_slice(&out).unwrap_or_default()
}

/// As [`write_group`], for those who look into it.
#[must_use]
pub fn group(rendering: &Rendering<'_>, group: &StoredGroup, members: Option<&[Member]>) -> Value {
    let mut out = Vec::with_capacity(1_024);
    write_group(rendering, group, members, &mut out);
    serde_json::from_slice(&out).unwrap_or_default()
}

/// `W/"7"`.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// What users and groups have in common.
struct Resource<'a> {
    id: &'a str,
    attributes: &'a Attributes,
    active: Option<&'a Value>,
    times: (Moment, Moment),
    version: u64,
}

struct Page<'a, 'o> {
    rendering: &'a Rendering<'a>,
    chosen: Chosen<'a>,
    json: Writer<'o>,
}

impl<'a, 'o> Page<'a, 'o> {
    fn new(rendering: &'a Rendering<'a>, out: &'o mut Vec<u8>) -> Self {
        let chosen = Chosen::of(rendering.selection, rendering.schema);
        Self { rendering, chosen, json: Writer::new(out) }
    }

    /// Up to the last attribute of the core schema.
    fn begin(&mut self, resource: &Resource<'_>) {
        let schema = self.rendering.schema;
        let core = schema.urn();
        self.json.open(b'{');
        self.json.name("schemas");
        self.json.open(b'[');
        self.json.value(core);
        for urn in self.extensions() {
            let mut own = schema.attributes.iter().filter(|attribute| attribute.schema == urn);
            if own.any(|attribute| resource.value(attribute).is_some() && self.chosen.shows(attribute) != Shown::No) {
                self.json.value(urn);
            }
        }
        self.json.close(b']');
        self.json.name("id");
        self.json.value(resource.id);
        self.attributes(resource, core);
    }

    /// The extensions, and `meta`.
    fn end(&mut self, resource: &Resource<'_>) {
        for urn in self.extensions() {
            let place = self.json.place();
            self.json.foreign_name(urn);
            let inside = self.json.place();
            self.json.open(b'{');
            self.attributes(resource, urn);
            if self.json.is_empty_since(inside) {
                self.json.back_to(place);
            } else {
                self.json.close(b'}');
            }
        }
        self.meta(resource);
        self.json.close(b'}');
    }

    /// In the order of the schema, in which the attributes of one extension stand together.
    fn extensions(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let core = self.rendering.schema.urn();
        let mut last = core;
        self.rendering.schema.attributes.iter().filter_map(move |attribute| {
            let urn: &'a str = &attribute.schema;
            let new = urn != core && urn != last;
            last = urn;
            new.then_some(urn)
        })
    }

    fn attributes(&mut self, resource: &Resource<'_>, urn: &str) {
        let mut parent: Option<&'static str> = None;
        for attribute in self.rendering.schema.attributes.iter().filter(|attribute| attribute.schema == urn) {
            let Some(value) = resource.value(attribute) else { continue };
            let shown = self.chosen.shows(attribute);
            if shown == Shown::No {
                continue;
            }
            if attribute.parent != parent {
                if parent.is_some() {
                    self.json.close(b'}');
                }
                if let Some(opened) = attribute.parent {
                    self.json.name(opened);
                    self.json.open(b'{');
                }
                parent = attribute.parent;
            }
            self.attribute(attribute, value, shown);
        }
        if parent.is_some() {
            self.json.close(b'}');
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, shown: Shown) {
        let place = self.json.place();
        self.json.foreign_name(&attribute.name);
        let inside = self.json.place();
        if let Value::Array(items) = value {
            self.json.open(b'[');
            for item in items {
                self.element(attribute, item, shown);
            }
            if self.json.is_empty_since(inside) {
                return self.json.back_to(place);
            }
            self.json.close(b']');
        } else {
            self.element(attribute, value, shown);
            if self.json.is_empty_since(inside) {
                self.json.back_to(place);
            }
        }
    }

    /// One value; of a complex one the parts in their order, and nothing if none of them is shown.
    fn element(&mut self, attribute: &Attribute, value: &Value, shown: Shown) {
        let Value::Object(fields) = value else {
            return self.json.value(value);
        };
        let place = self.json.place();
        self.json.open(b'{');
        let inside = self.json.place();
        for sub in attribute.subs {
            if let Some(value) = fields.get(sub.name)
                && (shown == Shown::Whole || self.chosen.shows_sub(attribute, sub))
            {
                self.json.name(sub.name);
                self.json.value(value);
            }
        }
        if self.json.is_empty_since(inside) { self.json.back_to(place) } else { self.json.close(b'}') }
    }

    fn meta(&mut self, resource: &Resource<'_>) {
        let part = |common| {
            matches!(
                common,
                Common::ResourceType | Common::Created | Common::LastModified | Common::Location | Common::Version
            )
        };
        let shown = self.chosen.shows_common(Common::Meta, part);
        if shown == Shown::No {
            return;
        }
        let wanted = |chosen: &Chosen<'_>, part| shown == Shown::Whole || chosen.shows_common_part(part);
        let (name, folder) =
            if self.rendering.schema.urn() == urn::USER { ("User", "Users") } else { ("Group", "Groups") };
        self.json.name("meta");
        self.json.open(b'{');
        if wanted(&self.chosen, Common::ResourceType) {
            self.json.name("resourceType");
            self.json.value(name);
        }
        if wanted(&self.chosen, Common::Created) {
            self.json.name("created");
            self.json.value(&resource.times.0.to_rfc3339());
        }
        if wanted(&self.chosen, Common::LastModified) {
            self.json.name("lastModified");
            self.json.value(&resource.times.1.to_rfc3339());
        }
        if wanted(&self.chosen, Common::Location) {
            self.json.name("location");
            self.json.pieces(&[self.rendering.base, "/", folder, "/", resource.id]);
        }
        if wanted(&self.chosen, Common::Version) {
            self.json.name("version");
            self.json.value(&etag(resource.version));
        }
        self.json.close(b'}');
    }

    fn groups(&mut self, groups: &[GroupOf]) {
        let shown = self.chosen.shows_common(Common::Groups(None), |common| matches!(common, Common::Groups(_)));
        if groups.is_empty() || shown == Shown::No {
            return;
        }
        self.json.name("groups");
        self.json.open(b'[');
        for group in groups {
            let links = Link {
                id: &group.id.0,
                folder: "Groups",
                kind: if group.direct { "direct" } else { "indirect" },
                display: group.display.as_deref(),
            };
            self.link(&links, |part| Common::Groups(Some(part)), shown);
        }
        self.json.close(b']');
    }

    fn members(&mut self, members: &[Member]) {
        let shown = self.chosen.shows_members();
        if members.is_empty() || shown == Shown::No {
            return;
        }
        self.json.name("members");
        self.json.open(b'[');
        self.member_links(members, shown);
        self.json.close(b']');
    }

    fn member_links(&mut self, members: &[Member], shown: Shown) {
        for member in members {
            let (folder, kind) = match member.kind {
                MemberKind::User => ("Users", "User"),
                MemberKind::Group => ("Groups", "Group"),
            };
            let link = Link { id: &member.id, folder, kind, display: member.display.as_deref() };
            self.link(&link, |part| Common::Members(Some(part)), shown);
        }
    }

    fn link(&mut self, link: &Link<'_>, part: fn(&'static str) -> Common, shown: Shown) {
        let wanted =
            |chosen: &Chosen<'_>, name: &'static str| shown == Shown::Whole || chosen.shows_common_part(part(name));
        self.json.open(b'{');
        if wanted(&self.chosen, "value") {
            self.json.name("value");
            self.json.value(link.id);
        }
        if wanted(&self.chosen, "$ref") {
            self.json.name("$ref");
            self.json.pieces(&[self.rendering.base, "/", link.folder, "/", link.id]);
        }
        if wanted(&self.chosen, "type") {
            self.json.name("type");
            self.json.value(link.kind);
        }
        if let Some(display) = link.display
            && wanted(&self.chosen, "display")
        {
            self.json.name("display");
            self.json.value(display);
        }
        self.json.close(b'}');
    }
}

/// A member or a group, as the other shows it.
struct Link<'a> {
    id: &'a str,
    folder: &'a str,
    kind: &'a str,
    display: Option<&'a str>,
}

impl<'a> Resource<'a> {
    fn of_group(group: &'a StoredGroup) -> Self {
        Self {
            id: &group.id.0,
            attributes: &group.attributes,
            active: None,
            times: (group.created_at, group.updated_at),
            version: group.version,
        }
    }

    fn value(&self, attribute: &Attribute) -> Option<&Value> {
        if attribute.key == "active" && self.active.is_some() {
            return self.active;
        }
        self.attributes.get(&*attribute.key).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests;
