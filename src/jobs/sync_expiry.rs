//! Credentials of provisioning services that are about to end, or have: a service that is refused stops provisioning,
//! and Entra puts its job in quarantine at once.

use crate::base::{Moment, Span};
use crate::directory::roster::SyncClient;
use crate::flow::Ports;

/// How long before its end a credential is spoken of, and then again with more weight.
const AHEAD: [Span; 3] = [Span::days(30), Span::days(7), Span::days(1)];

/// How a credential stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It lives for more than thirty days.
    Far,
    /// It ends within so many days, 30, 7 or 1: make another one, and put it in this one's place.
    Within(i64),
    Over,
}

impl Expiry {
    /// Of a credential; one of a scratch scope lives for minutes by intention, so it is never spoken of.
    #[must_use]
    pub fn of(client: &SyncClient, now: Moment) -> Self {
        if client.expires <= now {
            return Self::Over;
        }
        let left = client.expires.since(now);
        let near = AHEAD.iter().rev().find(|ahead| left <= **ahead).filter(|_| client.scope == client.directory);
        near.map_or(Self::Far, |ahead| Self::Within(ahead.as_secs() / Span::days(1).as_secs()))
    }

    /// What to tell of a credential, if there is something; `replaced`: its directory has another one that is live.
    #[must_use]
    pub fn tell(client: &SyncClient, all: &[SyncClient], now: Moment) -> Option<String> {
        let (id, directory) = (&client.id, &client.directory);
        let until = client.expires.to_rfc3339();
        match Self::of(client, now) {
            Self::Far => None,
            Self::Within(1) => Some(format!("{id} of {directory} ends within a day, at {until}: {MEND}")),
            Self::Within(days) => Some(format!("{id} of {directory} ends within {days} days, at {until}: {MEND}")),
            Self::Over if client.scope != client.directory => None,
            Self::Over => {
                let live = |other: &SyncClient| other.scope == client.scope && other.expires > now;
                let alone = !all.iter().any(live);
                alone.then(|| format!("{id} of {directory} has ended at {until}, and there is no other: {MEND}"))
            }
        }
    }
}

const MEND: &str = "make another with `sync-client create`, enter it at the provisioning service, revoke this one";

/// What somebody should know of all credentials; nothing while the database can't be asked.
pub async fn told(ports: &Ports) -> Vec<String> {
    let now = ports.clock.now();
    let all = ports.directory.sync_clients.all().await.unwrap_or_default();
    all.iter().filter_map(|client| Expiry::tell(client, &all, now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::directory::roster::SyncKind;

    fn client(id: &str, scope: &str, expires: Moment) -> SyncClient {
        SyncClient {
            id: id.to_owned(),
            directory: "contoso".to_owned(),
            scope: scope.to_owned(),
            name: String::new(),
            kind: SyncKind::Token,
            secret: Digest::of(id),
            created: Moment::from_ms(0),
            expires,
            last_used: None,
        }
    }

    #[test]
    fn a_credential_is_spoken_of_thirty_seven_and_one_day_before_its_end() {
        let end = Moment::from_secs(1_000_000_000);
        let at = |left: Span| Expiry::of(&client("a", "contoso", end), end.minus(left));
        let tick = Span::from_ms(1);
        for (days, said) in [(30, 30), (7, 7), (1, 1)] {
            assert_eq!(at(Span::days(days)), Expiry::Within(said));
        }
        assert_eq!(at(Span::from_ms(Span::days(30).ms() + 1)), Expiry::Far);
        assert_eq!(at(Span::from_ms(Span::days(7).ms() + 1)), Expiry::Within(30));
        assert_eq!(at(Span::from_ms(Span::days(1).ms() + 1)), Expiry::Within(7));
        assert_eq!((at(tick), at(Span::ZERO)), (Expiry::Within(1), Expiry::Over));
    }

    #[test]
    fn an_ended_one_is_spoken_of_while_nothing_has_taken_its_place_and_scratch_scopes_never_are() {
        let now = Moment::from_secs(1_000_000_000);
        let over = client("over", "contoso", now);
        let live = client("live", "contoso", now.plus(Span::days(90)));
        let scratch = client("scratch", "contoso~doctor-1", now.plus(Span::minutes(10)));
        let tell = |one: &SyncClient, all: &[SyncClient]| Expiry::tell(one, all, now).is_some();
        assert!(tell(&over, std::slice::from_ref(&over)));
        assert!(tell(&over, &[over.clone(), scratch.clone()]));
        assert!(!tell(&over, &[over.clone(), live.clone()]));
        assert!(!tell(&live, std::slice::from_ref(&live)) && !tell(&scratch, std::slice::from_ref(&scratch)));
    }
}
