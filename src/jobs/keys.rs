//! The signing keys at rest become the ring that signs; the plan says when keys come and go.

use std::sync::Arc;

use crate::base::{Dice, Moment, Span};
use crate::config::Snapshot;
use crate::directory::{DirectoryFault, KeyAtRest, KeyStore};
use crate::keys::plan::{KeyFacts, Overlap, Plan, Rotation, plan, rotate};
use crate::keys::ring::{Ring, RingKey};
use crate::keys::seal::Seal;
use crate::keys::signing::{KeyFault, SigningKey, generate};
use crate::oidc::client::SigningAlgorithm;

/// Why there is no ring.
#[derive(Debug, thiserror::Error)]
pub enum RingFault {
    #[error(transparent)]
    Directory(#[from] DirectoryFault),
    /// The seal is another than that which sealed the keys: no new keys are made in silence.
    #[error("signing key {0} does not open: the seal ([keys] seal) is not the one that it was sealed with")]
    Sealed(String),
    #[error("signing key {0} can't be used")]
    Unusable(String),
    #[error(transparent)]
    Key(#[from] KeyFault),
    #[error("other processes change the signing keys all the time")]
    Contended,
}

/// What a change of keys needs.
pub struct Keeper<'a> {
    pub store: &'a dyn KeyStore,
    pub seal: &'a Arc<Seal>,
    pub dice: &'a dyn Dice,
}

/// What the configuration says about rotation.
#[must_use]
pub fn rotation(config: &Snapshot) -> Rotation {
    let longest = config.clients.values().map(|client| client.tokens.access).max();
    Rotation {
        algorithms: config.server.keys.algorithms.clone(),
        period: config.server.keys.rotation,
        access_token_lifetime_max: longest.unwrap_or(Span::ZERO),
    }
}

/// Does what the time asks for, and gives the ring.
///
/// # Errors
/// [`RingFault`].
pub async fn tick(keeper: &Keeper<'_>, settings: &Rotation, now: Moment) -> Result<Ring, RingFault> {
    turn(keeper, |facts| plan(facts, settings, now), now).await
}

/// The ring anew, if the keys at rest are others than those of `current`, or if the time asks for a change.
/// Otherwise it costs one read.
///
/// # Errors
/// [`RingFault`].
pub async fn renew(
    keeper: &Keeper<'_>,
    settings: &Rotation,
    current: &Ring,
    now: Moment,
) -> Result<Option<Ring>, RingFault> {
    let rows = keeper.store.keys().await?;
    let mut there: Vec<KeyFacts> = rows.iter().filter_map(facts).collect();
    there.sort_by(|a, b| (a.created, &a.kid).cmp(&(b.created, &b.kid)));
    if there == current.facts() && plan(&there, settings, now).is_empty() {
        return Ok(None);
    }
    tick(keeper, settings, now).await.map(Some)
}

/// The keys as they are; changes nothing.
///
/// # Errors
/// [`RingFault`].
pub async fn read(keeper: &Keeper<'_>) -> Result<Ring, RingFault> {
    ring(keeper, keeper.store.keys().await?)
}

/// Rotates because an admin says so.
///
/// # Errors
/// [`RingFault`].
pub async fn rotate_now(
    keeper: &Keeper<'_>,
    settings: &Rotation,
    overlap: Overlap,
    now: Moment,
) -> Result<Ring, RingFault> {
    turn(keeper, |facts| rotate(facts, settings, overlap, now), now).await
}

/// Plans and writes until nobody else has written in between.
async fn turn(keeper: &Keeper<'_>, make: impl Fn(&[KeyFacts]) -> Plan, now: Moment) -> Result<Ring, RingFault> {
    for _ in 0..5 {
        let rows = keeper.store.keys().await?;
        let facts: Vec<KeyFacts> = rows.iter().filter_map(facts).collect();
        let plan = make(&facts);
        if plan.is_empty() {
            return ring(keeper, rows);
        }
        let expected: Vec<String> = rows.iter().map(|row| row.kid.clone()).collect();
        let mut write: Vec<KeyAtRest> = Vec::new();
        for retire in &plan.retire {
            let row = rows.iter().find(|row| row.kid == retire.kid).cloned();
            write.extend(row.map(|row| KeyAtRest { retired_at: Some(retire.at), ..row }));
        }
        for wanted in &plan.generate {
            write.push(fresh(keeper, wanted.algorithm, wanted.active_from, now).await?);
        }
        if keeper.store.change_keys(&expected, write, plan.drop).await? {
            return ring(keeper, keeper.store.keys().await?);
        }
    }
    Err(RingFault::Contended)
}

async fn fresh(
    keeper: &Keeper<'_>,
    algorithm: SigningAlgorithm,
    active_from: Moment,
    created: Moment,
) -> Result<KeyAtRest, RingFault> {
    // RSA takes a tenth of a second: not on a thread that serves.
    let made = tokio::task::spawn_blocking(move || generate(algorithm)).await;
    let der = made.map_err(|_| RingFault::Contended)??;
    let kid = SigningKey::from_pkcs8(algorithm, der.expose())?.kid().to_owned();
    let sealed = keeper.seal.seal(keeper.dice, &purpose(&kid), der.expose());
    Ok(KeyAtRest { kid, algorithm: algorithm.as_str().to_owned(), sealed, created, active_from, retired_at: None })
}

fn purpose(kid: &str) -> String {
    format!("signing key {kid}")
}

fn ring(keeper: &Keeper<'_>, rows: Vec<KeyAtRest>) -> Result<Ring, RingFault> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let der = keeper.seal.open(&purpose(&row.kid), &row.sealed).ok_or(RingFault::Sealed(row.kid.clone()))?;
        let algorithm = algorithm(&row).ok_or(RingFault::Unusable(row.kid.clone()))?;
        let key = SigningKey::from_pkcs8(algorithm, &der)?;
        keys.push(RingKey { key, created: row.created, active_from: row.active_from, retired_at: row.retired_at });
    }
    Ok(Ring::from_keys(keys))
}

fn facts(row: &KeyAtRest) -> Option<KeyFacts> {
    Some(KeyFacts {
        kid: row.kid.clone(),
        algorithm: algorithm(row)?,
        created: row.created,
        active_from: row.active_from,
        retired_at: row.retired_at,
    })
}

fn algorithm(row: &KeyAtRest) -> Option<SigningAlgorithm> {
    SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == row.algorithm)
}
