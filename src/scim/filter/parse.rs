//! Text → tree of names and words. What the names stand for is not asked here.
//!
//! RFC 7644 §3.4.2.2 as errata 4670, 4690 and 7322 mend it: grouping, comparison, `not (…)`, `and`, `or`; no brackets
//! within brackets. Beyond it: a test of a part behind brackets (`emails[type eq "work"].value eq "x"`), bare words and
//! single quotes on the right of an operator, as provisioning services write them.

use super::Operator;

/// The most characters of a filter or path.
pub const FILTER_CHARS_MAX: usize = 2_000;
/// The most tests in one.
pub const TERMS_MAX: usize = 64;
/// How deep parentheses and brackets may stand in each other.
pub const DEPTH_MAX: usize = 16;

/// A name as it came, and its column, counted from 1 in characters.
#[derive(Clone, Debug)]
pub struct Name {
    pub text: String,
    pub column: usize,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The right side of an operator. A bare word is `true`, `null`, a number or text, as its attribute needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    Quoted(String),
    Bare(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    Present,
    Compare(Operator, Word),
}

/// A filter as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Syntax {
    Test(Name, Test),
    /// `emails[…]`, perhaps with a test of a part behind it that holds for the same value.
    Within {
        name: Name,
        inner: Box<Syntax>,
        then: Option<(Name, Test)>,
    },
    And(Vec<Syntax>),
    Or(Vec<Syntax>),
    Not(Box<Syntax>),
}

/// Where the text goes wrong, in characters from 1, and what would be right there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxFault {
    pub column: usize,
    pub mend: &'static str,
}

type Parsed<T> = Result<T, SyntaxFault>;

/// Whether a test stands between brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Brackets,
}

/// Reads a whole filter.
///
/// # Errors
/// [`SyntaxFault`]; also for what exceeds a limit.
pub fn filter(text: &str) -> Parsed<Syntax> {
    let mut parser = Parser::new(text)?;
    let syntax = parser.disjunction(Place::Outside)?;
    parser.spaces();
    match parser.peek() {
        None => Ok(syntax),
        Some(b')') => Err(parser.fault("this parenthesis closes nothing")),
        Some(_) => Err(parser.fault("expected `and`, `or` or the end")),
    }
}

