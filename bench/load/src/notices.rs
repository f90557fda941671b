//! Everybody signs out at the identity provider, and each session's client is told by back channel: how long until all
//! of them have heard, what one notice costs, and what logins feel of it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::arguments::Arguments;
use crate::scenario::Load;
use crate::stub::PEOPLE;
use crate::wire::Wires;

/// How long the client takes for each notice.
const LATENCY: Duration = Duration::from_millis(5);
/// Connections that sign people in.
const CONNECTIONS: usize = 4;
/// Nobody waits longer than this for all notices.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the logins beside did in a stretch of time.
#[derive(Default)]
struct Beside {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

pub async fn measure(load: &Rc<Load>, arguments: &Arguments) -> anyhow::Result<()> {
    let sessions = arguments.number("sessions", 10_000)?;
    let heard = listen(arguments.text("client-listens")?).await?;
    fill(load, sessions).await?;
    let alone = sign_out(load, arguments, &heard, sessions).await?;
    fill(load, sessions).await?;
    // The same again while people sign in.
    let going = Rc::new(Cell::new(true));
    let tasks: Vec<_> =
        (0..CONNECTIONS).map(|_| tokio::task::spawn_local(keep_on(Rc::clone(load), Rc::clone(&going)))).collect();
    load.latencies.borrow_mut().clear();
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = beside(load, begun);
    let begun = Instant::now();
    let (seconds, cpu) = sign_out(load, arguments, &heard, sessions).await?;
    let during = beside(load, begun);
    going.set(false);
    for task in tasks {
        task.await??;
    }
    let report = json!({
        "label": arguments.get("label").unwrap_or_default(), "scenario": "notices", "operations": sessions,
        "seconds": alone.0, "per_second": sessions as f64 / alone.0, "cpu_ms": alone.1 * 1e3 / sessions as f64,
        "beside_seconds": seconds, "beside_cpu": cpu,
        "logins_before": before.per_second, "logins_during": during.per_second,
        "login_p50_before_ms": before.p50_ms, "login_p50_during_ms": during.p50_ms,
        "login_p99_before_ms": before.p99_ms, "login_p99_during_ms": during.p99_ms,
    });
    println!("{report}");
    Ok(())
}

/// Signs people in until there are so many sessions more.
async fn fill(load: &Rc<Load>, sessions: u64) -> anyhow::Result<()> {
    let left = Rc::new(Cell::new(sessions));
    let worker = |load: Rc<Load>, left: Rc<Cell<u64>>| async move {
        let mut wires = Wires::default();
        while left.get() > 0 {
            left.set(left.get() - 1);
            load.client.sign_in(&mut wires, load.next_turn()).await?;
        }
        anyhow::Ok(())
    };
    let tasks: Vec<_> = (0..16).map(|_| tokio::task::spawn_local(worker(Rc::clone(load), Rc::clone(&left)))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// The provider tells of everybody; seconds until `sessions` more notices were heard, and the server's CPU seconds.
async fn sign_out(
    load: &Rc<Load>,
    arguments: &Arguments,
    heard: &Rc<Cell<u64>>,
    sessions: u64,
) -> anyhow::Result<(f64, f64)> {
    let (provider, ours) = (arguments.text("provider")?, arguments.text("logout")?);
    let mut wires = Wires::default();
    let (goal, url) = (heard.get() + sessions, Url::parse(ours)?);
    let (begun, cpu) = (Instant::now(), load.cpu()?);
    for person in 0..PEOPLE {
        let told = Url::parse(&format!("{provider}/logout-token?client=broker&person={person}"))?;
        let token = String::from_utf8(wires.get(&told, "").await?.body)?;
        let form = Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        let response = wires.post(&url, "", &form).await?;
        ensure!(response.status == 200, "{}: {}", response.status, String::from_utf8_lossy(&response.body));
    }
    while heard.get() < goal {
        ensure!(begun.elapsed() < PATIENCE, "{} of {sessions} heard", sessions - (goal - heard.get()));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((begun.elapsed().as_secs_f64(), load.cpu()? - cpu))
}

async fn keep_on(load: Rc<Load>, going: Rc<Cell<bool>>) -> anyhow::Result<()> {
    let mut wires = Wires::default();
    while going.get() {
        let begun = Instant::now();
        // Others than those who are signed out.
        let turn = load.next_turn();
        let code = load.client.sign_in_as(&mut wires, turn, PEOPLE + turn % PEOPLE).await?;
        load.client.redeem(&mut wires, &code).await?;
        load.took(begun);
    }
    Ok(())
}

/// What the logins did since `begun`.
fn beside(load: &Load, begun: Instant) -> Beside {
    let mut latencies = std::mem::take(&mut *load.latencies.borrow_mut());
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or_default();
    Beside { per_second: latencies.len() as f64 / begun.elapsed().as_secs_f64(), p50_ms: at(0.5), p99_ms: at(0.99) }
}

/// The client: answers each notice with 200 after a while, and counts.
async fn listen(address: &str) -> anyhow::Result<Rc<Cell<u64>>> {
    let (listener, heard) = (TcpListener::bind(address).await?, Rc::new(Cell::new(0)));
    let counted = Rc::clone(&heard);
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(converse(stream, Rc::clone(&counted)));
        }
    });
    Ok(heard)
}

async fn converse(mut stream: TcpStream, heard: Rc<Cell<u64>>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let Some((_, _, start, length)) = crate::stub::head(&bytes)? else {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
            continue;
        };
        while bytes.len() < start + length {
            ensure!(stream.read_buf(&mut bytes).await? > 0, "the notice broke off");
        }
        bytes.drain(..start + length);
        tokio::time::sleep(LATENCY).await;
        heard.set(heard.get() + 1);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}
