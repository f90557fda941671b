//! How far long work is: on a terminal, and nothing on a pipe.

use std::io::{IsTerminal as _, Write as _};

pub struct Progress {
    what: &'static str,
    shown: bool,
}

impl Progress {
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self { what, shown: std::io::stderr().is_terminal() }
    }

    /// So many are done.
    pub fn at(&mut self, count: u64) {
        if self.shown {
            let mut terminal = std::io::stderr().lock();
            // A terminal that has gone away is no fault.
            let _ = write!(terminal, "\r{count} {}", self.what).and_then(|()| terminal.flush());
        }
    }

    /// Leaves the line to what is printed next.
    pub fn end(&mut self) {
        if self.shown {
            super::complain("");
        }
    }
}
