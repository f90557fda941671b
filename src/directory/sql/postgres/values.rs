//! Values to PostgreSQL and back.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::engine::{Param, Row, SqlFault};

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Self::Text(text) if <&str as ToSql>::accepts(ty) => text.to_sql(ty, out),
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

impl Row for tokio_postgres::Row {
    fn int(&self, column: usize) -> Result<i64, SqlFault> {
        read::<Number>(self, column).map(|number| number.0)
    }

    fn opt_int(&self, column: usize) -> Result<Option<i64>, SqlFault> {
        Ok(read::<Option<Number>>(self, column)?.map(|number| number.0))
    }

    fn text(&self, column: usize) -> Result<&str, SqlFault> {
        read(self, column)
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, SqlFault> {
        read(self, column)
    }
}
