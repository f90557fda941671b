//! A disk that is full while people are provisioned: 503, nothing half done, and it heals. Needs root, to mount.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::http::Response;
use crate::support::scim::{Scim, id, is_error, person};
use crate::support::server::wait_until;
use crate::world::World;

/// A small file system of its own, gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: no file system can be mounted here");
        None
    }

    fn fill(&self) {
        let mut filler = File::create(self.0.path().join("filler")).expect("a file");
        for size in [65_536, 4_096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.path().join("filler")).expect("a file");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _done = Command::new("umount").arg("--lazy").arg(self.0.path()).output();
    }
}

#[track_caller]
fn is_put_off(answer: &Response) {
    is_error(answer, 503, None);
    assert!(answer.header("retry-after").is_some_and(|it| it.parse::<u32>().is_ok_and(|seconds| seconds > 0)));
}

#[test]
fn on_a_full_disk_a_write_is_503_in_whole_seconds_and_nothing_is_half_done() {
    let Some(disk) = Disk::new() else { return };
    let world = World::with(|setup, _| {
        let url = format!("sqlite:{}", disk.0.path().join("v.db").display());
        setup.provisioned().edit("vestibule.toml", "sqlite:data/vestibule.db", &url);
    });
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let group = id(&scim.group("Group", &[])).to_owned();
    disk.fill();
    let fat = |n: u32| {
        let mut body = person(&format!("u{n}@contoso.com"), &format!("e{n}"));
        body["emails"] = (0..90).map(|k| json!({ "value": format!("{}{k}@contoso.com", "x".repeat(900)) })).collect();
        body
    };
    // What fits into the log that is there already is still taken.
    let mut taken: Vec<Value> = Vec::new();
    let refused = (0..200)
        .find_map(|n| {
            let answer = scim.post("/Users", &fat(n));
            if answer.status == 201 {
                taken.push(answer.json());
                return None;
            }
            Some(answer)
        })
        .expect("the disk is full");
    is_put_off(&refused);
    let add = json!([{ "op": "add", "path": "members", "value":
        (0..6_000).map(|n| json!({ "value": format!("nobody-{n}-{}", "x".repeat(100)) })).collect::<Vec<Value>>() }]);
    is_put_off(&scim.patch(&format!("/Groups/{group}"), &add));
    // Reading goes on, and shows what was acknowledged and nothing else.
    assert_eq!(scim.get("/Users").json()["totalResults"], 1 + taken.len());
    assert_eq!(scim.get(&format!("/Users/{}", id(&alice))).json(), alice);
    assert!(scim.members(&group).is_empty());

    disk.make_room();
    let next = fat(u32::try_from(taken.len()).expect("few"));
    wait_until("it heals by itself", || scim.post("/Users", &next).status == 201);
    assert_eq!(scim.get("/Users").json()["totalResults"], 2 + taken.len(), "the refused one had left no trace");
    for user in &taken {
        assert_eq!(scim.get(&format!("/Users/{}", id(user))).json(), *user);
    }
}
