//! Every bound in one table, with its reason. What an admin may change stands in `[limits]`
//! too; the rest is fixed by a specification or by what it protects.

use super::time::Span;

/// Bytes of a form or JSON body: sixteen times the longest sensible authorization request.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a request target: browsers and proxies cut at about this length.
pub const TARGET_BYTES_MAX: usize = 16 * 1024;
/// Bytes of `state` that are returned byte for byte; longer ones are refused without it.
pub const STATE_BYTES_MAX: usize = 2 * 1024;
/// Bytes of `nonce`: it travels on in every ID token.
pub const NONCE_BYTES_MAX: usize = 512;
/// Bytes of a `sub` (OIDC Core §2).
pub const SUBJECT_BYTES_MAX: usize = 255;
/// Words of `scope` that are looked at.
pub const SCOPE_WORDS_MAX: usize = 100;
/// Bytes of a client id (RFC 6749 Appendix A.1 sets none).
pub const CLIENT_ID_BYTES_MAX: usize = 256;
/// Login cookies that one browser keeps at a time: keeps its header under 4 KiB.
pub const LOGIN_COOKIES_MAX: usize = 8;

/// How long a login may take from authorization request to the identity provider's answer.
pub const PENDING_LIFETIME: Span = Span::minutes(10);
/// How long a code may be redeemed (RFC 6749 §4.1.2 recommends ten minutes at most).
pub const CODE_LIFETIME: Span = Span::secs(60);
/// How long it is remembered what a code's first use issued; later ones are refused like unknown ones.
pub const CODE_RESIDUE_LIFETIME: Span = Span::hours(1);
/// How long it is remembered in the state store that an access token was revoked: longer than any lives.
pub const REVOKED_LIFETIME: Span = Span::hours(24);
/// How long a cross-site POST waits for the browser to come back by GET.
pub const HANDLE_LIFETIME: Span = Span::secs(60);
/// How long an ID token may be used to establish a session at the client.
pub const ID_TOKEN_LIFETIME: Span = Span::minutes(10);
/// The longest life of a client assertion (RFC 7523 §3), which bounds the store of used `jti`s.
pub const ASSERTION_LIFETIME_MAX: Span = Span::minutes(5);
/// How long a pushed authorization request can begin a login (RFC 9126 §2.2): the browser is sent on at once.
pub const PUSHED_LIFETIME: Span = Span::secs(60);
/// How long a login that it began may take in all: its own minute, our page, the identity provider.
pub const PUSHED_LOGIN_LIFETIME: Span = Span::minutes(21);
/// The longest life of a signed request object: as long as FAPI 1.0 Advanced §5.2.2 allows.
pub const REQUEST_OBJECT_LIFETIME_MAX: Span = Span::minutes(60);
/// Clocks of others may differ by this much.
pub const CLOCK_SKEW: Span = Span::secs(60);
/// How long a lost answer to a refresh may be asked for again.
pub const REFRESH_REPEAT_WINDOW: Span = Span::secs(10);
/// How often within that window.
pub const REFRESH_REPEATS_MAX: u32 = 20;

/// A call to an identity provider, from connecting to the last byte.
pub const UPSTREAM_CALL: Span = Span::secs(8);
/// A person's step at us, with all calls of a provider that it needs: nobody waits longer for a clear answer.
pub const LOGIN_STEP: Span = Span::secs(9);
/// Bytes of an identity provider's answer, after decoding.
pub const UPSTREAM_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an ID token.
pub const ID_TOKEN_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an identity provider's logout token: a dozen claims, and a chain of certificates in the header.
pub const LOGOUT_TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How old a logout token may be: as long as Back-Channel Logout 1.0 §4 wants one to live at most. It bounds how long
/// used ones are remembered.
pub const LOGOUT_TOKEN_AGE_MAX: Span = Span::minutes(2);
/// Keys in a JWKS that are looked at.
pub const JWKS_KEYS_MAX: usize = 100;
/// How long discovery and JWKS count as fresh.
pub const METADATA_FRESH: Span = Span::hours(1);
/// How long the last good copy is used when it can't be renewed.
pub const METADATA_STALE_MAX: Span = Span::hours(24);
/// The least time between two fetches because of an unknown key id.
pub const JWKS_REFETCH_MIN: Span = Span::minutes(1);

/// Traces of requests that never became a login, kept a minute; more are only counted.
pub const UNPROVEN_TRACES_PER_MINUTE: u32 = 60;

/// Bytes of a SCIM body about a user, or of a search.
pub const SCIM_BODY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a SCIM body about a group: some hundred thousand members.
pub const SCIM_GROUP_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Members up to which the answer to a change of a group shows it.
pub const GROUP_ANSWER_MEMBERS_MAX: u64 = 1_000;
/// Members on one page of groups: a page with more of them ends early.
pub const GROUP_PAGE_MEMBERS_MAX: u64 = 100_000;
/// How long a SCIM request may take; provisioning services give up after 60 to 100 seconds.
pub const SCIM_CALL: Span = Span::secs(30);
/// How often a SCIM write is decided anew because somebody else was faster.
pub const SCIM_TRIES_MAX: u32 = 10;
/// How long a token of a provisioning service lives.
pub const SYNC_TOKEN_LIFETIME: Span = Span::hours(1);
/// How long it is remembered where the next page of a list begins.
pub const LIST_PAGE_LIFETIME: Span = Span::minutes(5);
/// How long a cursor is good (RFC 9865 §2).
pub const CURSOR_LIFETIME: Span = Span::minutes(10);

/// A command to the state store.
pub const STATE_CALL: Span = Span::secs(2);
/// How long a write waits for the database.
pub const DATABASE_WAIT: Span = Span::secs(5);
/// What `Retry-After` says while something that we depend on is down.
pub const RETRY_AFTER: Span = Span::secs(5);
/// How long requests under way may take after the order to stop.
pub const SHUTDOWN_GRACE: Span = Span::secs(10);
