//! JSON into [`Input`], in the order in which it is written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::encoding::{Decoded, decode};
use crate::message::Input;

/// A payload that is a JSON string, even one that was encoded twice or is in GBK; `None` where it is no JSON object.
pub(super) fn from_json_bytes(bytes: &[u8]) -> Option<Input<'static>> {
    let decoded = match decode(bytes) {
        Decoded::Utf8(text) => Cow::Borrowed(text),
        Decoded::Gbk(text) => Cow::Owned(text),
        Decoded::Torn(_) | Decoded::Unknown => return None,
    };
    match from_json(&decoded)? {
        Input::Text(inner) => from_json(std::str::from_utf8(&inner).ok()?),
        input => Some(input),
    }
}

pub(super) fn from_json(text: &str) -> Option<Input<'static>> {
    let text =
        text.trim_matches(|character: char| character.is_whitespace() || character == '\u{FEFF}' || character == '\0');
    serde_json::from_str::<Json>(text).ok().map(|json| json.0)
}

/// JSON in the order in which it is written, integers exact: what `serde_json::Value` keeps neither of.
struct Json(Input<'static>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Json)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Input<'static>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Input::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Input::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or_else(|_| Input::text(number.to_string()), Input::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Input::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Input::text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Input::text(text))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Input::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            members.push((Cow::Owned(members.len().to_string().into_bytes()), item));
        }
        Ok(Input::Map(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, Json(member))) = object.next_entry::<String, Json>()? {
            members.push((Cow::Owned(key.into_bytes()), member));
        }
        Ok(Input::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_order_and_its_integers() {
        let input = from_json_bytes("\u{FEFF}{\"b\":18446744073709551615,\"a\":[1,null,true,0.5]}".as_bytes()).unwrap();
        let Input::Map(members) = input else { panic!() };
        assert_eq!(members[0].1, Input::text("18446744073709551615"));
        assert_eq!(members[1].0.as_ref(), b"a");
        assert!(from_json_bytes(b"{\"a\":").is_none());
        assert!(from_json_bytes(br#""{\"a\":1}""#).is_some());
        assert!(from_json_bytes("[".repeat(100_000).as_bytes()).is_none());
    }
}
