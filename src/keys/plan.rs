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

#[cfg(test)]
mod tests {
    use SigningAlgorithm::{EdDsa, Es256, Rs256};

    use super::*;

    const START: Moment = Moment::from_secs(1_800_000_000);

    fn settings(algorithms: &[SigningAlgorithm]) -> Rotation {
        Rotation {
            algorithms: algorithms.to_vec(),
            period: Span::days(90),
            access_token_lifetime_max: Span::minutes(10),
        }
    }

    /// What the caller does with a plan, with kids in the order of making.
    fn apply(keys: &mut Vec<KeyFacts>, plan: &Plan, now: Moment) {
        keys.retain(|key| !plan.drop.contains(&key.kid));
        for retire in &plan.retire {
            let key = keys.iter_mut().find(|key| key.kid == retire.kid).expect("a key that is there");
            key.retired_at = Some(retire.at);
        }
        for made in &plan.generate {
            let kid = format!("{}-{}", made.algorithm.as_str(), now.plus(Span::ZERO).since(START).as_secs());
            let (algorithm, active_from) = (made.algorithm, made.active_from);
            keys.push(KeyFacts { kid, algorithm, created: now, active_from, retired_at: None });
        }
    }

    fn states(keys: &[KeyFacts], now: Moment) -> Vec<(&str, KeyState)> {
        keys.iter().map(|key| (key.kid.as_str(), state_of(keys, key, now))).collect()
    }

    #[test]
    fn the_first_start_makes_a_key_for_each_algorithm_that_signs_at_once() {
        let made = plan(&[], &settings(&[EdDsa, Rs256]), START);
        let expected = [Rs256, EdDsa].map(|algorithm| Generate { algorithm, active_from: START });
        assert_eq!(made, Plan { generate: expected.into(), ..Plan::default() });
    }

    #[test]
    fn c042_a_key_is_published_a_day_ahead_and_two_days_after() {
        let settings = settings(&[EdDsa]);
        let mut keys = Vec::new();
        let planned = plan(&keys, &settings, START);
        apply(&mut keys, &planned, START);
        let eve = START.plus(Span::days(89));
        assert!(plan(&keys, &settings, eve.minus(Span::secs(1))).is_empty());

        let planned = plan(&keys, &settings, eve);
        apply(&mut keys, &planned, eve);
        assert!(plan(&keys, &settings, eve).is_empty(), "done is done");
        let turn = eve.plus(Span::days(1));
        let next = "EdDSA-7689600";
        let before = turn.minus(Span::from_ms(1));
        assert_eq!(states(&keys, before), [("EdDSA-0", KeyState::Active), (next, KeyState::Next)]);
        assert_eq!(states(&keys, turn), [("EdDSA-0", KeyState::Retired), (next, KeyState::Active)]);

        let kept = turn.plus(Span::hours(48));
        assert!(plan(&keys, &settings, kept.minus(Span::from_ms(1))).is_empty());
        let drop = vec!["EdDSA-0".to_owned()];
        assert_eq!(plan(&keys, &settings, kept), Plan { drop, ..Plan::default() });
    }

    #[test]
    fn a_key_of_a_server_that_slept_goes_on_until_its_successor_was_published_for_a_day() {
        let settings = settings(&[EdDsa]);
        let mut keys = Vec::new();
        let planned = plan(&keys, &settings, START);
        apply(&mut keys, &planned, START);
        let late = START.plus(Span::days(400));
        let made = plan(&keys, &settings, late);
        let turn = late.plus(Span::days(1));
        assert_eq!(made.generate, [Generate { algorithm: EdDsa, active_from: turn }]);
        assert_eq!(made.retire, [Retire { kid: "EdDSA-0".to_owned(), at: turn }]);
    }

    #[test]
    fn an_algorithm_that_leaves_the_settings_is_retired_and_its_keys_go_later() {
        let mut keys = Vec::new();
        let planned = plan(&keys, &settings(&[Es256, EdDsa]), START);
        apply(&mut keys, &planned, START);
        let left = plan(&keys, &settings(&[EdDsa]), START);
        assert_eq!(left.retire, [Retire { kid: "ES256-0".to_owned(), at: START }]);
        apply(&mut keys, &left, START);
        assert_eq!(signer_of(&keys, Es256, START), None);
        assert_eq!(plan(&keys, &settings(&[EdDsa]), START.plus(Span::hours(48))).drop, ["ES256-0"]);
    }

    #[test]
    fn long_lived_access_tokens_keep_their_key_longer() {
        let mut long = settings(&[EdDsa]);
        assert_eq!(long.kept_after_retirement(), Span::hours(48));
        long.access_token_lifetime_max = Span::days(3);
        assert_eq!(long.kept_after_retirement(), Span::days(4));
    }

    #[test]
    fn rotating_now_hands_over_after_the_overlap_or_at_once() {
        let settings = settings(&[EdDsa]);
        let mut keys = Vec::new();
        let planned = plan(&keys, &settings, START);
        apply(&mut keys, &planned, START);
        let eve = START.plus(Span::days(89));
        let planned = plan(&keys, &settings, eve);
        apply(&mut keys, &planned, eve);
        let asked = eve.plus(Span::hours(2));

        let soon = rotate(&keys, &settings, Overlap::After(ROTATE_OVERLAP), asked);
        let turn = asked.plus(Span::hours(1));
        assert_eq!(soon.generate, [Generate { algorithm: EdDsa, active_from: turn }]);
        let mut after = keys.clone();
        apply(&mut after, &soon, asked);
        let kid = |now| signer_of(&after, EdDsa, now).map(|key| key.kid.as_str());
        assert_eq!(kid(turn.minus(Span::from_ms(1))), Some("EdDSA-0"));
        assert_eq!(kid(turn), Some("EdDSA-7696800"));
        assert_eq!(kid(turn.plus(Span::days(30))), Some("EdDSA-7696800"), "the one that waited never signs");
        assert!(plan(&after, &settings, asked).is_empty());

        let planned = rotate(&keys, &settings, Overlap::AtOnce, asked);
        apply(&mut keys, &planned, asked);
        assert_eq!(signer_of(&keys, EdDsa, asked).map(|key| key.kid.as_str()), Some("EdDSA-7696800"));
        assert_eq!(keys.len(), 3, "the old ones stay published");
    }

    #[test]
    fn rotating_an_empty_ring_makes_keys_that_sign_at_once() {
        let made = rotate(&[], &settings(&[EdDsa]), Overlap::After(ROTATE_OVERLAP), START);
        assert_eq!(made.generate, [Generate { algorithm: EdDsa, active_from: START }]);
    }
}
