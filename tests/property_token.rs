//! Random timelines: keys that rotate, and refresh families that are presented in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use vestibule::base::{Digest, Moment, Secret, Span};
use vestibule::identity::UserId;
use vestibule::keys::jws::verify_own_id_token;
use vestibule::keys::plan::{KeyFacts, Overlap, Plan, Rotation, plan, rotate, signer_of};
use vestibule::keys::ring::{Ring, RingKey};
use vestibule::keys::signing::{JwtType, Pkcs8, SigningKey, generate};
use vestibule::keys::verifying::KeySet;
use vestibule::oidc::client::{
    AccessTokenKind, Client, ClientCredential, ClientSecret, GrantType, SigningAlgorithm, SubjectType, TokenLifetimes,
};
use vestibule::oidc::{ClientId, IdpId, Scope};
use vestibule::token::family::{AccessUse, Alarm, Family, FamilyId, NewTokens, Turn, present};
use vestibule::token::grant::{GRANT_VERSION, Grant};
use vestibule::token::refresh_token::RefreshToken;
use vestibule::token::standing::Why;

const START: Moment = Moment::from_secs(1_800_000_000);
const ISSUER: &str = "https://id.example.com/acs";
/// RSA is left out for its time only; it takes the same way.
const ALGORITHMS: [SigningAlgorithm; 2] = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];

// ---- keys

/// The database of keys, and who applies plans to it.
struct KeyRoom {
    rows: BTreeMap<String, (KeyFacts, Pkcs8)>,
}

impl KeyRoom {
    fn facts(&self) -> Vec<KeyFacts> {
        self.rows.values().map(|(facts, _)| facts.clone()).collect()
    }

    fn apply(&mut self, plan: Plan, now: Moment) {
        for retire in plan.retire {
            self.rows.get_mut(&retire.kid).expect("a key that is there").0.retired_at = Some(retire.at);
        }
        for kid in plan.drop {
            self.rows.remove(&kid).expect("a key that is there");
        }
        for wanted in plan.generate {
            let made = generate(wanted.algorithm).expect("generates");
            let key = SigningKey::from_pkcs8(wanted.algorithm, made.expose()).expect("a key");
            let kid = key.kid().to_owned();
            let (algorithm, active_from) = (wanted.algorithm, wanted.active_from);
            let facts = KeyFacts { kid: kid.clone(), algorithm, created: now, active_from, retired_at: None };
            self.rows.insert(kid, (facts, made));
        }
    }

    fn ring(&self) -> Ring {
        let keys = self.rows.values().map(|(facts, made)| RingKey {
            key: SigningKey::from_pkcs8(facts.algorithm, made.expose()).expect("a key"),
            created: facts.created,
            active_from: facts.active_from,
            retired_at: facts.retired_at,
        });
        Ring::from_keys(keys.collect())
    }
}

#[derive(Clone, Copy, Debug)]
enum KeyStep {
    /// The job runs; it may have been down for long.
    Tick,
    /// Time passes with the job down.
    Sleep,
    Rotate,
    RotateAtOnce,
}

fn key_steps() -> impl Strategy<Value = Vec<(i64, KeyStep)>> {
    let step = prop_oneof![
        6 => Just(KeyStep::Tick),
        3 => Just(KeyStep::Sleep),
        1 => Just(KeyStep::Rotate),
        1 => Just(KeyStep::RotateAtOnce),
    ];
    let minutes = prop_oneof![0_i64..90, 90_i64..3_000, 3_000_i64..60_000];
    prop::collection::vec((minutes, step), 1..60)
}

/// A token and until when somebody may check it.
struct Issued {
    token: String,
    expires: Moment,
    hint_until: Moment,
}

/// A client's library that fetches the JWKS once an hour and never before.
struct SlowVerifier {
    fetched: Moment,
    keys: KeySet,
}

