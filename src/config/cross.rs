//! What can only be seen over all files together.

use std::collections::BTreeMap;
use std::ops::Range;

use super::build::directory::MULTI_VALUED;
use super::finding::Finding;
use super::lints::{
    CFG19, CFG21, CLI01, CLI11, CLI17, CLI18, DIR02, IDP01, IDP02, IDP07, IDP12, IDP13, IDP19, IDP20, IDP21, IDP23,
    Lint,
};
use super::objects::{Object, Objects};
use super::spelling::nearest;
use super::view::View;
use crate::base::text::fold;
use crate::identity::{Directory, DirectoryKind, Source};
use crate::oidc::Idp;
use crate::oidc::client::GrantType;
use crate::oidc::idp::{Forward, HintForm};

/// All findings between files.
#[must_use]
pub fn check(objects: &Objects<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    directories(objects, &mut findings);
    idp_domains(objects, &mut findings);
    for idp in &objects.idps {
        idp_directory(idp, objects, &mut findings);
    }
    one_subject_for_two(objects, &mut findings);
    hints_as_oracle(objects, &mut findings);
    shared_redirects(objects, &mut findings);
    clients(objects, &mut findings);
    services(objects, &mut findings);
    uids(objects, &mut findings);
    findings
}

fn uids(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let views = objects.directories.iter().map(|object| &object.view);
    let views = views.chain(objects.idps.iter().map(|object| &object.view));
    let views = views.chain(objects.clients.iter().map(|object| &object.view));
    let views = views.chain(objects.services.iter().map(|object| &object.view));
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for view in views {
        let Some(uid) = view.some_text("uid") else { continue };
        if let Some(owner) = owners.insert(uid.to_lowercase(), &view.source.shown) {
            findings.push(view.source.finding(&CFG21, &view.span("uid"), format!("also of {owner}")));
        }
    }
}

/// A name that must be the stem of an object.
fn exists<T>(view: &View<'_>, place: &Range<usize>, name: &str, what: (&str, &[Object<'_, T>])) -> Option<Finding> {
    let (folder, all) = what;
    if name.is_empty() || all.iter().any(|object| object.stem() == name) {
        return None;
    }
    let near = nearest(name, all.iter().map(Object::stem));
    let label = near.map_or_else(
        || format!("there is no {folder}/{}.toml", super::value::shown(name)),
        |near| format!("did you mean \"{near}\"?"),
    );
    Some(view.source.finding(&CFG19, place, label))
}

fn claimed_twice<'a, T: 'a>(
    objects: impl Iterator<Item = &'a Object<'a, T>>,
    lint: &'static Lint,
    findings: &mut Vec<Finding>,
) {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for object in objects {
        for (domain, span) in object.view.items("domains") {
            match owners.get(&fold(&domain)) {
                Some(owner) if owner != object.stem() => {
                    findings.push(object.view.source.finding(lint, &span, format!("also of `{owner}`")));
                }
                _ => {
                    owners.insert(fold(&domain), object.stem().to_owned());
                }
            }
        }
    }
}

fn directories(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    claimed_twice(objects.directories.iter(), &DIR02, findings);
}

fn idp_domains(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    // One that is switched off leaves its domains to its successor.
    let enabled = objects.idps.iter().filter(|idp| idp.view.flag("enabled"));
    claimed_twice(enabled, &IDP01, findings);
}

fn idp_directory(idp: &Object<'_, Idp>, objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let view = &idp.view;
    let name = view.text("directory");
    findings.extend(exists(view, &view.span("directory"), &name, ("directories", &objects.directories)));
    let Some(directory) = objects.directories.iter().find(|d| d.stem() == name).and_then(|d| d.built.as_ref()) else {
        return;
    };
    for (domain, span) in view.items("domains").into_iter().filter(|(domain, _)| !directory.has_domain(domain)) {
        findings.push(view.source.finding(&IDP02, &span, format!("`{domain}` is not of directory `{name}`")));
    }
    matching(view, directory, findings);
}

/// Two issuers may give the same `sub` to two people; searched by the same attribute they would be one.
fn one_subject_for_two(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(String, String), &str> = BTreeMap::new();
    for idp in objects.idps.iter().filter(|idp| idp.view.flag("enabled")) {
        let table = idp.view.table("match");
        if table.text("claim") != "sub" {
            continue;
        }
        let key = (idp.view.text("directory"), table.text("attribute"));
        if let Some(other) = seen.insert(key, idp.stem()) {
            let label = format!("idps/{other}.toml matches `sub` in this directory too");
            findings.push(idp.view.source.finding(&IDP21, &idp.view.span("directory"), label));
        }
    }
}

