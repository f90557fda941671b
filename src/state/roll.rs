//! A list in the embedded store: its members by the moment at which their time ends.

use super::slots::Kept;
use crate::base::Moment;
use crate::state::{LIST_MAX, Name};

/// Ordered by its end; of equal ends, by its text, as Redis orders them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub ends: Moment,
    pub text: Box<str>,
}

/// One list. Most have one member or two: a sorted vector is the smallest that holds them.
pub(super) struct Roll {
    name: Name,
    members: Vec<Member>,
}

impl Roll {
    pub fn of(name: Name, first: Member) -> Self {
        Self { name, members: vec![first] }
    }

    /// Adds the member, or extends its time, and never shortens it.
    pub fn put(&mut self, member: Member) {
        if let Some(at) = self.members.iter().position(|known| known.text == member.text) {
            if self.members.get(at).is_some_and(|known| known.ends >= member.ends) {
                return;
            }
            self.members.remove(at);
        }
        let at = self.members.partition_point(|known| *known < member);
        self.members.insert(at, member);
        if self.members.len() > LIST_MAX {
            self.members.remove(0);
        }
    }

    /// Those whose time ends first come first.
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}

impl Kept for Roll {
    fn name(&self) -> Name {
        self.name
    }

    fn outlives(&mut self, now: Moment) -> bool {
        let over = self.members.partition_point(|member| member.ends <= now);
        if over > 0 {
            self.members.drain(..over);
            self.members.shrink_to_fit();
        }
        !self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Kind;

    fn member(ms: i64, text: &str) -> Member {
        Member { ends: Moment::from_ms(ms), text: text.into() }
    }

    fn texts(roll: &Roll) -> Vec<&str> {
        roll.members().iter().map(|member| &*member.text).collect()
    }

    #[test]
    fn members_stand_once_in_the_order_of_their_ends() {
        let mut roll = Roll::of(Name::of(Kind::SessionsOfUser, "u"), member(5, "c"));
        for (ms, text) in [(9, "a"), (5, "b"), (7, "c"), (8, "a"), (1, "d")] {
            roll.put(member(ms, text));
        }
        assert_eq!(texts(&roll), ["d", "b", "c", "a"]);
        assert!(roll.outlives(Moment::from_ms(5)));
        assert_eq!(texts(&roll), ["c", "a"]);
        assert!(roll.outlives(Moment::from_ms(8)));
        assert!(!roll.outlives(Moment::from_ms(9)));
    }
}
