//! The contract of `state::StateStore`, asked of every implementation, and what each of them promises besides.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/port.rs"]
mod port;
#[path = "support/redis.rs"]
mod redis_server;
#[path = "support/fault_proxy.rs"]
mod fault_proxy;

#[path = "conformance/state_fixture.rs"]
mod fixture;
#[path = "conformance/state_contract.rs"]
mod contract;
#[path = "conformance/state_lists.rs"]
mod lists;
#[path = "conformance/state_embedded.rs"]
mod embedded;
#[path = "conformance/state_redis.rs"]
mod redis;
#[path = "conformance/state_redis_lists.rs"]
mod redis_lists;
#[path = "conformance/state_redis_faults.rs"]
mod redis_faults;
#[path = "conformance/state_redis_epochs.rs"]
mod redis_epochs;
