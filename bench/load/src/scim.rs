//! Load on a SCIM service: ours or a peer's. Bodies and order of calls are those of Entra ID's provisioning service.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::process::Process;
use crate::wire::{Response, Wires, authority};

/// Members that one PATCH brings while a group is filled.
const MEMBERS_AT_ONCE: u64 = 1_000;
/// Members that one PATCH of the replayed cycle brings.
const CYCLE_MEMBERS_AT_ONCE: u64 = 20;
/// Groups that a person of the replayed cycle is in.
const CYCLE_GROUPS_OF_USER: u64 = 2;

struct Scim {
    authority: String,
    path: String,
    headers: String,
    process: Option<Process>,
    connections: u64,
    seconds: f64,
    next: Cell<u64>,
    latencies: RefCell<Vec<f64>>,
    /// Ids by number, as they were created or found.
    ids: RefCell<Vec<String>>,
}

/// What a part of a run did.
struct Part {
    operations: u64,
    wall: f64,
    cpu: f64,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let base: url::Url = arguments.text("base")?.parse()?;
    let scim = Rc::new(Scim {
        authority: authority(&base),
        path: base.path().trim_end_matches('/').to_owned(),
        headers: format!(
            "authorization: Bearer {}\r\ncontent-type: application/scim+json\r\n",
            arguments.text("token")?
        ),
        process: arguments.get("pid").map(|pid| pid.parse().map(Process)).transpose()?,
        connections: arguments.number("connections", 32)?,
        seconds: arguments.number("seconds", 5)? as f64,
        next: Cell::new(arguments.number("from", 0)?),
        latencies: RefCell::default(),
        ids: RefCell::default(),
    });
    let (from, count) = (arguments.number("from", 0)?, arguments.number("count", 10_000)?);
    let label = arguments.text("label")?;
    let scenario = arguments.text("scenario")?;
    match scenario {
        "create" => {
            let part = Scim::create(&scim, from + count).await?;
            scim.report(scenario, label, &part, json!({ "from": from }))
        }
        "filter" => {
            let attribute = arguments.get("attribute").unwrap_or("userName").to_owned();
            let part = Scim::filter(&scim, attribute.clone(), count).await?;
            scim.report(&format!("filter {attribute}"), label, &part, json!({ "users": count }))
        }
        "member" => Scim::member(&scim, label, arguments.number("size", 10)?).await,
        "list" => Scim::list(&scim, label, arguments).await,
        "cycle" => Scim::cycle(&scim, label, count, arguments.number("groups", 500)?).await,
        other => bail!("no scenario {other}"),
    }
}

/// What Entra ID sends for a new user with the gallery application's mapping.
fn user(number: u64) -> Value {
    let name = format!("person-{number}@example.com");
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "externalId": guid(number),
        "userName": name,
        "active": true,
        "displayName": format!("Person {number}"),
        "emails": [{ "primary": true, "type": "work", "value": name }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": format!("Given{number} Family{number}"), "familyName": format!("Family{number}"), "givenName": format!("Given{number}") },
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": format!("Department {}", number % 40) },
    })
}

