//! What is listed: users or groups, and the questions that find them.

use super::condition::{Condition, Kind, Text};
use super::engine::{Row, Sql, SqlFault, params};
use super::filter::{Compiler, names_others};
use super::group_rows;
use super::rows;
use super::statements_lists as sql;
use crate::base::Moment;
use crate::identity::user::Attributes;
use crate::identity::{StoredGroup, StoredUser, User, UserId};
use crate::scim::filter::{CommonOperand, Facts, Filter, Literal, Operand};

/// A user or group as a row.
pub(super) trait Listed: Sized + Send + Sync + 'static {
    const KIND: Kind;
    /// The columns of `r` that `read` reads.
    const COLUMNS: &'static str;
    /// How many there are, and how many rows were ever deleted.
    const COUNTED: &'static str;

    fn read(row: &dyn Row) -> Result<Self, SqlFault>;
    fn seq(&self) -> u64;
    fn attributes(&self) -> &Attributes;
    fn facts(&self) -> Facts<'_>;
}

impl Listed for StoredUser {
    const KIND: Kind = Kind::User;
    const COLUMNS: &'static str = sql::USER_COLUMNS;
    const COUNTED: &'static str = sql::COUNTED_USERS;

    fn read(row: &dyn Row) -> Result<Self, SqlFault> {
        Ok(Self {
            user: User {
                id: UserId(row.string(0)?),
                directory: row.string(1)?,
                active: row.truth(2)?,
                sessions_valid_from: row.moment(3)?,
                attributes: rows::read_json(row.text(4)?)?,
                email_verified: row.truth(5)?,
                former_names: rows::read_json(row.text(6)?)?,
                updated_at: row.moment(7)?,
            },
            version: row.count(8)?,
            seq: row.count(9)?,
            created_at: row.moment(10)?,
            inactive_since: row.opt_int(11)?.map(Moment::from_ms),
            identity_name: row.opt_string(12)?,
        })
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn attributes(&self) -> &Attributes {
        &self.user.attributes
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            id: &self.user.id.0,
            active: self.user.active,
            created_ms: self.created_at.ms(),
            updated_ms: self.user.updated_at.ms(),
            version: self.version,
        }
    }
}

impl Listed for StoredGroup {
    const KIND: Kind = Kind::Group;
    const COLUMNS: &'static str = sql::GROUP_COLUMNS;
    const COUNTED: &'static str = sql::COUNTED_GROUPS;

    fn read(row: &dyn Row) -> Result<Self, SqlFault> {
        group_rows::stored(row)
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            id: &self.id.0,
            active: true,
            created_ms: self.created_at.ms(),
            updated_ms: self.updated_at.ms(),
            version: self.version,
        }
    }
}

/// Which rows of a directory are asked for, as a statement finds them.
pub(super) struct Question {
    kind: Kind,
    pub directory: String,
    /// By this rows are found, if an index serves it.
    found_by: Option<Condition>,
    /// This is asked of each.
    asked: Condition,
    /// What has to be looked at in the documents of rows that were found.
    pub looked_at: Option<Filter>,
    pub filtered: bool,
}

/// Which rows of an order: from where on, and how many.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    /// Behind this `seq`.
    pub after: u64,
    pub skip: u64,
    pub most: u64,
}

impl Question {
    pub(super) fn new(db: &dyn Sql, kind: Kind, directory: &str, filter: Option<&Filter>) -> Result<Self, SqlFault> {
        let mut indexed = Vec::new();
        if kind == Kind::User && filter.is_some_and(names_others) {
            indexed = db.all(sql::COMPLETE_INDEXES, params![directory], |row| row.string(0))?;
        }
        let compiled = filter.map(|filter| Compiler { kind, indexed: &indexed }.compile(filter));
        let exact = compiled.as_ref().is_none_or(|compiled| compiled.exact);
        let (found_by, asked) = compiled.map_or(Condition::Always, |compiled| compiled.condition).split();
        Ok(Self {
            kind,
            directory: directory.to_owned(),
            found_by,
            asked,
            looked_at: filter.filter(|_| !exact).cloned(),
            filtered: filter.is_some(),
        })
    }

