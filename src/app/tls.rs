//! TLS with certificates that are taken over when their files change, both together or not at all.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix_web::web::Data;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::StartFault;
use super::certificate::expires;
use crate::config::TlsFiles;
use crate::flow::Ports;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// A TLS configuration whose certificate follows its files.
///
/// # Errors
/// [`StartFault::Tls`] if the files can't be used now.
pub fn server_config(files: &TlsFiles, ports: Data<Ports>) -> Result<ServerConfig, StartFault> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let first = load(files, &provider).map_err(StartFault::Tls)?;
    tell_expiry(&ports, &first);
    let current = Arc::new(Current(ArcSwap::from_pointee(first)));
    follow(files.clone(), Arc::clone(&current), (Arc::clone(&provider), ports));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| StartFault::Tls(fault.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(current);
    Ok(config)
}

/// Certificate chain and key; fails unless they belong together.
fn load(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let named = |file: &Path, fault: &dyn std::fmt::Display| format!("{}: {fault}", file.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|fault| named(&files.cert, &fault))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|fault| named(&files.key, &fault))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|fault| named(&files.key, &fault))
}

fn tell_expiry(ports: &Ports, pair: &CertifiedKey) {
    ports.metrics.certificate_expires(pair.cert.first().and_then(|certificate| expires(certificate)));
}

fn follow(files: TlsFiles, current: Arc<Current>, (provider, ports): (Arc<CryptoProvider>, Data<Ports>)) {
    tokio::spawn(async move {
        let mut seen = stamps(&files);
        let mut looks = tokio::time::interval(LOOK);
        loop {
            looks.tick().await;
            let now = stamps(&files);
            if now == seen {
                continue;
            }
            match load(&files, &provider) {
                Ok(pair) => {
                    tell_expiry(&ports, &pair);
                    current.0.store(Arc::new(pair));
                    seen = now;
                    tracing::info!("the TLS certificate was taken over");
                }
                // The old pair serves until both new files fit.
                Err(fault) => tracing::warn!(%fault, "the changed TLS files can't be used yet"),
            }
        }
    });
}

fn stamps(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    let changed = |file: &Path| std::fs::metadata(file).and_then(|data| data.modified()).ok();
    [changed(&files.cert), changed(&files.key)]
}
