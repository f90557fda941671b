//! The config folder of the demo: the same files that an admin writes.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::addresses::Addresses;
use super::people::{COMPANIES, Company};
use crate::base::Secret;

/// The secrets between the three parties, drawn at each start.
pub struct Secrets {
    /// The service's at the broker.
    pub service: Secret,
    /// The broker's at the companies' identity providers, in the order of [`COMPANIES`].
    pub broker: [Secret; COMPANIES.len()],
}

/// Writes the folder under `root`, readable by its owner only.
///
/// # Errors
/// The system's.
pub fn write(root: &Path, addresses: &Addresses, secrets: &Secrets) -> std::io::Result<PathBuf> {
    let folder = root.join("config");
    make(&folder)?;
    for inner in ["directories", "idps", "clients"] {
        make(&folder.join(inner))?;
    }
    file(&folder.join("vestibule.toml"), &server(addresses))?;
    file(&folder.join("clients/demo.toml"), &client(addresses))?;
    file(&folder.join("demo.secret"), secrets.service.expose())?;
    for (company, secret) in COMPANIES.iter().zip(&secrets.broker) {
        let id = company.id;
        file(&folder.join(format!("directories/{id}.toml")), &directory(company))?;
        file(&folder.join(format!("idps/{id}.toml")), &idp(company, addresses))?;
        file(&folder.join(format!("{id}.secret")), secret.expose())?;
    }
    Ok(folder)
}

fn make(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)
}

fn file(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn server(at: &Addresses) -> String {
    let (issuer, listen, management) = (at.issuer(), at.broker(), at.management());
    format!(
        r#"# Written by `vestibule demo`, and removed when it ends.

# What clients know us by.
issuer = "{issuer}"
listen = "{listen}"

# Metrics, and readiness with its reasons.
[management]
listen = "{management}"

# The identity providers of this demo are on this machine. Without this line we would not go there.
[outbound]
allow_private = ["127.0.0.0/8"]
"#
    )
}

fn directory(company: &Company) -> String {
    let Company { name, domain, .. } = company;
    format!(
        r#"# The people of one company.
name           = "{name}"
domains        = ["{domain}"]
default_domain = "{domain}"
source         = "generic"

# The first sign-in creates a user. With "provisioned" only SCIM does.
type = "jit"
"#
    )
}

fn idp(company: &Company, at: &Addresses) -> String {
    let Company { id, name, domain, .. } = company;
    let issuer = at.company(company);
    format!(
        r#"# Where these people sign in.
name          = "{name}"
kind          = "oidc"
issuer        = "{issuer}"
client_id     = "vestibule"
client_secret = {{ file = "{id}.secret" }}
directory     = "{id}"

# A login_hint of this domain leads here.
domains = ["{domain}"]

# A sign-out goes on to it, and comes back.
logout = "forward"
"#
    )
}

fn client(at: &Addresses) -> String {
    let home = at.service_home();
    let redirect_uri = at.service_redirect_uri();
    let signed_out = at.service_signed_out_uri();
    format!(
        r#"# The service that people sign in to.
name          = "Demo service"
client_secret = {{ file = "demo.secret" }}
redirect_uris = ["{redirect_uri}"]
scopes        = ["openid", "profile", "email"]

# Where a sign-out that it begins may end, and what the browser loads when a session ends anywhere.
post_logout_redirect_uris = ["{home}"]
frontchannel_logout_uri   = "{signed_out}"
"#
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_folder_is_without_findings_and_its_owners_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let addresses = Addresses::from(8080);
        let secret = || Secret::new("0123456789abcdef0123456789abcdef");
        let secrets = Secrets { service: secret(), broker: [secret(), secret()] };
        let folder = write(root.path(), &addresses, &secrets).expect("it writes");
        let loaded = crate::config::load(&folder, &|_| None);
        assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
        let snapshot = loaded.snapshot.expect("a configuration");
        assert_eq!(snapshot.idps.len(), 2);
        assert_eq!(snapshot.directories.len(), 2);
        assert_eq!(snapshot.clients.len(), 1);
        for file in ["vestibule.toml", "demo.secret", "idps/contoso.toml"] {
            let mode = std::fs::metadata(folder.join(file)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
}
