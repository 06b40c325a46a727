//! Reading a message body the way WeChat does: lenient about bytes and surplus members, without any repair of values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// A JSON object, its members in their order; of equal keys the last one counts.
#[derive(Debug)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Parses a JSON object; `None` for everything else.
    pub(super) fn parse(text: &'a str) -> Option<Object<'a>> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// The keys in their order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_ref())
    }

    /// A string member; `None` if it is missing or null, 47001 if it is of another type.
    pub(super) fn text(&self, key: &str) -> Result<Option<Cow<'a, str>>, Refusal> {
        match self.get(key) {
            None => Ok(None),
            Some(value) if value.get() == "null" => Ok(None),
            Some(value) => string(value).map(Some).ok_or_else(|| Refusal::of(47001)),
        }
    }

    pub(super) fn object(&self, key: &str) -> Option<Object<'a>> {
        Object::parse(self.get(key)?.get())
    }

    /// The text of `data.<key>.value`: a string, or a number by its decimal text. `None` for every structural fault
    /// (data not an object, a bare value, a value object in a string, null), which WeChat reads as "is empty".
    pub(super) fn field(&self, key: &str) -> Option<Cow<'a, str>> {
        let value = self.object(key)?.get("value")?;
        if value.get().starts_with(|first: char| first.is_ascii_digit() || first == '-') {
            return Some(Cow::Borrowed(value.get()));
        }
        string(value)
    }
}

fn string<'a>(value: &'a RawValue) -> Option<Cow<'a, str>> {
    serde_json::from_str::<Text<'a>>(value.get()).ok().map(|text| text.0)
}

/// serde takes a bare `Cow` for an owned string; this borrows where nothing is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a, 'de: 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((key.0, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The body as text. Bytes that are no UTF-8 arrive as `?` (seen on WeChat's side as `"phrase1":"??"`).
pub(super) fn decode(body: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => Cow::Borrowed(text),
        Cow::Owned(text) => Cow::Owned(text.replace(char::REPLACEMENT_CHARACTER, "?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(data: &str) -> Option<String> {
        Object::parse(data)?.field("thing1").map(|value| value.into_owned())
    }

    #[test]
    fn a_value_is_a_string_or_a_number_by_its_text() {
        assert_eq!(value(r##"{"thing1":{"value":"x","color":"#f00"}}"##).as_deref(), Some("x"));
        assert_eq!(value(r#"{"thing1":{"value":"\u6d4b"}}"#).as_deref(), Some("测"));
        assert_eq!(value(r#"{"thing1":{"value":656887888.00}}"#).as_deref(), Some("656887888.00"));
        assert_eq!(value(r#"{"thing1":{"value":-1}}"#).as_deref(), Some("-1"));
        assert_eq!(value(r#"{"thing1":{"value":1e3}}"#).as_deref(), Some("1e3"));
    }

    #[test]
    fn structural_faults_have_no_value() {
        for data in [
            r#"{"thing1":"x"}"#,
            r#"{"thing1":{}}"#,
            r#"{"thing1":{"value":null}}"#,
            r#"{"thing1":{"value":true}}"#,
            r#"{"thing1":{"value":["x"]}}"#,
            r#"{"thing1":{"value":{"value":"x"}}}"#,
            r#"{"thing1":"{\"value\":\"x\"}"}"#,
            r#"{"thing1":[{"value":"x"}]}"#,
            r#"{"thing1.DATA":{"value":"x"}}"#,
            r#"{"thing01":{"value":"x"}}"#,
        ] {
            assert_eq!(value(data), None, "{data}");
        }
    }

    #[test]
    fn of_equal_keys_the_last_one_counts() {
        assert_eq!(value(r#"{"thing1":{"value":"a"},"thing1":{"value":"b"}}"#).as_deref(), Some("b"));
    }

    #[test]
    fn bytes_of_another_charset_become_question_marks() {
        assert_eq!(decode(b"{\"a\":\"\xb6\xa9\xb5\xa5\"}"), r#"{"a":"????"}"#);
        assert!(matches!(decode("订单".as_bytes()), Cow::Borrowed("订单")));
    }

    #[test]
    fn deep_nesting_is_read_without_recursion() {
        let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(Object::parse(&deep).is_some_and(|object| object.object("data").is_none()));
    }
}