    /// FROM and WHERE of the rows behind a place.
    fn write_from(&self, after: u64, to: &mut Text) {
        match &self.found_by {
            Some(found_by) => {
                to.push(" FROM (");
                found_by.write_ids(self.kind, &self.directory, to);
                to.push(") d CROSS JOIN ").push(self.kind.table()).push(" r WHERE r.id = d.id AND r.directory = ");
            }
            None => {
                to.push(" FROM ").push(self.kind.table()).push(" r WHERE r.directory = ");
            }
        }
        to.text(&self.directory);
        if after > 0 || self.found_by.is_none() {
            to.push(" AND r.seq > ").int(rows::count(after));
        }
        if self.asked != Condition::Always {
            to.push(" AND ");
            self.asked.write(self.kind, &self.directory, to);
        }
    }

    /// The rows of a stretch, in the order of creation.
    pub(super) fn rows<T: Listed>(&self, db: &dyn Sql, stretch: Stretch) -> Result<Vec<T>, SqlFault> {
        if self.asked == Condition::Never {
            return Ok(Vec::new());
        }
        let text = self.rows_text(T::COLUMNS, stretch);
        db.all(&text.sql, &text.params(), T::read)
    }

    fn rows_text(&self, columns: &str, stretch: Stretch) -> Text {
        let mut text = Text::default();
        text.push("SELECT ").push(columns);
        self.write_from(stretch.after, &mut text);
        // One row has an order, and the place to sort it costs more than to find it.
        if !self.found_by.as_ref().is_some_and(Condition::is_of_one) {
            text.push(" ORDER BY r.seq");
        }
        text.push(" LIMIT ").int(rows::count(stretch.most));
        if stretch.skip > 0 {
            text.push(" OFFSET ").int(rows::count(stretch.skip));
        }
        text
    }

    /// How many rows there are behind a place.
    pub(super) fn count(&self, db: &dyn Sql, after: u64) -> Result<u64, SqlFault> {
        if self.asked == Condition::Never {
            return Ok(0);
        }
        let mut text = Text::default();
        text.push("SELECT COUNT(*)");
        self.write_from(after, &mut text);
        let count = db.first(&text.sql, &text.params(), |row| row.count(0))?;
        Ok(count.unwrap_or_default())
    }

    /// Whether a row that was found matches, if its document has to be looked at.
    pub(super) fn matches<T: Listed>(&self, db: &dyn Sql, item: &T) -> Result<bool, SqlFault> {
        match &self.looked_at {
            None => Ok(true),
            Some(filter) => holds(db, filter, item),
        }
    }
}

