//! Forms and links out of HTML, as far as a browser model needs them.

/// A tag with its attributes, unescaped.
#[derive(Clone, Debug)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

#[derive(Clone, Debug)]
pub struct Form {
    pub method: String,
    pub action: String,
    /// Named inputs with what stands in them.
    pub fields: Vec<(String, String)>,
    /// Named submit buttons: exactly one of them is sent.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// Types a value into a field, which must be there.
    #[track_caller]
    pub fn fill(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(n, _)| n == name);
        field.unwrap_or_else(|| panic!("the form has no field `{name}`")).1 = value.to_owned();
        self
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().chain(&self.buttons).any(|(n, _)| n == name)
    }

    /// Presses the button of that name and value.
    pub fn press(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Every opening tag, in order; text of scripts and comments is passed over.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut all = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (tag, after) = tag(rest);
        rest = after;
        if tag.name == "script" || tag.name == "style" {
            rest = rest.split_once(&format!("</{}", tag.name)).map_or("", |(_, after)| after);
        }
        all.push(tag);
    }
    all
}

fn tag(text: &str) -> (Tag, &str) {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
    let mut tag = Tag { name: text[..end].to_ascii_lowercase(), attributes: Vec::new() };
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (tag, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        let name = rest[..end.max(1)].to_ascii_lowercase();
        rest = &rest[end.max(1)..];
        let mut value = "";
        if let Some(after) = rest.trim_start().strip_prefix('=') {
            let after = after.trim_start();
            (value, rest) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                _ => after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len())),
            };
        }
        tag.attributes.push((name, unescape(value)));
    }
}

/// The forms of a page; an action stays as it is written.
pub fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    for tag in tags(html) {
        if tag.name == "form" {
            forms.push(Form {
                method: tag.get("method").unwrap_or("get").to_ascii_lowercase(),
                action: tag.get("action").unwrap_or_default().to_owned(),
                fields: Vec::new(),
                buttons: Vec::new(),
            });
            continue;
        }
        let (Some(form), Some(name)) = (forms.last_mut(), tag.get("name")) else { continue };
        let pair = (name.to_owned(), tag.get("value").unwrap_or_default().to_owned());
        let kind = tag.get("type").unwrap_or_default();
        match tag.name.as_str() {
            "button" if kind != "button" => form.buttons.push(pair),
            "input" if kind == "submit" => form.buttons.push(pair),
            "input" if matches!(kind, "radio" | "checkbox") && tag.get("checked").is_none() => {}
            "input" | "textarea" | "select" => form.fields.push(pair),
            _ => {}
        }
    }
    forms
}

pub fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').map(|end| &rest[1..end]);
        let Some((character, entity)) = entity.and_then(|e| named(e).map(|c| (c, e))) else {
            out.push('&');
            rest = &rest[1..];
            continue;
        };
        out.push(character);
        rest = &rest[entity.len() + 2..];
    }
    out + rest
}

fn named(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
