//! Reads the folder: each file once, nothing outside it, nothing that isn't a regular file.

use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use super::lints::{CFG06, CFG07, CFG08, CFG12, CFG13, CFG14, CFG18, CFG20};
use super::shape::Vocabulary;
use super::shapes::SchemaKind;
use super::source::Source;
use super::spelling::nearest;

/// Bytes of one file that are read.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What stands at the top of the folder.
const SERVER_FILE: &str = "vestibule.toml";

/// A smallest folder by which somebody can sign in, for newcomers.
pub const SMALLEST: [(&str, &str); 4] = [
    ("vestibule.toml", "issuer = \"https://id.example.com/acs\"\n"),
    (
        "directories/contoso.toml",
        "name    = \"Contoso\"\ndomains = [\"contoso.com\"]\nsource  = \"azure\"\ntype    = \"jit\"\n",
    ),
    (
        "idps/entra.toml",
        "name          = \"Contoso Entra ID\"\nkind          = \"entra\"\n\
         issuer        = \"https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0\"\n\
         client_id     = \"APPLICATION-ID\"\nclient_secret = { env = \"ENTRA_CLIENT_SECRET\" }\ndirectory     = \"contoso\"\n",
    ),
    (
        "clients/access.toml",
        "name          = \"Workspace ONE Access\"\nclient_secret = { env = \"ACCESS_CLIENT_SECRET\" }\n\
         redirect_uris = [\"https://tenant.example.com/SAAS/auth/login/response\"]\n",
    ),
];

/// The files as they were read.
#[derive(Debug, Default)]
pub struct Files {
    pub sources: Vec<(SchemaKind, Source)>,
    pub findings: Vec<Finding>,
}

/// Reads all files of the format under `folder`.
#[must_use]
pub fn read(folder: &Path) -> Files {
    let mut files = Files::default();
    let Ok(root) = fs::canonicalize(folder) else {
        let what = if folder.exists() { "can't be opened" } else { "doesn't exist" };
        files.findings.push(nothing(folder, format!("the folder {what}")));
        return files;
    };
    let mut reading = Reading { root, files };
    reading.folder(folder, SchemaKind::Server);
    for kind in SchemaKind::ALL.into_iter().skip(1) {
        let inner = folder.join(kind.folder());
        if fs::symlink_metadata(&inner).is_ok() && reading.is_inside(&inner) {
            reading.folder(&inner, kind);
        }
    }
    let has_server = reading.files.sources.iter().any(|(kind, _)| *kind == SchemaKind::Server);
    let unread = reading.files.findings.iter().any(|finding| finding.file.ends_with(SERVER_FILE));
    if !has_server && !unread {
        reading.files.findings.push(nothing(folder, format!("there is no {SERVER_FILE}")));
    }
    reading.files
}

fn nothing(folder: &Path, label: String) -> Finding {
    let mut finding = Finding::whole(&CFG07, folder.display().to_string(), label);
    finding.help.push_str("\na smallest folder:");
    for (path, text) in SMALLEST {
        finding.help.push_str("\n\n  # ");
        finding.help.push_str(path);
        for line in text.lines() {
            finding.help.push_str("\n  ");
            finding.help.push_str(line);
        }
    }
    finding
}

struct Reading {
    /// The folder without links.
    root: PathBuf,
    files: Files,
}

impl Reading {
    fn push(&mut self, lint: &'static super::lints::Lint, path: &Path, label: impl Into<String>) {
        self.files.findings.push(Finding::whole(lint, path.display().to_string(), label));
    }