fn matching(view: &View<'_>, directory: &Directory, findings: &mut Vec<Finding>) {
    let table = view.table("match");
    let attribute = table.text("attribute");
    let span = table.span("attribute");
    let from_entra = directory.source == Source::Azure && directory.kind == DirectoryKind::Provisioned;
    if !directory.confirms(&attribute) {
        let label = format!("`{attribute}` is not one of directory `{}`", directory.id);
        findings.push(view.source.finding(&IDP07, &span, label));
    } else if MULTI_VALUED.contains(&attribute.as_str()) {
        findings.push(view.source.finding(&IDP19, &span, "may have several values"));
    } else if from_entra && view.text("kind") == "entra" && table.text("claim") == "oid" && attribute != "externalId" {
        findings.push(view.source.finding(&IDP23, &span, format!("`{attribute}` holds it only if a mapping says so")));
    }
    let taken_away = view
        .own_entries("user_attributes")
        .iter()
        .find(|entry| entry.key == attribute && super::view::as_text(&entry.node).is_some_and(str::is_empty));
    if let (DirectoryKind::Jit, Some(entry)) = (directory.kind, taken_away) {
        findings.push(view.source.finding(&IDP20, &entry.node.span, "takes away the attribute of [match]"));
    }
}

/// `as` other than received and `forward = "known"` for clients in whose name anybody can ask: without PAR, or public.
fn hints_as_oracle(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    for idp in &objects.idps {
        let Some(built) = &idp.built else { continue };
        let key = match (built.hint.as_, built.hint.forward) {
            (HintForm::Received, Forward::Known) => "forward",
            (HintForm::Received, _) | (_, Forward::Never) => continue,
            _ => "as",
        };
        let mut open = objects.clients.iter().filter_map(|client| client.built.as_ref());
        let asks = open.find(|client| {
            let guarded = client.require_par && !client.is_public();
            client.enabled && client.accept_hints && !guarded && client.allows_idp(&built.id)
        });
        if let Some(client) = asks {
            let label = format!("anybody can ask by client `{}`", client.stem);
            findings.push(idp.view.source.finding(&IDP12, &idp.view.table("login_hint").span(key), label));
        }
    }
}

/// A040: one redirect address for providers of several owners.
fn shared_redirects(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let shared =
        || objects.idps.iter().filter_map(|idp| Some((idp, idp.built.as_ref().filter(|built| built.shared_redirect)?)));
    for (idp, built) in shared() {
        if let Some((_, other)) = shared().find(|(_, other)| other.issuer != built.issuer) {
            let label = format!("`{}` answers there too", other.id);
            findings.push(idp.view.source.finding(&IDP13, &idp.view.span("redirect"), label));
        }
    }
}

fn clients(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let mut ids: BTreeMap<String, &str> = BTreeMap::new();
    for client in &objects.clients {
        let view = &client.view;
        let id = view.some_text("client_id").unwrap_or_else(|| client.stem().to_owned());
        if let Some(first) = ids.get(&id) {
            let label = format!("also of clients/{first}.toml");
            findings.push(view.source.finding(&CLI01, &view.span("client_id"), label));
        } else {
            ids.insert(id, client.stem());
        }
        for (idp, span) in view.items("idps") {
            findings.extend(exists(view, &span, &idp, ("idps", &objects.idps)));
        }
        signing(view, objects, findings);
        claims(view, objects, findings);
        if objects.idps.is_empty() && client.built.as_ref().is_some_and(|c| c.may_use(GrantType::AuthorizationCode)) {
            let finding = view.source.finding(&CLI18, &view.anchor(), "there is no identity provider");
            findings.push(finding);
        }
    }
}

fn signing(view: &View<'_>, objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let Some(server) = &objects.server else { return };
    let algorithm = view.text("id_token_alg");
    if !server.keys.algorithms.iter().any(|known| known.as_str() == algorithm) {
        findings.push(view.source.finding(&CLI11, &view.span("id_token_alg"), format!("no key for {algorithm}")));
    }
}

fn claims(view: &View<'_>, objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    let mut built = objects.directories.iter().filter_map(|directory| directory.built.as_ref()).peekable();
    if built.peek().is_none() {
        return;
    }
    let directories: Vec<&Directory> = built.collect();
    for entry in view.own_entries("claims") {
        let Some(attribute) = super::view::as_text(&entry.node) else { continue };
        if attribute != "groups" && !directories.iter().any(|directory| directory.confirms(attribute)) {
            findings.push(view.source.finding(&CLI17, &entry.node.span, "in no directory's `attributes`"));
        }
    }
}

fn services(objects: &Objects<'_>, findings: &mut Vec<Finding>) {
    for service in &objects.services {
        let view = &service.view;
        findings.extend(exists(
            view,
            &view.span("directory"),
            &view.text("directory"),
            ("directories", &objects.directories),
        ));
        let table = view.table("authentication");
        findings.extend(exists(view, &table.span("client"), &table.text("client"), ("clients", &objects.clients)));
    }
}
