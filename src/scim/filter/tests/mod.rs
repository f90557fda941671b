use serde_json::{Value, json};

use super::parse::{self, Name, Syntax, Test, Word};
use super::*;
use crate::identity::directory::OnDeactivate;
use crate::identity::{Dialect, Directory, DirectoryKind, Source};
use crate::scim::Schemas;

mod table;
mod random;

pub(in crate::scim) fn directory() -> Directory {
    let attributes = [
        "userName",
        "externalId",
        "displayName",
        "title",
        "profileUrl",
        "name.givenName",
        "name.familyName",
        "emails",
        "phoneNumbers",
        "addresses",
        "roles",
        "x509Certificates",
        "department",
        "employeeNumber",
        "manager",
        "customAttribute1",
        "urn:example:ours:2.0:User:shoeSize",
    ];
    Directory {
        id: "contoso".to_owned(),
        name: "Contoso".to_owned(),
        domains: Vec::new(),
        default_domain: None,
        source: Source::Generic,
        kind: DirectoryKind::Provisioned,
        attributes: attributes.map(str::to_owned).to_vec(),
        decode_ms_guid: false,
        on_deactivate: OnDeactivate::Keep,
        purge_after: crate::base::Span::days(7),
        clear_sentinel: "__CLEAR__".to_owned(),
        max_removals: "10%".to_owned(),
        dialect: Dialect::preset(Source::Generic),
    }
}

/// A filter or path as text. What it stands for is parsed back from it.
pub(in crate::scim) fn print(syntax: &Syntax) -> String {
    let joined = |all: &[Syntax], by: &str| all.iter().map(inner).collect::<Vec<_>>().join(by);
    match syntax {
        Syntax::Test(name, test) => format!("{}{}", name.text, print_test(test)),
        Syntax::Within { name, inner, then } => {
            let then = then.as_ref().map(|(part, test)| format!(".{}{}", part.text, print_test(test)));
            format!("{}[{}]{}", name.text, print(inner), then.unwrap_or_default())
        }
        Syntax::And(all) => joined(all, " and "),
        Syntax::Or(all) => joined(all, " OR "),
        Syntax::Not(inner) => format!("not ({})", print(inner)),
    }
}

fn inner(syntax: &Syntax) -> String {
    match syntax {
        Syntax::And(_) | Syntax::Or(_) => format!("({})", print(syntax)),
        other => print(other),
    }
}

fn print_test(test: &Test) -> String {
    match test {
        Test::Present => " pr".to_owned(),
        Test::Compare(operator, Word::Quoted(text)) => format!(" {} {}", operator.as_str(), Value::from(text.as_str())),
        Test::Compare(operator, Word::Bare(text)) => format!(" {} {text}", operator.as_str()),
    }
}
