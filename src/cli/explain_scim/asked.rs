//! A request as it is asked about: a method and a path.

use crate::scim::list::Selection;
use crate::scim::schema::ResourceType;
use crate::web::routes::SCIM;
use crate::web::scim::target::Target;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub about: ResourceType,
    /// Of the resource; empty with POST.
    pub id: String,
    /// What the answer shows, by the query.
    pub selection: Selection,
    /// The most bytes of its body.
    pub body_max: usize,
}

impl Asked {
    /// Of `PATCH /Users/ID` and the like. The path may be a whole address of ours.
    ///
    /// # Errors
    /// Says what would be understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let usage = || "write a method and a path, such as \"PATCH /Users/ID\" or \"POST /Groups\"".to_owned();
        let (method, path) = text.trim().split_once(' ').ok_or_else(usage)?;
        let (path, query) = path.trim().split_once('?').unwrap_or((path.trim(), ""));
        let rest = path.split_once(SCIM).map_or(path, |(_, rest)| rest);
        let target = Target::at(rest);
        let method = match method.to_ascii_uppercase().as_str() {
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => return Err(usage()),
        };
        let id = match (&target, method) {
            (Target::Users | Target::Groups, Method::Post) => String::new(),
            (Target::User(id) | Target::Group(id), Method::Put | Method::Patch | Method::Delete) => id.to_string(),
            _ => return Err(usage()),
        };
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |wanted: &str| {
            let named = query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.map(|(_, value)| value.as_str())
        };
        let selection =
            Selection::of(value("attributes"), value("excludedAttributes")).map_err(|error| error.detail)?;
        Ok(Self { method, about: target.resource(), id, selection, body_max: target.body_max() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_method_and_a_path() {
        let asked = |text: &str| Asked::parse(text).map(|asked| (asked.method, asked.id, asked.about)).ok();
        assert_eq!(asked("PATCH /Users/7"), Some((Method::Patch, "7".to_owned(), ResourceType::User)));
        assert_eq!(asked("POST /Users"), Some((Method::Post, String::new(), ResourceType::User)));
        for same in [
            "patch /usergroup/scim/v2/Groups/a%2F7/?x=y",
            " PATCH  https://id.example.com/usergroup/scim/v2//Groups/a%2F7",
        ] {
            assert_eq!(asked(same), Some((Method::Patch, "a/7".to_owned(), ResourceType::Group)), "{same}");
        }
        for wrong in [
            "",
            "PATCH",
            "GET /Users/7",
            "PATCH /Users",
            "POST /Users/7",
            "PUT /Me",
            "PUT /Users/7/8",
            "POST /users",
            "POST /Users/.search",
            "POST /Bulk",
            "PATCH /Users/7?attributes=a&excludedAttributes=b",
        ] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
