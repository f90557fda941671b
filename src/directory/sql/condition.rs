//! What rows of users or groups a list wants, as a tree, and that tree as SQL. Values are bound, never written out.

use super::engine::Param;
use super::values::UNIQUE;

/// A value that is bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bound {
    Int(i64),
    Text(String),
}

/// A statement while it is put together.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub sql: String,
    bound: Vec<Bound>,
}

impl Text {
    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.bind(Bound::Text(value.to_owned()))
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.bind(Bound::Int(value))
    }

    fn bind(&mut self, value: Bound) -> &mut Self {
        self.bound.push(value);
        self.sql.push('$');
        self.sql.push_str(&self.bound.len().to_string());
        self
    }

    pub(super) fn params(&self) -> Vec<Param<'_>> {
        let param = |bound| match bound {
            &Bound::Int(number) => Param::Int(number),
            Bound::Text(text) => Param::Text(text),
        };
        self.bound.iter().map(param).collect()
    }
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
}

impl Kind {
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "user_groups",
        }
    }
}

/// Which values of an index.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Is(String),
    /// From the first on, up to before the second, if there is one.
    Between(String, Option<String>),
    Any,
}

/// What is asked of a row `r`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Always,
    Never,
    /// The user has such a value of an attribute in `user_values`.
    Value(String, Values),
    /// A column of texts.
    Column(&'static str, Values),
    /// A column of numbers is within these bounds.
    Number(&'static str, i64, i64),
    /// A user is a direct member of this group; a group has this direct member.
    Membership(String),
    /// A user is in a group; a group has a member.
    AnyMembership,
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    /// How few rows an index gives for it, from 0 for one row on; `None`: no index does.
    pub(super) fn rank(&self) -> Option<u8> {
        match self {
            Self::Column("r.id", Values::Is(_)) => Some(0),
            Self::Column("r.external_id", Values::Is(_)) => Some(1),
            Self::Value(attribute, Values::Is(_)) if UNIQUE.contains(&attribute.as_str()) => Some(1),
            Self::Value(_, Values::Is(_)) | Self::Column("r.name_key", Values::Is(_)) => Some(2),
            Self::Membership(_) => Some(3),
            Self::Value(_, Values::Between(..)) | Self::Column("r.name_key", Values::Between(..)) => Some(4),
            Self::And(all) => all.iter().filter_map(Self::rank).min(),
            Self::Or(all) => {
                let worst = all.iter().map(Self::rank).collect::<Option<Vec<_>>>()?.into_iter().max()?;
                Some(worst.saturating_add(1))
            }
            _ => None,
        }
    }

    /// Whether no two rows fulfil it.
    pub(super) fn is_of_one(&self) -> bool {
        match self {
            Self::Column(column, Values::Is(_)) => matches!(*column, "r.id" | "r.external_id"),
            Self::Value(attribute, Values::Is(_)) => UNIQUE.contains(&attribute.as_str()),
            _ => false,
        }
    }

    /// Splits off the part by which rows are found, if an index serves one; what is left is asked of each row.
    pub(super) fn split(self) -> (Option<Self>, Self) {
        if self.rank().is_none() {
            return (None, self);
        }
        match self {
            Self::And(mut all) => {
                let best = (0..all.len()).filter_map(|at| Some((all.get(at)?.rank()?, at))).min();
                let Some((_, at)) = best else { return (None, Self::And(all)) };
                let (found, rest) = all.remove(at).split();
                if rest != Self::Always {
                    all.push(rest);
                }
                (found, if all.is_empty() { Self::Always } else { Self::And(all) })
            }
            Self::Or(all) if all.iter().any(|one| matches!(one, Self::And(_) | Self::Or(_))) => {
                (Some(Self::Or(all.clone())), Self::Or(all))
            }
            leaf => (Some(leaf), Self::Always),
        }
    }

    /// A SELECT of the ids, each once, that an index gives for it: all that fulfil it, and perhaps more.
    pub(super) fn write_ids(&self, kind: Kind, directory: &str, to: &mut Text) {
        match self {
            Self::Column("r.id", Values::Is(id)) => {
                to.push("SELECT CAST(").text(id).push(" AS TEXT) AS id");
            }
            Self::Column(column, values) => {
                to.push("SELECT r.id AS id FROM ").push(kind.table()).push(" r WHERE r.directory = ").text(directory);
                write_values(column, values, to);
            }
            Self::Value(attribute, values) => {
                let distinct = if matches!(values, Values::Is(_)) { "" } else { "DISTINCT " };
                to.push("SELECT ").push(distinct).push("v.user_id AS id FROM user_values v WHERE v.directory = ");
                to.text(directory).push(" AND v.attribute = ").text(attribute);
                write_values("v.value", values, to);
            }
            Self::Membership(id) => {
                let (wanted, by) = match kind {
                    Kind::User => ("m.member_id", "m.group_id"),
                    Kind::Group => ("m.group_id", "m.member_id"),
                };
                to.push("SELECT ").push(wanted).push(" AS id FROM memberships m WHERE ").push(by).push(" = ").text(id);
                to.push(" AND m.directory = ").text(directory);
            }
            Self::And(all) => {
                let best = all.iter().filter_map(|one| Some((one.rank()?, one))).min_by_key(|(rank, _)| *rank);
                if let Some((_, one)) = best {
                    one.write_ids(kind, directory, to);
                }
            }
            Self::Or(all) => {
                for (at, one) in all.iter().enumerate() {
                    to.push(if at == 0 { "" } else { " UNION " });
                    one.write_ids(kind, directory, to);
                }
            }
            _ => {}
        }
    }

    /// The condition on a row `r`.
    pub(super) fn write(&self, kind: Kind, directory: &str, to: &mut Text) {
        match self {
            Self::Always => _ = to.push("1 = 1"),
            Self::Never => _ = to.push("1 = 0"),
            // An expression, lest rows be searched by it out of their order.
            Self::Value(attribute, values) => {
                to.push("COALESCE(r.id, '') IN (SELECT v.user_id FROM user_values v WHERE v.directory = ");
                to.text(directory).push(" AND v.attribute = ").text(attribute);
                write_values("v.value", values, to);
                to.push(")");
            }
            Self::Column(column, values) => {
                to.push("(").push(column).push(" IS NOT NULL");
                write_values(column, values, to);
                to.push(")");
            }
            Self::Number(column, from, to_) => {
                to.push("(").push(column).push(" >= ").int(*from).push(" AND ").push(column).push(" <= ").int(*to_);
                to.push(")");
            }
            Self::Membership(id) => write_membership(kind, Some(id), to),
            Self::AnyMembership => write_membership(kind, None, to),
            Self::And(all) => write_all(all, " AND ", (kind, directory), to),
            Self::Or(all) => write_all(all, " OR ", (kind, directory), to),
            Self::Not(inner) => {
                to.push("NOT (");
                inner.write(kind, directory, to);
                to.push(")");
            }
        }
    }
}

fn write_all(all: &[Condition], word: &str, (kind, directory): (Kind, &str), to: &mut Text) {
    to.push("(");
    for (at, one) in all.iter().enumerate() {
        to.push(if at == 0 { "" } else { word });
        one.write(kind, directory, to);
    }
    to.push(")");
}

fn write_membership(kind: Kind, other: Option<&str>, to: &mut Text) {
    let (row, by) = match kind {
        Kind::User => ("m.member_id", "m.group_id"),
        Kind::Group => ("m.group_id", "m.member_id"),
    };
    to.push("EXISTS (SELECT 1 FROM memberships m WHERE ").push(row).push(" = r.id");
    if let Some(other) = other {
        to.push(" AND ").push(by).push(" = ").text(other);
    }
    to.push(")");
}

fn write_values(column: &str, values: &Values, to: &mut Text) {
    match values {
        Values::Is(value) => {
            to.push(" AND ").push(column).push(" = ").text(value);
        }
        Values::Between(from, until) => {
            to.push(" AND ").push(column).push(" >= ").text(from);
            if let Some(until) = until {
                to.push(" AND ").push(column).push(" < ").text(until);
            }
        }
        Values::Any => {}
    }
}
