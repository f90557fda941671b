//! Lists in an order of their own. Values that are absent come last ascending, first descending; descending is ascending
//! read backwards.

use std::sync::Arc;

use serde_json::Value;

use super::condition::{Kind, Text};
use super::engine::{Row, Sql, SqlFault};
use super::listed::{Listed, Question, Stretch, counted};
use super::rows;
use super::store::Store;
use super::walk::{Begin, Walk, length};
use crate::base::text::fold;
use crate::directory::roster::{ListFault, Listing, Page, Place, Position};
use crate::scim::filter::{CommonOperand, Operand};
use crate::scim::list::Order;

/// An order that the database has or makes by itself.
pub(super) struct Indexed {
    key: Key,
    order: Order,
}

enum Key {
    /// A value of users in `user_values`.
    Value(&'static str),
    Text(&'static str),
    /// One that may be absent.
    OptionalText(&'static str),
    Number(&'static str),
}

/// Those who have a value come by it, those who have none by `seq`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Present,
    Absent,
}

impl Indexed {
    pub(super) fn of(kind: Kind, (operand, order): &(Operand, Order)) -> Option<Self> {
        let key = match (kind, operand) {
            (_, Operand::Common(CommonOperand::Id)) => Key::Text("r.id"),
            (_, Operand::Common(CommonOperand::Created)) => Key::Number("r.created_at"),
            (_, Operand::Common(CommonOperand::LastModified)) => Key::Number("r.updated_at"),
            (kind, Operand::Attribute { key, sub: None }) => match (kind, key.as_str()) {
                (Kind::User, "userName") => Key::Value("userName"),
                (Kind::User, "displayName") => Key::Value("displayName"),
                (Kind::User, "externalId") => Key::Value("externalId"),
                (Kind::Group, "displayName") => Key::Text("r.name_key"),
                (Kind::Group, "externalId") => Key::OptionalText("r.external_id"),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { key, order: *order })
    }

    fn parts(&self) -> &'static [Part] {
        match (&self.key, self.order) {
            (Key::Text(_) | Key::Number(_), _) => &[Part::Present],
            (_, Order::Ascending) => &[Part::Present, Part::Absent],
            (_, Order::Descending) => &[Part::Absent, Part::Present],
        }
    }

    const fn column(&self) -> &'static str {
        match self.key {
            Key::Value(_) => "v.value",
            Key::Text(column) | Key::OptionalText(column) | Key::Number(column) => column,
        }
    }

    /// A page of all rows of a directory.
    pub(super) fn page<T: Listed>(&self, db: &dyn Sql, listing: &Listing) -> Result<Page<T>, SqlFault> {
        let (begin, limit) = (Begin::of(&listing.place), u64::from(listing.limit));
        let mut behind = match &listing.place {
            Place::Behind(position) => Some(position),
            Place::First | Place::Skip(_) => None,
        };
        let mut parts = self.parts();
        if let (Some(position), [first, rest @ ..]) = (behind, parts) {
            let part = if position.key.is_some() { Part::Present } else { Part::Absent };
            if *first != part {
                parts = rest;
            }
        }
        let (mut skip, mut found) = (begin.skip, Vec::new());
        for part in parts {
            let most = limit.saturating_add(1).saturating_sub(length(&found));
            if limit == 0 || most == 0 {
                break;
            }
            let stretch = Stretch { after: 0, skip, most };
            let some = self.stretch(db, &listing.directory, (*part, behind), stretch)?;
            skip = match some.is_empty() && skip > 0 {
                true => skip.saturating_sub(self.count::<T>(db, &listing.directory, *part)?),
                false => 0,
            };
            found.extend(some);
            behind = None;
        }
        self.finish(db, listing, found)
    }

    fn finish<T: Listed>(
        &self,
        db: &dyn Sql,
        listing: &Listing,
        mut found: Vec<(Option<String>, T)>,
    ) -> Result<Page<T>, SqlFault> {
        let (begin, limit) = (Begin::of(&listing.place), u64::from(listing.limit));
        let (all, deletions) = counted::<T>(db, &listing.directory)?;
        let more = limit > 0 && length(&found) > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let given = begin.given.saturating_add(length(&found));
        let total = match &listing.place {
            Place::Behind(from) if from.deletions != deletions => match more || limit == 0 {
                true => begin.given.saturating_add(self.ahead::<T>(db, &listing.directory, from)?),
                false => given,
            },
            _ => all,
        };
        let next = found.last().filter(|_| more).map(|(key, last)| Position {
            key: key.clone(),
            seq: last.seq(),
            given,
            deletions: begin.deletions.unwrap_or(deletions),
        });
        Ok(Page { items: found.into_iter().map(|(_, item)| item).collect(), total, next })
    }

    /// How many rows lie behind a position.
    fn ahead<T: Listed>(&self, db: &dyn Sql, directory: &str, from: &Position) -> Result<u64, SqlFault> {
        let here = if from.key.is_some() { Part::Present } else { Part::Absent };
        let mut ahead = 0_u64;
        for part in self.parts().iter().skip_while(|part| **part != here) {
            let mut text = Text::default();
            text.push("SELECT COUNT(*)");
            self.write_from::<T>(directory, *part, &mut text);
            if *part == here {
                self.write_behind(from, &mut text);
            }
            ahead = ahead.saturating_add(db.first(&text.sql, &text.params(), |row| row.count(0))?.unwrap_or_default());
        }
        Ok(ahead)
    }

    fn count<T: Listed>(&self, db: &dyn Sql, directory: &str, part: Part) -> Result<u64, SqlFault> {
        let mut text = Text::default();
        text.push("SELECT COUNT(*)");
        self.write_from::<T>(directory, part, &mut text);
        Ok(db.first(&text.sql, &text.params(), |row| row.count(0))?.unwrap_or_default())
    }

    fn write_from<T: Listed>(&self, directory: &str, part: Part, to: &mut Text) {
        match (&self.key, part) {
            (Key::Value(attribute), Part::Present) => {
                to.push(" FROM user_values v CROSS JOIN users r WHERE r.id = v.user_id AND v.directory = ");
                to.text(directory).push(" AND v.attribute = ").text(attribute);
            }
            (Key::Value(attribute), Part::Absent) => {
                to.push(" FROM users r WHERE r.directory = ").text(directory);
                to.push(" AND COALESCE(r.id, '') NOT IN (SELECT v.user_id FROM user_values v WHERE v.directory = ");
                to.text(directory).push(" AND v.attribute = ").text(attribute).push(")");
            }
            (_, part) => {
                to.push(" FROM ").push(T::KIND.table()).push(" r WHERE r.directory = ").text(directory);
                if matches!(self.key, Key::OptionalText(_)) {
                    let is = if part == Part::Present { " IS NOT NULL" } else { " IS NULL" };
                    to.push(" AND ").push(self.column()).push(is);
                }
            }
        }
    }

    fn write_behind(&self, position: &Position, to: &mut Text) {
        let sign = match self.order {
            Order::Ascending => ">",
            Order::Descending => "<",
        };
        let seq = rows::count(position.seq);
        let Some(key) = &position.key else {
            to.push(" AND r.seq ").push(sign).push(" ").int(seq);
            return;
        };
        let column = self.column();
        // The first comparison finds the place in the index, the second is exact.
        to.push(" AND ").push(column).push(" ").push(sign).push("= ");
        self.write_key(key, to);
        to.push(" AND (").push(column).push(" ").push(sign).push(" ");
        self.write_key(key, to);
        to.push(" OR r.seq ").push(sign).push(" ").int(seq).push(")");
    }

    fn write_key(&self, key: &str, to: &mut Text) {
        match self.key {
            Key::Number(_) => to.int(key.parse().unwrap_or(i64::MIN)),
            Key::Value(_) | Key::Text(_) | Key::OptionalText(_) => to.text(key),
        };
    }

    fn stretch<T: Listed>(
        &self,
        db: &dyn Sql,
        directory: &str,
        (part, behind): (Part, Option<&Position>),
        stretch: Stretch,
    ) -> Result<Vec<(Option<String>, T)>, SqlFault> {
        let mut text = Text::default();
        let down = if self.order == Order::Descending { " DESC" } else { "" };
        text.push("SELECT ").push(T::COLUMNS);
        if part == Part::Present {
            text.push(", ").push(self.column());
        }
        self.write_from::<T>(directory, part, &mut text);
        if let Some(position) = behind {
            self.write_behind(position, &mut text);
        }
        text.push(" ORDER BY ");
        if part == Part::Present {
            text.push(self.column()).push(down).push(", ");
        }
        text.push("r.seq").push(down).push(" LIMIT ").int(rows::count(stretch.most));
        if stretch.skip > 0 {
            text.push(" OFFSET ").int(rows::count(stretch.skip));
        }
        let key_column = T::COLUMNS.split(',').count();
        let read = |row: &dyn Row| {
            let key = match (part, &self.key) {
                (Part::Absent, _) => None,
                (Part::Present, Key::Number(_)) => Some(row.int(key_column)?.to_string()),
                (Part::Present, _) => Some(row.string(key_column)?),
            };
            Ok((key, T::read(row)?))
        };
        db.all(&text.sql, &text.params(), read)
    }
}

/// What a row is sorted by: the rows without a value behind all others.
type Rank = (bool, String, u64);

/// A page of rows whose keys are gathered in memory.
pub(super) async fn in_memory<T: Listed>(
    store: &Store,
    listing: &Listing,
    (operand, order): &(Operand, Order),
    (question, deletions): (Arc<Question>, u64),
) -> Result<Page<T>, ListFault> {
    let (mut keys, mut walk) = (Vec::<Rank>::new(), Walk::new(Arc::clone(&question), 0));
    while let Some(some) = walk.next::<T>(store).await? {
        for item in &some {
            let key = key_of(item, operand);
            keys.push((key.is_none(), key.unwrap_or_default(), item.seq()));
        }
    }
    let directed = |keys: &mut Vec<Rank>| match order {
        Order::Ascending => keys.sort_unstable(),
        Order::Descending => keys.sort_unstable_by(|a, b| b.cmp(a)),
    };
    directed(&mut keys);
    let (all, begin) = (length(&keys), Begin::of(&listing.place));
    if let Place::Behind(position) = &listing.place {
        let from = (position.key.is_none(), position.key.clone().unwrap_or_default(), position.seq);
        keys.retain(|key| match order {
            Order::Ascending => *key > from,
            Order::Descending => *key < from,
        });
    }
    let total = match &listing.place {
        Place::Behind(_) => begin.given.saturating_add(length(&keys)),
        Place::First | Place::Skip(_) => all,
    };
    let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
    let mut ahead = keys.into_iter().skip(usize::try_from(begin.skip).unwrap_or(usize::MAX));
    let here: Vec<Rank> = ahead.by_ref().take(limit).collect();
    let more = limit > 0 && ahead.next().is_some();
    let next = here.last().filter(|_| more).map(|(absent, key, seq)| Position {
        key: (!absent).then(|| key.clone()),
        seq: *seq,
        given: begin.given.saturating_add(length(&here)),
        deletions: begin.deletions.unwrap_or(deletions),
    });
    let items = store.read(move |db| by_seq(db, &question.directory, &here)).await?;
    Ok(Page { items, total, next })
}

/// The rows of these places; one that has gone meanwhile is left out.
fn by_seq<T: Listed>(db: &dyn Sql, directory: &str, places: &[Rank]) -> Result<Vec<T>, SqlFault> {
    let mut items = Vec::with_capacity(places.len());
    for (.., seq) in places {
        let mut text = Text::default();
        text.push("SELECT ").push(T::COLUMNS).push(" FROM ").push(T::KIND.table()).push(" r WHERE r.directory = ");
        text.text(directory).push(" AND r.seq = ").int(rows::count(*seq));
        items.extend(db.first(&text.sql, &text.params(), T::read)?);
    }
    Ok(items)
}

/// What an item is sorted by, as text that sorts in the order of what it stands for.
fn key_of<T: Listed>(item: &T, operand: &Operand) -> Option<String> {
    let facts = item.facts();
    let number = |number: i64| Some(format!("{number:020}"));
    match operand {
        Operand::Common(CommonOperand::Id) => Some(facts.id.to_owned()),
        Operand::Common(CommonOperand::Created) => number(facts.created_ms),
        Operand::Common(CommonOperand::LastModified) => number(facts.updated_ms),
        Operand::Common(CommonOperand::Version) => number(rows::count(facts.version)),
        Operand::Common(CommonOperand::ResourceType | CommonOperand::Groups | CommonOperand::Members) => None,
        Operand::Attribute { key, .. } if key == "active" => Some(facts.active.to_string()),
        Operand::Attribute { key, sub } => {
            let value = match item.attributes().get(key)? {
                Value::Array(all) => {
                    let primary = all.iter().find(|one| one.get("primary") == Some(&Value::Bool(true)));
                    primary.or_else(|| all.first())?
                }
                one => one,
            };
            let part = match value {
                Value::Object(fields) => fields.get(sub.unwrap_or("value"))?,
                plain => plain,
            };
            key_of_value(part, key)
        }
    }
}

fn key_of_value(value: &Value, attribute: &str) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if attribute == "externalId" => Some(text.clone()),
        Value::String(text) => Some(fold(text)),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => {
            let bits = number.as_f64()?.to_bits();
            // The bits of floating-point numbers sort as these do, once the negative ones are turned round.
            let sortable = if bits >> 63 == 0 { bits | (1 << 63) } else { !bits };
            Some(format!("{sortable:016x}"))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
