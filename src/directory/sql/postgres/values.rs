//! Values to PostgreSQL and back.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::engine::{Param, Row, SqlFault};

/// PostgreSQL keeps no zero byte in a text. It stands there as this, which is no character, and `0`; this itself as
/// this and `1`.
const ESCAPE: char = '\u{FFFF}';

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(ESCAPE, "\u{FFFF}1").replace('\0', "\u{FFFF}0"))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split(ESCAPE);
    plain.extend(parts.next());
    for part in parts {
        let (zero, rest) = match part.strip_prefix('0') {
            Some(rest) => ('\0', rest),
            None => (ESCAPE, part.strip_prefix('1').unwrap_or(part)),
        };
        plain.push(zero);
        plain.push_str(rest);
    }
    plain
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Self::Text(text) if <&str as ToSql>::accepts(ty) => escaped(text).as_ref().to_sql(ty, out),
            Self::Int(_) | Self::Text(_) => Err(format!("the statement wants {ty} there").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A whole number of any width; truth is 0 or 1.
struct Number(i64);

impl<'a> FromSql<'a> for Number {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT4 => i32::from_sql(ty, raw)?.into(),
            Type::BOOL => bool::from_sql(ty, raw)?.into(),
            _ => i64::from_sql(ty, raw)?,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL)
    }
}

fn read<'a, T: FromSql<'a>>(row: &'a tokio_postgres::Row, column: usize) -> Result<T, SqlFault> {
    row.try_get(column).map_err(|_| SqlFault::Damage(format!("column {column} is of another kind")))
}

/// A row of an answer.
pub(super) struct Answer<'a> {
    row: &'a tokio_postgres::Row,
    /// Its texts without escapes, if one has any.
    plain: OnceCell<Vec<Option<String>>>,
}

impl<'a> Answer<'a> {
    pub(super) const fn new(row: &'a tokio_postgres::Row) -> Self {
        Self { row, plain: OnceCell::new() }
    }

    fn plain(&self, column: usize) -> Option<&str> {
        let texts = || (0..self.row.len()).map(|at| Some(unescaped(self.row.try_get(at).ok()?))).collect();
        self.plain.get_or_init(texts).get(column)?.as_deref()
    }
}

impl Row for Answer<'_> {
    fn int(&self, column: usize) -> Result<i64, SqlFault> {
        read::<Number>(self.row, column).map(|number| number.0)
    }

    fn opt_int(&self, column: usize) -> Result<Option<i64>, SqlFault> {
        Ok(read::<Option<Number>>(self.row, column)?.map(|number| number.0))
    }

    fn text(&self, column: usize) -> Result<&str, SqlFault> {
        let text = read::<&str>(self.row, column)?;
        Ok(if text.contains(ESCAPE) { self.plain(column).unwrap_or(text) } else { text })
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, SqlFault> {
        read::<Option<&str>>(self.row, column)?.map(|_| self.text(column)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_tell_all_texts_apart_and_come_back() {
        let all = ["", "a", "a\0b", "\u{FFFF}", "\u{FFFF}0", "\u{FFFF}1", "\0\u{FFFF}1\0", "\u{FFFF}\u{FFFF}0"];
        for text in all {
            assert!(!escaped(text).contains('\0'));
            assert_eq!(unescaped(&escaped(text)), text);
        }
    }
}
