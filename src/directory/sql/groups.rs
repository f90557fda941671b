//! Groups as they are read, and the contract.

use std::borrow::Cow;
use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::Deserialize;

use super::engine::{Row, Sql, SqlFault, params};
use super::group_rows::read;
use super::groups_write;
use super::rows;
use super::statements_groups as sql;
use super::store::Store;
use crate::directory::DirectoryFault;
use crate::directory::roster::{Act, GroupChange, GroupChanged, GroupRules, Groups, Written};
use crate::identity::group::{GroupOf, Member, MemberKind};
use crate::identity::{GroupId, StoredGroup, UserId};

/// Of a stored document what it is shown by.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow, rename = "displayName")]
    display_name: Option<Cow<'a, str>>,
}

fn display(attributes: Option<&str>) -> Result<Option<String>, SqlFault> {
    let Some(attributes) = attributes else { return Ok(None) };
    let shown: Shown<'_> = serde_json::from_str(attributes)
        .map_err(|e| rows::senseless(format!("a document, at column {}", e.column())))?;
    Ok(shown.display_name.filter(|name| !name.is_empty()).map(Cow::into_owned))
}

fn member(row: &dyn Row) -> Result<Member, SqlFault> {
    let (kind, attributes) = match row.int(1)? {
        0 => (MemberKind::User, row.opt_text(2)?),
        _ => (MemberKind::Group, row.opt_text(3)?),
    };
    Ok(Member { id: row.string(0)?, kind, display: display(attributes)? })
}

fn group_of(row: &dyn Row) -> Result<GroupOf, SqlFault> {
    Ok(GroupOf { id: GroupId(row.string(0)?), display: display(row.opt_text(1)?)?, direct: row.truth(2)? })
}

/// Of each group the next ids, and of these the first: so a page costs the same wherever it is.
fn users_within(db: &dyn Sql, (directory, id): (&str, &str), after: &str, limit: u32) -> Result<Vec<UserId>, SqlFault> {
    let mut next = BTreeSet::new();
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    for group in db.all(sql::GROUPS_WITHIN, params![id, directory], |row| row.string(0))? {
        next.extend(db.all(sql::USERS_IN, params![&group, after, i64::from(limit)], |row| row.string(0))?);
        while next.len() > most {
            next.pop_last();
        }
    }
    Ok(next.into_iter().map(UserId).collect())
}

#[async_trait]
impl Groups for Store {
    async fn group(&self, directory: &str, id: &GroupId) -> Result<Option<StoredGroup>, DirectoryFault> {
        let (directory, id) = (directory.to_owned(), id.0.clone());
        self.read(move |db| read(db, &directory, &id)).await
    }

    async fn create(
        &self,
        group: StoredGroup,
        members: Vec<String>,
        rules: GroupRules,
        act: Act,
    ) -> Result<Written<GroupChanged>, DirectoryFault> {
        self.write_or_undo(move |db| groups_write::create(db, &group, &members, rules, &act)).await
    }

    async fn change(
        &self,
        directory: &str,
        id: &GroupId,
        change: GroupChange,
        act: Act,
    ) -> Result<Written<Option<GroupChanged>>, DirectoryFault> {
        let (directory, id) = (directory.to_owned(), id.0.clone());
        self.write_or_undo(move |db| groups_write::change(db, (&directory, &id), &change, &act)).await
    }

    async fn delete(
        &self,
        directory: &str,
        id: &GroupId,
        version: Option<u64>,
        act: Act,
    ) -> Result<Written<bool>, DirectoryFault> {
        let (directory, id) = (directory.to_owned(), id.0.clone());
        self.write_or_undo(move |db| groups_write::delete(db, (&directory, &id), version, &act)).await
    }

    async fn members(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Member>, DirectoryFault> {
        let asked = (directory.to_owned(), id.0.clone(), after.unwrap_or_default().to_owned());
        self.read(move |db| {
            let (directory, id, after) = &asked;
            db.all(sql::MEMBERS, params![id, directory, after, i64::from(limit)], member)
        })
        .await
    }

    async fn parked(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, DirectoryFault> {
        let asked = (directory.to_owned(), id.0.clone(), after.unwrap_or_default().to_owned());
        self.read(move |db| {
            let (directory, id, after) = &asked;
            db.all(sql::PARKED, params![id, directory, after, i64::from(limit)], |row| row.string(0))
        })
        .await
    }

    async fn groups_of(&self, directory: &str, member: &str) -> Result<Vec<GroupOf>, DirectoryFault> {
        let (directory, member) = (directory.to_owned(), member.to_owned());
        self.read(move |db| db.all(sql::GROUPS_OF, params![&member, &directory], group_of)).await
    }

    async fn users_within(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<UserId>, DirectoryFault> {
        let asked = (directory.to_owned(), id.0.clone(), after.unwrap_or_default().to_owned());
        self.read(move |db| users_within(db, (&asked.0, &asked.1), &asked.2, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::backlog::Backlog;
    use super::super::sqlite::{Sqlite, SqliteOptions};
    use super::*;

    /// How SQLite finds it.
    async fn plan(text: &'static str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let backlog = Arc::new(Backlog::default());
        let (file, _writer) = Sqlite::open(&folder.path().join("v.db"), SqliteOptions::default(), &backlog).unwrap();
        let text = format!("EXPLAIN QUERY PLAN {text}");
        file.read(move |db| db.all(&text, params!["g", "d"], |row| row.string(3))).await.unwrap()
    }

    #[tokio::test]
    async fn the_groups_within_a_group_are_found_without_a_look_at_its_users() {
        let steps = plan(sql::GROUPS_WITHIN).await;
        let found = "SEARCH m USING COVERING INDEX memberships_of_groups (group_id=? AND directory=? AND kind=?)";
        assert!(steps.iter().any(|step| step == found), "{steps:?}");
    }

    #[tokio::test]
    async fn the_groups_of_a_member_are_found_without_a_look_at_others() {
        let steps = plan(sql::GROUPS_OF).await;
        let of =
            |table: &str| steps.iter().filter(|step| step.starts_with(&format!("SEARCH {table} "))).collect::<Vec<_>>();
        assert_eq!(of("m").len(), 2, "{steps:?}");
        assert!(
            of("m").iter().all(|step| step.contains("memberships_by_member (member_id=? AND directory=?)")),
            "{steps:?}"
        );
        assert!(of("g").iter().all(|step| step.ends_with("(id=?)")) && of("g").len() == 1, "{steps:?}");
    }

    #[tokio::test]
    async fn the_groups_that_a_group_leaves_are_found_without_a_look_at_others() {
        let steps = plan(sql::HOLDERS).await;
        assert_eq!(
            steps,
            ["SEARCH memberships USING COVERING INDEX memberships_by_member (member_id=? AND directory=?)"]
        );
    }
}
