//! From a filter to a condition on rows: exact where columns and index rows serve, else one that is fulfilled by all that
//! match and by others, which are looked at one by one.

use super::condition::{Condition, Kind, Values};
use super::group_rows::name_key;
use super::rows::index_value;
use crate::base::text::fold;
use crate::scim::filter::{CommonOperand, Filter, Literal, Operand, Operator};

/// The attributes by which users are always indexed.
const ALWAYS: [&str; 4] = ["displayName", "emails", "externalId", "userName"];
/// The longest prefix that is searched for in an index: what stands there of longer values is cut behind it.
const PREFIX_BYTES_MAX: usize = 200;
const NANOSECONDS_OF_MILLISECOND: i128 = 1_000_000;

/// A condition that every match fulfils.
#[derive(Debug)]
pub(super) struct Compiled {
    pub condition: Condition,
    /// Whether only matches fulfil it.
    pub exact: bool,
}

impl Compiled {
    const fn exact(condition: Condition) -> Self {
        Self { condition, exact: true }
    }

    /// Says nothing.
    const fn open() -> Self {
        Self { condition: Condition::Always, exact: false }
    }
}

/// What an index can be asked for.
pub(super) struct Compiler<'a> {
    pub kind: Kind,
    /// Attributes of users that are indexed beside those that always are, by single values.
    pub indexed: &'a [String],
}

/// The attributes that a filter compares as texts, as far as they aren't always indexed.
pub(super) fn names_others(filter: &Filter) -> bool {
    match filter {
        Filter::Compare { operand: Operand::Attribute { key, .. }, value: Literal::Text { .. }, .. }
        | Filter::Present(Operand::Attribute { key, .. }) => !ALWAYS.contains(&key.as_str()),
        Filter::Compare { .. } | Filter::Present(_) | Filter::Of { .. } | Filter::Never => false,
        Filter::And(all) | Filter::Or(all) => all.iter().any(names_others),
        Filter::Not(inner) => names_others(inner),
    }
}

