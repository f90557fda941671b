//! The courier's round at one client.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::base::{Moment, Secret, Span};
use crate::directory::{DirectoryFault, Notice};
use crate::flow::Ports;
use crate::flow::signing::{MintFault, mint_logout_token};
use crate::metrics::NoticeEnd;
use crate::oidc::{Client, ClientId};
use crate::token::delivery::{Ailing, Answer, Next, answer, is_over, next};

/// Notices on their way to one client at a time.
const AT_A_TIME: usize = 32;

/// How long a round lasts whose queue can't be read or written.
const STUCK: Duration = Duration::from_secs(1);
/// How long notices are kept for a client that has no address: its file may just be on its way, here or at the other
/// servers.
const ADDRESS_AWAY: Span = Span::minutes(15);

/// How notices are taken in hand.
struct Handful {
    limit: u32,
    /// How long nobody else delivers them. Whoever is killed meanwhile delays them so long.
    lease: Span,
    /// How long they are still sent: with the call itself, [`crate::backchannel::LOGOUT_CALL`], it stays within the lease.
    sent_within: Span,
}

/// The first of a round: whether the client is well.
const FIRST: Handful = Handful { limit: 1, lease: Span::secs(8), sent_within: Span::secs(4) };
/// Those after it.
const MORE: Handful = Handful { limit: 128, lease: Span::secs(20), sent_within: Span::secs(15) };

/// What a round needs.
pub struct Round {
    pub ports: Arc<Ports>,
    /// One place for each notice on its way, to whichever client.
    pub on_their_way: Arc<Semaphore>,
    pub client: ClientId,
    pub ailing: Option<Ailing>,
}

/// A batch while it is delivered.
#[derive(Default)]
struct Batch {
    posts: JoinSet<(Notice, Answer)>,
    done: Vec<String>,
    again: Vec<(String, Moment)>,
    heard: usize,
    refused: usize,
    failing: usize,
    given_up: usize,
    /// The last time that the client failed.
    failed: Option<Moment>,
}

impl Batch {
    /// Whether the client isn't well: one that fails now and then is.
    const fn is_failing(&self) -> bool {
        self.failing > self.heard + self.refused
    }
}

impl Round {
    /// Delivers until nothing is due any more, the client fails, or the order to stop has come. Gives the client's
    /// ailing, if it has one now.
    pub async fn run(mut self) -> Option<Ailing> {
        if let Err(fault) = self.handfuls().await {
            tracing::warn!(client = %self.client, %fault, "logout notices: the queue can't be read or written");
            // The next round would begin at once, and come to the same end.
            tokio::time::sleep(STUCK).await;
        }
        self.ailing
    }

    async fn handfuls(&mut self) -> Result<(), DirectoryFault> {
        let mut handful = FIRST;
        while !self.is_stopping() {
            let client = self.ports.config.snapshot().clients.get(&self.client).cloned();
            let Some((client, uri)) = client.and_then(|c| c.backchannel_logout_uri.clone().map(|uri| (c, uri))) else {
                // It rests, and is looked at again soon.
                self.ailing = Some(Ailing::again(None, self.ports.clock.now()));
                return self.drop_the_old().await;
            };
            let notices = self.claim(&handful).await?;
            if notices.is_empty() {
                return Ok(());
            }
            let until = Instant::now() + handful.sent_within.as_std();
            let batch = self.deliver((&client, &uri), notices, until).await;
            let (failed, given_up) = (batch.failed.filter(|_| batch.is_failing()), batch.given_up);
            self.settle(batch).await?;
            self.ailing = failed.map(|at| Ailing::again(self.ailing, at));
            if failed.is_some() {
                return if given_up > 0 { self.give_up_the_old().await } else { Ok(()) };
            }
            handful = MORE;
        }
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.ports.stopping.load(Ordering::Relaxed)
    }

    async fn claim(&self, Handful { limit, lease, .. }: &Handful) -> Result<Vec<Notice>, DirectoryFault> {
        let now = self.ports.clock.now();
        self.ports.directory.notices.claim(&self.client, *limit, now, now.plus(*lease)).await
    }

    /// Sends notices until the client turns out to fail, time is up or the order to stop comes; the rest is put back.
    async fn deliver(&self, (client, uri): (&Arc<Client>, &str), notices: Vec<Notice>, until: Instant) -> Batch {
        let mut batch = Batch::default();
        for notice in notices {
            while batch.posts.len() >= AT_A_TIME {
                self.collect(&mut batch).await;
            }
            let place = if batch.is_failing() || self.is_stopping() { None } else { self.place(until).await };
            match place {
                None => batch.again.push((notice.id, self.ports.clock.now())),
                Some(place) => match self.sign(client, &notice) {
                    Ok(token) => self.send(&mut batch, notice, (uri, token), place),
                    Err(fault) => {
                        tracing::error!(client = %self.client, %fault, "no logout token could be made");
                        self.judge(&mut batch, notice, Answer::Failing);
                    }
                },
            }
            // A signature takes a quarter of a millisecond: others on this thread get their turn.
            tokio::task::yield_now().await;
        }
        while !batch.posts.is_empty() {
            self.collect(&mut batch).await;
        }
        batch
    }

