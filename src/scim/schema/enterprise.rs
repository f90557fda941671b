//! RFC 7643 §4.3.

use super::table::{LONG, Row, sub, text};
use super::{Kind, Sub};

pub(super) const ROWS: &[Row] = &[
    text("employeeNumber", "The number that the organization gave.").sensitive(),
    text("costCenter", "The cost center."),
    text("organization", "The organization."),
    text("division", "The division."),
    text("department", "The department."),
    text("manager", "The user's manager.").complex(MANAGER),
];

const MANAGER: &[Sub] = &[
    sub("value", "The id of the manager; kept as it came if it is nobody's."),
    sub("$ref", "The address of the manager.").of_kind(Kind::Reference).exactly().read_only().up_to(LONG),
    sub("displayName", "The name of the manager.").read_only(),
];
