//! Ports that other tests leave alone.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that stays ours while the server is down: none that the kernel hands out by itself, and
/// locked against other tests, also of other processes, until it is dropped.
pub struct Port {
    pub number: u16,
    _lock: File,
}

impl Port {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;

    pub fn reserve() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = std::process::id() % u32::from(Self::COUNT);
        let locks = std::env::temp_dir().join("test-ports");
        std::fs::create_dir_all(&locks).expect("a folder for locks");
        loop {
            let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) * 7;
            let offset = u16::try_from((start * 31 + step) % u32::from(Self::COUNT)).expect("below the count");
            let number = Self::FIRST + offset;
            let lock = File::create(locks.join(number.to_string())).expect("a lock file");
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
    }
}