    async fn place(&self, until: Instant) -> Option<OwnedSemaphorePermit> {
        timeout_at(until, Arc::clone(&self.on_their_way).acquire_owned()).await.ok()?.ok()
    }

    fn sign(&self, client: &Client, notice: &Notice) -> Result<Secret, MintFault> {
        let departure = (client, &notice.user, notice.sid.as_deref());
        mint_logout_token(&self.ports, &self.ports.request(), departure)
    }

    fn send(&self, batch: &mut Batch, notice: Notice, (uri, token): (&str, Secret), place: OwnedSemaphorePermit) {
        let (ports, uri) = (Arc::clone(&self.ports), uri.to_owned());
        batch.posts.spawn(async move {
            let answered = ports.clients.post_logout(&uri, &token).await;
            drop(place);
            let meant = answer(answered.as_ref().ok().copied());
            if meant != Answer::Heard {
                let said = answered.map_or_else(|fault| fault.to_string(), |status| format!("it answered {status}"));
                tracing::info!(client = %notice.client, attempts = notice.attempts, said, "a logout notice was not heard");
            }
            (notice, meant)
        });
    }

    async fn collect(&self, batch: &mut Batch) {
        // A post that panicked is not settled: its lease ends.
        if let Some(Ok((notice, meant))) = batch.posts.join_next().await {
            self.judge(batch, notice, meant);
        }
    }

    fn judge(&self, batch: &mut Batch, notice: Notice, meant: Answer) {
        let now = self.ports.clock.now();
        match meant {
            Answer::Heard => batch.heard += 1,
            Answer::Refused => batch.refused += 1,
            Answer::Failing => {
                batch.failing += 1;
                batch.failed = Some(now);
            }
        }
        if meant == Answer::Heard {
            batch.done.push(notice.id);
            return self.ports.metrics.notices_ended(&self.client.0, NoticeEnd::Heard, 1);
        }
        let mut roll = [0];
        self.ports.dice.fill(&mut roll);
        let [roll] = roll;
        match next(notice.created, notice.attempts, now, roll) {
            Next::TriedAgain(at) => batch.again.push((notice.id, at)),
            Next::GivenUp => {
                batch.given_up += 1;
                batch.done.push(notice.id);
            }
        }
        self.ports.metrics.notices_ended(&self.client.0, NoticeEnd::Failed, 1);
    }

    async fn settle(&self, batch: Batch) -> Result<(), DirectoryFault> {
        let client = &self.client;
        self.given_up(batch.given_up);
        if batch.is_failing() {
            let failures = self.ailing.map_or(0, Ailing::failures) + 1;
            tracing::warn!(%client, failures, "the client can't be told of sign-outs now");
        } else if batch.refused > 0 {
            tracing::warn!(%client, count = batch.refused, "the client refuses logout notices");
        } else if self.ailing.is_some() && batch.heard > 0 {
            tracing::info!(%client, "the client hears of sign-outs again");
        }
        self.ports.directory.notices.settle(batch.done, batch.again).await
    }

    fn given_up(&self, count: usize) {
        if count > 0 {
            tracing::warn!(client = %self.client, count, "logout notices are given up after a day");
            self.ports.metrics.notices_ended(&self.client.0, NoticeEnd::GivenUp, count);
        }
    }

    /// A client that is asked so seldom would never be done with all that grow old.
    async fn give_up_the_old(&self) -> Result<(), DirectoryFault> {
        loop {
            let now = self.ports.clock.now();
            match self.remove_some(|notice| is_over(notice.created, now)).await? {
                0 => return Ok(()),
                count => self.given_up(count),
            }
        }
    }

    /// The client is gone, or has no address, perhaps for a moment only.
    async fn drop_the_old(&self) -> Result<(), DirectoryFault> {
        let mut dropped = 0;
        let mut may_be_more = self.oldest().await?.is_some_and(|oldest| self.is_too_old(oldest));
        while may_be_more {
            let count = self.remove_some(|notice| self.is_too_old(notice.created)).await?;
            dropped += count;
            may_be_more = count > 0;
        }
        if dropped > 0 {
            tracing::warn!(client = %self.client, count = dropped, "logout notices are dropped: the client has no address");
        }
        Ok(())
    }

    /// Takes one handful and removes those that are too old, unsent; says how many. The others are put back.
    async fn remove_some(&self, is_old: impl Fn(&Notice) -> bool + Send) -> Result<usize, DirectoryFault> {
        let now = self.ports.clock.now();
        let (old, young): (Vec<_>, Vec<_>) = self.claim(&MORE).await?.into_iter().partition(is_old);
        let (count, ids) = (old.len(), old.into_iter().map(|notice| notice.id).collect());
        let back = young.into_iter().map(|notice| (notice.id, now)).collect();
        self.ports.directory.notices.settle(ids, back).await?;
        tokio::task::yield_now().await;
        Ok(count)
    }

    fn is_too_old(&self, created: Moment) -> bool {
        self.ports.clock.now() >= created.plus(ADDRESS_AWAY)
    }

    /// When the first of those that wait was queued.
    async fn oldest(&self) -> Result<Option<Moment>, DirectoryFault> {
        let waiting = self.ports.directory.notices.waiting().await?;
        Ok(waiting.into_iter().find(|waiting| waiting.client == self.client).map(|waiting| waiting.oldest))
    }
}
