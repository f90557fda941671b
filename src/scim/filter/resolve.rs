//! Names and words → attributes that there are, and values of their kinds.

use super::parse::{Name, Syntax, Test, Word};
use super::{CommonOperand, Filter, Literal, Operand, Operator, nanoseconds};
use crate::scim::error::{ScimError, ScimType};
use crate::scim::schema::{Attribute, Case, Common, Kind, Named, ResourceType, Schema};

/// A filter for the resources of a schema.
pub(super) fn of_resources(syntax: &Syntax, schema: &Schema) -> Result<Filter, ScimError> {
    Scope::Resource(schema).filter(syntax)
}

/// A filter on the values of one attribute, as it stands in a path.
///
/// # Errors
/// 400 `invalidFilter`: a part that its values don't have, a value that the part can't have.
pub fn of_values(syntax: &Syntax, attribute: &Attribute) -> Result<Filter, ScimError> {
    Scope::Values(attribute).filter(syntax)
}

/// A filter on the members of a group, as it stands in a path; the operands are parts of `members`.
///
/// # Errors
/// As [`of_values`].
pub fn of_members(syntax: &Syntax, schema: &Schema) -> Result<Filter, ScimError> {
    Scope::Members(schema).filter(syntax)
}

/// Where a name is looked up.
#[derive(Clone, Copy)]
enum Scope<'s> {
    Resource(&'s Schema),
    /// Within brackets: parts of this attribute.
    Values(&'s Attribute),
    /// Parts of a complex attribute whose parts are attributes of their own: `name[…]`.
    Parts(&'s Schema, &'static str),
    /// Parts of `members`.
    Members(&'s Schema),
}

/// What a name turned out to be.
enum Operands {
    /// One, and how its values compare.
    One(Operand, Kind, Case),
    /// Has parts and no `value`; each is an operand that may be there.
    Whole(Vec<Operand>),
    /// The same for all resources of the schema.
    Constant(&'static str),
}

impl<'s> Scope<'s> {
    fn filter(self, syntax: &Syntax) -> Result<Filter, ScimError> {
        let all = |all: &[Syntax]| all.iter().map(|one| self.filter(one)).collect::<Result<Vec<_>, _>>();
        match syntax {
            Syntax::And(terms) => Ok(Filter::And(all(terms)?)),
            Syntax::Or(terms) => Ok(Filter::Or(all(terms)?)),
            Syntax::Not(inner) => Ok(Filter::Not(Box::new(self.filter(inner)?))),
            Syntax::Test(name, test) => self.operands(name)?.test(test, name),
            Syntax::Within { name, inner, then } => self.within(name, inner, then.as_ref()),
        }
    }

    fn within(self, name: &Name, inner: &Syntax, then: Option<&(Name, Test)>) -> Result<Filter, ScimError> {
        let Self::Resource(schema) = self else { return Err(refuse(name, "no brackets within brackets")) };
        let both = |scope: Scope<'_>| -> Result<Filter, ScimError> {
            let inner = scope.filter(inner)?;
            let Some((part, test)) = then else { return Ok(inner) };
            Ok(Filter::And(vec![inner, scope.operands(part)?.test(test, part)?]))
        };
        match schema.named(&name.text) {
            Named::Attribute(attribute, None) => {
                let filter = Box::new(both(Scope::Values(attribute))?);
                Ok(Filter::Of { key: attribute.key.clone().into_owned(), filter })
            }
            Named::Parent(parent) => both(Scope::Parts(schema, parent)),
            Named::Common(Common::Members(None) | Common::Groups(None)) if then.is_none() => {
                let common = match schema.resource {
                    ResourceType::User => CommonOperand::Groups,
                    ResourceType::Group => CommonOperand::Members,
                };
                ids(inner, common).ok_or_else(|| {
                    refuse(name, "in these brackets stand tests of the form: value eq \"id\", joined by `or`")
                })
            }
            Named::Attribute(..) | Named::Extension(_) | Named::Common(_) => {
                Err(refuse(name, "brackets stand behind the name of an attribute with parts"))
            }
            Named::Unconfirmed | Named::Unknown => Err(nobody(name)),
        }
    }

    fn operands(self, name: &Name) -> Result<Operands, ScimError> {
        match self {
            Self::Resource(schema) => of_name(schema, name, &name.text),
            Self::Parts(schema, parent) => of_name(schema, name, &format!("{parent}.{}", name.text)),
            Self::Values(attribute) if attribute.subs.is_empty() && name.text.eq_ignore_ascii_case("value") => {
                Ok(Operands::One(operand(attribute, None), attribute.kind, attribute.case))
            }
            Self::Values(attribute) => {
                let sub = attribute.sub(&name.text).ok_or_else(|| nobody(name))?;
                Ok(Operands::One(operand(attribute, Some(sub.name)), sub.kind, sub.case))
            }
            Self::Members(schema) => match schema.named(&format!("members.{}", name.text)) {
                Named::Common(Common::Members(Some(part))) => {
                    let case = if matches!(part, "value" | "$ref") { Case::Exact } else { Case::Insensitive };
                    let operand = Operand::Attribute { key: "members".to_owned(), sub: Some(part) };
                    Ok(Operands::One(operand, Kind::String, case))
                }
                _ => Err(nobody(name)),
            },
        }
    }
}

fn operand(attribute: &Attribute, sub: Option<&'static str>) -> Operand {
    Operand::Attribute { key: attribute.key.clone().into_owned(), sub }
}

fn of_name(schema: &Schema, name: &Name, text: &str) -> Result<Operands, ScimError> {
    let common = |common, kind| Ok(Operands::One(Operand::Common(common), kind, Case::Exact));
    let whole = |wanted: &dyn Fn(&Attribute) -> bool| {
        let all = schema.attributes.iter().filter(|attribute| wanted(attribute));
        Ok(Operands::Whole(all.map(|attribute| operand(attribute, None)).collect()))
    };
    match schema.named(text) {
        Named::Attribute(attribute, Some(sub)) => {
            Ok(Operands::One(operand(attribute, Some(sub.name)), sub.kind, sub.case))
        }
        Named::Attribute(attribute, None) => Ok(match attribute.sub("value") {
            Some(value) => Operands::One(operand(attribute, Some(value.name)), value.kind, value.case),
            None if attribute.kind == Kind::Complex => Operands::Whole(vec![operand(attribute, None)]),
            None => Operands::One(operand(attribute, None), attribute.kind, attribute.case),
        }),
        Named::Parent(parent) => whole(&|attribute| attribute.parent == Some(parent)),
        Named::Extension(urn) => whole(&|attribute| attribute.schema == urn),
        Named::Common(Common::Id) => common(CommonOperand::Id, Kind::String),
        Named::Common(Common::Created) => common(CommonOperand::Created, Kind::DateTime),
        Named::Common(Common::LastModified) => common(CommonOperand::LastModified, Kind::DateTime),
        Named::Common(Common::Version) => common(CommonOperand::Version, Kind::String),
        Named::Common(Common::Meta) => Ok(Operands::Whole(vec![Operand::Common(CommonOperand::Id)])),
        Named::Common(Common::Groups(None | Some("value"))) => common(CommonOperand::Groups, Kind::String),
        Named::Common(Common::Members(None | Some("value"))) => common(CommonOperand::Members, Kind::String),
        Named::Common(Common::ResourceType) => Ok(Operands::Constant(match schema.resource {
            ResourceType::User => "User",
            ResourceType::Group => "Group",
        })),
        Named::Common(_) => Err(refuse(name, "this attribute can't be filtered by")),
        Named::Unconfirmed | Named::Unknown => Err(nobody(name)),
    }
}

impl Operands {
    fn test(self, test: &Test, name: &Name) -> Result<Filter, ScimError> {
        let (operator, word) = match test {
            Test::Present => return Ok(self.present()),
            Test::Compare(operator, word) => (*operator, word),
        };
        if matches!(word, Word::Bare(bare) if bare == "null") {
            return match operator {
                Operator::Eq => Ok(Filter::Not(Box::new(self.present()))),
                Operator::Ne => Ok(self.present()),
                _ => Err(refuse(name, "null goes with eq and ne only")),
            };
        }
        match self {
            Self::Whole(_) => Err(refuse(name, "name a part of this attribute: it has no `value`")),
            Self::Constant(constant) => {
                let text = text_of(word);
                let holds = !text.is_empty() && super::compare::exact(constant, operator, text);
                Ok(if holds { Filter::Not(Box::new(Filter::Never)) } else { Filter::Never })
            }
            Self::One(operand, kind, case) => {
                let by_id = matches!(operand, Operand::Common(CommonOperand::Groups | CommonOperand::Members));
                if by_id && operator != Operator::Eq {
                    return Err(refuse(name, "the only operators here are eq and pr"));
                }
                let literal = literal(kind, case, operator, word).map_err(|mend| refuse(name, mend))?;
                Ok(match literal {
                    Some(value) => Filter::Compare { operand, operator, value },
                    None => Filter::Never,
                })
            }
        }
    }

    /// A multi-valued attribute is there if a value of it is, whatever part it has.
    fn present(self) -> Filter {
        match self {
            Self::One(operand, ..) => Filter::Present(operand),
            Self::Whole(mut all) => match (all.pop(), all.is_empty()) {
                (Some(one), true) => Filter::Present(one),
                (Some(one), false) => Filter::Or(all.into_iter().chain([one]).map(Filter::Present).collect()),
                (None, _) => Filter::Never,
            },
            Self::Constant(_) => Filter::Not(Box::new(Filter::Never)),
        }
    }
}

fn text_of(word: &Word) -> &str {
    match word {
        Word::Quoted(text) | Word::Bare(text) => text,
    }
}

/// A value of that kind; `None`: `""`, which matches nothing.
fn literal(kind: Kind, case: Case, operator: Operator, word: &Word) -> Result<Option<Literal>, &'static str> {
    let text = text_of(word);
    if text.is_empty() {
        return Ok(None);
    }
    let ordered = matches!(operator, Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le);
    let of_text = matches!(operator, Operator::Co | Operator::Sw | Operator::Ew);
    let literal = match kind {
        Kind::Boolean if ordered || of_text => return Err("a boolean goes with eq, ne and pr only"),
        Kind::Binary if ordered => return Err("binary values have no order"),
        Kind::Integer | Kind::Decimal | Kind::DateTime if of_text => {
            return Err("co, sw and ew go with texts only");
        }
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Literal::Boolean(true),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Literal::Boolean(false),
        Kind::Boolean => return Err("expected true or false"),
        Kind::Integer | Kind::Decimal => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Literal::Number(number),
            _ => return Err("expected a number"),
        },
        Kind::DateTime => Literal::Instant(nanoseconds(text).ok_or("expected a time as in 2026-01-31T12:00:00Z")?),
        Kind::String | Kind::Reference | Kind::Binary | Kind::Complex => {
            Literal::Text { text: text.to_owned(), exact: case == Case::Exact }
        }
    };
    Ok(Some(literal))
}

/// `value eq "a" or value eq "b"`: what holds for one of the values holds for the resource.
fn ids(syntax: &Syntax, common: CommonOperand) -> Option<Filter> {
    match syntax {
        Syntax::Test(name, Test::Compare(Operator::Eq, word)) if name.text.eq_ignore_ascii_case("value") => {
            let text = text_of(word).to_owned();
            let value = Literal::Text { text: text.clone(), exact: true };
            let operand = Operand::Common(common);
            (!text.is_empty()).then_some(Filter::Compare { operand, operator: Operator::Eq, value })
        }
        Syntax::Or(all) => Some(Filter::Or(all.iter().map(|one| ids(one, common)).collect::<Option<Vec<_>>>()?)),
        _ => None,
    }
}

fn refuse(name: &Name, mend: &str) -> ScimError {
    ScimError::bad(ScimType::InvalidFilter, format!("filter, column {}: {mend}", name.column))
}

fn nobody(name: &Name) -> ScimError {
    refuse(name, "no such attribute here; those that there are stand in /Schemas")
}