fn verifies(token: &str, keys: &KeySet) -> bool {
    verify_own_id_token(token, keys, ISSUER).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g12_every_token_verifies_by_the_jwks_as_served_until_it_expires(steps in key_steps(), days in 1_i64..120) {
        let settings = Rotation {
            algorithms: ALGORITHMS.to_vec(),
            period: Span::days(days),
            access_token_lifetime_max: Span::minutes(10),
        };
        let mut now = START;
        let mut room = KeyRoom { rows: BTreeMap::new() };
        room.apply(plan(&[], &settings, now), now);
        let mut issued: Vec<Issued> = Vec::new();
        let mut slow = SlowVerifier { fetched: now, keys: KeySet::parse(room.ring().jwks()).expect("a set") };
        // The only thing that a verifier without refetching may trip over: an order to sign at once.
        let mut forced: Option<Moment> = None;
        for (minutes, step) in steps {
            now = now.plus(Span::minutes(minutes));
            if now.since(slow.fetched) >= Span::hours(1) {
                slow = SlowVerifier { fetched: now, keys: KeySet::parse(room.ring().jwks()).expect("a set") };
            }
            match step {
                KeyStep::Tick => room.apply(plan(&room.facts(), &settings, now), now),
                KeyStep::Sleep => {}
                KeyStep::Rotate => {
                    room.apply(rotate(&room.facts(), &settings, Overlap::After(Span::hours(1)), now), now);
                }
                KeyStep::RotateAtOnce => {
                    room.apply(rotate(&room.facts(), &settings, Overlap::AtOnce, now), now);
                    forced = Some(now);
                }
            }
            let ring = room.ring();
            let served = KeySet::parse(ring.jwks()).expect("a set");
            for algorithm in ALGORITHMS {
                let facts = room.facts();
                let active = facts.iter().filter(|key| {
                    key.algorithm == algorithm
                        && key.active_from <= now
                        && key.retired_at.is_none_or(|at| now < at)
                });
                prop_assert_eq!(active.count(), 1, "exactly one active key of {:?}", algorithm);
                let signer = ring.signer(algorithm, now).expect("a signer");
                prop_assert_eq!(signer_of(&facts, algorithm, now).map(|key| key.kid.as_str()), Some(signer.kid()));
                let token = signer.sign(&json!({ "iss": ISSUER }), JwtType::Jwt).expect("signs");
                let slow_may_fail = forced.is_some_and(|at| slow.fetched <= at);
                prop_assert!(slow_may_fail || verifies(&token, &slow.keys), "by a JWKS of {:?}", now.since(slow.fetched));
                let (expires, hint_until) = (now.plus(Span::minutes(10)), now.plus(Span::hours(24)));
                issued.push(Issued { token, expires, hint_until });
            }
            issued.retain(|token| now < token.expires.max(token.hint_until));
            for token in &issued {
                prop_assert!(verifies(&token.token, &served), "issued tokens verify by the JWKS of now");
            }
            if matches!(step, KeyStep::Tick) {
                prop_assert!(plan(&room.facts(), &settings, now).is_empty(), "done is done");
            }
        }
    }
}

// ---- refresh families

fn secret() -> ClientCredential {
    ClientCredential::Secrets(vec![ClientSecret::Plain(Secret::new("s"))])
}

fn client(credential: ClientCredential) -> Client {
    Client {
        stem: "access".to_owned(),
        id: ClientId("access".to_owned()),
        name: "Access".to_owned(),
        enabled: true,
        credential,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: Scope::ALL.to_vec(),
        idps: Vec::new(),
        pkce_required: true,
        require_par: false,
        id_token_alg: SigningAlgorithm::Rs256,
        access_token: AccessTokenKind::Opaque,
        subject_type: SubjectType::Public,
        initiate_login_uri: None,
        backchannel_logout_uri: None,
        frontchannel_logout_uri: None,
        web_origins: Vec::new(),
        rule_sets: Vec::new(),
        tokens: TokenLifetimes::default(),
        claims: BTreeMap::new(),
        accept_hints: true,
    }
}

fn grant() -> Grant {
    Grant {
        version: GRANT_VERSION,
        client: ClientId("access".to_owned()),
        user: UserId("u".to_owned()),
        directory: "contoso".to_owned(),
        idp: IdpId("entra".to_owned()),
        sid: "s".to_owned(),
        scopes: Scope::ALL.to_vec(),
        nonce: None,
        auth_time: START,
        acr: None,
        amr: Vec::new(),
    }
}

/// A pair as a client got it.
struct Pair {
    refresh: RefreshToken,
    access: String,
    used: bool,
    void: bool,
}

/// The server's side of one family and every pair that it ever gave away.
struct Story {
    family: Family,
    pairs: Vec<Pair>,
    client: Client,
    turns: Vec<Turn>,
}

impl Story {
    fn begin(client: Client) -> Self {
        let refresh = RefreshToken::mint([9; 16], [0; 32]);
        let first = Pair { refresh, access: "access 0".to_owned(), used: false, void: false };
        let tokens = NewTokens { refresh: first.refresh.digest(), access: Digest::of(&first.access) };
        let family = Family::begin(first.refresh.family(), &grant(), tokens, &client.tokens, START);
        Self { family, pairs: vec![first], client, turns: Vec::new() }
    }

    fn present(&mut self, which: usize, now: Moment) -> Turn {
        let current = self.pairs.iter().find(|pair| Digest::of(&pair.access) == self.family.current_access);
        let access = if current.is_some_and(|pair| pair.used) { AccessUse::Used } else { AccessUse::Unused };
        let presented = self.pairs[which % self.pairs.len()].refresh.digest();
        let turn = present(&self.family, presented, &self.client, access, now);
        match turn {
            Turn::Rotate => {
                let tokens = self.issue();
                self.family = self.family.rotate(tokens, &self.client.tokens, now);
            }
            Turn::Repeat { void_access } => {
                for pair in self.pairs.iter_mut().filter(|pair| Digest::of(&pair.access) == void_access) {
                    pair.void = true;
                }
                let tokens = self.issue();
                self.family = self.family.repeat(tokens);
            }
            Turn::Reuse(_) | Turn::ForeignClient => self.family.revoked_at = Some(now),
            Turn::TooManyRepeats | Turn::Dead(_) => {}
        }
        self.turns.push(turn);
        turn
    }

