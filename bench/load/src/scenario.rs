//! The scenarios: a closed loop of some connections, and what one operation cost the server.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use crate::arguments::Arguments;
use crate::client::{Client, Code};
use crate::process::Process;
use crate::redis::Redis;
use crate::wire::{Response, Wires};

/// Codes that a connection collects before it redeems them.
const CODES_AT_ONCE: u64 = 60;
/// How long what a login leaves to be written later may take, so that it isn't counted to the exchanges.
const SETTLE: Duration = Duration::from_millis(2500);
/// Every how many logins the signature is checked: often enough to see it, seldom enough not to slow the load.
const VERIFY_EVERY: u64 = 50;
/// Logins that are counted one by one at Redis.
const COUNTED: u64 = 50;

/// The loop's shared side.
pub struct Load {
    pub client: Client,
    process: Option<Process>,
    connections: u64,
    seconds: f64,
    turn: Cell<u64>,
    pub latencies: RefCell<Vec<f64>>,
}

/// What was measured while operations ran.
#[derive(Default)]
struct Sum {
    operations: u64,
    wall: f64,
    cpu: f64,
}

pub async fn load(arguments: &Arguments) -> anyhow::Result<()> {
    let load = Rc::new(Load {
        client: Client::discover(arguments).await?,
        process: arguments.get("pid").map(|pid| pid.parse().map(Process)).transpose()?,
        connections: arguments.number("connections", 16)?,
        seconds: arguments.number("seconds", 5)? as f64,
        turn: Cell::new(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_micros() as u64),
        latencies: RefCell::default(),
    });
    let scenario = arguments.text("scenario")?;
    let warm_up = arguments.number("warm-up", 0)?;
    if warm_up > 0 {
        Load::logins(&load, warm_up as f64).await?;
        load.latencies.borrow_mut().clear();
    }
    let sum = match scenario {
        "login" | "first-login" | "pushed-login" => Load::logins(&load, load.seconds).await?,
        "code" => Load::exchanges(&load).await?,
        "refresh" => Load::refreshes(&load).await?,
        "userinfo" => Load::userinfo(&load).await?,
        "introspection" => Load::introspections(&load).await?,
        "client-credentials" => Load::client_credentials(&load).await?,
        "notices" => return crate::notices::measure(&load, arguments).await,
        "discovery" => Load::gets(&load, load.client.discovery.clone()).await?,
        "jwks" => Load::gets(&load, load.client.jwks_uri.clone()).await?,
        other => bail!("no scenario {other}"),
    };
    let redis = match arguments.get("redis") {
        Some(address) if scenario.ends_with("login") => Some(load.count_redis(address).await?),
        _ => None,
    };
    load.report(scenario, arguments.get("label").unwrap_or_default(), &sum, redis)
}

