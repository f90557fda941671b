//! The SQL text of lists, as far as it is fixed; see `statements`. What a filter adds is put together in `condition`.

/// The columns of a user `r`, in the order in which `listed` reads them.
pub(super) const USER_COLUMNS: &str = "r.id, r.directory, r.active, r.sessions_valid_from, r.attributes, \
     r.email_verified, r.former_names, r.updated_at, r.version, r.seq, r.created_at, r.inactive_since, r.identity_name";
/// The columns of a group `r`, in the order in which `group_rows::stored` reads them.
pub(super) const GROUP_COLUMNS: &str =
    "r.id, r.directory, r.seq, r.version, r.head, r.attributes, r.members, r.parked, r.created_at, r.updated_at";
pub(super) const COUNTED_USERS: &str = "SELECT users, deletions FROM tallies WHERE directory = $1";
pub(super) const COUNTED_GROUPS: &str = "SELECT groups, deletions FROM tallies WHERE directory = $1";
pub(super) const COMPLETE_INDEXES: &str =
    "SELECT attribute FROM value_indexes WHERE directory = $1 AND complete = 1 ORDER BY attribute";
pub(super) const IS_MEMBER: &str = "SELECT 1 FROM memberships WHERE group_id = $1 AND member_id = $2";
pub(super) const HAS_A_MEMBER: &str = "SELECT 1 FROM memberships WHERE group_id = $1 LIMIT 1";
pub(super) const IS_IN_A_GROUP: &str = "SELECT 1 FROM memberships WHERE member_id = $1 LIMIT 1";
