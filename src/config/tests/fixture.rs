//! A small whole folder, and ways to write one.

use std::fs;
use std::path::Path;

pub const SERVER: &str = "issuer = \"https://id.example.com/acs\"\n";
pub const DIRECTORY: &str = "name = \"Contoso\"\ndomains = [\"contoso.com\"]\nsource = \"azure\"\ntype = \"jit\"\n";
pub const ENTRA: &str = "name = \"Entra\"\nkind = \"entra\"\n\
issuer = \"https://login.microsoftonline.com/6F0C2A9E-1D3B-4C57-9A84-2E5B7F10C3D6/v2.0\"\n\
client_id = \"vestibule\"\nclient_secret = { env = \"S\" }\ndirectory = \"contoso\"\ndomains = [\"Contoso.com\"]\n";
pub const OKTA: &str = "name = \"Okta\"\nkind = \"okta\"\nissuer = \"https://contoso.okta.com\"\n\
client_id = \"vestibule\"\nclient_secret = { env = \"S\" }\ndirectory = \"contoso\"\n";
pub const CLIENT: &str =
    "name = \"Access\"\nclient_secret = { env = \"S\" }\nredirect_uris = [\"https://rp.example.com/cb\"]\n";

pub fn env(name: &str) -> Option<String> {
    (name == "S").then(|| "0123456789abcdef0123456789abcdef".to_owned())
}

pub fn write(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

pub const WHOLE: [(&str, &str); 5] = [
    ("vestibule.toml", SERVER),
    ("directories/contoso.toml", DIRECTORY),
    ("idps/entra.toml", ENTRA),
    ("idps/okta.toml", OKTA),
    ("clients/access.toml", CLIENT),
];