/// Waits until an address answers 200, with `--any yes` whatever it answers, and says when.
pub async fn ready(arguments: &Arguments) -> anyhow::Result<()> {
    let url = url::Url::parse(arguments.text("url")?)?;
    let begun = Instant::now();
    let limit = Duration::from_secs(arguments.number("seconds", 10)?);
    while begun.elapsed() < limit {
        if let Ok(response) = Wires::default().get(&url, "").await
            && (response.status == 200 || arguments.get("any").is_some())
        {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            println!("{}", now.as_millis());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("{url} was not ready in time")
}

impl Load {
    pub fn next_turn(&self) -> u64 {
        self.turn.set(self.turn.get() + 1);
        self.turn.get()
    }

    pub fn cpu(&self) -> anyhow::Result<f64> {
        self.process.map_or(Ok(0.0), Process::cpu)
    }

    async fn login(&self, wires: &mut Wires) -> anyhow::Result<crate::client::Tokens> {
        let turn = self.next_turn();
        let code = self.client.sign_in(wires, turn).await?;
        let tokens = self.client.redeem(wires, &code).await?;
        if turn.is_multiple_of(VERIFY_EVERY) {
            self.client.verify(&tokens)?;
        }
        Ok(tokens)
    }

    /// Runs `worker` on each connection and measures from the first to the last end.
    async fn measure<S: 'static, F>(
        load: &Rc<Self>,
        states: Vec<S>,
        worker: impl Fn(Rc<Self>, S) -> F,
    ) -> anyhow::Result<(Sum, Vec<S>)>
    where
        F: Future<Output = anyhow::Result<(u64, S)>> + 'static,
    {
        let (cpu, begun) = (load.cpu()?, Instant::now());
        let tasks: Vec<_> = states.into_iter().map(|s| tokio::task::spawn_local(worker(Rc::clone(load), s))).collect();
        let mut sum = Sum::default();
        let mut states = Vec::new();
        for task in tasks {
            let (operations, state) = task.await??;
            sum.operations += operations;
            states.push(state);
        }
        (sum.wall, sum.cpu) = (begun.elapsed().as_secs_f64(), load.cpu()? - cpu);
        Ok((sum, states))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs_f64(self.seconds)
    }

    pub fn took(&self, begun: Instant) {
        self.latencies.borrow_mut().push(begun.elapsed().as_secs_f64() * 1e3);
    }

    fn fresh_wires(&self) -> Vec<Wires> {
        (0..self.connections).map(|_| Wires::default()).collect()
    }

    async fn logins(load: &Rc<Self>, seconds: f64) -> anyhow::Result<Sum> {
        let deadline = Instant::now() + Duration::from_secs_f64(seconds);
        let worker = move |load: Rc<Self>, mut wires: Wires| async move {
            let mut done = 0;
            while Instant::now() < deadline {
                let begun = Instant::now();
                load.login(&mut wires).await?;
                load.took(begun);
                done += 1;
            }
            Ok((done, wires))
        };
        Ok(Self::measure(load, load.fresh_wires(), worker).await?.0)
    }

    /// Codes are collected, their logins' late writes are waited for, then they are redeemed; only that is counted.
    async fn exchanges(load: &Rc<Self>) -> anyhow::Result<Sum> {
        let mut states: Vec<(Wires, Vec<Code>)> = load.fresh_wires().into_iter().map(|w| (w, Vec::new())).collect();
        let mut all = Sum::default();
        let per_round = 2.0_f64.max(load.seconds / 3.0);
        let begun = Instant::now();
        // Either enough exchanges, or enough rounds of them.
        while all.wall < load.seconds && begun.elapsed().as_secs_f64() < load.seconds * 3.0 + per_round {
            states = Self::measure(load, states, collect).await?.1;
            tokio::time::sleep(SETTLE).await;
            let (sum, emptied) = Self::measure(load, states, redeem_all).await?;
            states = emptied;
            all.operations += sum.operations;
            all.wall += sum.wall;
            all.cpu += sum.cpu;
        }
        Ok(all)
    }

    async fn refreshes(load: &Rc<Self>) -> anyhow::Result<Sum> {
        let mut states = Vec::new();
        for mut wires in load.fresh_wires() {
            let refresh = load.login(&mut wires).await?.refresh.context("no refresh token: ask for offline_access")?;
            states.push((wires, refresh));
        }
        tokio::time::sleep(SETTLE).await;
        let deadline = load.deadline();
        let worker = move |load: Rc<Self>, (mut wires, mut refresh): (Wires, String)| async move {
            let mut done = 0;
            while Instant::now() < deadline {
                let begun = Instant::now();
                let tokens = load.client.refresh(&mut wires, &refresh).await?;
                load.took(begun);
                let next = tokens.refresh.context("no new refresh token")?;
                ensure!(next != refresh, "the refresh token was not rotated");
                refresh = next;
                done += 1;
            }
            Ok((done, (wires, refresh)))
        };
        Ok(Self::measure(load, states, worker).await?.0)
    }

    async fn userinfo(load: &Rc<Self>) -> anyhow::Result<Sum> {
        let mut states = Vec::new();
        for mut wires in load.fresh_wires() {
            let access = load.login(&mut wires).await?.access;
            states.push((wires, format!("authorization: Bearer {access}\r\n")));
        }
        tokio::time::sleep(SETTLE).await;
        let url = load.client.userinfo.clone();
        Self::repeat(load, states, url, |body| body.windows(5).any(|part| part == b"\"sub\"")).await
    }

    async fn introspections(load: &Rc<Self>) -> anyhow::Result<Sum> {
        let mut states = Vec::new();
        for mut wires in load.fresh_wires() {
            let access = load.login(&mut wires).await?.access;
            states.push((wires, access));
        }
        tokio::time::sleep(SETTLE).await;
        let deadline = load.deadline();
        let worker = move |load: Rc<Self>, (mut wires, access): (Wires, String)| async move {
            let mut done = 0;
            while Instant::now() < deadline {
                let begun = Instant::now();
                load.client.introspect(&mut wires, &access).await?;
                load.took(begun);
                done += 1;
            }
            Ok((done, (wires, access)))
        };
        Ok(Self::measure(load, states, worker).await?.0)
    }

    async fn client_credentials(load: &Rc<Self>) -> anyhow::Result<Sum> {
        let deadline = load.deadline();
        let worker = move |load: Rc<Self>, mut wires: Wires| async move {
            let mut done = 0;
            while Instant::now() < deadline {
                let begun = Instant::now();
                load.client.client_credentials(&mut wires).await?;
                load.took(begun);
                done += 1;
            }
            Ok((done, wires))
        };
        Ok(Self::measure(load, load.fresh_wires(), worker).await?.0)
    }

    async fn gets(load: &Rc<Self>, url: url::Url) -> anyhow::Result<Sum> {
        let states = load.fresh_wires().into_iter().map(|wires| (wires, String::new())).collect();
        Self::repeat(load, states, url, |body| !body.is_empty()).await
    }

    async fn repeat(
        load: &Rc<Self>,
        states: Vec<(Wires, String)>,
        url: url::Url,
        is_good: fn(&[u8]) -> bool,
    ) -> anyhow::Result<Sum> {
        let deadline = load.deadline();
        let worker = move |load: Rc<Self>, (mut wires, headers): (Wires, String)| {
            let url = url.clone();
            async move {
                let mut done = 0;
                while Instant::now() < deadline {
                    let begun = Instant::now();
                    let response: Response = wires.get(&url, &headers).await?;
                    ensure!(response.status == 200 && is_good(&response.body), "{url} answered {}", response.status);
                    load.took(begun);
                    done += 1;
                }
                Ok((done, (wires, headers)))
            }
        };
        Ok(Self::measure(load, states, worker).await?.0)
    }

    /// Round trips and commands for a login, one login at a time.
    async fn count_redis(&self, address: &str) -> anyhow::Result<(f64, f64)> {
        let (mut redis, mut wires) = (Redis::connect(address).await?, Wires::default());
        self.login(&mut wires).await?;
        let before = redis.work().await?;
        for _ in 0..COUNTED {
            self.login(&mut wires).await?;
        }
        let after = redis.work().await?;
        // The first INFO is counted after it was answered, and so is part of the difference; its read is not.
        let commands = (after.commands - before.commands - 1) as f64;
        Ok(((after.reads - before.reads - 1) as f64 / COUNTED as f64, commands / COUNTED as f64))
    }

    fn report(&self, scenario: &str, label: &str, sum: &Sum, redis: Option<(f64, f64)>) -> anyhow::Result<()> {
        ensure!(sum.operations > 0, "nothing was done");
        let mut latencies = self.latencies.borrow_mut();
        latencies.sort_by(f64::total_cmp);
        let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied();
        let operations = sum.operations as f64;
        let memory = self.process.map(Process::memory).transpose()?;
        let report = json!({
            "label": label, "scenario": scenario, "connections": self.connections, "operations": sum.operations,
            "seconds": sum.wall, "per_second": operations / sum.wall,
            "cpu_ms": self.process.map(|_| sum.cpu * 1e3 / operations),
            "busy": self.process.map(|_| sum.cpu / sum.wall),
            "p50_ms": at(0.5), "p99_ms": at(0.99),
            "rss_mib": memory.map(|(now, _)| now), "rss_max_mib": memory.map(|(_, most)| most),
            "redis_round_trips": redis.map(|(trips, _)| trips), "redis_commands": redis.map(|(_, commands)| commands),
        });
        println!("{report}");
        Ok(())
    }
}

async fn collect(
    load: Rc<Load>,
    (mut wires, mut codes): (Wires, Vec<Code>),
) -> anyhow::Result<(u64, (Wires, Vec<Code>))> {
    for _ in 0..CODES_AT_ONCE {
        codes.push(load.client.sign_in(&mut wires, load.next_turn()).await?);
    }
    Ok((CODES_AT_ONCE, (wires, codes)))
}

async fn redeem_all(
    load: Rc<Load>,
    (mut wires, codes): (Wires, Vec<Code>),
) -> anyhow::Result<(u64, (Wires, Vec<Code>))> {
    let count = codes.len() as u64;
    for code in &codes {
        let begun = Instant::now();
        load.client.redeem(&mut wires, code).await?;
        load.took(begun);
    }
    Ok((count, (wires, Vec::new())))
}
