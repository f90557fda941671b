//! A world whose clients `access` and `second` are told of sign-outs, at a server of the tests.

use std::collections::BTreeSet;

use vestibule::directory::Notice;
use vestibule::identity::UserId;
use vestibule::oidc::ClientId;

use crate::support::browser::Browser;
use crate::support::client::{Client, Tokens};
use crate::support::evil_client::{EvilClient, Told};
use crate::support::http::Request;
use crate::support::server::{Setup, block_on, wait_until};
use crate::world::World;

/// Where `access` and `second` are told.
pub const ACCESS: &str = "/access";
pub const SECOND: &str = "/second";

pub struct Stage {
    pub world: World,
    pub clients: EvilClient,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let clients = EvilClient::start();
        let world = World::with(|setup, _| {
            for (file, path) in [("clients/access.toml", ACCESS), ("clients/second.toml", SECOND)] {
                setup.keys(file, &format!("backchannel_logout_uri = \"{}\"", clients.url(path)));
            }
            change(setup);
        });
        Self { world, clients }
    }

    /// Signs in at `second`, in a browser that may be signed in already.
    #[track_caller]
    pub fn second(&self, browser: &mut Browser) -> Tokens {
        let client = Client::second();
        client.sign_in(&self.world.server, browser, &client.ask(&self.world.server))
    }

    /// Signs out at the client of that ID token; gives the status of the answer.
    #[track_caller]
    pub fn sign_out(&self, browser: &mut Browser, tokens: &Tokens) -> u16 {
        let url = format!("{}/openid/logout?id_token_hint={}", self.world.server.issuer, tokens.id_token);
        browser.step(&url).status
    }

    /// Waits until nothing waits for these clients any more.
    #[track_caller]
    pub fn all_is_settled(&self) {
        wait_until("every notice is heard or given up", || self.waiting("access") + self.waiting("second") == 0);
    }

    /// How many notices wait for a client, as the metrics say.
    pub fn waiting(&self, client: &str) -> u64 {
        self.series("logout_notices_waiting", &format!("client=\"{client}\"")) as u64
    }

    /// How many tries or notices ended so.
    pub fn ended(&self, client: &str, outcome: &str) -> u64 {
        self.series("logout_notices_total", &format!("client=\"{client}\",outcome=\"{outcome}\"")) as u64
    }

    fn series(&self, name: &str, labels: &str) -> f64 {
        self.world.server.metric(&format!("vestibule_{name}{{{labels}}}"))
    }

    /// Waits until a client's tries that failed are so many.
    #[track_caller]
    pub fn has_failed(&self, client: &str, times: u64) {
        wait_until(&format!("{client} has failed {times} times"), || self.ended(client, "failed") >= times);
    }

    /// What readiness says that deserves care.
    pub fn cares(&self) -> String {
        let management = self.world.server.running().management().expect("a management address");
        Request::get(&format!("http://{management}/readyz")).send(management).text()
    }

    /// Queues so many notices for a client, each of another session, as so many sign-outs would.
    pub fn queue(&self, client: &str, count: usize) {
        let ports = self.world.server.running().ports();
        let notice = |nth: usize| Notice {
            id: ports.dice.id(),
            client: ClientId(client.to_owned()),
            user: UserId(format!("user-{nth}")),
            sid: Some(format!("session-{nth}")),
            created: self.world.now(),
            attempts: 0,
        };
        block_on(ports.directory.notices.queue((0..count).map(notice).collect())).expect("the database works");
        ports.notices_wait.notify_one();
    }
}

/// The sessions that were named.
pub fn sids(told: &[Told]) -> BTreeSet<String> {
    told.iter().map(|told| told.claim("sid")).collect()
}