    fn issue(&mut self) -> NewTokens {
        let mut secret = [0_u8; 32];
        secret[..8].copy_from_slice(&(self.pairs.len() as u64).to_be_bytes());
        let refresh = self.pairs[0].refresh.successor(secret);
        let pair = Pair { refresh, access: format!("access {}", self.pairs.len()), used: false, void: false };
        let tokens = NewTokens { refresh: pair.refresh.digest(), access: Digest::of(&pair.access) };
        self.pairs.push(pair);
        tokens
    }

    /// Refresh tokens that would give new ones without ending the family.
    fn good(&self, now: Moment) -> Vec<usize> {
        let access = AccessUse::Used;
        let rotates =
            |pair: &&Pair| present(&self.family, pair.refresh.digest(), &self.client, access, now) == Turn::Rotate;
        self.pairs.iter().enumerate().filter(|(_, pair)| rotates(pair)).map(|(place, _)| place).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g02_a_family_has_at_most_one_live_branch_whatever_is_presented(
        steps in prop::collection::vec((0_usize..6, 0_i64..9_000, any::<bool>()), 1..60),
        public in any::<bool>(),
    ) {
        let credential = if public { ClientCredential::Public } else { secret() };
        let mut story = Story::begin(client(credential));
        let mut now = START;
        for (back, wait_ms, uses_access) in steps {
            now = now.plus(Span::from_ms(wait_ms));
            // Mostly recent tokens: the newest is 0 steps back.
            let which = story.pairs.len().saturating_sub(1 + back);
            let (before, issued) = (story.family.clone(), story.pairs.len());
            let turn = story.present(which, now);

            let newest = story.pairs.len() - 1;
            let good = story.good(now);
            let alive = story.family.revoked_at.is_none();
            prop_assert_eq!(&good, &if alive { vec![newest] } else { Vec::new() }, "one branch, the newest");
            prop_assert_eq!(story.pairs.len() > issued, matches!(turn, Turn::Rotate | Turn::Repeat { .. }));
            if before.revoked_at.is_some() {
                prop_assert_eq!(turn, Turn::Dead(Why::Revoked), "dead stays dead");
            }
            if let Turn::Repeat { .. } = turn {
                prop_assert!(!public, "repeats are for confidential clients");
                prop_assert!(!story.pairs[issued - 1].used && story.pairs[issued - 1].void, "the unused pair is void");
                prop_assert!(before.rotated_at.is_some_and(|at| now.since(at) <= Span::secs(10)));
            }
            prop_assert_eq!(story.family.ends, before.ends, "the absolute end never moves");
            prop_assert!(story.family.repeats <= 20);
            if matches!(turn, Turn::Rotate | Turn::Repeat { .. }) {
                prop_assert_eq!(story.family.generation, before.generation + 1);
            }
            if uses_access {
                let newest = story.pairs.last_mut().expect("one at least");
                newest.used = true;
            }
        }
    }

    #[test]
    fn a099_of_a_hundred_requests_with_one_token_one_branch_is_left(wait_ms in 0_i64..100) {
        let mut story = Story::begin(client(secret()));
        let turns: Vec<Turn> =
            (0..100).map(|turn| story.present(0, START.plus(Span::from_ms(turn * wait_ms)))).collect();
        prop_assert_eq!(turns[0], Turn::Rotate);
        prop_assert_eq!(turns.iter().filter(|turn| matches!(turn, Turn::Repeat { .. })).count(), 20);
        prop_assert_eq!(turns.iter().filter(|turn| **turn == Turn::TooManyRepeats).count(), 79);
        prop_assert_eq!(story.good(START.plus(Span::secs(10))), vec![21]);
        // A pair that a repeat made void is reuse, and ends even the live branch.
        let turn = story.present(5, START.plus(Span::secs(10)));
        prop_assert_eq!(turn, Turn::Reuse(Alarm::UnknownToken));
        prop_assert!(story.good(START.plus(Span::secs(10))).is_empty());
    }

    #[test]
    fn a_refresh_token_is_read_as_it_was_written_and_other_text_is_none(
        family in any::<[u8; 16]>(), secret in any::<[u8; 32]>(), noise in "\\PC{0,80}",
    ) {
        let token = RefreshToken::mint(family, secret);
        let text = token.text();
        prop_assert_eq!(text.expose().len(), 64);
        let read = RefreshToken::parse(text.expose()).expect("our own");
        prop_assert_eq!(read.digest(), Digest::of(text.expose()));
        prop_assert_eq!(read.family(), FamilyId(Digest::of(family)));
        prop_assert_eq!(token.successor([1; 32]).family(), read.family());
        if let Some(read) = RefreshToken::parse(&noise) {
            let text = read.text();
            prop_assert_eq!(text.expose(), noise.as_str(), "one text per token");
        }
        let padded = format!("{}=", text.expose());
        prop_assert!(RefreshToken::parse(&padded).is_none());
        let printed = format!("{token:?}");
        prop_assert!(!printed.contains(text.expose()));
    }
}
