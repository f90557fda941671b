//! The body of a PATCH (RFC 7644 §3.5.2) as sources write it: `schemas` may be missing, names and `op` come in any case.

use serde_json::{Map, Value};

use crate::scim::error::{ScimError, ScimType};
use crate::scim::notes::Notes;
use crate::scim::value::shape;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Replace,
    Remove,
}

/// One operation. An empty path is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'b> {
    pub op: Op,
    pub path: Option<&'b str>,
    /// `None`: there is no `value`, which is something else than null.
    pub value: Option<&'b Value>,
}

/// All operations of a body, in order; of none nothing becomes.
///
/// # Errors
/// 400 `invalidSyntax`: no PatchOp; `invalidValue`: more than `most` operations.
pub(super) fn of_body<'b>(body: &'b Value, most: usize, notes: &mut Notes) -> Result<Vec<Operation<'b>>, ScimError> {
    let syntax = |detail: String| ScimError::bad(ScimType::InvalidSyntax, detail);
    let Some(fields) = body.as_object() else {
        return Err(syntax(format!("the body is {}; an object with `Operations` is accepted", shape(body))));
    };
    if field(fields, "schemas").is_none() {
        notes.remark("a PATCH came without `schemas`");
    }
    let all = match field(fields, "Operations") {
        Some(Value::Array(all)) => all,
        Some(other) => return Err(syntax(format!("`Operations` is {}; an array is accepted", shape(other)))),
        None => return Err(syntax("`Operations` is missing; an array of operations is accepted".to_owned())),
    };
    if all.len() > most {
        let detail = format!("`Operations` has {} operations; at most {most} are accepted in one request", all.len());
        return Err(ScimError::bad(ScimType::InvalidValue, detail));
    }
    all.iter().enumerate().map(|(index, one)| operation(one, notes).map_err(|fault| at(index, fault))).collect()
}

/// The refusal of an operation, by its number from 1.
pub(super) fn at(index: usize, fault: ScimError) -> ScimError {
    ScimError { detail: format!("operation {}: {}", index + 1, fault.detail), ..fault }
}

fn operation<'b>(operation: &'b Value, notes: &mut Notes) -> Result<Operation<'b>, ScimError> {
    let Some(fields) = operation.as_object() else {
        let detail = format!("it is {}; an object with `op` is accepted", shape(operation));
        return Err(ScimError::bad(ScimType::InvalidSyntax, detail));
    };
    let path = match field(fields, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.as_str()).filter(|path| !path.trim().is_empty()),
        Some(other) => {
            return Err(ScimError::bad(
                ScimType::InvalidPath,
                format!("`path` is {}; a text is accepted", shape(other)),
            ));
        }
    };
    Ok(Operation { op: op(field(fields, "op"), notes)?, path, value: field(fields, "value") })
}

fn op(op: Option<&Value>, notes: &mut Notes) -> Result<Op, ScimError> {
    let name = op.and_then(Value::as_str).unwrap_or_default();
    let known = [("add", Op::Add), ("replace", Op::Replace), ("remove", Op::Remove)];
    let Some((spelt, op)) = known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        return Err(ScimError::bad(ScimType::InvalidSyntax, "`op` must be add, replace or remove"));
    };
    if spelt != name {
        notes.remark("an `op` came in another case than lower");
    }
    Ok(op)
}

/// A field by its name, or else by its name in another case.
fn field<'b>(fields: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}
