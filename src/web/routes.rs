//! The table of all addresses. One spelling each: the path is compared as it came, before any decoding, so that no
//! second spelling of a path slips past a rule about it.

/// What stands at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'p> {
    /// GET `/acs/.well-known/openid-configuration`
    Discovery,
    /// GET `/acs/jwks`
    Jwks,
    /// GET, POST `/acs/authorize`
    Authorize,
    /// POST `/acs/token`
    Token,
    /// GET, POST `/acs/userinfo`
    Userinfo,
    /// POST `/acs/revoke`
    Revoke,
    /// POST `/acs/introspect`
    Introspect,
    /// POST `/acs/par`
    Par,
    /// GET, POST `/acs/openid/logout`
    Logout,
    /// POST `/acs/openid/logout/confirm`
    LogoutConfirm,
    /// POST `/acs/continue`: the forms of our pages
    Continue,
    /// GET, POST `/federation/auth/response/oauth2/{idp}`; without the last part: the shared one
    Callback(Option<&'p str>),
    /// GET, POST `/federation/auth/initiate`
    Initiate,
    /// GET, POST `/federation/auth/logout/frontchannel`
    UpstreamFrontchannel,
    /// POST `/federation/auth/logout/backchannel`
    UpstreamBackchannel,
    /// GET, POST `/federation/auth/logout/done`
    LogoutDone,
    /// GET `/federation/jwks`
    FederationJwks,
    /// GET `/assets/{name}`
    Asset(&'p str),
    /// `/usergroup/scim/v2/…`: what comes behind it. It has more than one spelling, and methods of its own.
    Scim(&'p str),
    /// GET `/healthz`
    Health,
    /// GET `/readyz`
    Ready,
    /// GET `/`
    Front,
}

pub const CALLBACK: &str = "/federation/auth/response/oauth2";
pub const AUTHORIZE: &str = "/acs/authorize";
pub const CONTINUE: &str = "/acs/continue";
pub const LOGOUT: &str = "/acs/openid/logout";
pub const LOGOUT_DONE: &str = "/federation/auth/logout/done";
pub const SCIM: &str = "/usergroup/scim/v2";
pub const INITIATE: &str = "/federation/auth/initiate";

impl<'p> Route<'p> {
    /// What stands at this path, byte for byte.
    #[must_use]
    pub fn at(path: &'p str) -> Option<Self> {
        Some(match path {
            "/acs/.well-known/openid-configuration" => Self::Discovery,
            "/acs/jwks" => Self::Jwks,
            AUTHORIZE => Self::Authorize,
            "/acs/token" => Self::Token,
            "/acs/userinfo" => Self::Userinfo,
            "/acs/revoke" => Self::Revoke,
            "/acs/introspect" => Self::Introspect,
            "/acs/par" => Self::Par,
            LOGOUT => Self::Logout,
            "/acs/openid/logout/confirm" => Self::LogoutConfirm,
            CONTINUE => Self::Continue,
            CALLBACK => Self::Callback(None),
            INITIATE => Self::Initiate,
            "/federation/auth/logout/frontchannel" => Self::UpstreamFrontchannel,
            "/federation/auth/logout/backchannel" => Self::UpstreamBackchannel,
            LOGOUT_DONE => Self::LogoutDone,
            "/federation/jwks" => Self::FederationJwks,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/" => Self::Front,
            _ => return Self::with_name(path),
        })
    }

    fn with_name(path: &'p str) -> Option<Self> {
        let plain = |name: &&str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        };
        if let Some(idp) = path.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('/')).filter(plain) {
            return Some(Self::Callback(Some(idp)));
        }
        if let Some(rest) = path.strip_prefix(SCIM).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Some(Self::Scim(rest));
        }
        path.strip_prefix("/assets/").filter(plain).map(Self::Asset)
    }

    /// The methods it knows, for `Allow`.
    #[must_use]
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Authorize
            | Self::Userinfo
            | Self::Logout
            | Self::Callback(_)
            | Self::Initiate
            | Self::UpstreamFrontchannel
            | Self::LogoutDone => &["GET", "POST"],
            Self::Token
            | Self::Revoke
            | Self::Introspect
            | Self::Par
            | Self::Continue
            | Self::LogoutConfirm
            | Self::UpstreamBackchannel => &["POST"],
            _ => &["GET", "HEAD"],
        }
    }

    /// Its label in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
            Self::Par => "par",
            Self::Logout => "logout",
            Self::LogoutConfirm => "logout_confirm",
            Self::Continue => "continue",
            Self::Callback(_) => "callback",
            Self::Initiate => "initiate",
            Self::UpstreamFrontchannel => "upstream_frontchannel",
            Self::UpstreamBackchannel => "upstream_backchannel",
            Self::LogoutDone => "logout_done",
            Self::FederationJwks => "federation_jwks",
            Self::Scim(_) => "scim",
            Self::Asset(_) => "asset",
            Self::Health => "healthz",
            Self::Ready => "readyz",
            Self::Front => "front",
        }
    }

    /// Whether programs call it: errors are JSON then, not pages.
    #[must_use]
    pub const fn is_for_programs(self) -> bool {
        matches!(
            self,
            Self::Discovery
                | Self::Jwks
                | Self::Token
                | Self::Userinfo
                | Self::Revoke
                | Self::Introspect
                | Self::Par
                | Self::UpstreamBackchannel
                | Self::FederationJwks
                | Self::Scim(_)
        )
    }

    /// Whether scripts in browsers call it from other origins. Clients' and providers' servers alone call the others.
    #[must_use]
    pub const fn is_for_scripts(self) -> bool {
        self.is_for_programs() && !matches!(self, Self::Introspect | Self::UpstreamBackchannel | Self::Scim(_))
    }

    /// Whether it answers under any Host: load balancers ask by address.
    #[must_use]
    pub const fn answers_any_host(self) -> bool {
        matches!(self, Self::Health | Self::Ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a182_each_address_has_one_spelling() {
        assert_eq!(Route::at("/acs/token"), Some(Route::Token));
        for other in [
            "/acs;x/token",
            "//acs/token",
            "/acs/%74oken",
            "/ACS/token",
            "/x/../acs/token",
            "/acs%2ftoken",
            "/acs/token/",
            "/acs/token%00",
        ] {
            assert_eq!(Route::at(other), None, "{other}");
        }
        assert_eq!(Route::at("/federation/auth/response/oauth2/entra"), Some(Route::Callback(Some("entra"))));
        assert_eq!(Route::at("/federation/auth/response/oauth2/"), None);
        assert_eq!(Route::at("/federation/auth/response/oauth2/a/b"), None);
        assert_eq!(Route::at("/acs/userinfo/a.css"), None);
    }
}
