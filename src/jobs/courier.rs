//! The courier: brings clients the logout tokens that the queue holds for them (Back-Channel Logout 1.0 §2.5).
//!
//! Each client has a round of its own, so that none waits for another. A round begins with one notice; only if that is
//! heard, more follow at a time. A client that is down is thus asked with one notice, ever more seldom, however many
//! wait for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinSet};

use super::round::Round;
use crate::flow::Ports;
use crate::oidc::ClientId;
use crate::token::delivery::Ailing;

/// How often the queue is looked at without being told: another process may have put something in.
const LOOK: Duration = Duration::from_secs(1);
/// How long the courier waits for more before it looks: each round has its own commits, so those of one moment share
/// them.
const GATHER: Duration = Duration::from_millis(50);
/// Notices on their way at a time, over all clients.
const ON_THEIR_WAY_MAX: usize = 256;

/// What is under way and what is known of clients.
struct Courier {
    ports: Arc<Ports>,
    on_their_way: Arc<Semaphore>,
    rounds: JoinSet<Option<Ailing>>,
    of: HashMap<Id, ClientId>,
    ailing: HashMap<ClientId, Ailing>,
}

/// Delivers until the order to stop comes; then the rounds under way put back what they have not sent, and end.
pub async fn run(ports: Arc<Ports>) {
    let mut courier = Courier {
        on_their_way: Arc::new(Semaphore::new(ON_THEIR_WAY_MAX)),
        rounds: JoinSet::new(),
        of: HashMap::new(),
        ailing: HashMap::new(),
        ports,
    };
    while !courier.ports.stopping.load(Ordering::Relaxed) {
        courier.look().await;
        courier.wait().await;
        tokio::time::sleep(GATHER).await;
    }
    while let Some(ended) = courier.rounds.join_next_with_id().await {
        courier.note(ended);
    }
}

impl Courier {
    /// Begins a round for each client that has something due, unless it has one or rests.
    async fn look(&mut self) {
        let now = self.ports.clock.now();
        let due = match self.ports.directory.notices.due(now).await {
            Ok(due) => due,
            Err(fault) => return tracing::warn!(%fault, "the logout notices can't be looked at"),
        };
        let under_way: HashSet<ClientId> = self.of.values().cloned().collect();
        for client in due.into_iter().filter(|client| !under_way.contains(client)) {
            let ailing = self.ailing.get(&client).copied();
            if ailing.is_some_and(|ailing| ailing.rests(now)) {
                continue;
            }
            let (ports, on_their_way) = (Arc::clone(&self.ports), Arc::clone(&self.on_their_way));
            let round = Round { ports, on_their_way, client: client.clone(), ailing };
            let begun = self.rounds.spawn(round.run());
            self.of.insert(begun.id(), client);
        }
    }

    /// Until there may be something to do.
    async fn wait(&mut self) {
        tokio::select! {
            () = self.ports.notices_wait.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            Some(ended) = self.rounds.join_next_with_id() => self.note(ended),
        }
    }

    fn note(&mut self, ended: Result<(Id, Option<Ailing>), JoinError>) {
        let (id, ailing) = match ended {
            Ok(ended) => ended,
            // What came to a panic may do so again, and not at once.
            Err(fault) => (fault.id(), Some(Ailing::again(None, self.ports.clock.now()))),
        };
        let Some(client) = self.of.remove(&id) else { return };
        match ailing {
            None => self.ailing.remove(&client),
            Some(ailing) => self.ailing.insert(client, ailing),
        };
    }
}
