//! The rotation plan: which keys to make, to retire and to drop, from what is there and the time.
//!
//! A key is *next* (published, not signing), *active*, *retired* (published, not signing any more) and
//! then gone. A next key is published a day before it signs, so that everybody who caches our JWKS has
//! it; a retired one stays until the last token that it signed is of no use.

use crate::base::limits::ID_TOKEN_LIFETIME;
use crate::base::{Moment, Span};
use crate::oidc::client::SigningAlgorithm;

/// How long a key is published before it signs.
pub const PUBLISHED_AHEAD: Span = Span::hours(24);
/// How long others may go on using a JWKS that they fetched from us.
pub const JWKS_CACHED_MAX: Span = Span::hours(24);
/// How long an ID token may still come back as `id_token_hint` and be recognised.
pub const HINT_LIFETIME: Span = Span::hours(24);
/// How long `keys rotate` publishes the new key before it signs, unless told otherwise.
pub const ROTATE_OVERLAP: Span = Span::hours(1);

/// What the plan needs to know of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    pub kid: String,
    pub algorithm: SigningAlgorithm,
    pub created: Moment,
    pub active_from: Moment,
    pub retired_at: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Next,
    Active,
    Retired,
}

impl KeyFacts {
    fn is_retired(&self, now: Moment) -> bool {
        self.retired_at.is_some_and(|at| at <= now)
    }

    fn is_due(&self, now: Moment) -> bool {
        self.active_from <= now
    }
}

/// The key that signs with `algorithm` at `now`: of those that are due and not retired the one that
/// became active last.
///
/// If none is due, because another machine's clock runs ahead of this one, the key that is due first: it
/// is published already. `None` only if there is no key of that algorithm that isn't retired.
#[must_use]
pub fn signer_of(keys: &[KeyFacts], algorithm: SigningAlgorithm, now: Moment) -> Option<&KeyFacts> {
    let usable = || keys.iter().filter(|key| key.algorithm == algorithm && !key.is_retired(now));
    let active = usable().filter(|key| key.is_due(now)).max_by_key(|key| (key.active_from, &key.kid));
    active.or_else(|| usable().min_by_key(|key| (key.active_from, &key.kid)))
}

/// The state of one key among all.
#[must_use]
pub fn state_of(keys: &[KeyFacts], key: &KeyFacts, now: Moment) -> KeyState {
    if signer_of(keys, key.algorithm, now) == Some(key) {
        KeyState::Active
    } else if key.is_retired(now) || key.is_due(now) {
        KeyState::Retired
    } else {
        KeyState::Next
    }
}

/// What an admin decides about rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub algorithms: Vec<SigningAlgorithm>,
    /// How long a key signs. Below [`PUBLISHED_AHEAD`] it is as long as that.
    pub period: Span,
    /// The longest life of a signed access token of any client.
    pub access_token_lifetime_max: Span,
}

