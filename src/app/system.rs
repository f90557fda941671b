//! The two objects through which time and chance come in.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use crate::base::{Clock, Dice, Moment};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        #[expect(clippy::disallowed_methods, reason = "the one clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness, by way of aws-lc's generator.
#[derive(Debug, Default)]
pub struct SystemDice(SystemRandom);

impl Dice for SystemDice {
    fn fill(&self, bytes: &mut [u8]) {
        // A machine without randomness can keep no secret: it must not go on.
        if self.0.fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
