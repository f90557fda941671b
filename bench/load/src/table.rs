//! Tables from the measurements of a run: medians over its rounds, and ratios to the peer. Those of SCIM: `scim_table`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::Value;

use crate::arguments::Arguments;
use crate::scim_table;

const OURS: [&str; 2] = ["vestibule redis", "vestibule embedded"];
const PEER: &str = "oidc-provider redis";
/// Scenario, client, what is wanted of Vestibule in CPU milliseconds.
const ROWS: [(&str, &str, &str); 14] = [
    ("login", "rs256-plain", "0.75"),
    ("login", "es256-plain", "0.45"),
    ("code", "rs256-plain", "0.48"),
    ("code", "es256-plain", "0.11"),
    ("refresh", "rs256-offline", "0.50"),
    ("refresh", "es256-offline", "0.15"),
    ("userinfo", "rs256-plain", "0.025"),
    ("introspection", "rs256-plain", "0.04"),
    ("client-credentials", "es256-machine", "0.06"),
    ("client-credentials", "rs256-machine", ""),
    ("pushed-login", "rs256-plain", "1.15 logins"),
    ("discovery", "rs256-plain", "0.017"),
    ("jwks", "rs256-plain", "0.017"),
    ("first-login", "rs256-plain", ""),
];

/// Values of one field, by label and scenario.
pub struct Measured(BTreeMap<(String, String, &'static str), Vec<f64>>);

const FIELDS: [&str; 21] = [
    "cpu_ms",
    "per_second",
    "p50_ms",
    "p99_ms",
    "rss_mib",
    "rss_max_mib",
    "redis_round_trips",
    "redis_commands",
    "ready_ms",
    "seconds",
    "logins_before",
    "logins_during",
    "login_p50_before_ms",
    "login_p50_during_ms",
    "login_p99_before_ms",
    "login_p99_during_ms",
    "rs256_sign_us",
    "rs256_verify_us",
    "es256_sign_us",
    "first_pages_ms",
    "last_pages_ms",
];

impl Measured {
    fn read(file: &str) -> anyhow::Result<Self> {
        let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for line in std::fs::read_to_string(file).context(file.to_owned())?.lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            for field in FIELDS {
                if let Some(value) = line[field].as_f64() {
                    values.entry((text("label"), text("scenario"), field)).or_default().push(value);
                }
            }
        }
        values.values_mut().for_each(|values| values.sort_by(f64::total_cmp));
        Ok(Self(values))
    }

    fn all(&self, label: &str, scenario: &str, field: &'static str) -> &[f64] {
        self.0.get(&(label.to_owned(), scenario.to_owned(), field)).map_or(&[], Vec::as_slice)
    }

    /// The labels that there are.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(label, ..)| label.as_str())
    }

    pub fn median(&self, label: &str, scenario: &str, field: &'static str) -> Option<f64> {
        middle(self.all(label, scenario, field))
    }

    /// The largest of a field over all scenarios of a label.
    fn most(&self, label: &str, field: &'static str) -> Option<f64> {
        let of = |key: &&(String, String, &'static str)| key.0.starts_with(label) && key.2 == field;
        self.0.iter().filter(|(key, _)| of(key)).filter_map(|(_, values)| values.last().copied()).reduce(f64::max)
    }
}

/// The median of sorted values.
fn middle(values: &[f64]) -> Option<f64> {
    Some(f64::midpoint(*values.get(values.len().checked_sub(1)? / 2)?, *values.get(values.len() / 2)?))
}

pub fn print(arguments: &Arguments) -> anyhow::Result<()> {
    let measured = Measured::read(arguments.text("file")?)?;
    if measured.labels().any(|label| label.starts_with(scim_table::OURS)) {
        scim_table::print(&measured);
        return Ok(());
    }
    primitives(&measured);
    operations(&measured);
    others(&measured);
    Ok(())
}

fn primitives(measured: &Measured) {
    let us = |field| measured.median("", "", field).map_or("-".to_owned(), |value| format!("{value:.0} us"));
    println!(
        "This machine: RS256 signature {}, verification {}, ES256 signature {}.\n",
        us("rs256_sign_us"),
        us("rs256_verify_us"),
        us("es256_sign_us")
    );
}

fn operations(measured: &Measured) {
    println!(
        "| CPU ms per operation | target | Redis (least-most) | embedded (least-most) | oidc-provider, Redis | ratio |"
    );
    println!("|---|---|---|---|---|---|");
    for (scenario, client, target) in ROWS {
        let cell = |lead: &str| {
            let label = format!("{lead} {client}");
            let values = measured.all(&label, scenario, "cpu_ms");
            match (values.first(), middle(values), values.last()) {
                (Some(least), Some(median), Some(most)) => format!("{median:.3} ({least:.3}-{most:.3})"),
                _ => "-".to_owned(),
            }
        };
        let median = |lead: &str| measured.median(&format!("{lead} {client}"), scenario, "cpu_ms");
        let ratio = match (median(PEER), median(OURS[0])) {
            (Some(theirs), Some(ours)) => format!("{:.1}", theirs / ours),
            _ => "-".to_owned(),
        };
        let algorithm = if scenario.starts_with(['l', 'c', 'r', 'f', 'p']) { &client[..5] } else { "" };
        println!(
            "| {scenario} {algorithm} | {target} | {} | {} | {} | {ratio} |",
            cell(OURS[0]),
            cell(OURS[1]),
            cell(PEER)
        );
    }
}

fn others(measured: &Measured) {
    println!("\n| | Redis | embedded | oidc-provider, Redis |\n|---|---|---|---|");
    let row = |name: &str, value: &dyn Fn(&str) -> Option<f64>, digits: usize| {
        let cell = |lead: &str| value(lead).map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        println!("| {name} | {} | {} | {} |", cell(OURS[0]), cell(OURS[1]), cell(PEER));
    };
    let login = |field: &'static str| move |lead: &str| measured.median(&format!("{lead} rs256-plain"), "login", field);
    row("logins/s, RS256, one core", &login("per_second"), 0);
    row("login p50 ms at 16 connections", &login("p50_ms"), 1);
    row("login p99 ms", &login("p99_ms"), 1);
    row("Redis round trips a login", &login("redis_round_trips"), 1);
    row("Redis commands a login", &login("redis_commands"), 1);
    let pushed = |lead: &str| measured.median(&format!("{lead} rs256-plain"), "pushed-login", "redis_round_trips");
    row("Redis round trips a pushed login", &pushed, 1);
    let notices =
        |field: &'static str| move |lead: &str| measured.median(&format!("{lead} rs256-told"), "notices", field);
    row("10,000 logout notices, seconds", &notices("seconds"), 1);
    row("CPU ms a notice", &notices("cpu_ms"), 3);
    row("logins/s at 4 connections, before", &notices("logins_before"), 0);
    row("logins/s while 10,000 notices go out", &notices("logins_during"), 0);
    row("login p50 ms before", &notices("login_p50_before_ms"), 1);
    row("login p50 ms meanwhile", &notices("login_p50_during_ms"), 1);
    row("resident MiB idle", &|lead| measured.median(lead, "start", "rss_mib"), 1);
    row("resident MiB at most under load", &|lead| measured.most(lead, "rss_max_mib"), 1);
    row("start to ready ms", &|lead| measured.median(lead, "start", "ready_ms"), 0);
    row(
        "first start to ready ms, keys made",
        &|lead| measured.median(&format!("{lead} fresh"), "start", "ready_ms"),
        0,
    );
}
