//! Results to PHP values, through serde: structs and maps become arrays with string keys, sequences become lists.

use std::fmt;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::{Error as ZendError, Result as ZendResult};
use ext_php_rs::types::{ZendHashTable, Zval};
use serde::ser::{
    Error as SerdeError, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};

/// The value as PHP has it.
pub fn zval(value: &impl Serialize) -> ZendResult<Zval> {
    value.serialize(ToZval).map_err(|failed| failed.0)
}

/// Why it could not be built.
#[derive(Debug)]
struct Failed(ZendError);

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Failed {}

impl SerdeError for Failed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        // No result of ours refuses to be serialized.
        Self(ZendError::InvalidPointer)
    }
}

impl From<ZendError> for Failed {
    fn from(error: ZendError) -> Self {
        Self(error)
    }
}

type Result<T> = std::result::Result<T, Failed>;

struct ToZval;

fn table(length: Option<usize>) -> ZBox<ZendHashTable> {
    ZendHashTable::with_capacity(length.and_then(|length| u32::try_from(length).ok()).unwrap_or(8))
}

/// A kind of value that no result has.
fn unknown<T>() -> Result<T> {
    Err(Failed(ZendError::InvalidPointer))
}

impl Serializer for ToZval {
    type Ok = Zval;
    type Error = Failed;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = Impossible<Zval, Failed>;
    type SerializeTupleVariant = Impossible<Zval, Failed>;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Impossible<Zval, Failed>;

    fn serialize_bool(self, value: bool) -> Result<Zval> {
        Ok(value.into_zval(false)?)
    }

    fn serialize_i8(self, value: i8) -> Result<Zval> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Zval> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Zval> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Zval> {
        Ok(value.into_zval(false)?)
    }

    fn serialize_u8(self, value: u8) -> Result<Zval> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Zval> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Zval> {
        self.serialize_i64(value.into())
    }

    /// Beyond PHP's int it is a float, as in `json_decode()`.
    #[allow(clippy::cast_precision_loss)]
    fn serialize_u64(self, value: u64) -> Result<Zval> {
        i64::try_from(value).map_or_else(|_| self.serialize_f64(value as f64), |value| ToZval.serialize_i64(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Zval> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Zval> {
        Ok(value.into_zval(false)?)
    }

    fn serialize_char(self, value: char) -> Result<Zval> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Zval> {
        Ok(value.into_zval(false)?)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Zval> {
        unknown()
    }

    fn serialize_none(self) -> Result<Zval> {
        Ok(Zval::null())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Zval> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Zval> {
        Ok(Zval::null())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Zval> {
        Ok(Zval::null())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Zval> {
        unknown()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Zval> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Zval> {
        unknown()
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<List> {
        Ok(List(table(length)))
    }

    fn serialize_tuple(self, length: usize) -> Result<List> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        unknown()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        unknown()
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Members> {
        Ok(Members { members: table(length), name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Members> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        unknown()
    }
}

struct List(ZBox<ZendHashTable>);

impl SerializeSeq for List {
    type Ok = Zval;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        Ok(self.0.push(value.serialize(ToZval)?)?)
    }

    fn end(self) -> Result<Zval> {
        Ok(self.0.into_zval(false)?)
    }
}

impl SerializeTuple for List {
    type Ok = Zval;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Zval> {
        SerializeSeq::end(self)
    }
}

struct Members {
    members: ZBox<ZendHashTable>,
    /// Of the member whose value comes next.
    name: String,
}

impl Members {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        // A name that consists of digits becomes an int, as in any array that PHP code writes.
        Ok(self.members.insert(name, value.serialize(ToZval)?)?)
    }
}

impl SerializeMap for Members {
    type Ok = Zval;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<()> {
        let name = name.serialize(ToZval)?;
        self.name = name.str().ok_or(Failed(ZendError::InvalidPointer))?.to_owned();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let name = std::mem::take(&mut self.name);
        self.put(&name, value)
    }

    fn end(self) -> Result<Zval> {
        Ok(self.members.into_zval(false)?)
    }
}

impl SerializeStruct for Members {
    type Ok = Zval;
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.put(name, value)
    }

    fn end(self) -> Result<Zval> {
        Ok(self.members.into_zval(false)?)
    }
}
