//! Where the parties of the demo are: four ports in a row on loopback.

use std::net::{Ipv4Addr, SocketAddr};

use super::people::Company;

/// The highest port of the broker: three more follow.
pub const PORT_MAX: u16 = u16::MAX - 3;

/// The four addresses, by the broker's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    port: u16,
}

impl Addresses {
    /// `port`: the broker's, at most [`PORT_MAX`].
    #[must_use]
    pub fn from(port: u16) -> Self {
        Self { port: port.min(PORT_MAX) }
    }

    const fn at(self, offset: u16) -> SocketAddr {
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), self.port + offset)
    }

    #[must_use]
    pub const fn broker(self) -> SocketAddr {
        self.at(0)
    }

    #[must_use]
    pub const fn identity_provider(self) -> SocketAddr {
        self.at(1)
    }

    #[must_use]
    pub const fn service(self) -> SocketAddr {
        self.at(2)
    }

    #[must_use]
    pub const fn management(self) -> SocketAddr {
        self.at(3)
    }

    /// The broker's issuer.
    #[must_use]
    pub fn issuer(self) -> String {
        format!("http://{}/acs", self.broker())
    }

    /// The issuer of a company's identity provider.
    #[must_use]
    pub fn company(self, company: &Company) -> String {
        format!("http://{}/{}", self.identity_provider(), company.id)
    }

    /// The broker's redirect URI at a company's identity provider.
    #[must_use]
    pub fn redirect_uri_at(self, company: &Company) -> String {
        format!("http://{}/federation/auth/response/oauth2/{}", self.broker(), company.id)
    }

    /// Where a company's identity provider returns to after a sign-out.
    #[must_use]
    pub fn signed_out_uri(self) -> String {
        format!("http://{}/federation/auth/logout/done", self.broker())
    }

    /// The page of the service.
    #[must_use]
    pub fn service_home(self) -> String {
        format!("http://{}/", self.service())
    }

    #[must_use]
    pub fn service_redirect_uri(self) -> String {
        format!("http://{}/callback", self.service())
    }

    /// What browsers load so that the service forgets who was signed in.
    #[must_use]
    pub fn service_signed_out_uri(self) -> String {
        format!("http://{}/signed-out", self.service())
    }
}
