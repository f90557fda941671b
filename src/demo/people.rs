//! The made-up companies of the demo and the people who work there.

use crate::base::text::fold;
use crate::pages::DemoPerson;

/// A company: one directory, one identity provider, one email domain.
#[derive(Debug)]
pub struct Company {
    /// The stem of its files, and the path of its identity provider.
    pub id: &'static str,
    pub name: &'static str,
    pub domain: &'static str,
    pub people: &'static [Person],
}

/// Somebody who can sign in.
#[derive(Debug)]
pub struct Person {
    /// The `sub` of the company's identity provider.
    pub subject: &'static str,
    /// The email address too.
    pub username: &'static str,
    pub given_name: &'static str,
    pub family_name: &'static str,
}

/// All of them.
pub static COMPANIES: [Company; 2] = [
    Company {
        id: "contoso",
        name: "Contoso",
        domain: "contoso.example",
        people: &[
            Person { subject: "c-1001", username: "anna@contoso.example", given_name: "Anna", family_name: "Keller" },
            Person { subject: "c-1002", username: "ben@contoso.example", given_name: "Ben", family_name: "Ito" },
        ],
    },
    Company {
        id: "fabrikam",
        name: "Fabrikam",
        domain: "fabrikam.example",
        people: &[Person {
            subject: "f-2001",
            username: "carla@fabrikam.example",
            given_name: "Carla",
            family_name: "Rossi",
        }],
    },
];

impl Company {
    /// Whose user name this is, in whatever case and with blanks around.
    #[must_use]
    pub fn person(&self, username: &str) -> Option<&'static Person> {
        let typed = fold(username.trim());
        self.people.iter().find(|person| person.username == typed)
    }

    /// Whose subject this is.
    #[must_use]
    pub fn subject(&self, subject: &str) -> Option<&'static Person> {
        self.people.iter().find(|person| person.subject == subject)
    }

    /// Its people, as a page shows them.
    #[must_use]
    pub fn shown(&self) -> Vec<DemoPerson> {
        self.people.iter().map(Person::shown).collect()
    }
}

impl Person {
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    #[must_use]
    pub fn shown(&self) -> DemoPerson {
        DemoPerson { username: self.username.to_owned(), name: self.name() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_found_as_people_type_it_and_only_in_its_own_company() {
        let [contoso, fabrikam] = &COMPANIES;
        assert_eq!(contoso.person(" Anna@Contoso.Example ").map(|p| p.subject), Some("c-1001"));
        assert!(fabrikam.person("anna@contoso.example").is_none());
        assert!(contoso.person("").is_none());
    }

    #[test]
    fn each_user_name_is_of_the_company_and_written_as_it_is_compared() {
        for company in &COMPANIES {
            for person in company.people {
                assert!(person.username.ends_with(&format!("@{}", company.domain)));
                assert_eq!(fold(person.username), person.username);
            }
        }
    }
}
