//! `directory export`: one directory as a SCIM ListResponse, one resource a line, users first, then groups with their
//! members. What is in memory is a page, whatever the size of the directory.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::app::parts::Parts;
use crate::cli::progress::Progress;
use crate::cli::sync_client::base_url;
use crate::directory::roster::{Listing, Page, Place};
use crate::identity::group::{Member, MemberKind};
use crate::identity::{Directory, StoredGroup};
use crate::scim::list::Selection;
use crate::scim::render::{Rendering, group, user};
use crate::scim::{Schemas, urn};

/// Resources, and members, that are read at a time.
const PAGE: u32 = 1_000;

/// Writes the dump to a file, which is whole when it is there and readable by its owner only, or to standard output.
///
/// # Errors
/// What can't be read or written.
pub async fn export(
    parts: &Parts,
    directory: &Directory,
    schemas: &Schemas,
    out: Option<&Path>,
) -> anyhow::Result<u64> {
    let base = base_url(&parts.config.snapshot().server.base_url);
    let dump = Dump { parts, directory, schemas, base: &base };
    let Some(path) = out else {
        let mut to = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
        let count = dump.write(&mut to).await?;
        to.flush()?;
        return Ok(count);
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
    let mut to = BufWriter::with_capacity(1 << 18, beside);
    let count = dump.write(&mut to).await?;
    let beside = to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    beside.as_file().sync_all()?;
    beside.persist(path).with_context(|| path.display().to_string())?;
    Ok(count)
}

struct Dump<'a> {
    parts: &'a Parts,
    directory: &'a Directory,
    schemas: &'a Schemas,
    base: &'a str,
}

impl Dump<'_> {
    /// Says how many resources were written.
    async fn write(&self, to: &mut dyn Write) -> anyhow::Result<u64> {
        write!(to, "{{\"schemas\":[\"{}\"],\"startIndex\":1,\"Resources\":[", urn::LIST_RESPONSE)?;
        let mut progress = Progress::new("resources");
        let mut count = 0;
        let mut place = Place::First;
        loop {
            let page = self.parts.directory.lists.users(&self.listing(place)).await?;
            for stored in &page.items {
                let rendering =
                    Rendering { schema: &self.schemas.user, base: self.base, selection: &Selection::Default };
                separate(to, &mut count)?;
                serde_json::to_writer(&mut *to, &timeless(user(&rendering, stored, None)))?;
            }
            progress.at(count);
            let Page { next: Some(next), .. } = page else { break };
            place = Place::Behind(next);
        }
        let mut place = Place::First;
        loop {
            let page = self.parts.directory.lists.groups(&self.listing(place)).await?;
            for stored in &page.items {
                separate(to, &mut count)?;
                self.group(to, stored).await?;
            }
            progress.at(count);
            let Page { next: Some(next), .. } = page else { break };
            place = Place::Behind(next);
        }
        progress.end();
        writeln!(to, "\n],\"itemsPerPage\":{count},\"totalResults\":{count}}}")?;
        Ok(count)
    }

    fn listing(&self, place: Place) -> Listing {
        Listing { directory: self.directory.id.clone(), filter: None, sort: None, place, limit: PAGE }
    }

    /// A group with its members: those that wait for somebody of their id are among them, without a type.
    async fn group(&self, to: &mut dyn Write, stored: &StoredGroup) -> anyhow::Result<()> {
        let rendering = Rendering { schema: &self.schemas.group, base: self.base, selection: &Selection::Default };
        let text = timeless(group(&rendering, stored, None)).to_string();
        let open = text.strip_suffix('}').context("a group is rendered as an object")?;
        write!(to, "{open},\"members\":[")?;
        let groups = &self.parts.directory.groups;
        let (id, mut first, mut after) = (&self.directory.id, true, None::<String>);
        loop {
            let members = groups.members(id, &stored.id, after.as_deref(), PAGE).await?;
            let Some(last) = members.last() else { break };
            after = Some(last.id.clone());
            for member in &members {
                element(to, &mut first, &shown(member))?;
            }
        }
        let mut after = None::<String>;
        loop {
            let parked = groups.parked(id, &stored.id, after.as_deref(), PAGE).await?;
            let Some(last) = parked.last() else { break };
            after = Some(last.clone());
            for reference in &parked {
                element(to, &mut first, &json!({ "value": reference }))?;
            }
        }
        to.write_all(b"]}")?;
        Ok(())
    }
}

fn shown(member: &Member) -> Value {
    let kind = match member.kind {
        MemberKind::User => "User",
        MemberKind::Group => "Group",
    };
    json!({ "value": member.id, "type": kind })
}

fn separate(to: &mut dyn Write, count: &mut u64) -> std::io::Result<()> {
    let mark: &[u8] = if *count == 0 { b"\n" } else { b",\n" };
    *count += 1;
    to.write_all(mark)
}

fn element(to: &mut dyn Write, first: &mut bool, value: &Value) -> anyhow::Result<()> {
    if !std::mem::take(first) {
        to.write_all(b",")?;
    }
    serde_json::to_writer(to, value)?;
    Ok(())
}

/// Without versions, times and addresses: those belong to this database, and two dumps of the same people are equal.
fn timeless(mut resource: Value) -> Value {
    if let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) {
        meta.retain(|name, _| name == "resourceType");
    }
    if let Some(fields) = resource.as_object_mut() {
        fields.remove("groups");
        fields.remove("members");
    }
    resource
}
