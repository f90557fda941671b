//! The table of a run of `bench/scim`: each scenario by who does it, and how much more the peers need.

use crate::table::Measured;

/// What the runs on SQLite are labelled with.
pub const OURS: &str = "vestibule sqlite";
const POSTGRES: &str = "vestibule postgres";
const PEERS: [&str; 2] = ["scimmy", "scim2-server"];
/// The sizes at which peers are measured; ours are filled further.
const FEW: &str = "1,000";
const FILLED_PEER: &str = "10,000";
const MILLION: &str = "1000000";

const SCENARIOS: [&str; 10] = [
    "create",
    "filter userName",
    "filter externalId",
    "filter displayName",
    "member of 10",
    "member of 1000",
    "member of 90000",
    "member of 100000",
    "list by cursor",
    "list by index",
];

/// Labels of one size: ours, and the peers'.
struct Size<'a> {
    name: String,
    ours: &'a str,
    peers: Option<&'a str>,
}

pub fn print(measured: &Measured) {
    let filled = measured.labels().filter_map(|label| label.strip_prefix(OURS)?.trim().parse::<u64>().ok());
    let filled = filled.filter(|users| users.to_string() != MILLION).max().unwrap_or_default().to_string();
    let sizes = [
        Size { name: FEW.to_owned(), ours: FEW, peers: Some(FEW) },
        Size { name: format!("{filled}, peers {FILLED_PEER}"), ours: &filled, peers: Some(FILLED_PEER) },
        Size { name: MILLION.to_owned(), ours: MILLION, peers: None },
    ];
    println!("CPU ms, calls a second (users a second of a list), p99 ms; in brackets the CPU beside ours on SQLite.\n");
    println!("| | users | Vestibule, SQLite | Vestibule, PostgreSQL | scimmy | scim2-server |");
    println!("|---|---|---|---|---|---|");
    for scenario in SCENARIOS {
        for size in &sizes {
            row(measured, scenario, size);
        }
    }
    pages(measured);
    others(measured);
}

fn row(measured: &Measured, scenario: &str, size: &Size<'_>) {
    let ours = format!("{OURS} {}", size.ours);
    let least = measured.median(&ours, scenario, "cpu_ms");
    let mut cells = vec![cell(measured, &ours, scenario, None)];
    cells.push(cell(measured, &format!("{POSTGRES} {}", size.ours), scenario, least));
    for peer in PEERS {
        let label = size.peers.map(|users| format!("{peer} {users}")).unwrap_or_default();
        cells.push(cell(measured, &label, scenario, least));
    }
    if cells.iter().any(|cell| cell != "-") {
        println!("| {scenario} | {} | {} |", size.name, cells.join(" | "));
    }
}

fn cell(measured: &Measured, label: &str, scenario: &str, least: Option<f64>) -> String {
    let of = |field| measured.median(label, scenario, field);
    let (Some(cpu), Some(rate), Some(p99)) = (of("cpu_ms"), of("per_second"), of("p99_ms")) else {
        return "-".to_owned();
    };
    let ratio = least.map(|least| format!(" ({:.1})", cpu / least)).unwrap_or_default();
    format!("{cpu:.4}, {rate:.0}, {p99:.1}{ratio}")
}

/// Whether the last pages of a list are as fast as the first.
fn pages(measured: &Measured) {
    println!("\n| median ms a page | first tenth | last tenth | resident MiB at most |\n|---|---|---|---|");
    let mut labels: Vec<&str> = measured.labels().collect();
    labels.dedup();
    for label in labels {
        for scenario in ["list by cursor", "list by index"] {
            let of = |field| measured.median(label, scenario, field);
            if let (Some(first), Some(last)) = (of("first_pages_ms"), of("last_pages_ms")) {
                let most = of("rss_max_mib").unwrap_or_default();
                println!("| {label} users, {scenario} | {first:.2} | {last:.2} | {most:.0} |");
            }
        }
    }
}

/// What stands for itself.
fn others(measured: &Measured) {
    println!("\n| | a second | CPU ms |\n|---|---|---|");
    let rows = [
        ("Entra's initial cycle: users (a look-up and a POST each)", OURS, "cycle users"),
        ("Entra's initial cycle: memberships, 20 in a call", OURS, "cycle memberships"),
        ("logins alone", "logins alone", "login"),
        ("logins beside creates", "logins beside creates", "login"),
    ];
    for (name, label, scenario) in rows {
        let of = |field| measured.median(label, scenario, field);
        if let (Some(rate), Some(cpu)) = (of("per_second"), of("cpu_ms")) {
            println!("| {name} | {rate:.0} | {cpu:.4} |");
        }
    }
}
