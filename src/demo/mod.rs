//! `vestibule demo`: the whole product on loopback with nothing else installed. The broker as it is, beside it an
//! identity provider and a service that speak with it as foreign ones would, and a config folder as an admin writes it.

pub mod people;
pub mod addresses;
mod shelf;
mod wire;
mod folder;
mod idp;
mod service;
mod listener;
mod guide;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use crate::app::{self, Options, Running, StartFault};
use crate::base::{Clock, Dice, Secret};
use crate::config::{Outbound, Styled};
use crate::keys::signing::{KeyFault, SigningKey, generate};
use crate::oidc::client::SigningAlgorithm;
use crate::oidc::idp::{
    DomainHint, Forward, FreshnessProof, HintForm, HintPolicy, IdpCredential, Matching, Mismatch, PromptSupport,
    SignOutProof, UserinfoPolicy,
};
use crate::oidc::{Idp, IdpId};
use crate::upstream::Upstream;
use addresses::Addresses;
use folder::Secrets;
use idp::{IdentityProvider, Realm, RealmSettings};
use listener::Listening;
use people::COMPANIES;
use service::Service;
use shelf::Shelf;

/// What a demo is started from.
#[derive(Clone)]
pub struct DemoOptions {
    /// The broker's port, at most [`addresses::PORT_MAX`]; the next three are taken too.
    pub port: u16,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    /// How this program is called, for the commands that are shown.
    pub program: String,
}

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoFault {
    #[error("{0} is taken: choose four free ports in a row by `--port N`")]
    Taken(SocketAddr),
    #[error("the config folder can't be written: {0}")]
    Folder(std::io::Error),
    #[error("a part of the demo can't listen: {0}")]
    Listen(std::io::Error),
    #[error(transparent)]
    Key(#[from] KeyFault),
    #[error(transparent)]
    Broker(#[from] StartFault),
}

/// A demo that runs.
pub struct Demo {
    addresses: Addresses,
    running: Running,
    parties: Vec<Listening>,
    /// The words of the command that explains a login, up to the reference.
    explain: Vec<String>,
    /// The config folder, in the temporary one.
    folder: PathBuf,
    root: TempDir,
}

/// Starts all three parties: they answer when this returns.
///
/// # Errors
/// [`DemoFault`].
pub async fn start(options: DemoOptions) -> Result<Demo, DemoFault> {
    let addresses = Addresses::from(options.port);
    let listeners = [bind(addresses.identity_provider())?, bind(addresses.service())?];
    // Tried before anything is begun, so that a taken port is named and nothing is left behind.
    for address in [addresses.broker(), addresses.management()] {
        drop(bind(address)?);
    }
    let root = tempfile::Builder::new().prefix("vestibule-demo-").tempdir().map_err(DemoFault::Folder)?;
    let draw = || Secret::new(options.dice.token());
    let secrets = Secrets { service: draw(), broker: [draw(), draw()] };
    let folder = folder::write(root.path(), &addresses, &secrets).map_err(DemoFault::Folder)?;
    let running = app::start(Options {
        folder: folder.clone(),
        clock: Arc::clone(&options.clock),
        dice: Arc::clone(&options.dice),
        listen: None,
        environment: Arc::new(|_| None),
    })
    .await?;
    let explain = [&options.program, "--config", &folder.to_string_lossy(), "explain", "login"].map(quoted).to_vec();
    let [for_idp, for_service] = listeners;
    let identity_provider = IdentityProvider::new(realms(&options, addresses, &secrets)?);
    let service = service(&options, addresses, &secrets, &running, &explain);
    let parties = vec![
        listener::listen(for_idp, Arc::new(identity_provider)).map_err(DemoFault::Listen)?,
        listener::listen(for_service, Arc::new(service)).map_err(DemoFault::Listen)?,
    ];
    Ok(Demo { addresses, running, parties, explain, folder, root })
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn bind(address: SocketAddr) -> Result<TcpListener, DemoFault> {
    listener::bind(address).map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AddrInUse => DemoFault::Taken(address),
        _ => DemoFault::Listen(fault),
    })
}

fn realms(options: &DemoOptions, at: Addresses, secrets: &Secrets) -> Result<Vec<Realm>, DemoFault> {
    COMPANIES
        .iter()
        .zip(&secrets.broker)
        .map(|(company, secret)| {
            let key = SigningKey::from_pkcs8(SigningAlgorithm::Es256, generate(SigningAlgorithm::Es256)?.expose())?;
            let settings = RealmSettings {
                company,
                issuer: at.company(company),
                client_secret: secret.clone(),
                redirect_uri: at.redirect_uri_at(company),
                post_logout_redirect_uri: at.signed_out_uri(),
                service: at.service_home(),
                key,
            };
            Ok(Realm::new(settings, Arc::clone(&options.clock), Arc::clone(&options.dice)))
        })
        .collect()
}

fn service(options: &DemoOptions, at: Addresses, secrets: &Secrets, running: &Running, explain: &[String]) -> Service {
    let outbound = Outbound { allow_private: vec![loopback()], ..Outbound::default() };
    Service {
        broker: Arc::new(broker_as_provider(at, secrets)),
        upstream: Upstream::new(&outbound, Arc::clone(&options.clock), Arc::clone(&options.dice)),
        state: Arc::clone(&running.ports().state),
        home: at.service_home(),
        redirect_uri: at.service_redirect_uri(),
        explain: explain.to_vec(),
        clock: Arc::clone(&options.clock),
        dice: Arc::clone(&options.dice),
        under_way: Shelf::default(),
        browsers: Shelf::default(),
    }
}

/// 127.0.0.0/8 (RFC 6890).
fn loopback() -> ipnet::IpNet {
    let network = ipnet::Ipv4Net::new_assert(std::net::Ipv4Addr::LOCALHOST, 8);
    ipnet::IpNet::V4(network.trunc())
}

/// What the service knows of the broker. Settings that only the broker itself asks for are as in a plain `oidc` file.
fn broker_as_provider(at: Addresses, secrets: &Secrets) -> Idp {
    Idp {
        id: IdpId("broker".to_owned()),
        name: "Vestibule".to_owned(),
        enabled: true,
        issuer: at.issuer(),
        client_id: "demo".to_owned(),
        credential: IdpCredential::Secret(secrets.service.clone()),
        directory: String::new(),
        domains: Vec::new(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).into(),
        userinfo: UserinfoPolicy::Never,
        shared_redirect: false,
        id_token_algs: vec!["RS256".to_owned()],
        ca_files: Vec::new(),
        forward_logout: false,
        matching: Matching { claim: "sub".to_owned(), attribute: "externalId".to_owned(), tenant: None },
        user_attributes: Default::default(),
        hint: HintPolicy {
            forward: Forward::Always,
            as_: HintForm::Received,
            domain_hint: DomainHint::Never,
            mismatch: Mismatch::Reject,
        },
        freshness: FreshnessProof::AuthTime,
        prompt: PromptSupport::SelectAccount,
        sign_out: SignOutProof::IdToken,
        authorize_params: Default::default(),
        token_params: Default::default(),
    }
}

impl Demo {
    /// What to print: addresses, and what to try.
    #[must_use]
    pub fn guide(&self, styled: Styled) -> String {
        guide::guide(self.addresses, &self.folder, &self.explain.join(" "), styled)
    }

    /// Ends all three and removes the folder.
    pub async fn stop(self) {
        for party in self.parties {
            party.stop().await;
        }
        self.running.stop().await;
        if let Err(fault) = self.root.close() {
            tracing::warn!(%fault, "the folder of the demo could not be removed");
        }
    }
}
