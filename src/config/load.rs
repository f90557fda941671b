//! From a folder to a checked snapshot, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::build;
use super::finding::Finding;
use super::folder;
use super::lints::{CFG01, CFG05};
use super::objects::{Object, Objects};
use super::preset::KindPreset;
use super::reader::{Env, Reader};
use super::shapes::SchemaKind;
use super::source::Source;
use super::tree::{Table, parse};
use super::view::View;
use super::walk;
use super::{Server, Snapshot};
use super::{cross, unserved};
use crate::base::Digest;
use crate::identity::Directory;
use crate::keys::assertion::ClientKeys;
use crate::oidc::client::ClientCredential;
use crate::oidc::{Client, ClientId};
use crate::scim::Schemas;

/// What reading a folder gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// There is one unless a finding is an error.
    pub snapshot: Option<Arc<Snapshot>>,
    /// All of them, by file and line.
    pub findings: Vec<Finding>,
    /// Digest of the folder's files.
    pub version: Digest,
    /// Digest of the version, the findings and all that the files name: secrets, keys, certificates.
    pub fingerprint: Digest,
    /// Files outside or inside the folder that the folder's files name.
    pub named_files: Vec<PathBuf>,
}

/// One file, read.
struct Document {
    kind: SchemaKind,
    source: Source,
    table: Table,
}

/// Reads and checks the folder. `env` gives environment variables by name.
#[must_use]
pub fn load(folder: &Path, env: Env<'_>) -> Loaded {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let files = folder::read(folder);
    let version = version(&files.sources, folder);
    let mut reader = Reader::new(&absolute, env);
    reader.findings = files.findings;
    let documents: Vec<Document> =
        files.sources.into_iter().map(|(kind, source)| document(kind, source, &mut reader)).collect();
    let presets: BTreeMap<&str, KindPreset> = ["entra", "okta", "oidc"].map(|kind| (kind, KindPreset::of(kind))).into();
    let objects = build_all(&documents, &presets, &mut reader);
    reader.findings.extend(cross::check(&objects));
    let server = documents.iter().find(|document| document.kind == SchemaKind::Server);
    let server = server.map(|document| View::new(&document.source, &document.table, document.kind.keys()));
    reader.findings.extend(unserved::check(server.as_ref(), &objects));

    let Reader { mut findings, named_files, beside, .. } = reader;
    findings.sort_by(|a, b| (&a.file, a.line, a.column, a.code).cmp(&(&b.file, b.line, b.column, b.code)));
    findings.dedup();
    let fingerprint = fingerprint(&version, &beside, &findings);
    let right = !findings.iter().any(Finding::is_error);
    let snapshot = if right { snapshot(objects, version).map(Arc::new) } else { None };
    Loaded { snapshot, findings, version, fingerprint, named_files }
}

fn document(kind: SchemaKind, mut source: Source, reader: &mut Reader<'_>) -> Document {
    let (mut table, errors) = parse(&source.text);
    walk::flatten_maps(&mut table, kind.keys());
    source.whole = errors.is_empty();
    source.secrets = walk::secrets(&table, kind.keys());
    for error in &errors {
        reader.push(source.unsure_finding(&CFG01, &error.span, error.message.clone()));
    }
    let whole = source.whole;
    let broken: Vec<usize> = reader.findings.iter().filter(|f| f.file == source.shown).map(|f| f.line).collect();
    // What couldn't be read is not missing, and keys under a broken [table] are not unknown.
    let follows = |finding: &Finding| {
        finding.code == CFG05.code || finding.label == walk::UNKNOWN || broken.contains(&finding.line)
    };
    let findings = walk::check(&source, &table, kind.keys());
    reader.findings.extend(findings.into_iter().filter(|finding| whole || !follows(finding)));
    Document { kind, source, table }
}

fn build_all<'a>(
    documents: &'a [Document],
    presets: &'a BTreeMap<&str, KindPreset>,
    reader: &mut Reader<'_>,
) -> Objects<'a> {
    let mut objects = Objects::default();
    for document in documents {
        let view = View::new(&document.source, &document.table, document.kind.keys());
        let whole = document.source.whole;
        match document.kind {
            SchemaKind::Server => {
                objects.server = whole.then(|| build::server::build(&view, reader)).flatten();
            }
            SchemaKind::Directory => {
                let built = whole.then(|| build::directory::build(&view, reader));
                objects.directories.push(Object { view, built });
            }
            SchemaKind::Idp => {
                let kind = view.text("kind");
                let Some(preset) = presets.get(kind.as_str()).or_else(|| presets.get("oidc")) else { continue };
                let view = view.over(&preset.defaults);
                let built = whole.then(|| build::idp::build(&view, preset, reader)).flatten();
                objects.idps.push(Object { view, built });
            }
            SchemaKind::Client => {
                let built = whole.then(|| build::client::build(&view, reader)).flatten();
                objects.clients.push(Object { view, built });
            }
            SchemaKind::Service => {
                let built = whole.then(|| build::service::build(&view, reader));
                objects.services.push(Object { view, built });
            }
        }
    }
    objects
}

fn snapshot(objects: Objects<'_>, version: Digest) -> Option<Snapshot> {
    let server: Arc<Server> = Arc::new(objects.server?);
    let clients: BTreeMap<ClientId, Arc<Client>> =
        objects.clients.into_iter().filter_map(|o| o.built).map(|c| (c.id.clone(), Arc::new(c))).collect();
    let directories: BTreeMap<String, Arc<Directory>> =
        objects.directories.into_iter().filter_map(|o| o.built).map(|d| (d.id.clone(), Arc::new(d))).collect();
    Some(Snapshot {
        version,
        server,
        schemas: directories.iter().map(|(id, directory)| (id.clone(), Arc::new(Schemas::of(directory)))).collect(),
        directories,
        idps: objects.idps.into_iter().filter_map(|o| o.built).map(|i| (i.id.clone(), Arc::new(i))).collect(),
        client_keys: clients.values().filter_map(|client| Some((client.id.clone(), keys_of(client)?))).collect(),
        clients,
        services: objects.services.into_iter().filter_map(|o| o.built).map(|s| (s.id.clone(), Arc::new(s))).collect(),
    })
}

fn keys_of(client: &Client) -> Option<Arc<ClientKeys>> {
    match &client.credential {
        ClientCredential::Keys(jwks) => ClientKeys::parse(jwks).ok().map(Arc::new),
        _ => None,
    }
}

fn version(sources: &[(SchemaKind, Source)], folder: &Path) -> Digest {
    let mut all = String::new();
    let prefix = folder.display().to_string();
    for (_, source) in sources {
        // The same files are the same version wherever the folder is.
        let name = source.shown.strip_prefix(&prefix).unwrap_or(&source.shown);
        all.push_str(name.trim_start_matches(['/', '\\']));
        all.push('\n');
        all.push_str(&Digest::of(&source.text).base64url());
        all.push('\n');
    }
    Digest::of(all)
}

fn fingerprint(version: &Digest, beside: &[Digest], findings: &[Finding]) -> Digest {
    let mut bytes = version.as_bytes().to_vec();
    for digest in beside {
        bytes.extend_from_slice(digest.as_bytes());
    }
    for finding in findings {
        bytes.extend_from_slice(Digest::of(format!("{}{}{}", finding.code, finding.place(), finding.label)).as_bytes());
    }
    Digest::of(bytes)
}
