//! What the demo prints: where everything is, and what to try.

use std::path::Path;

use super::addresses::Addresses;
use super::people::COMPANIES;
use crate::config::Styled;

/// Bold, dim, accent and their end, where there are colours.
struct Ink {
    bold: &'static str,
    dim: &'static str,
    link: &'static str,
    end: &'static str,
}

const PLAIN: Ink = Ink { bold: "", dim: "", link: "", end: "" };
const COLOURS: Ink = Ink { bold: "\u{1b}[1m", dim: "\u{1b}[2m", link: "\u{1b}[36m", end: "\u{1b}[0m" };

/// The whole text. `explain`: the command that explains a login, up to the reference.
#[must_use]
pub fn guide(at: Addresses, folder: &Path, explain: &str, styled: Styled) -> String {
    let ink = if styled == Styled::Colours { COLOURS } else { PLAIN };
    let mut text = String::from("\n");
    text.push_str(&format!("  {}Vestibule demo{} is running. Ctrl-C stops it.\n\n", ink.bold, ink.end));
    text.push_str(&places(at, folder, &ink));
    text.push_str(&format!("\n  {}Four things to try{}\n\n", ink.bold, ink.end));
    let home = at.service_home();
    let steps = [
        ("Sign in. Nobody is named, so a page asks where you work.", home.clone()),
        (
            "Sign in with a hint. Carla’s domain leads straight to her company, her name filled in.",
            format!("{home}?login_hint=carla@fabrikam.example"),
        ),
        (
            "The hint says Anna, and you pick Ben. Vestibule stops: nobody gets in as somebody else.",
            format!("{home}?login_hint=anna@contoso.example&prompt=login"),
        ),
    ];
    for (number, (what, address)) in (1..).zip(steps) {
        text.push_str(&format!("  {number}  {what}\n     {}{address}{}\n", ink.link, ink.end));
    }
    text.push_str("  4  Look at the trace of a login, by the reference that its last page shows.\n");
    text.push_str(&format!("     {}{explain} REFERENCE{}\n\n", ink.link, ink.end));
    text
}

fn places(at: Addresses, folder: &Path, ink: &Ink) -> String {
    let mut rows = vec![("Demo service", at.service_home(), "begin here"), ("Broker", at.issuer(), "the product")];
    let people: Vec<String> = COMPANIES
        .iter()
        .map(|company| company.people.iter().map(|person| person.given_name).collect::<Vec<_>>().join(" and "))
        .collect();
    for (company, people) in COMPANIES.iter().zip(&people) {
        rows.push((if company.id == "contoso" { "Identity providers" } else { "" }, at.company(company), people));
    }
    rows.push(("Metrics", format!("http://{}/metrics", at.management()), "and /readyz"));
    rows.push(("Config folder", folder.display().to_string(), "removed at the end"));
    let width = rows.iter().map(|(_, address, _)| address.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, address, note) in rows {
        let pad = width - address.chars().count();
        text.push_str(&format!(
            "  {name:<20}{}{address}{}{:pad$}   {}{note}{}\n",
            ink.link, ink.end, "", ink.dim, ink.end
        ));
    }
    text
}