impl Compiler<'_> {
    pub(super) fn compile(&self, filter: &Filter) -> Compiled {
        match filter {
            Filter::Compare { operand, operator, value } => self.compare(operand, *operator, value),
            Filter::Present(operand) => self.present(operand),
            Filter::Of { key, filter } => self.of(key, filter),
            Filter::And(all) => {
                all.iter().map(|one| self.compile(one)).fold(Compiled::exact(Condition::Always), |so_far, next| {
                    Compiled { condition: and(so_far.condition, next.condition), exact: so_far.exact && next.exact }
                })
            }
            Filter::Or(all) => {
                all.iter().map(|one| self.compile(one)).fold(Compiled::exact(Condition::Never), |so_far, next| {
                    Compiled { condition: or(so_far.condition, next.condition), exact: so_far.exact && next.exact }
                })
            }
            Filter::Not(inner) => match self.compile(inner) {
                Compiled { condition, exact: true } => Compiled::exact(not(condition)),
                Compiled { exact: false, .. } => Compiled::open(),
            },
            Filter::Never => Compiled::exact(Condition::Never),
        }
    }

    fn compare(&self, operand: &Operand, operator: Operator, value: &Literal) -> Compiled {
        match (operand, value) {
            (Operand::Common(CommonOperand::Id), Literal::Text { text, .. }) => match values(text, operator) {
                Some((condition, exact)) => {
                    let condition = Condition::Column("r.id", condition);
                    Compiled { condition: if operator == Operator::Ne { not(condition) } else { condition }, exact }
                }
                None => Compiled::open(),
            },
            (Operand::Common(CommonOperand::Created), Literal::Instant(at)) => instant("r.created_at", operator, *at),
            (Operand::Common(CommonOperand::LastModified), Literal::Instant(at)) => {
                instant("r.updated_at", operator, *at)
            }
            (Operand::Common(CommonOperand::Groups | CommonOperand::Members), Literal::Text { text, .. })
                if operator == Operator::Eq =>
            {
                match text.is_empty() || text.contains('\0') {
                    true => Compiled::exact(Condition::Never),
                    false => Compiled::exact(Condition::Membership(text.clone())),
                }
            }
            (Operand::Attribute { key, .. }, Literal::Boolean(truth)) if key == "active" => {
                self.active(operator, *truth)
            }
            (Operand::Attribute { key, sub }, Literal::Text { text, exact }) => {
                self.text((key, *sub), operator, (text, *exact))
            }
            _ => Compiled::open(),
        }
    }

    fn active(&self, operator: Operator, truth: bool) -> Compiled {
        let wanted = match operator {
            Operator::Eq => truth,
            Operator::Ne => !truth,
            _ => return Compiled::open(),
        };
        match (self.kind, wanted) {
            (Kind::User, true) => Compiled::exact(Condition::Number("r.active", 1, 1)),
            (Kind::User, false) => Compiled::exact(Condition::Number("r.active", 0, 0)),
            (Kind::Group, _) => Compiled::open(),
        }
    }

    fn text(&self, of: (&str, Option<&str>), operator: Operator, (text, exact): (&str, bool)) -> Compiled {
        let Some(index) = self.index(of) else { return Compiled::open() };
        // What is folded finds also what differs in case; what isn't folded finds too little of what may differ.
        if !index.folded && !exact {
            return Compiled::open();
        }
        let text = if index.folded { fold(text) } else { text.to_owned() };
        let found = match operator {
            Operator::Ne if index.multiple || exact == index.folded => None,
            Operator::Eq | Operator::Ne => match index.value(&text) {
                Some(value) if !value.contains('\0') => Some((Values::Is(value), true)),
                _ => return Compiled::exact(Condition::Never),
            },
            _ => values(&text, operator),
        };
        let Some((found, whole)) = found else { return Compiled::open() };
        let condition = index.condition(found);
        Compiled {
            condition: if operator == Operator::Ne { not(condition) } else { condition },
            exact: whole && exact != index.folded,
        }
    }

    fn present(&self, operand: &Operand) -> Compiled {
        match operand {
            Operand::Common(CommonOperand::Groups | CommonOperand::Members) => {
                Compiled::exact(Condition::AnyMembership)
            }
            Operand::Common(_) => Compiled::exact(Condition::Always),
            Operand::Attribute { key, .. } if key == "active" => Compiled::exact(Condition::Always),
            Operand::Attribute { key, sub } => match self.index((key, *sub)) {
                Some(index) => Compiled::exact(index.present()),
                None => Compiled::open(),
            },
        }
    }

    /// Terms about one value of an attribute: whoever has such a value fulfils each of them by some value.
    fn of(&self, key: &str, filter: &Filter) -> Compiled {
        match filter {
            Filter::Compare { operand: Operand::Attribute { key: inner, .. }, operator: Operator::Eq, .. }
                if inner == key =>
            {
                match filter {
                    Filter::Compare { operand, operator, value } => self.compare(operand, *operator, value),
                    _ => Compiled::open(),
                }
            }
            Filter::And(all) => {
                let all = all.iter().map(|one| self.of(key, one).condition);
                Compiled { condition: all.fold(Condition::Always, and), exact: false }
            }
            Filter::Or(all) => {
                let all = all.iter().map(|one| self.of(key, one).condition);
                Compiled { condition: all.fold(Condition::Never, or), exact: false }
            }
            _ => Compiled::open(),
        }
    }

    fn index<'k>(&self, (key, sub): (&'k str, Option<&str>)) -> Option<Index<'k>> {
        let index = Index { kind: self.kind, key, folded: key != "externalId", multiple: key == "emails" };
        let there = match (self.kind, key, sub) {
            (Kind::Group, "displayName" | "externalId", None) => true,
            (Kind::Group, ..) => false,
            (Kind::User, "emails", None | Some("value")) => true,
            (Kind::User, key, None) => ALWAYS.contains(&key) || self.indexed.iter().any(|other| other == key),
            (Kind::User, ..) => false,
        };
        there.then_some(index)
    }
}