    fn folder(&mut self, path: &Path, kind: SchemaKind) {
        let Ok(entries) = fs::read_dir(path) else {
            self.push(&CFG20, path, "the folder can't be listed");
            return;
        };
        self.note_world_writable(path);
        let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        names.sort();
        for path in names {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            // Hidden ones are editors', version control's, and the links of mounted ConfigMaps.
            if name.starts_with('.') {
                continue;
            }
            match (kind, name.strip_suffix(".toml")) {
                (SchemaKind::Server, _) if name == SERVER_FILE => self.file(&path, kind, "vestibule"),
                (SchemaKind::Server, _) => self.stranger_at_top(&path, &name),
                (_, Some(stem)) if is_id(stem) => self.file(&path, kind, stem),
                (_, Some(_)) => self.push(&CFG06, &path, "this name is no id"),
                (_, None) => self.stranger(&path, &name),
            }
        }
    }

    fn stranger_at_top(&mut self, path: &Path, name: &str) {
        let folders = SchemaKind::ALL.map(SchemaKind::folder);
        if path.is_dir() {
            if !folders.contains(&name)
                && let Some(near) = nearest(name, folders.into_iter().filter(|folder| !folder.is_empty()))
            {
                self.push(&CFG08, path, format!("did you mean `{near}`?"));
            }
        } else if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
            let near = nearest(name, std::iter::once(SERVER_FILE));
            let label = near.map_or_else(
                || "at the top only vestibule.toml is read".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.push(&CFG08, path, label);
        } else {
            self.stranger(path, name);
        }
    }

    /// Keys, certificates and notes may stand beside the objects' files; a leftover or another
    /// format was probably meant to be read.
    fn stranger(&mut self, path: &Path, name: &str) {
        let lower = name.to_lowercase();
        let meant = [".toml", ".tml", ".yaml", ".yml", ".conf", ".ini"].iter().any(|end| lower.contains(end));
        if meant {
            self.push(&CFG08, path, "only files named ID.toml are read");
        }
    }

    fn file(&mut self, path: &Path, kind: SchemaKind, stem: &str) {
        if !self.is_inside(path) {
            return;
        }
        let Ok(meta) = fs::metadata(path) else {
            self.push(&CFG20, path, "can't be read");
            return;
        };
        if !meta.is_file() {
            self.push(&CFG12, path, format!("this is {}", kind_of(&meta)));
            return;
        }
        self.note_world_writable(path);
        match read_bounded(path) {
            Ok(bytes) if bytes.len() as u64 > FILE_BYTES_MAX => self.push(&CFG14, path, "more than 1 MiB"),
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => self.files.sources.push((kind, source(path, kind, stem, text))),
                Err(fault) => {
                    let label = format!("byte {} is not UTF-8", fault.utf8_error().valid_up_to() + 1);
                    self.push(&CFG18, path, label);
                }
            },
            Err(fault) => self.push(&CFG20, path, fault.to_string()),
        }
    }

    /// Whether the way to `path` stays inside the folder; a finding if not.
    fn is_inside(&mut self, path: &Path) -> bool {
        match fs::canonicalize(path) {
            Ok(real) if real.starts_with(&self.root) => true,
            Ok(_) => {
                self.push(&CFG12, path, "a link that leads out of the folder");
                false
            }
            Err(_) => {
                self.push(&CFG12, path, "a link that leads nowhere");
                false
            }
        }
    }

    #[cfg(unix)]
    fn note_world_writable(&mut self, path: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let others_write = fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0);
        if others_write {
            self.push(&CFG13, path, "mode o+w");
        }
    }

    #[cfg(not(unix))]
    fn note_world_writable(&mut self, _path: &Path) {}
}

fn source(path: &Path, kind: SchemaKind, stem: &str, text: String) -> Source {
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Source {
        shown: path.display().to_string(),
        stem: stem.to_owned(),
        text,
        whole: true,
        secrets: Vec::new(),
        vocabulary: Vocabulary::of(kind.keys()),
    }
}

/// At most one byte more than allowed.
///
/// # Errors
/// Those of the system.
pub fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn kind_of(meta: &Metadata) -> &'static str {
    if meta.is_dir() { "a folder" } else { "a pipe, a socket or a device" }
}

/// `[a-z0-9][a-z0-9-]{0,62}`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= 63 && text.bytes().next().is_some_and(plain) && text.bytes().all(|b| plain(b) || b == b'-')
}
