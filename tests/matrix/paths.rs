//! The paths on which something that was right comes back.

use vestibule::base::Digest;
use vestibule::token::family::FamilyId;
use vestibule::token::refresh_token::RefreshToken;

pub use crate::outcome::Outcome;
use crate::outcome::{answered, claims, front, introspected, push, signed_in, signed_out};
use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Tokens, peek, userinfo};
use crate::support::html::Form;
use crate::world::{START, World};

/// Declares the paths, and [`Path::ALL`] of them.
macro_rules! paths {
    ($($(#[$doc:meta])* $path:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Path { $($(#[$doc])* $path),* }

        impl Path {
            pub const ALL: &[Self] = &[$(Self::$path),*];
        }
    };
}

paths! {
    /// An authorization request of a browser that has no session.
    Authorize,
    /// One that the client's page posts; a browser with a session.
    Posted,
    /// One whose answer is posted; a browser with a session.
    FormPost,
    /// The answer to our page that asks for the provider.
    Chosen,
    /// The identity provider's answer.
    Callback,
    /// Signing in again after somebody else than hinted at did.
    SignInAgain,
    /// A login that a third party begins.
    Initiated,
    /// The same for a client that begins it by itself.
    InitiatedAtClient,
    /// The identity provider's answer to such a login.
    InitiatedCallback,
    /// Signing in again there, after somebody else did.
    InitiatedAgain,
    /// Our page of links.
    Front,
    /// An authorization request of a browser that has a session.
    Reuse,
    /// The same with `prompt=none`.
    Silent,
    Code,
    /// With `offline_access`.
    Refresh,
    /// Of a family that ends with its session.
    BoundRefresh,
    Userinfo,
    SignedUserinfo,
    Introspection,
    SignedIntrospection,
    RefreshIntrospection,
    /// A token that a program has in its own name.
    MachineIntrospection,
    /// The same at userinfo, which knows nothing of a program that may come.
    MachineUserinfo,
    /// Such a token is asked for.
    OwnName,
    /// A request is pushed, and taken by a browser without a session.
    Push,
    /// A request that was pushed before, taken by a browser without a session.
    Pushed,
    /// The same by a browser with one.
    PushedReuse,
    /// RP-initiated logout with the ID token as the hint.
    SignOut,
}

/// What the rule is broken after.
pub struct Prepared {
    /// Alice's id.
    pub sub: String,
    /// Of the session in which the tokens were issued.
    pub sid: String,
    tokens: Tokens,
    /// The token that is presented.
    token: String,
    browser: Browser,
    /// Where the browser goes next.
    next: String,
    /// A page of ours that waits for its answer.
    page: Option<(Page, Form)>,
    ask: Ask,
    /// A code that nobody has used yet.
    code: String,
}

impl Prepared {
    /// Whether the tokens came without `offline_access`.
    pub fn is_bound(&self) -> bool {
        !self.tokens.scope.contains("offline_access")
    }

    /// Under what the database remembers that the presented token was revoked.
    pub fn family(&self) -> FamilyId {
        if let Some(refresh) = RefreshToken::parse(&self.token) {
            return refresh.family();
        }
        if self.token.contains('.') {
            let jti = peek(&self.token)["jti"].as_str().and_then(Digest::from_base64url);
            return FamilyId(jti.expect("a jti"));
        }
        FamilyId(Digest::of(&self.token))
    }
}

impl Path {
    /// Whether the path comes by a client's own request or token.
    pub fn has_client(self) -> bool {
        !matches!(self, Self::Initiated | Self::InitiatedCallback | Self::InitiatedAgain)
    }

    /// A program in its own name is nobody.
    pub fn has_person(self) -> bool {
        !matches!(self, Self::MachineIntrospection | Self::MachineUserinfo | Self::OwnName)
    }

    /// No client is answered, though there may be one that is led to.
    pub fn is_of_browser_alone(self) -> bool {
        matches!(self, Self::Front | Self::InitiatedAtClient | Self::SignOut)
    }

    pub fn has_scopes(self) -> bool {
        self.has_client() && !self.is_of_browser_alone() && self != Self::MachineUserinfo
    }

    pub fn has_token(self) -> bool {
        matches!(
            self,
            Self::Refresh
                | Self::BoundRefresh
                | Self::Userinfo
                | Self::SignedUserinfo
                | Self::Introspection
                | Self::SignedIntrospection
                | Self::RefreshIntrospection
                | Self::MachineIntrospection
                | Self::MachineUserinfo
        )
    }

    /// Whether a client gets its answer at its redirect URI.
    pub fn is_answered_by_redirect(self) -> bool {
        self.has_client() && self.has_person() && !self.is_of_browser_alone() && !self.has_token()
    }

    /// Whether something of a session comes back.
    pub fn has_session(self) -> bool {
        let browser = matches!(
            self,
            Self::Posted
                | Self::FormPost
                | Self::Front
                | Self::Reuse
                | Self::Silent
                | Self::Code
                | Self::PushedReuse
                | Self::SignOut
        );
        browser || (self.has_token() && self.has_person())
    }

    /// Whether the person was at the identity provider before the rule broke.
    pub fn ends_upstream(self) -> bool {
        matches!(self, Self::Callback | Self::InitiatedCallback)
    }

    pub const fn token_kind(self) -> &'static str {
        if matches!(self, Self::SignedUserinfo | Self::SignedIntrospection) { "jwt" } else { "opaque" }
    }

    /// A person who is known, and everything that this path starts from.
    pub fn prepare(self, world: &World) -> Prepared {
        let client = Client::access();
        let offline = matches!(self, Self::Refresh | Self::RefreshIntrospection);
        let scope = if offline { "openid profile email offline_access" } else { "openid profile email" };
        // Where a page would ask, the first sign-in comes by the hint's domain.
        let ask = client.ask(&world.server).with("scope", scope).hint("alice@contoso.com");
        let mut signed_in = world.server.browser();
        let tokens = client.sign_in(&world.server, &mut signed_in, &ask);
        let ask = client.ask(&world.server);
        let mut prepared = Prepared {
            sub: tokens.sub().to_owned(),
            sid: tokens.claims["sid"].as_str().expect("a sid").to_owned(),
            token: tokens.access.clone(),
            tokens,
            browser: world.server.browser(),
            next: ask.url(),
            page: None,
            ask,
            code: String::new(),
        };
        if matches!(
            self,
            Self::Posted
                | Self::FormPost
                | Self::Front
                | Self::Reuse
                | Self::Silent
                | Self::PushedReuse
                | Self::SignOut
        ) {
            prepared.browser = signed_in.tab();
        }
        match self {
            Self::Code => prepared.code = prepared.ask.run(&mut signed_in).code(),
            Self::Refresh | Self::BoundRefresh | Self::RefreshIntrospection => {
                prepared.token = prepared.tokens.refresh().to_owned();
            }
            Self::MachineIntrospection | Self::MachineUserinfo => {
                prepared.token = own_name(world).json()["access_token"].as_str().expect("a token").to_owned()
            }
            Self::Pushed | Self::PushedReuse => prepared.next = push(world, &prepared.ask).expect("it is pushed"),
            _ => prepared.at_a_page(self, world),
        }
        prepared
    }

    pub fn take(self, world: &World, prepared: &mut Prepared) -> Outcome {
        let (server, client) = (&world.server, Client::access());
        match self {
            Self::Code => answered(&client.redeem(server, &prepared.ask, &prepared.code)),
            Self::Refresh | Self::BoundRefresh => answered(&client.refresh(server, &prepared.token)),
            Self::Userinfo | Self::SignedUserinfo | Self::MachineUserinfo => claims(&userinfo(server, &prepared.token)),
            Self::Introspection
            | Self::SignedIntrospection
            | Self::RefreshIntrospection
            | Self::MachineIntrospection => introspected(&client.introspect(server, &prepared.token)),
            Self::OwnName => answered(&own_name(world)),
            Self::Initiated | Self::InitiatedCallback | Self::InitiatedAgain | Self::Front => {
                let front_page = server.url("/");
                front(&prepared.go(), &front_page)
            }
            Self::InitiatedAtClient => {
                let page = prepared.go();
                match &page.answer {
                    None if page.url.starts_with(START) => Outcome::Held(Vec::new()),
                    None => panic!("the browser left for {}", page.url),
                    Some(response) => Outcome::Page(response.status),
                }
            }
            Self::SignOut => signed_out(&prepared.go()),
            Self::Push => match push(world, &prepared.ask) {
                Ok(next) => {
                    prepared.next = next;
                    prepared.arrive(world)
                }
                Err(error) => Outcome::Error(error),
            },
            _ => prepared.arrive(world),
        }
    }
}

impl Prepared {
    /// The browser is where this path begins.
    fn at_a_page(&mut self, path: Path, world: &World) {
        let iss = form_urlencoded::byte_serialize(world.issuer_of_idp().as_bytes()).collect::<String>();
        let initiate = world.server.url(&format!("/federation/auth/initiate?iss={iss}"));
        let is_answer = |url: &str| url.contains("/federation/auth/response/");
        match path {
            Path::Silent => self.next = self.ask.clone().with("prompt", "none").url(),
            Path::Posted => self.next = String::new(),
            Path::FormPost => {
                self.ask = self.ask.clone().with("response_mode", "form_post");
                self.next = self.ask.url();
            }
            Path::Chosen => {
                let page = self.browser.open(&self.next);
                let form = page.form_with("idp").press("idp", "contoso");
                self.page = Some((page, form));
            }
            Path::Callback => self.next = self.browser.until(&self.next, is_answer),
            Path::InitiatedCallback => self.next = self.browser.until(&initiate, is_answer),
            Path::SignInAgain => {
                self.ask = self.ask.clone().hint("alice@contoso.com");
                self.next = self.ask.url();
                self.signed_in_as_another(world);
            }
            Path::InitiatedAgain => {
                self.next = format!("{initiate}&login_hint=alice@contoso.com");
                self.signed_in_as_another(world);
            }
            Path::Initiated => self.next = initiate,
            Path::InitiatedAtClient => self.next = format!("{initiate}&target_link_uri=https://rp.example.com/deep"),
            Path::Front => self.next = world.server.url("/"),
            Path::SignOut => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair("id_token_hint", &self.tokens.id_token)
                    .append_pair("post_logout_redirect_uri", "https://rp.example.com/bye")
                    .finish();
                self.next = world.server.url(&format!("/acs/openid/logout?{query}"));
            }
            _ => {}
        }
    }

    /// Somebody else signs in, and our page asks what now.
    fn signed_in_as_another(&mut self, world: &World) {
        world.signs_in("mallory");
        let page = self.browser.open(&self.next);
        let form = page.form_with("action").press("action", "retry");
        self.page = Some((page, form));
        world.signs_in("alice");
    }

    fn arrive(&mut self, world: &World) -> Outcome {
        let page = self.go();
        signed_in(world, &self.ask, &page)
    }

    fn go(&mut self) -> Page {
        match self.page.take() {
            Some((page, form)) => self.browser.submit(&page, &form),
            None if self.next.is_empty() => {
                self.browser.post_from("https://rp.example.com/", self.ask.endpoint(), &self.ask.params)
            }
            None => self.browser.open(&self.next),
        }
    }
}

fn own_name(world: &World) -> crate::support::http::Response {
    Client::access().token(&world.server, &[("grant_type", "client_credentials")])
}
