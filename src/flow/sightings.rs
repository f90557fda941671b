//! What was seen on the connections of provisioning services: gathered here, written down every few seconds by
//! `jobs::sightings`, so that no request waits for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::base::text::is_control;
use crate::base::{Moment, Span};
use crate::directory::roster::Sighting;
use crate::scim::ScimError;
use crate::scim::notes::Notes;

/// Names of one kind that are kept between two writings; what comes beyond is counted under `…`. They come from outside.
const NAMES_MAX: usize = 500;
/// The most characters of a name.
const NAME_CHARS_MAX: usize = 200;
/// How often the last use of a credential is written down.
const USE_NOTED: Span = Span::minutes(1);

/// The kind of sightings whose names are a credential and an address that it was used from.
pub const ADDRESS: &str = "address";

/// A count with the moment of its last one.
type Counted = (u64, Moment);

#[derive(Default)]
struct Connection {
    /// By kind, then by name.
    seen: HashMap<&'static str, HashMap<String, Counted>>,
}

/// The last use of a credential, and when one was written down.
#[derive(Clone, Copy)]
struct Use {
    last: Moment,
    noted: Option<Moment>,
}

/// What is gathered and not yet written.
#[derive(Default)]
pub struct Gathered {
    connections: Mutex<HashMap<String, Connection>>,
    uses: Mutex<HashMap<String, Use>>,
}

impl Gathered {
    /// Counts one thing of a scope. `kind` and `name` as in [`Sighting`].
    pub fn count(&self, scope: &str, kind: &'static str, name: &str, now: Moment) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connection(&mut connections, scope).count(kind, name, now);
    }

    /// Counts what was noted of a request.
    pub fn notes(&self, scope: &str, notes: &Notes, now: Moment) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = connection(&mut connections, scope);
        let kinds = [
            ("received", &notes.received),
            ("blank", &notes.cleared),
            ("unknown", &notes.unknown),
            ("unconfirmed", &notes.unconfirmed),
        ];
        for (kind, names) in kinds {
            for name in names {
                connection.count(kind, name, now);
            }
        }
        for remark in &notes.remarks {
            connection.count("remark", remark, now);
        }
    }

    /// Counts a refusal as `scimType:attribute`.
    pub fn refusal(&self, scope: &str, refusal: &ScimError, now: Moment) {
        let what = refusal.scim_type.map_or_else(|| refusal.status.to_string(), |word| word.as_str().to_owned());
        let name = match &refusal.attribute {
            Some(attribute) => format!("{what}:{attribute}"),
            None => what,
        };
        self.count(scope, "refused", &name, now);
    }

    /// Notes that a credential was used.
    pub fn used(&self, credential: &str, now: Moment) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(credential) {
            Some(known) => known.last = now,
            None => {
                uses.insert(credential.to_owned(), Use { last: now, noted: None });
            }
        }
    }

    /// Counts a request of a credential from an address.
    pub fn from(&self, scope: &str, credential: &str, address: IpAddr, now: Moment) {
        self.count(scope, ADDRESS, &format!("{credential} {address}"), now);
    }

    /// Takes what is to be written.
    pub fn take(&self) -> Vec<Sighting> {
        let taken = std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        let mut all = Vec::new();
        for (directory, connection) in taken {
            for (kind, names) in connection.seen {
                all.extend(names.into_iter().map(|(name, (count, last))| Sighting {
                    directory: directory.clone(),
                    kind: kind.to_owned(),
                    name,
                    count,
                    last,
                }));
            }
        }
        all
    }

    /// The uses of credentials that are to be written now: of each at most one a minute. Old ones are forgotten.
    pub fn take_uses(&self, now: Moment) -> Vec<(String, Moment)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        for (credential, known) in &mut *uses {
            let news = known.noted.is_none_or(|noted| known.last > noted && now.since(noted) >= USE_NOTED);
            if news {
                known.noted = Some(known.last);
                due.push((credential.clone(), known.last));
            }
        }
        uses.retain(|_, known| known.noted != Some(known.last) || now.since(known.last) < Span::hours(1));
        due
    }
}

fn connection<'a>(connections: &'a mut HashMap<String, Connection>, scope: &str) -> &'a mut Connection {
    connections.entry(scope.to_owned()).or_default()
}

impl Connection {
    fn count(&mut self, kind: &'static str, name: &str, now: Moment) {
        let names = self.seen.entry(kind).or_default();
        if let Some(known) = names.get_mut(name) {
            *known = (known.0 + 1, known.1.max(now));
            return;
        }
        let name = if names.len() < NAMES_MAX { readable(name) } else { "…".to_owned() };
        let known = names.entry(name).or_insert((0, now));
        *known = (known.0 + 1, known.1.max(now));
    }
}

/// A name as logs and terminals can show it.
fn readable(name: &str) -> String {
    name.chars().filter(|c| !is_control(*c)).take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_000);

    #[test]
    fn what_is_seen_is_counted_by_name_and_bounded() {
        let gathered = Gathered::default();
        for n in 0..NAMES_MAX + 100 {
            gathered.count("contoso", "unknown", &format!("made\u{1b}up {n}"), NOW);
        }
        gathered.count("contoso", "call", "GET Users", NOW);
        gathered.count("contoso", "call", "GET Users", NOW.plus(Span::secs(1)));
        let taken = gathered.take();
        assert_eq!(taken.len(), NAMES_MAX + 2);
        assert!(taken.iter().all(|sighting| !sighting.name.contains('\u{1b}')));
        let of = |name: &str| taken.iter().find(|sighting| sighting.name == name).map(|it| (it.count, it.last));
        assert_eq!(of("GET Users"), Some((2, NOW.plus(Span::secs(1)))));
        assert_eq!(of("…"), Some((100, NOW)));
        assert!(gathered.take().is_empty());
    }

    #[test]
    fn a_credentials_use_is_written_at_most_once_a_minute_and_the_last_one_in_the_end() {
        let gathered = Gathered::default();
        gathered.used("scim-1", NOW);
        assert_eq!(gathered.take_uses(NOW), [("scim-1".to_owned(), NOW)]);
        let soon = NOW.plus(Span::secs(30));
        gathered.used("scim-1", soon);
        assert!(gathered.take_uses(soon).is_empty());
        let later = NOW.plus(Span::secs(60));
        assert_eq!(gathered.take_uses(later), [("scim-1".to_owned(), soon)]);
        assert!(gathered.take_uses(later.plus(Span::hours(2))).is_empty());
    }
}