/// [`Filter::matches`], and memberships, which only the database knows.
fn holds<T: Listed>(db: &dyn Sql, filter: &Filter, item: &T) -> Result<bool, SqlFault> {
    let membership = |other: Option<&str>| {
        let id = item.facts().id;
        match (T::KIND, other) {
            (Kind::User, None) => db.exists(sql::IS_IN_A_GROUP, params![id]),
            (Kind::Group, None) => db.exists(sql::HAS_A_MEMBER, params![id]),
            (Kind::User, Some(group)) => db.exists(sql::IS_MEMBER, params![group, id]),
            (Kind::Group, Some(member)) => db.exists(sql::IS_MEMBER, params![id, member]),
        }
    };
    match filter {
        Filter::Compare {
            operand: Operand::Common(CommonOperand::Groups | CommonOperand::Members),
            value: Literal::Text { text, .. },
            ..
        } => Ok(!text.contains('\0') && membership(Some(text))?),
        Filter::Present(Operand::Common(CommonOperand::Groups | CommonOperand::Members)) => membership(None),
        Filter::And(all) => {
            for one in all {
                if !holds(db, one, item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Filter::Or(all) => {
            for one in all {
                if holds(db, one, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Filter::Not(inner) => Ok(!holds(db, inner, item)?),
        other => Ok(other.matches(item.attributes(), &item.facts())),
    }
}

/// How many users or groups a directory has, and how many rows of it were ever deleted.
pub(super) fn counted<T: Listed>(db: &dyn Sql, directory: &str) -> Result<(u64, u64), SqlFault> {
    let counted = db.first(T::COUNTED, params![directory], |row| Ok((row.count(0)?, row.count(1)?)))?;
    Ok(counted.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::backlog::Backlog;
    use super::super::sqlite::{Sqlite, SqliteOptions};
    use super::*;
    use crate::scim::filter::Operator;

    fn compare(operand: Operand, operator: Operator, text: &str) -> Filter {
        Filter::Compare { operand, operator, value: Literal::Text { text: text.to_owned(), exact: true } }
    }

    fn folded(key: &str, operator: Operator) -> Filter {
        let operand = Operand::Attribute { key: key.to_owned(), sub: None };
        Filter::Compare { operand, operator, value: Literal::Text { text: "ada".to_owned(), exact: false } }
    }

    /// How SQLite finds the first page of a filter.
    async fn plan<T: Listed>(filter: Option<Filter>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let backlog = Arc::new(Backlog::default());
        let (file, _writer) = Sqlite::open(&folder.path().join("v.db"), SqliteOptions::default(), &backlog).unwrap();
        let steps = file
            .read(|db| {
                let question = Question::new(db, T::KIND, "d", filter.as_ref())?;
                let text = question.rows_text(T::COLUMNS, Stretch { after: 7, skip: 0, most: 101 });
                db.all(&format!("EXPLAIN QUERY PLAN {}", text.sql), &text.params(), |row| row.string(3))
            })
            .await;
        steps.unwrap().join("; ")
    }

    #[tokio::test]
    async fn equality_is_found_by_its_index_and_each_row_by_its_id() {
        let id = |operand| compare(Operand::Common(operand), Operator::Eq, "x");
        let external_id = Operand::Attribute { key: "externalId".to_owned(), sub: None };
        let manager = Operand::Attribute { key: "manager".to_owned(), sub: Some("value") };
        let external_id_is_x = compare(external_id, Operator::Eq, "x");
        let filters = [
            folded("userName", Operator::Eq),
            folded("displayName", Operator::Sw),
            external_id_is_x.clone(),
            id(CommonOperand::Id),
            id(CommonOperand::Groups),
            Filter::And(vec![id(CommonOperand::Id), compare(manager, Operator::Eq, "y")]),
            Filter::Or(vec![folded("userName", Operator::Eq), folded("displayName", Operator::Eq)]),
        ];
        for filter in filters {
            let plan = plan::<StoredUser>(Some(filter.clone())).await;
            assert!(plan.contains("SEARCH r USING INDEX sqlite_autoindex_users_1 (id=?)"), "{filter:?}: {plan}");
            let scans = plan.replace("SCAN CONSTANT ROW", "").replace("SCAN d", "").replace("SCAN (subquery", "");
            assert!(!scans.contains("SCAN"), "{filter:?}: {plan}");
            let is_of_one = filter == folded("userName", Operator::Eq) || filter == external_id_is_x;
            assert!(!is_of_one || !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
        }
        for key in ["displayName", "externalId"] {
            let operand = Operand::Attribute { key: key.to_owned(), sub: None };
            let filter = compare(operand, Operator::Eq, "x");
            let plan = plan::<StoredGroup>(Some(filter)).await;
            assert_eq!(plan.contains("TEMP B-TREE"), key == "displayName", "{key}: {plan}");
            assert!(plan.contains("SEARCH r USING INDEX sqlite_autoindex_user_groups_1 (id=?)"), "{key}: {plan}");
        }
    }

    #[tokio::test]
    async fn what_no_index_serves_is_walked_through_in_the_order_of_creation() {
        for filter in [None, Some(Filter::Not(Box::new(folded("userName", Operator::Eq))))] {
            let plan = plan::<StoredUser>(filter).await;
            assert!(plan.contains("USING INDEX users_by_seq (directory=? AND seq>?)"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{plan}");
        }
    }
}