/// Where values of an attribute are found.
struct Index<'a> {
    kind: Kind,
    key: &'a str,
    folded: bool,
    multiple: bool,
}

impl Index<'_> {
    fn value(&self, text: &str) -> Option<String> {
        match (self.kind, self.key) {
            (Kind::Group, "displayName") => name_key(text),
            (_, key) => index_value(key, text),
        }
    }

    fn condition(&self, values: Values) -> Condition {
        match (self.kind, self.key) {
            (Kind::Group, "displayName") => Condition::Column("r.name_key", values),
            (Kind::Group, _) => Condition::Column("r.external_id", values),
            (Kind::User, key) => Condition::Value(key.to_owned(), values),
        }
    }

    fn present(&self) -> Condition {
        match (self.kind, self.key) {
            (Kind::Group, "displayName") => not(Condition::Column("r.name_key", Values::Is(String::new()))),
            _ => self.condition(Values::Any),
        }
    }
}

/// The values that an operator allows for a text that isn't cut, and whether no others are among them.
fn values(text: &str, operator: Operator) -> Option<(Values, bool)> {
    if text.is_empty() || text.contains('\0') {
        return None;
    }
    match operator {
        Operator::Eq | Operator::Ne => Some((Values::Is(text.to_owned()), true)),
        Operator::Sw => {
            let cut = text.floor_char_boundary(PREFIX_BYTES_MAX);
            let prefix = text.get(..cut).unwrap_or_default();
            Some((Values::Between(prefix.to_owned(), behind(prefix)), cut == text.len()))
        }
        _ => None,
    }
}

/// The least text that is greater than all that begin with `prefix`.
fn behind(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            char::MAX => None,
            other => char::from_u32(u32::from(other).saturating_add(1)),
        };
        if let Some(next) = next {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

/// A column of milliseconds against a moment that may lie between two of them.
fn instant(column: &'static str, operator: Operator, at: i128) -> Compiled {
    let clamp = |ms: i128| i64::try_from(ms).unwrap_or(if ms < 0 { i64::MIN } else { i64::MAX });
    let floor = at.div_euclid(NANOSECONDS_OF_MILLISECOND);
    let whole = at.rem_euclid(NANOSECONDS_OF_MILLISECOND) == 0;
    let ceiling = if whole { floor } else { floor.saturating_add(1) };
    let is = match whole {
        true => Condition::Number(column, clamp(floor), clamp(floor)),
        false => Condition::Never,
    };
    Compiled::exact(match operator {
        Operator::Eq => is,
        Operator::Ne => not(is),
        Operator::Gt => Condition::Number(column, clamp(floor.saturating_add(1)), i64::MAX),
        Operator::Ge => Condition::Number(column, clamp(ceiling), i64::MAX),
        Operator::Lt => Condition::Number(column, i64::MIN, clamp(ceiling.saturating_sub(1))),
        Operator::Le => Condition::Number(column, i64::MIN, clamp(floor)),
        Operator::Co | Operator::Sw | Operator::Ew => return Compiled::open(),
    })
}

fn and(left: Condition, right: Condition) -> Condition {
    match (left, right) {
        (Condition::Never, _) | (_, Condition::Never) => Condition::Never,
        (Condition::Always, other) | (other, Condition::Always) => other,
        (Condition::And(mut all), other) => {
            all.push(other);
            Condition::And(all)
        }
        (left, right) => Condition::And(vec![left, right]),
    }
}

fn or(left: Condition, right: Condition) -> Condition {
    match (left, right) {
        (Condition::Always, _) | (_, Condition::Always) => Condition::Always,
        (Condition::Never, other) | (other, Condition::Never) => other,
        (Condition::Or(mut all), other) => {
            all.push(other);
            Condition::Or(all)
        }
        (left, right) => Condition::Or(vec![left, right]),
    }
}

fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Always => Condition::Never,
        Condition::Never => Condition::Always,
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}