impl Rotation {
    /// How long a retired key stays published.
    #[must_use]
    pub fn kept_after_retirement(&self) -> Span {
        let token = self.access_token_lifetime_max.max(ID_TOKEN_LIFETIME).max(HINT_LIFETIME);
        Span::from_ms(token.ms().saturating_add(JWKS_CACHED_MAX.ms()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generate {
    pub algorithm: SigningAlgorithm,
    pub active_from: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retire {
    pub kid: String,
    pub at: Moment,
}

/// What is to be done, all in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub generate: Vec<Generate>,
    pub retire: Vec<Retire>,
    /// Kids that leave the JWKS and the database.
    pub drop: Vec<String>,
}

impl Plan {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.generate.is_empty() && self.retire.is_empty() && self.drop.is_empty()
    }
}

/// What the passing of time asks for. Doing it and asking again gives an empty plan.
#[must_use]
pub fn plan(keys: &[KeyFacts], settings: &Rotation, now: Moment) -> Plan {
    let mut plan = Plan::default();
    for algorithm in SigningAlgorithm::ALL {
        let live: Vec<&KeyFacts> = live(keys, algorithm, now);
        if settings.algorithms.contains(&algorithm) {
            turn(&live, algorithm, settings, now, &mut plan);
        } else {
            retire_all(&live, now, &mut plan);
        }
    }
    drop_old(keys, settings, now, &mut plan);
    plan
}

/// When a rotation that an admin asked for takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// The new keys are published now and sign after this span; [`ROTATE_OVERLAP`] is usual.
    After(Span),
    /// They sign at once: for keys that may be known to others. Verifiers that don't refetch an unknown
    /// kid refuse our tokens until they do.
    AtOnce,
}

/// What `keys rotate` asks for: a new key for every algorithm. Keys that wait for their turn never get
/// it, since whoever could read the active one could read them too.
#[must_use]
pub fn rotate(keys: &[KeyFacts], settings: &Rotation, overlap: Overlap, now: Moment) -> Plan {
    let mut plan = Plan::default();
    let active_from = match overlap {
        Overlap::After(span) => now.plus(span),
        Overlap::AtOnce => now,
    };
    for algorithm in SigningAlgorithm::ALL {
        let live = live(keys, algorithm, now);
        if !settings.algorithms.contains(&algorithm) {
            retire_all(&live, now, &mut plan);
            continue;
        }
        let signer = signer_of(keys, algorithm, now).map(|key| key.kid.as_str());
        // Nothing to overlap with: the new key is the only one.
        let active_from = if signer.is_some() { active_from } else { now };
        plan.generate.push(Generate { algorithm, active_from });
        for key in live {
            let at = if Some(key.kid.as_str()) == signer { active_from } else { now };
            if key.retired_at.is_none_or(|planned| planned != at) {
                plan.retire.push(Retire { kid: key.kid.clone(), at });
            }
        }
    }
    drop_old(keys, settings, now, &mut plan);
    plan
}

fn live(keys: &[KeyFacts], algorithm: SigningAlgorithm, now: Moment) -> Vec<&KeyFacts> {
    keys.iter().filter(|key| key.algorithm == algorithm && !key.is_retired(now)).collect()
}

fn turn(live: &[&KeyFacts], algorithm: SigningAlgorithm, settings: &Rotation, now: Moment, plan: &mut Plan) {
    let newest = live.iter().filter(|key| key.is_due(now)).max_by_key(|key| (key.active_from, &key.kid));
    let next = live.iter().filter(|key| !key.is_due(now)).min_by_key(|key| (key.active_from, &key.kid));
    let Some(active) = newest else {
        if next.is_none() {
            plan.generate.push(Generate { algorithm, active_from: now });
        }
        return;
    };
    for left in live.iter().filter(|key| key.is_due(now) && key.kid != active.kid && key.retired_at.is_none()) {
        plan.retire.push(Retire { kid: left.kid.clone(), at: now });
    }
    let hands_over_at = if let Some(next) = next {
        next.active_from
    } else {
        let due = active.active_from.plus(settings.period);
        if now < due.minus(PUBLISHED_AHEAD) && active.retired_at.is_none() {
            return;
        }
        let active_from = due.max(now.plus(PUBLISHED_AHEAD));
        plan.generate.push(Generate { algorithm, active_from });
        active_from
    };
    if active.retired_at != Some(hands_over_at) {
        plan.retire.push(Retire { kid: active.kid.clone(), at: hands_over_at });
    }
}

fn retire_all(live: &[&KeyFacts], now: Moment, plan: &mut Plan) {
    plan.retire.extend(live.iter().map(|key| Retire { kid: key.kid.clone(), at: now }));
}

fn drop_old(keys: &[KeyFacts], settings: &Rotation, now: Moment, plan: &mut Plan) {
    let kept = settings.kept_after_retirement();
    let old = keys.iter().filter(|key| key.retired_at.is_some_and(|at| at.plus(kept) <= now));
    plan.drop.extend(old.map(|key| key.kid.clone()));
}