/// The parts of a path (RFC 7644 §3.5.2): its name, the filter in brackets, the part behind it.
///
/// # Errors
/// As [`filter`].
pub fn path(text: &str) -> Parsed<(Name, Option<Syntax>, Option<Name>)> {
    let mut parser = Parser::new(text)?;
    parser.spaces();
    let name = parser.name()?;
    let inner = if parser.peek() == Some(b'[') { Some(parser.brackets()?) } else { None };
    let part = match parser.peek() {
        Some(b'.') if inner.is_some() => Some(parser.part()?),
        _ => None,
    };
    parser.spaces();
    match parser.peek() {
        None => Ok((name, inner, part)),
        Some(_) => Err(parser.fault("expected the end of the path")),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    terms: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Parsed<Self> {
        if text.chars().nth(FILTER_CHARS_MAX).is_some() {
            return Err(SyntaxFault { column: FILTER_CHARS_MAX + 1, mend: "at most 2,000 characters are read" });
        }
        Ok(Self { text, at: 0, terms: 0, depth: 0 })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn column_of(&self, at: usize) -> usize {
        self.text.get(..at).map_or(0, |before| before.chars().count()) + 1
    }

    fn fault(&self, mend: &'static str) -> SyntaxFault {
        SyntaxFault { column: self.column_of(self.at), mend }
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// What stands before the next space, bracket, parenthesis or quote.
    fn token(&self) -> &'t str {
        let rest = self.rest();
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '"' | '\'');
        rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default()
    }

    /// Goes past `word` if it is what comes next.
    fn keyword(&mut self, word: &str) -> bool {
        self.spaces();
        let token = self.token();
        let found = token.eq_ignore_ascii_case(word);
        if found {
            self.at += token.len();
        }
        found
    }

    fn deeper(&mut self) -> Parsed<()> {
        if self.depth == DEPTH_MAX {
            return Err(self.fault("parentheses and brackets may stand 16 deep"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn disjunction(&mut self, place: Place) -> Parsed<Syntax> {
        let mut all = vec![self.conjunction(place)?];
        while self.keyword("or") {
            all.push(self.conjunction(place)?);
        }
        Ok(only(all).unwrap_or_else(Syntax::Or))
    }

    fn conjunction(&mut self, place: Place) -> Parsed<Syntax> {
        let mut all = vec![self.term(place)?];
        while self.keyword("and") {
            all.push(self.term(place)?);
        }
        Ok(only(all).unwrap_or_else(Syntax::And))
    }

    fn term(&mut self, place: Place) -> Parsed<Syntax> {
        self.spaces();
        if self.peek() == Some(b'(') {
            return self.group(place);
        }
        let token = self.token();
        if token.eq_ignore_ascii_case("not") {
            self.at += token.len();
            self.spaces();
            if self.peek() != Some(b'(') {
                return Err(self.fault("`not` needs parentheses behind it: not (…)"));
            }
            return Ok(Syntax::Not(Box::new(self.group(place)?)));
        }
        let name = self.name()?;
        if self.peek() != Some(b'[') {
            return Ok(Syntax::Test(name, self.test(place)?));
        }
        if place == Place::Brackets {
            return Err(self.fault("no brackets within brackets"));
        }
        let inner = Box::new(self.brackets()?);
        let then = match self.peek() {
            Some(b'.') => Some((self.part()?, self.test(place)?)),
            _ => None,
        };
        Ok(Syntax::Within { name, inner, then })
    }

    fn group(&mut self, place: Place) -> Parsed<Syntax> {
        self.deeper()?;
        let inner = self.disjunction(place)?;
        self.spaces();
        if self.peek() != Some(b')') {
            return Err(self.fault("expected `and`, `or` or `)`"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(inner)
    }

    fn brackets(&mut self) -> Parsed<Syntax> {
        self.deeper()?;
        let inner = self.disjunction(Place::Brackets)?;
        self.spaces();
        if self.peek() != Some(b']') {
            return Err(self.fault("expected `and`, `or` or `]`"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(inner)
    }

    /// `.value` behind brackets.
    fn part(&mut self) -> Parsed<Name> {
        self.at += 1;
        let part = self.name()?;
        if part.text.contains(['.', ':']) {
            return Err(SyntaxFault { column: part.column, mend: "expected the name of one part" });
        }
        Ok(part)
    }

    fn name(&mut self) -> Parsed<Name> {
        let text = self.token();
        if text.is_empty() {
            return Err(self.fault("expected the name of an attribute"));
        }
        let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$');
        let wrong = |c: char| !(c.is_ascii_alphanumeric() || "-_$.:/#%+~@".contains(c));
        if !begins || text.ends_with(['.', ':']) || text.contains("..") {
            return Err(self.fault("this is no name of an attribute"));
        }
        if let Some(at) = text.find(wrong) {
            let mend = "no name of an attribute has this character; operators stand between spaces";
            return Err(SyntaxFault { column: self.column_of(self.at + at), mend });
        }
        let name = Name { text: text.to_owned(), column: self.column_of(self.at) };
        self.at += text.len();
        Ok(name)
    }

    fn test(&mut self, place: Place) -> Parsed<Test> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(self.fault("at most 64 tests are read"));
        }
        self.spaces();
        let token = self.token();
        if token.eq_ignore_ascii_case("pr") {
            self.at += token.len();
            return self.bounded(place, Test::Present);
        }
        let Some(operator) = Operator::named(token) else {
            return Err(self.fault("expected eq, ne, co, sw, ew, gt, ge, lt, le or pr"));
        };
        self.at += token.len();
        if !self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            return Err(self.fault("expected a space and a value"));
        }
        self.spaces();
        let word = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => Word::Quoted(self.quoted(char::from(quote))?),
            _ => Word::Bare(self.bare(place)?),
        };
        self.bounded(place, Test::Compare(operator, word))
    }

    /// A test ends at a space, a closing sign or the end.
    fn bounded(&self, place: Place, test: Test) -> Parsed<Test> {
        match self.peek() {
            None | Some(b')') => Ok(test),
            Some(b']') if place == Place::Brackets => Ok(test),
            Some(byte) if byte.is_ascii_whitespace() => Ok(test),
            Some(_) => Err(self.fault("expected a space or the end")),
        }
    }

    fn bare(&mut self, place: Place) -> Parsed<String> {
        let rest = self.rest();
        let ends = |c: char| c.is_ascii_whitespace() || c == ')' || (c == ']' && place == Place::Brackets);
        let word = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        if word.is_empty() || word.starts_with(['(', '[', '{']) {
            return Err(self.fault("expected a value: text in double quotes, true, false, null or a number"));
        }
        if let Some(at) = word.find('"') {
            let mend = "a value with a double quote stands in double quotes, with \\ in front of those within";
            return Err(SyntaxFault { column: self.column_of(self.at + at), mend });
        }
        self.at += word.len();
        Ok(word.to_owned())
    }

    /// JSON's text, in either quote. Control characters are data.
    fn quoted(&mut self, quote: char) -> Parsed<String> {
        let opened = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            if c == quote {
                self.at += at + 1;
                return Ok(text);
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let Some((character, length)) = self.text.get(opened + at + 1..).and_then(escape) else {
                self.at = opened + at;
                return Err(self.fault("behind \\ stand \", \\, /, b, f, n, r, t or u and four digits, as in JSON"));
            };
            text.push(character);
            // all of an escape is ASCII: as many characters as bytes
            if let Some(more) = length.checked_sub(1) {
                characters.nth(more);
            }
        }
        self.at = opened;
        Err(self.fault("this quote is never closed"))
    }
}

/// The character that stands behind a backslash, and the bytes that it takes.
fn escape(text: &str) -> Option<(char, usize)> {
    let plain = match text.bytes().next()? {
        quoted @ (b'"' | b'\'' | b'\\' | b'/') => char::from(quoted),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((plain, 1))
}

/// `u00e9`, or a surrogate pair `ud83d\ude00`.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(1)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 5));
    }
    let second = text.get(5..7).filter(|between| *between == "\\u").and_then(|_| unit(7))?;
    char::decode_utf16([first, second]).next()?.ok().map(|character| (character, 11))
}

/// One alone is itself.
fn only(mut all: Vec<Syntax>) -> Result<Syntax, Vec<Syntax>> {
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(last), false) => {
            all.push(last);
            Err(all)
        }
        (None, _) => Err(all),
    }
}