/// A GUID whose digits are spread like random ones.
fn guid(number: u64) -> String {
    let spread = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let more = spread.rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ number;
    let (a, b, c) = (spread >> 32, (spread >> 16) & 0xFFFF, spread & 0xFFFF);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", more >> 48, more & 0xFFFF_FFFF_FFFF)
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl Scim {
    async fn call(
        &self,
        wires: &mut Wires,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let head = format!("{method} {}{path} HTTP/1.1\r\n{}", self.path, self.headers);
        wires.send(&self.authority, &head, &text).await
    }

    /// One call that is measured.
    async fn timed(
        &self,
        wires: &mut Wires,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response> {
        let begun = Instant::now();
        let response = self.call(wires, method, path, body).await?;
        self.latencies.borrow_mut().push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(
            (200..300).contains(&response.status),
            "{method} {path} answered {}: {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        );
        Ok(response)
    }

    fn turn(&self) -> u64 {
        let turn = self.next.get();
        self.next.set(turn + 1);
        turn
    }

    fn cpu(&self) -> anyhow::Result<f64> {
        self.process.map_or(Ok(0.0), Process::cpu)
    }

    /// Runs one worker on each connection until all have ended.
    async fn all<F>(scim: &Rc<Self>, worker: impl Fn(Rc<Self>) -> F) -> anyhow::Result<Part>
    where
        F: Future<Output = anyhow::Result<u64>> + 'static,
    {
        let (cpu, begun) = (scim.cpu()?, Instant::now());
        let tasks: Vec<_> = (0..scim.connections).map(|_| tokio::task::spawn_local(worker(Rc::clone(scim)))).collect();
        let mut operations = 0;
        for task in tasks {
            operations += task.await??;
        }
        Ok(Part { operations, wall: begun.elapsed().as_secs_f64(), cpu: scim.cpu()? - cpu })
    }

    async fn create(scim: &Rc<Self>, end: u64) -> anyhow::Result<Part> {
        Self::all(scim, move |scim| async move {
            let (mut wires, mut done) = (Wires::default(), 0);
            loop {
                let number = scim.turn();
                if number >= end {
                    return Ok(done);
                }
                let response = scim.timed(&mut wires, "POST", "/Users", Some(&user(number))).await?;
                ensure!(response.status == 201, "POST /Users answered {}", response.status);
                done += 1;
            }
        })
        .await
    }

    /// Look-ups of people that are there, in no order.
    async fn filter(scim: &Rc<Self>, attribute: String, users: u64) -> anyhow::Result<Part> {
        let deadline = Instant::now() + Duration::from_secs_f64(scim.seconds);
        Self::all(scim, move |scim| {
            let attribute = attribute.clone();
            async move {
                let (mut wires, mut done) = (Wires::default(), 0);
                while Instant::now() < deadline {
                    let number = scim.turn().wrapping_mul(7_919) % users;
                    let value = match attribute.as_str() {
                        "externalId" => guid(number),
                        "displayName" => format!("Person {number}"),
                        _ => format!("person-{number}@example.com"),
                    };
                    let filter = encode(&format!("{attribute} eq \"{value}\""));
                    let response = scim.timed(&mut wires, "GET", &format!("/Users?filter={filter}"), None).await?;
                    ensure!(response.json()?["totalResults"] == 1, "{value} was not found");
                    done += 1;
                }
                Ok(done)
            }
        })
        .await
    }

    async fn id_of(&self, wires: &mut Wires, number: u64) -> anyhow::Result<String> {
        let filter = encode(&format!("userName eq \"person-{number}@example.com\""));
        let found = self.call(wires, "GET", &format!("/Users?filter={filter}"), None).await?.json()?;
        Ok(found["Resources"][0]["id"].as_str().with_context(|| format!("person {number} is not there"))?.to_owned())
    }

    /// One member is added and removed again, one call at a time, in a group of that size.
    async fn member(scim: &Rc<Self>, label: &str, size: u64) -> anyhow::Result<()> {
        let mut wires = Wires::default();
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("Group of {size}"), "externalId": guid(1 << 40 | size) });
        let made = scim.timed(&mut wires, "POST", "/Groups", Some(&group)).await?.json()?;
        let path = format!("/Groups/{}", made["id"].as_str().context("the group has no id")?);
        let mut first = 0;
        while first < size {
            let mut members = Vec::new();
            for number in first..size.min(first + MEMBERS_AT_ONCE) {
                members.push(scim.id_of(&mut wires, number).await?);
            }
            first += members.len() as u64;
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            scim.timed(&mut wires, "PATCH", &path, Some(&add(&members))).await?;
        }
        let one = scim.id_of(&mut wires, size).await?;
        scim.latencies.borrow_mut().clear();
        let deadline = Instant::now() + Duration::from_secs_f64(scim.seconds);
        let (cpu, begun, mut operations) = (scim.cpu()?, Instant::now(), 0);
        while Instant::now() < deadline {
            for change in [add(&[one.as_str()]), remove(&one)] {
                scim.timed(&mut wires, "PATCH", &path, Some(&change)).await?;
                operations += 1;
            }
        }
        let part = Part { operations, wall: begun.elapsed().as_secs_f64(), cpu: scim.cpu()? - cpu };
        scim.report(&format!("member of {size}"), label, &part, json!({ "connections": 1 }))
    }

    /// Everybody, page by page; the first and the last tenth of the pages are told apart.
    async fn list(scim: &Rc<Self>, label: &str, arguments: &Arguments) -> anyhow::Result<()> {
        let (count, by) = (arguments.number("page", 100)?, arguments.get("by").unwrap_or("cursor"));
        let (mut wires, mut seen, mut cursor) = (Wires::default(), 0, Some(String::new()));
        let (cpu, begun) = (scim.cpu()?, Instant::now());
        while let Some(at) = cursor {
            let place = if by == "cursor" { format!("cursor={at}") } else { format!("startIndex={}", seen + 1) };
            let page = scim.timed(&mut wires, "GET", &format!("/Users?{place}&count={count}"), None).await?.json()?;
            let here = page["Resources"].as_array().map_or(0, Vec::len) as u64;
            seen += here;
            cursor = match by {
                "cursor" => page["nextCursor"].as_str().map(str::to_owned),
                _ => (here > 0 && seen < page["totalResults"].as_u64().unwrap_or(0)).then(String::new),
            };
        }
        let part = Part { operations: seen, wall: begun.elapsed().as_secs_f64(), cpu: scim.cpu()? - cpu };
        let (first, last) = {
            let pages = scim.latencies.borrow();
            let tenth = (pages.len() / 10).max(1);
            let median = |pages: &[f64]| {
                let mut sorted = pages.to_vec();
                sorted.sort_by(f64::total_cmp);
                sorted[sorted.len() / 2]
            };
            (median(&pages[..tenth]), median(&pages[pages.len() - tenth..]))
        };
        let more = json!({ "page": count, "first_pages_ms": first, "last_pages_ms": last, "connections": 1 });
        scim.report(&format!("list by {by}"), label, &part, more)
    }

    /// Entra's initial cycle: users, then groups, then who is in which.
    async fn cycle(scim: &Rc<Self>, label: &str, users: u64, groups: u64) -> anyhow::Result<()> {
        *scim.ids.borrow_mut() = vec![String::new(); usize::try_from(users)?];
        let people = Self::all(scim, move |scim| async move {
            let (mut wires, mut done) = (Wires::default(), 0);
            loop {
                let number = scim.turn();
                if number >= users {
                    return Ok(done);
                }
                let filter = encode(&format!("userName eq \"person-{number}@example.com\""));
                scim.timed(&mut wires, "GET", &format!("/Users?filter={filter}"), None).await?;
                let made = scim.timed(&mut wires, "POST", "/Users", Some(&user(number))).await?.json()?;
                scim.ids.borrow_mut()[number as usize] = made["id"].as_str().context("no id")?.to_owned();
                done += 1;
            }
        })
        .await?;
        scim.report("cycle users", label, &people, json!({ "calls": people.operations * 2 }))?;
        scim.latencies.borrow_mut().clear();
        scim.next.set(0);
        let per_group = users * CYCLE_GROUPS_OF_USER / groups.max(1);
        let rest = Self::all(scim, move |scim| async move {
            let (mut wires, mut done) = (Wires::default(), 0);
            loop {
                let group = scim.turn();
                if group >= groups {
                    return Ok(done);
                }
                done += scim.cycle_group(&mut wires, group, (per_group, users)).await?;
            }
        })
        .await?;
        scim.report(
            "cycle memberships",
            label,
            &rest,
            json!({ "groups": groups, "members_per_call": CYCLE_MEMBERS_AT_ONCE }),
        )
    }

    /// One group and its members; how many memberships that were.
    async fn cycle_group(&self, wires: &mut Wires, group: u64, (members, users): (u64, u64)) -> anyhow::Result<u64> {
        let name = format!("Group {group}");
        let filter = encode(&format!("displayName eq \"{name}\""));
        self.timed(wires, "GET", &format!("/Groups?excludedAttributes=members&filter={filter}"), None).await?;
        let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "externalId": guid(1 << 41 | group) });
        let made = self.timed(wires, "POST", "/Groups", Some(&body)).await?.json()?;
        let path = format!("/Groups/{}", made["id"].as_str().context("no id")?);
        let numbers: Vec<usize> = (0..members).map(|nth| ((group * members + nth) % users) as usize).collect();
        for some in numbers.chunks(CYCLE_MEMBERS_AT_ONCE as usize) {
            let ids: Vec<String> = some.iter().map(|number| self.ids.borrow()[*number].clone()).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            self.timed(wires, "PATCH", &path, Some(&add(&ids))).await?;
        }
        Ok(members)
    }

    fn report(&self, scenario: &str, label: &str, part: &Part, more: Value) -> anyhow::Result<()> {
        ensure!(part.operations > 0, "nothing was done");
        let mut latencies = self.latencies.borrow_mut();
        latencies.sort_by(f64::total_cmp);
        let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied();
        let operations = part.operations as f64;
        let memory = self.process.map(Process::memory).transpose()?;
        let mut report = json!({
            "label": label, "scenario": scenario, "connections": self.connections, "operations": part.operations,
            "seconds": part.wall, "per_second": operations / part.wall,
            "cpu_ms": self.process.map(|_| part.cpu * 1e3 / operations),
            "busy": self.process.map(|_| part.cpu / part.wall),
            "p50_ms": at(0.5), "p99_ms": at(0.99),
            "rss_mib": memory.map(|(now, _)| now), "rss_max_mib": memory.map(|(_, most)| most),
        });
        if let (Some(report), Value::Object(more)) = (report.as_object_mut(), more) {
            report.extend(more);
        }
        println!("{report}");
        Ok(())
    }
}

/// In the dialect of `aadOptscim062020`, which is the RFC's too: peers understand no other removal.
fn add(members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    operation(json!({ "op": "add", "path": "members", "value": members }))
}

fn remove(member: &str) -> Value {
    operation(json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") }))
}

fn operation(operation: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
}
