//! A filter against one resource, or one value of an attribute.

use serde_json::Value;

use super::compare::{exact, holds, in_order};
use super::{CommonOperand, Facts, Filter, Literal, Operand, Operator};
use crate::identity::user::Attributes;

const NANOSECONDS_OF_MILLISECOND: i128 = 1_000_000;

pub(super) fn resource(filter: &Filter, attributes: &Attributes, facts: &Facts<'_>) -> bool {
    match filter {
        Filter::Compare { operand: Operand::Attribute { key, .. }, operator, value } if key == "active" => {
            holds(&Value::Bool(facts.active), *operator, value)
        }
        Filter::Compare { operand: Operand::Attribute { key, sub }, operator, value } => {
            any(attributes.get(key), *sub, *operator, value)
        }
        Filter::Compare { operand: Operand::Common(common), operator, value } => {
            common_holds(*common, *operator, value, facts)
        }
        Filter::Present(Operand::Attribute { key, .. }) if key == "active" => true,
        Filter::Present(Operand::Attribute { key, sub }) => {
            attributes.get(key).is_some_and(|value| parts(value, *sub).any(present))
        }
        Filter::Present(Operand::Common(common)) => !matches!(common, CommonOperand::Groups | CommonOperand::Members),
        Filter::Of { key, filter } => match attributes.get(key) {
            Some(Value::Array(values)) => values.iter().any(|one| value(filter, one)),
            Some(one) => value(filter, one),
            None => false,
        },
        Filter::And(all) => all.iter().all(|one| resource(one, attributes, facts)),
        Filter::Or(all) => all.iter().any(|one| resource(one, attributes, facts)),
        Filter::Not(inner) => !resource(inner, attributes, facts),
        Filter::Never => false,
    }
}

pub(super) fn value(filter: &Filter, of: &Value) -> bool {
    match filter {
        Filter::Compare { operand: Operand::Attribute { sub, .. }, operator, value } => {
            any(Some(of), *sub, *operator, value)
        }
        Filter::Present(Operand::Attribute { sub, .. }) => parts(of, *sub).any(present),
        Filter::And(all) => all.iter().all(|one| value(one, of)),
        Filter::Or(all) => all.iter().any(|one| value(one, of)),
        Filter::Not(inner) => !value(inner, of),
        Filter::Compare { .. } | Filter::Present(_) | Filter::Of { .. } | Filter::Never => false,
    }
}

/// Any of the values suffices; where there is none, only `ne` holds.
fn any(of: Option<&Value>, sub: Option<&str>, operator: Operator, literal: &Literal) -> bool {
    let mut none = true;
    for part in of.into_iter().flat_map(|of| parts(of, sub)) {
        if holds(part, operator, literal) {
            return true;
        }
        none = false;
    }
    none && operator == Operator::Ne
}

/// The values of an attribute, or that part of each which has it. A plain value is its own `value`.
fn parts<'v>(of: &'v Value, sub: Option<&str>) -> impl Iterator<Item = &'v Value> {
    let all = match of {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter().filter_map(move |one| match (sub, one) {
        (Some(sub), Value::Object(fields)) => fields.get(sub),
        (Some(sub), plain) => (sub == "value").then_some(plain),
        (None, whole) => Some(whole),
    })
}

/// `pr`: null, `""`, `[]` and `{}` are nothing.
fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(all) => all.iter().any(present),
        Value::Object(fields) => fields.values().any(present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn common_holds(common: CommonOperand, operator: Operator, literal: &Literal, facts: &Facts<'_>) -> bool {
    let milliseconds = match common {
        CommonOperand::Created => facts.created_ms,
        CommonOperand::LastModified => facts.updated_ms,
        CommonOperand::Id => return text_holds(facts.id, operator, literal),
        CommonOperand::Version => return text_holds(&format!("W/\"{}\"", facts.version), operator, literal),
        CommonOperand::ResourceType | CommonOperand::Groups | CommonOperand::Members => return false,
    };
    match literal {
        Literal::Instant(wanted) => {
            in_order((i128::from(milliseconds) * NANOSECONDS_OF_MILLISECOND).cmp(wanted), operator)
        }
        _ => false,
    }
}

fn text_holds(value: &str, operator: Operator, literal: &Literal) -> bool {
    match literal {
        Literal::Text { text, .. } => exact(value, operator, text),
        _ => operator == Operator::Ne,
    }
}
