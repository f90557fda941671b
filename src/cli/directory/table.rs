//! CSV as the admin pages of Entra and Okta export it (RFC 4180): of each line the userName and the externalId.

use anyhow::bail;

/// What the columns are called: in SCIM, at Entra, at Okta.
const USER_NAMES: [&str; 4] = ["username", "userprincipalname", "login", "upn"];
const EXTERNAL_IDS: [&str; 5] = ["externalid", "objectid", "object id", "user id", "id"];

/// userName and externalId of each line that has both; the first line says which column is which.
///
/// # Errors
/// Says what is missing, or where a quotation mark is never closed.
pub fn people(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut lines = records(text.trim_start_matches('\u{feff}'))?.into_iter();
    let Some(heads) = lines.next() else { bail!("the file is empty") };
    let column = |names: &[&str]| {
        // In the order of the names: an `externalId` comes before an `id`.
        names.iter().find_map(|name| heads.iter().position(|head| head.trim().eq_ignore_ascii_case(name)))
    };
    let (Some(user_name), Some(external_id)) = (column(&USER_NAMES), column(&EXTERNAL_IDS)) else {
        bail!(
            "the first line must name the columns userName and externalId, in any order, others may stand beside them"
        )
    };
    let pair = |fields: Vec<String>| {
        let field = |at: usize| fields.get(at).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Some((field(user_name)?, field(external_id)?))
    };
    Ok(lines.filter_map(pair).collect())
}

/// The fields of each line.
fn records(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let separator = if text.lines().next().unwrap_or_default().contains(',') { ',' } else { ';' };
    let (mut all, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            c if c == separator && !quoted => record.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    if quoted {
        bail!("a quotation mark is never closed");
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        all.push(record);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_quotes_are_understood() {
        let wanted = vec![("a@x.com".to_owned(), "1,\"2".to_owned())];
        for text in [
            "userName,externalId\na@x.com,\"1,\"\"2\"\n",
            "\u{feff}id,externalId,mail,userPrincipalName\r\n7,\"1,\"\"2\",,a@x.com\r\n,,,\r\n",
            "login;externalId\na@x.com;\"1,\"\"2\"",
        ] {
            assert_eq!(people(text).unwrap(), wanted, "{text}");
        }
        for wrong in ["", "userName\na\n", "a,b\n1,2\n", "userName,externalId\n\"a,b\n"] {
            assert!(people(wrong).is_err(), "{wrong}");
        }
    }
}
