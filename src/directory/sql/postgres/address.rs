//! Where the database is, and how to get there.

use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use crate::base::Secret;
use crate::directory::DirectoryFault;

/// All that a new connection needs.
#[derive(Clone)]
pub(super) struct Address {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Address {
    /// # Errors
    /// What is wrong with the address or a certificate; the address itself doesn't stand in it.
    pub(super) fn new(url: &Secret, ca_files: &[PathBuf]) -> Result<Self, DirectoryFault> {
        let unusable = |what: &str| DirectoryFault::Unavailable(format!("the address of PostgreSQL: {what}"));
        let mut url = Url::parse(url.expose()).map_err(|_| unusable("not an address"))?;
        let asked: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mode = asked.iter().find(|(name, _)| name == "sslmode").map(|(_, mode)| mode.clone());
        let others: Vec<_> = asked.into_iter().filter(|(name, _)| name != "sslmode").collect();
        if others.is_empty() {
            url.set_query(None);
        } else {
            url.query_pairs_mut().clear().extend_pairs(others);
        }
        // A fault of the parser may quote what it can't read.
        let mut config: Config = url.as_str().parse().map_err(|_| unusable("it can't be read"))?;
        config.application_name("vestibule");
        config.ssl_mode(match mode.as_deref() {
            Some("disable") => SslMode::Disable,
            Some("prefer") => SslMode::Prefer,
            // What comes over TLS is verified whatever it is called.
            Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            None if is_local(&config) => SslMode::Prefer,
            None => SslMode::Require,
            Some(_) => return Err(unusable("no such sslmode")),
        });
        Ok(Self { tls: tls(&config, ca_files)?, config })
    }
}

/// Whether the connection stays on this machine.
fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        Host::Unix(_) => true,
    })
}

fn tls(config: &Config, ca_files: &[PathBuf]) -> Result<MakeRustlsConnect, DirectoryFault> {
    let mut roots = RootCertStore::empty();
    if config.get_ssl_mode() != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for file in ca_files {
            let wrong = |what: String| DirectoryFault::Unavailable(format!("{}: {what}", file.display()));
            for certificate in CertificateDer::pem_file_iter(file).map_err(|e| wrong(e.to_string()))? {
                let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
                roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
            }
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| DirectoryFault::Unavailable(format!("TLS: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(client))
}
