//! What `INFO` says of a server: who it is, which history its data has, whether it suits us.

use super::value::Epoch;

/// The server at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub epoch: Epoch,
    /// The line of `INFO replication` that changes when the data get another history.
    pub history: String,
}

/// Why a server can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the server doesn't say its run_id and master_replid")]
    NoIdentity,
    #[error("the server is a replica")]
    Replica,
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

impl Server {
    /// Reads the whole `INFO`.
    pub fn read(info: &str) -> Result<Self, Unfit> {
        let (Some(run_id), Some(replid)) = (field(info, "run_id"), field(info, "master_replid")) else {
            return Err(Unfit::NoIdentity);
        };
        if field(info, "role") != Some("master") {
            return Err(Unfit::Replica);
        }
        Ok(Self { epoch: Epoch::of(run_id, replid), history: format!("master_replid:{replid}") })
    }

    /// Whether `replication`, a later `INFO replication`, is of a master with the same history.
    pub fn is_still(&self, replication: &str) -> bool {
        field(replication, "role") == Some("master") && replication.lines().any(|line| line.trim() == self.history)
    }
}

/// What an admin should know about a server that works.
pub(super) fn remarks(info: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    if field(info, "server_name") != Some("valkey")
        && let Some(version) = field(info, "redis_version")
        && is_unpatched(version)
    {
        remarks.push(format!(
            "Redis {version} is older than the first patched release of its line (6.2.20, 7.2.11, 7.4.6, 8.0.4, 8.2.2): \
             its scripts can be abused unless your distribution has mended it (CVE-2025-49844)"
        ));
    }
    let policy = field(info, "maxmemory_policy").unwrap_or("noeviction");
    if policy != "noeviction" && field(info, "maxmemory").is_some_and(|limit| limit != "0") {
        remarks.push(format!(
            "Redis evicts records when its memory is full (maxmemory-policy {policy}): people lose their sessions; use noeviction"
        ));
    }
    remarks
}

fn is_unpatched(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let found = (next(), next(), next());
    let first_patched = match found {
        (0..=5, ..) => return true,
        (6, ..) => (6, 2, 20),
        (7, 0..=2, _) => (7, 2, 11),
        (7, ..) => (7, 4, 6),
        (8, 0..=1, _) => (8, 0, 4),
        (8, ..) => (8, 2, 2),
        _ => return false,
    };
    found < first_patched
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nrun_id:aaaa\r\n\r\n# Memory\r\nmaxmemory:1000\r\n\
        maxmemory_policy:allkeys-lru\r\n# Replication\r\nrole:master\r\nmaster_replid:bbbb\r\nmaster_replid2:0000\r\n";

    #[test]
    fn a_new_run_or_a_new_history_is_a_new_epoch() {
        let server = Server::read(INFO).unwrap();
        assert_ne!(server.epoch, Server::read(&INFO.replace("aaaa", "cccc")).unwrap().epoch);
        assert_ne!(server.epoch, Server::read(&INFO.replace("bbbb", "cccc")).unwrap().epoch);
        assert_eq!(server, Server::read(&INFO.replace("0000", "1111")).unwrap());
    }

    #[test]
    fn a_replica_and_a_nameless_server_are_unfit() {
        assert_eq!(Server::read(&INFO.replace("role:master", "role:slave")), Err(Unfit::Replica));
        assert_eq!(Server::read(&INFO.replace("master_replid:", "x:")), Err(Unfit::NoIdentity));
    }

    #[test]
    fn a_promoted_server_is_not_the_same_though_it_remembers_its_old_history() {
        let server = Server::read(INFO).unwrap();
        assert!(server.is_still(INFO));
        assert!(!server.is_still(&INFO.replace("role:master", "role:slave")));
        assert!(!server.is_still(&INFO.replace("bbbb", "cccc").replace("0000", "bbbb")));
    }

    #[test]
    fn a262_an_unpatched_version_and_an_evicting_policy_are_remarked_on() {
        assert_eq!(remarks(INFO).len(), 2);
        assert!(remarks(&INFO.replace("7.0.15", "8.2.2").replace("allkeys-lru", "noeviction")).is_empty());
        for (version, unpatched) in [
            ("5.0.7", true),
            ("6.2.19", true),
            ("6.2.20", false),
            ("7.0.15", true),
            ("7.2.11", false),
            ("7.4.5", true),
            ("7.4.6", false),
            ("8.0.3", true),
            ("8.0.4", false),
            ("8.2.1", true),
            ("8.2.2", false),
            ("8.4.0", false),
            ("9.0.0", false),
        ] {
            assert_eq!(is_unpatched(version), unpatched, "{version}");
        }
    }
}
