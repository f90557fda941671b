//! `vestibule.toml`.

use crate::config::shape::Key;
use crate::config::shape::Kind::{
    Address, Colour, Count, Duration, Flag, Networks, Path, Paths, Secret, SecretUrl, Socket, SomeOf, Table, Text,
};

pub static KEYS: &[Key] = &[
    Key::new("issuer", Text, "Our issuer, https://HOST/acs: tokens carry it byte for byte, and its origin is the base of every address of ours.").required(),
    Key::new("listen", Socket, "Where people's browsers and clients reach us.").or("127.0.0.1:8080"),
    Key::new("state", Table(STATE), "What expires: logins in flight, sessions, codes."),
    Key::new("database", Table(DATABASE), "What lasts: directories, users, groups, refresh families, logouts, traces, outbox, audit, keys."),
    Key::new("tls", Table(TLS), "Certificate and key of our own address; left out: plain http, for loopback or behind a proxy."),
    Key::new("proxy", Table(PROXY), "Reverse proxies in front of us."),
    Key::new("outbound", Table(OUTBOUND), "What our own requests may reach, and how."),
    Key::new("management", Table(MANAGEMENT), "/metrics and readiness with reasons."),
    Key::new("limits", Table(LIMITS), "Sizes, counts and rates."),
    Key::new("console", Table(CONSOLE), "The admin console."),
    Key::new("pages", Table(PAGES), "How the pages look that people see."),
    Key::new("session", Table(SESSION), "How long a signed-in browser stays signed in."),
    Key::new("keys", Table(SIGNING), "Signing keys."),
];

static STATE: &[Key] =
    &[Key::new("url", SecretUrl, "embedded: (in this process), redis:// or rediss://.").or("embedded:")];

static DATABASE: &[Key] =
    &[Key::new("url", SecretUrl, "sqlite:PATH, relative to the config folder.").or("sqlite:../data/vestibule.db")];

static TLS: &[Key] = &[
    Key::new("cert", Path, "The certificate and its chain, PEM; read again when it changes.").required(),
    Key::new("key", Path, "Its private key, PEM.").required(),
];

static PROXY: &[Key] =
    &[Key::new("trusted", Networks, "Networks of the proxies whose Forwarded and X-Forwarded-* headers count.")
        .or_texts(&[])];

static OUTBOUND: &[Key] = &[
    Key::new("allow_private", Networks, "Private networks that our requests may reach; no others.").or_texts(&[]),
    Key::new("ca_files", Paths, "Certificates (PEM) trusted besides the system's.").or_texts(&[]),
    Key::new("proxy", SecretUrl, "An HTTP proxy for our requests, such as http://proxy:3128.").or(""),
];

static MANAGEMENT: &[Key] =
    &[Key::new("listen", Socket, "The address of /metrics and readiness with reasons; left out: not served.").or("")];

static LIMITS: &[Key] = &[
    Key::new("traces", Duration, "How long traces of logins are kept: a month covers the time until somebody asks.")
        .or("30d"),
    Key::new(
        "audit",
        Duration,
        "How long it is kept what was changed in directories: a year, and a month to look back on it.",
    )
    .or("400d"),
    Key::new(
        "pending_logins",
        Count(1, 10_000_000),
        "Logins under way at a time, over all browsers: at most 1 KiB each, so 200 MiB at the most.",
    )
    .or_count(200_000),
    Key::new(
        "pending_logins_per_address",
        Count(1, 10_000_000),
        "Logins under way at a time from one address (/64 for IPv6): a whole company may sit behind one.",
    )
    .or_count(1_000),
    Key::new(
        "pushed_requests_per_client",
        Count(1, 10_000_000),
        "Pushed authorization requests of one client that wait for an answer: 2,000 logins a second of fifty seconds each.",
    )
    .or_count(100_000),
    Key::new(
        "scim_requests_per_second",
        Count(1, 10_000_000),
        "Requests of one SCIM credential in a second: ten times what a server of one core answers, so that only what runs wild meets it.",
    )
    .or_count(50_000),
    Key::new(
        "client_failures_per_minute",
        Count(1, 1_000_000),
        "Wrong client credentials a minute, by address and client: guessing is slowed down, others are not.",
    )
    .or_count(20),
];

static CONSOLE: &[Key] = &[
    Key::new("enabled", Flag, "Whether /console/ is served.").off(),
    Key::new("admin_group", Text, "The group whose members are admins.").or(""),
];

static PAGES: &[Key] = &[
    Key::new("product_name", Text, "The name on the pages.").or(""),
    Key::new("logo", Path, "An SVG or PNG file.").or(""),
    Key::new("accent", Colour, "The colour of buttons and links, #rrggbb.").or(""),
    Key::new("accent_dark", Colour, "The same in the dark theme.").or(""),
    Key::new("support_email", Text, "Whom to ask: shown on error pages.").or(""),
    Key::new("support_url", Address, "Where to ask: shown on error pages.").or(""),
];

static SESSION: &[Key] = &[
    Key::new("idle", Duration, "A session ends when it isn't used for this long.").or("8h"),
    Key::new("absolute", Duration, "A session ends after this long in any case.").or("7d"),
];

static SIGNING: &[Key] = &[
    Key::new("algorithms", SomeOf(&["RS256", "ES256", "EdDSA"]), "A key of each is kept.")
        .or_texts(&["RS256", "ES256", "EdDSA"]),
    Key::new("rotation", Duration, "A signing key is followed by a new one after this long.").or("90d"),
    Key::new(
        "seal",
        Secret,
        "What keys at rest are sealed with; left out: a file made on first start beside the SQLite database, mode 0600. PostgreSQL wants it given.",
    ),
];
