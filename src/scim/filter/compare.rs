//! Two values and an operator.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Literal, Operator, nanoseconds};
use crate::base::text::fold;

/// Whether a stored value stands to `literal` as `operator` says. Values of another kind are merely different.
pub(super) fn holds(value: &Value, operator: Operator, literal: &Literal) -> bool {
    let found = match (literal, value) {
        (Literal::Text { text, exact: true }, Value::String(value)) => Some(exact(value, operator, text)),
        (Literal::Text { text, exact: false }, Value::String(value)) => Some(folded(value, operator, text)),
        (Literal::Text { text, exact: true }, other) => plain(other).map(|value| exact(&value, operator, text)),
        (Literal::Text { text, exact: false }, other) => plain(other).map(|value| folded(&value, operator, text)),
        (Literal::Boolean(wanted), Value::Bool(value)) => Some(in_order(value.cmp(wanted), operator)),
        (Literal::Number(wanted), Value::Number(value)) => {
            value.as_f64().and_then(|value| value.partial_cmp(wanted)).map(|order| in_order(order, operator))
        }
        (Literal::Instant(wanted), Value::String(value)) => {
            nanoseconds(value).map(|value| in_order(value.cmp(wanted), operator))
        }
        _ => None,
    };
    found.unwrap_or(operator == Operator::Ne)
}

pub(super) fn in_order(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}

/// Texts by their code points, which is the order of their bytes too.
pub(super) fn exact(value: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Co => value.contains(wanted),
        Operator::Sw => value.starts_with(wanted),
        Operator::Ew => value.ends_with(wanted),
        _ => in_order(value.cmp(wanted), operator),
    }
}

/// As [`exact`] of the folded texts; ASCII without making those.
fn folded(value: &str, operator: Operator, wanted: &str) -> bool {
    if !value.is_ascii() || !wanted.is_ascii() {
        return exact(&fold(value), operator, &fold(wanted));
    }
    let (value, wanted) = (value.as_bytes(), wanted.as_bytes());
    match operator {
        Operator::Eq => value.eq_ignore_ascii_case(wanted),
        Operator::Ne => !value.eq_ignore_ascii_case(wanted),
        Operator::Sw => value.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted)),
        Operator::Ew => value
            .len()
            .checked_sub(wanted.len())
            .and_then(|at| value.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(wanted)),
        Operator::Co => wanted.is_empty() || value.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted)),
        _ => {
            let order = value.iter().map(u8::to_ascii_lowercase).cmp(wanted.iter().map(u8::to_ascii_lowercase));
            in_order(order, operator)
        }
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        _ => None,
    }
}
