//! What Redis says of its work.

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// One connection for INFO.
pub struct Redis(BufReader<TcpStream>);

/// Counters since its start.
#[derive(Clone, Copy)]
pub struct Work {
    pub commands: u64,
    /// Reads from sockets: at one request at a time, round trips.
    pub reads: u64,
}

impl Redis {
    pub async fn connect(address: &str) -> anyhow::Result<Self> {
        Ok(Self(BufReader::new(TcpStream::connect(address).await.context("Redis")?)))
    }

    pub async fn work(&mut self) -> anyhow::Result<Work> {
        self.0.get_mut().write_all(b"INFO stats\r\n").await?;
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let length: usize = line.trim().trim_start_matches('$').parse().context("INFO")?;
        let mut text = vec![0; length + 2];
        self.0.read_exact(&mut text).await?;
        let text = String::from_utf8_lossy(&text);
        let field = |name: &str| -> anyhow::Result<u64> {
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            Ok(found.with_context(|| name.to_owned())?.trim().parse()?)
        };
        Ok(Work { commands: field("total_commands_processed")?, reads: field("total_reads_processed")? })
    }
}
