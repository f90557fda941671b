//! What the kernel says of the server: CPU time and memory.

use anyhow::Context as _;

/// A process and those that it started are not told apart: only itself is looked at.
#[derive(Clone, Copy)]
pub struct Process(pub u64);

impl Process {
    /// CPU time of all its threads in seconds: `utime + stime` by the scheduler's nanoseconds (`schedstat`), which
    /// `stat` rounds to ticks of 10 ms.
    pub fn cpu(self) -> anyhow::Result<f64> {
        let mut nanoseconds = 0_u64;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.0)).context("no such process")? {
            // A thread may end between the two.
            let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanoseconds += text.split(' ').next().context("schedstat")?.parse::<u64>()?;
        }
        Ok((nanoseconds as f64 / 1e9).max(self.ticks()?))
    }

    /// The same in ticks of 10 ms, with the threads that have ended: a server that has one for each connection.
    fn ticks(self) -> anyhow::Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        let (_, fields) = text.rsplit_once(')').context("stat")?;
        let mut times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let (user, system) = (times.next().context("utime")??, times.next().context("stime")??);
        Ok((user + system) as f64 / 100.0)
    }

    /// Resident memory in MiB: now and at most since its start.
    pub fn memory(self) -> anyhow::Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find(|line| line.starts_with(name)).with_context(|| name.to_owned())?;
            Ok(line.split_whitespace().nth(1).context("a number")?.parse::<f64>()? / 1024.0)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }
}
