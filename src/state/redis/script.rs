//! The steps that must happen at once, as scripts at the server. The positions they read are those
//! of `value.rs`, counted from 1: mark 2, epoch 3 to 18, tag 19 to 34.

use std::sync::LazyLock;

/// A script that is called by its digest; the server is told its text on connecting.
pub(super) struct Script(LazyLock<redis::Script>);

impl Script {
    /// The command to which keys and arguments are appended.
    pub fn call(&self, keys: &[&str]) -> redis::Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(self.0.get_hash()).arg(keys.len()).arg(keys);
        call
    }
}

/// What [`TAKE`] answers first.
pub(super) mod taken {
    pub const NEVER: i64 = 0;
    pub const ONCE: i64 = 1;
    pub const ALREADY: i64 = 2;
    /// The server has got another history under the same connection; nothing was done.
    pub const OTHER_HISTORY: i64 = 3;
}

const TAKE_TEXT: &str = r"
local function refused(reply) return type(reply) == 'table' and reply.err end
local value = redis.call('GET', KEYS[1])
if value and string.byte(value, 2) == 2 then return {2, value} end
if ARGV[4] ~= '' and not string.find(redis.call('INFO', 'replication'), ARGV[4], 1, true) then return {3, ''} end
if not value or string.sub(value, 3, 18) ~= ARGV[3] then
  -- A write, which a replica refuses: only a master may say that there is none.
  local reply = redis.pcall('DEL', KEYS[1])
  if refused(reply) then return reply end
  return {0, ''}
end
local reply = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if refused(reply) and string.find(reply.err, 'OOM', 1, true) then
  -- No room for the residue: taking the record matters more than remembering who did.
  reply = redis.pcall('DEL', KEYS[1])
end
if refused(reply) then return reply end
return {1, value}
";

const SWAP_TEXT: &str = r"
local value = redis.call('GET', KEYS[1])
if not value or string.byte(value, 2) ~= 1 or string.sub(value, 3, 34) ~= ARGV[1] then return 0 end
local reply = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if type(reply) == 'table' and reply.err then return reply end
return 1
";

// A member that stays as it was needs nothing more: its time ends later, and the write that made it so did the rest. On
// a new list there is nothing to drop. The key outlives its members, and never they it: hence KEEP_LONGER_MS.
const ENLIST_TEXT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = redis.pcall('ZADD', KEYS[1], 'GT', 'CH', now + ARGV[2], ARGV[1])
if type(reply) == 'table' then return reply end
if reply == 0 then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
if left < 0 then return 1 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, ARGV[4])
return 1
";

const LISTED_TEXT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGE', KEYS[1], string.format('(%.0f', now), '+inf', 'BYSCORE')
";

/// Takes a record. Arguments: the residue as stored value, its lifetime in ms, the epoch that the
/// record must have, and what `INFO replication` must contain (empty: not asked).
pub(super) static TAKE: Script = Script(LazyLock::new(|| redis::Script::new(TAKE_TEXT)));

/// Replaces a record. Arguments: the epoch and tag that it must have, the new stored value, its
/// lifetime in ms. Answers 1 if it did.
pub(super) static SWAP: Script = Script(LazyLock::new(|| redis::Script::new(SWAP_TEXT)));

/// How much longer than its members a list's key is kept: the clock goes on while a script runs.
pub(super) const KEEP_LONGER_MS: i64 = 1_000;

/// Puts a member on a list, which is a sorted set: the score is the moment in ms, by the server's clock, at which the
/// member's time ends. Arguments: the member, its lifetime in ms, how long the key is to be kept at least in ms, and the
/// last rank that is dropped, from the end of a full list.
pub(super) static ENLIST: Script = Script(LazyLock::new(|| redis::Script::new(ENLIST_TEXT)));

/// Answers the members of a list whose time is not over, by their ends.
pub(super) static LISTED: Script = Script(LazyLock::new(|| redis::Script::new(LISTED_TEXT)));

/// Tells the server all scripts.
pub(super) fn load(pipeline: &mut redis::Pipeline) {
    for text in [TAKE_TEXT, SWAP_TEXT, ENLIST_TEXT, LISTED_TEXT] {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(text).ignore();
    }
}
