//! Documents that everybody may read, made once for each configuration.

use std::sync::Arc;

use actix_web::web::Bytes;
use arc_swap::ArcSwapOption;

use crate::base::Digest;
use crate::config::Snapshot;

/// A document as it is sent.
pub struct Document {
    /// What it was made from.
    config: Arc<Snapshot>,
    pub body: Bytes,
    /// In quotes, as headers have it.
    pub etag: String,
}

impl Document {
    fn new(config: &Arc<Snapshot>, body: String) -> Self {
        let etag = etag(&body);
        Self { config: Arc::clone(config), body: Bytes::from(body), etag }
    }
}

/// The entity tag of a body: its digest.
#[must_use]
pub fn etag(body: impl AsRef<[u8]>) -> String {
    format!("\"{}\"", Digest::of(body).base64url())
}

/// One document for the configuration in force.
#[derive(Default)]
pub struct Kept(ArcSwapOption<Document>);

impl Kept {
    /// The document for this configuration; made if it isn't the one that is kept.
    pub fn get(&self, config: &Arc<Snapshot>, make: impl FnOnce(&Snapshot) -> String) -> Arc<Document> {
        let kept = self.0.load_full().filter(|kept| Arc::ptr_eq(&kept.config, config));
        kept.unwrap_or_else(|| {
            let made = Arc::new(Document::new(config, make(config)));
            self.0.store(Some(Arc::clone(&made)));
            made
        })
    }
}

/// All documents that are kept.
#[derive(Default)]
pub struct Documents {
    pub discovery: Kept,
    pub federation_jwks: Kept,
}
