//! A TCP proxy on a free port that does what networks do: it delays, holds back, cuts and resets.
//! It lives in the tokio runtime that started it and ends with it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From client to server.
    There,
    /// From server to client.
    Back,
}

#[derive(Clone, Debug, Default)]
struct Faults {
    delay: Duration,
    holds_there: bool,
    holds_back: bool,
    refuses: bool,
    /// Grows when all connections are to be reset.
    resets: u64,
}

struct Shared {
    target: Mutex<SocketAddr>,
    faults: watch::Sender<Faults>,
    /// After so many more bytes that way the connection that carried them is reset; then disarmed.
    cut: Mutex<Option<(Way, usize)>>,
}

pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: tokio::task::JoinHandle<()>,
}

impl FaultProxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (faults, _) = watch::channel(Faults::default());
        let shared = Arc::new(Shared { target: Mutex::new(target), faults, cut: Mutex::new(None) });
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, acceptor }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where new connections go from now on.
    pub fn retarget(&self, target: SocketAddr) {
        *self.shared.target.lock().expect("no panic") = target;
    }

    /// Each piece of data waits this long, both ways.
    pub fn delay(&self, delay: Duration) {
        self.shared.faults.send_modify(|faults| faults.delay = delay);
    }

    /// Nothing passes that way until [`FaultProxy::release`]; connections stay open.
    pub fn hold(&self, way: Way) {
        self.shared.faults.send_modify(|faults| match way {
            Way::There => faults.holds_there = true,
            Way::Back => faults.holds_back = true,
        });
    }

    /// What was held back is passed on.
    pub fn release(&self) {
        self.shared.faults.send_modify(|faults| {
            faults.holds_there = false;
            faults.holds_back = false;
        });
    }

    /// Lets `bytes` more bytes pass that way, over whatever connection, and then resets the connection
    /// that would carry the next one. Happens once.
    pub fn cut_after(&self, way: Way, bytes: usize) {
        *self.shared.cut.lock().expect("no panic") = Some((way, bytes));
    }

    /// Whether the cut that was ordered is still to come; orders none any more.
    pub fn disarm(&self) -> bool {
        self.shared.cut.lock().expect("no panic").take().is_some()
    }

    /// Resets all connections.
    pub fn reset(&self) {
        self.shared.faults.send_modify(|faults| faults.resets += 1);
    }

    /// New connections are closed at once; old ones are reset.
    pub fn refuse(&self) {
        self.shared.faults.send_modify(|faults| {
            faults.refuses = true;
            faults.resets += 1;
        });
    }

    pub fn accept_again(&self) {
        self.shared.faults.send_modify(|faults| faults.refuses = false);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.acceptor.abort();
        self.reset();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if !shared.faults.borrow().refuses {
            tokio::spawn(connection(client, Arc::clone(&shared)));
        }
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) {
    let target = *shared.target.lock().expect("no panic");
    let Ok(server) = TcpStream::connect(target).await else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
        // Whatever ends here ends with RST, as when a machine or its network goes away.
        let _ = stream.set_zero_linger();
    }
    let mut faults = shared.faults.subscribe();
    let resets = faults.borrow_and_update().resets;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = pump(Way::There, from_client, to_server, &shared) => {}
        _ = pump(Way::Back, from_server, to_client, &shared) => {}
        _ = faults.wait_for(|now| now.resets != resets) => {}
    }
}

async fn pump(way: Way, from: OwnedReadHalf, to: OwnedWriteHalf, shared: &Shared) -> io::Result<()> {
    let mut faults = shared.faults.subscribe();
    let mut piece = vec![0; 64 * 1024];
    loop {
        from.readable().await?;
        let len = match from.try_read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => continue,
            Err(fault) => return Err(fault),
        };
        let delay = faults.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let flows = |now: &Faults| match way {
            Way::There => !now.holds_there,
            Way::Back => !now.holds_back,
        };
        if faults.wait_for(flows).await.is_err() {
            return Ok(());
        }
        let passes = allowed(way, len, shared);
        write_all(&to, &piece[..passes.unwrap_or(len)]).await?;
        if passes.is_some() {
            return Ok(());
        }
    }
}

/// How many of `len` bytes pass before the cut that is ordered; `None`: all of them, no cut.
fn allowed(way: Way, len: usize, shared: &Shared) -> Option<usize> {
    let mut cut = shared.cut.lock().expect("no panic");
    match &mut *cut {
        Some((cut_way, left)) if *cut_way == way => {
            if len > *left {
                let passes = *left;
                *cut = None;
                return Some(passes);
            }
            *left -= len;
            None
        }
        _ => None,
    }
}

async fn write_all(to: &OwnedWriteHalf, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        to.writable().await?;
        match to.try_write(rest) {
            Ok(len) => rest = &rest[len..],
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
