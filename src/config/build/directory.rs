//! `directories/ID.toml`.

use super::dialect;
use crate::base::Span;
use crate::base::text::fold;
use crate::config::lints::{DIR01, DIR04, DIR05, DIR06, DIR07};
use crate::config::reader::Reader;
use crate::config::spelling::nearest;
use crate::config::value::{deactivation, share};
use crate::config::view::View;
use crate::identity::directory::{DirectoryKind, MaxRemovals, OnDeactivate};
use crate::identity::{Directory, Source};
use crate::scim::schema::{ResourceType, confirmed_key, known};

/// Those that may have several values.
pub const MULTI_VALUED: [&str; 9] =
    ["emails", "phoneNumbers", "addresses", "photos", "ims", "roles", "entitlements", "groups", "x509Certificates"];

pub fn build(view: &View<'_>, reader: &mut Reader<'_>) -> Directory {
    let domains: Vec<String> = view.texts("domains").iter().map(|domain| fold(domain)).collect();
    let default_domain = view.some_text("default_domain").map(|domain| fold(&domain));
    if default_domain.as_ref().is_some_and(|domain| !domains.contains(domain)) {
        let label = if domains.is_empty() {
            "there are no `domains`".to_owned()
        } else {
            format!("one of {}", domains.join(", "))
        };
        reader.push(view.source.finding(&DIR01, &view.span("default_domain"), label));
    }
    attributes(view, reader);
    let lifecycle = view.table("lifecycle");
    let source = match view.text("source").as_str() {
        "azure" => Source::Azure,
        "okta" => Source::Okta,
        "ping" => Source::Ping,
        _ => Source::Generic,
    };
    let on_deactivate = deactivation(&lifecycle.text("on_deactivate")).unwrap_or(OnDeactivate::Keep);
    leaving(&lifecycle, source, on_deactivate, reader);
    Directory {
        id: view.source.stem.clone(),
        name: view.text("name"),
        default_domain,
        domains,
        source,
        kind: if view.text("type") == "jit" { DirectoryKind::Jit } else { DirectoryKind::Provisioned },
        // Whoever spells a name otherwise takes nothing out of the list.
        attributes: view.texts("attributes").iter().map(|name| confirmed_key(name)).collect(),
        decode_ms_guid: view.flag("decode_ms_guid"),
        on_deactivate,
        purge_after: lifecycle.duration("purge_after"),
        clear_sentinel: lifecycle.text("clear_sentinel"),
        max_removals: share(&view.table("guard").text("max_removals")).unwrap_or(MaxRemovals::Share(5)),
        dialect: dialect::build(&view.table("scim"), source),
    }
}

/// How long Entra's recycle bin keeps a user.
const RECYCLE_BIN: Span = Span::days(30);

fn leaving(lifecycle: &View<'_>, source: Source, on_deactivate: OnDeactivate, reader: &mut Reader<'_>) {
    let too_soon = match on_deactivate {
        OnDeactivate::Keep => false,
        OnDeactivate::DeleteNow => true,
        OnDeactivate::DeleteAfter(span) => span < RECYCLE_BIN,
    };
    if source == Source::Azure && too_soon {
        let label = "Entra restores users for 30 days";
        reader.push(lifecycle.source.finding(&DIR06, &lifecycle.span("on_deactivate"), label));
    }
    if lifecycle.text("clear_sentinel").trim().is_empty() {
        reader.push(lifecycle.source.finding(&DIR07, &lifecycle.span("clear_sentinel"), "blank"));
    }
}

fn attributes(view: &View<'_>, reader: &mut Reader<'_>) {
    let items = view.items("attributes");
    let known = known(ResourceType::User);
    let names = || known.iter().map(|attribute| &*attribute.key).chain(["groups"]);
    for (name, span) in &items {
        if !name.starts_with("urn:") && !names().any(|known| known == name) {
            let near = nearest(name, names());
            let label = near.map_or_else(|| "unknown".to_owned(), |near| format!("did you mean `{near}`?"));
            reader.push(view.source.finding(&DIR04, span, label));
        }
    }
    if !items.iter().any(|(name, _)| name == "userName") {
        reader.push(view.source.finding(&DIR05, &view.span("attributes"), "`userName` is missing"));
    }
}
