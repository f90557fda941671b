//! What is counted and timed, with bounded labels: our own words and ids from files, never anything that came in.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::base::{Moment, Span};
use crate::keys::client_secret::Which;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Endpoint {
    pub endpoint: &'static str,
    pub status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct EndpointOnly {
    pub endpoint: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Code {
    pub code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct UpstreamError {
    /// The stem of its file.
    pub idp: String,
    pub fault: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct NoticesOf {
    /// The id of a client in the files.
    pub client: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct NoticeOutcome {
    /// The id of a client that is, or was, in the files.
    pub client: String,
    pub outcome: &'static str,
}

/// What became of one try to tell a client of a sign-out, or of the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeEnd {
    Heard,
    /// It is tried again, unless it is given up too.
    Failed,
    GivenUp,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct SecretUsed {
    /// The stem of its file.
    pub client: String,
    /// `first` or `second`, as they stand in the file.
    pub secret: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ScimWritten {
    /// The stem of its file.
    pub directory: String,
    pub outcome: &'static str,
}

/// A registry of its own: two servers in one process count apart.
pub struct Metrics {
    registry: Registry,
    requests: Family<Endpoint, Counter>,
    latency: Family<EndpointOnly, Histogram>,
    refusals: Family<Code, Counter>,
    upstream_errors: Family<UpstreamError, Counter>,
    logins: Family<Code, Counter>,
    secrets_used: Family<SecretUsed, Counter>,
    scim_writes: Family<ScimWritten, Counter>,
    under_way: Gauge<i64>,
    config_findings: Gauge<i64>,
    config_seconds: Gauge<f64, AtomicU64>,
    notices: Notices,
    /// No series without a certificate.
    certificate_seconds: Family<Unlabelled, Gauge<i64>>,
}

/// Logout notices to clients.
#[derive(Default)]
struct Notices {
    ended: Family<NoticeOutcome, Counter>,
    waiting: Family<NoticesOf, Gauge<i64>>,
    oldest: Family<NoticesOf, Gauge<f64, AtomicU64>>,
}

impl Notices {
    fn registered(registry: &mut Registry) -> Self {
        let notices = Self::default();
        let Self { ended, waiting, oldest } = &notices;
        registry.register("logout_notices", "Tries to tell clients of a sign-out, by outcome", ended.clone());
        let what = "Sign-outs that a client has not heard of yet";
        registry.register("logout_notices_waiting", what, waiting.clone());
        let what = "Age of the oldest sign-out that a client has not heard of yet";
        registry.register("logout_notices_oldest_seconds", what, oldest.clone());
        notices
    }
}

/// For a series that is there only at times.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Unlabelled {}

/// A request under way.
#[derive(Debug)]
pub struct UnderWay(Gauge<i64>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("vestibule");
        let requests = Family::<Endpoint, Counter>::default();
        registry.register("http_requests", "HTTP requests by endpoint and status", requests.clone());
        let latency = Family::<EndpointOnly, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.0005, 2.0, 15))
        });
        registry.register("http_request_seconds", "Time to answer by endpoint", latency.clone());
        let refusals = Family::<Code, Counter>::default();
        registry.register("refusals", "Refused requests by code", refusals.clone());
        let upstream_errors = Family::<UpstreamError, Counter>::default();
        registry.register("upstream_errors", "Failures at identity providers", upstream_errors.clone());
        let logins = Family::<Code, Counter>::default();
        registry.register("logins", "Logins by how they ended", logins.clone());
        let notices = Notices::registered(&mut registry);
        let secrets_used = Family::<SecretUsed, Counter>::default();
        registry.register(
            "client_secrets_used",
            "Authentications by clients with two live secrets, by which one came",
            secrets_used.clone(),
        );
        let scim_writes = Family::<ScimWritten, Counter>::default();
        let what = "SCIM requests that write, by directory and what became of them";
        registry.register("scim_writes", what, scim_writes.clone());
        let under_way = Gauge::<i64>::default();
        registry.register("http_requests_under_way", "HTTP requests not yet answered", under_way.clone());
        let config_findings = Gauge::default();
        registry.register("config_findings", "Findings in the files as they are now", config_findings.clone());
        let certificate_seconds = Family::<Unlabelled, Gauge<i64>>::default();
        registry.register(
            "tls_certificate_expires_seconds",
            "When the certificate in use expires",
            certificate_seconds.clone(),
        );
        let config_seconds = Gauge::default();
        registry.register(
            "config_loaded_seconds",
            "When the configuration in force was taken over",
            config_seconds.clone(),
        );
        Self {
            certificate_seconds,
            registry,
            requests,
            latency,
            refusals,
            upstream_errors,
            logins,
            notices,
            secrets_used,
            scim_writes,
            under_way,
            config_findings,
            config_seconds,
        }
    }
}

impl Metrics {
    pub fn answered(&self, endpoint: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Endpoint { endpoint, status }).inc();
        self.latency.get_or_create(&EndpointOnly { endpoint }).observe(took.as_secs_f64());
    }

    /// Counts a request as under way until the guard is dropped.
    #[must_use]
    pub fn began(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// Requests that are not yet answered.
    #[must_use]
    pub fn requests_under_way(&self) -> i64 {
        self.under_way.get()
    }

    pub fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&Code { code }).inc();
    }

    pub fn upstream_failed(&self, idp: &str, fault: &'static str) {
        self.upstream_errors.get_or_create(&UpstreamError { idp: idp.to_owned(), fault }).inc();
    }

    pub fn login_ended(&self, how: &'static str) {
        self.logins.get_or_create(&Code { code: how }).inc();
    }

    /// Counts what became of notices to a client of the files.
    pub fn notices_ended(&self, client: &str, how: NoticeEnd, count: usize) {
        let outcome = match how {
            NoticeEnd::Heard => "heard",
            NoticeEnd::Failed => "failed",
            NoticeEnd::GivenUp => "given_up",
        };
        let series = NoticeOutcome { client: client.to_owned(), outcome };
        self.notices.ended.get_or_create(&series).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// How many notices wait for each client, and the age of the oldest; no series for a client that has heard all.
    pub fn notices_wait(&self, waiting: &BTreeMap<String, (u64, Span)>) {
        self.notices.waiting.clear();
        self.notices.oldest.clear();
        for (client, (count, age)) in waiting {
            let series = NoticesOf { client: client.clone() };
            self.notices.waiting.get_or_create(&series).set(i64::try_from(*count).unwrap_or(i64::MAX));
            self.notices.oldest.get_or_create(&series).set(age.ms() as f64 / 1000.0);
        }
    }

    /// Counts which of two live secrets a client uses: the old one can go when it is used no more.
    pub fn secret_used(&self, client: &str, which: Which) {
        let secret = match which {
            Which::Only => return,
            Which::First => "first",
            Which::Second => "second",
        };
        self.secrets_used.get_or_create(&SecretUsed { client: client.to_owned(), secret }).inc();
    }

    /// `None`: it can't be read from the certificate.
    pub fn certificate_expires(&self, at: Option<Moment>) {
        match at {
            Some(at) => {
                self.certificate_seconds.get_or_create(&Unlabelled {}).set(at.secs());
            }
            None => {
                self.certificate_seconds.remove(&Unlabelled {});
            }
        }
    }

    /// When the certificate in use expires; `None` without one.
    #[must_use]
    pub fn certificate_end(&self) -> Option<Moment> {
        self.certificate_seconds.get(&Unlabelled {}).map(|end| Moment::from_secs(end.get()))
    }

    /// Counts what became of a SCIM request that writes: `created`, `revived`, `changed`, `unchanged`, `deleted`.
    pub fn scim_written(&self, directory: &str, outcome: &'static str) {
        self.scim_writes.get_or_create(&ScimWritten { directory: directory.to_owned(), outcome }).inc();
    }

    pub fn config_state(&self, findings: usize) {
        self.config_findings.set(i64::try_from(findings).unwrap_or(i64::MAX));
    }

    pub fn config_loaded(&self, at: Moment) {
        self.config_seconds.set(at.ms() as f64 / 1000.0);
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
