//! The fields of a message as the sending endpoints read them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::field::table::{FieldType, Kind};
use crate::message::Channel;

/// Every decimal number of so many digits survives a double.
const EXACT_DIGITS: usize = 15;

/// `data` in the only form that WeChat accepts: `{"thing1":{"value":"…"}}`.
#[derive(Debug)]
pub struct Data<'a> {
    /// Key and value, in the order in which they are posted.
    pub fields: &'a [(String, String)],
    /// The endpoint that reads them.
    pub channel: Channel,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Value<V> {
            value: V,
        }
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (key, value) in self.fields {
            match self.number(key, value) {
                Some(value) => map.serialize_entry(key, &Value { value })?,
                None => map.serialize_entry(key, &Value { value })?,
            }
        }
        map.end()
    }
}

impl<'a> Data<'a> {
    /// The value as a JSON number in its own digits, where the page of bizsend asks for one.
    fn number(&self, key: &str, value: &'a str) -> Option<&'a RawValue> {
        let takes_number = self.channel == Channel::Bizsend
            && FieldType::of(key, self.channel).is_some_and(|row| row.kind == Kind::Number);
        // 007 is no JSON number, and what a double does not hold might be another number at the other end.
        let is_number = value.starts_with(|first: char| first.is_ascii_digit())
            && value.bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS;
        if takes_number && is_number { serde_json::from_str(value).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_leave_as_raw_utf8_strings_in_their_order() {
        let fields = [("thing2".to_owned(), "茶".to_owned()), ("amount1".to_owned(), "¥1".to_owned())];
        assert_eq!(
            serde_json::to_string(&Data { fields: &fields, channel: Channel::Subscribe }).unwrap(),
            r#"{"thing2":{"value":"茶"},"amount1":{"value":"¥1"}}"#
        );
    }

    #[test]
    fn bizsend_gets_a_number_as_a_json_number_that_any_reader_holds_exactly() {
        let body = |value: &str, channel| {
            let fields = [("number01".to_owned(), value.to_owned())];
            serde_json::to_string(&Data { fields: &fields, channel }).unwrap()
        };
        for number in ["339208499", "12.50", "0", "0.1", "999999999999999"] {
            assert_eq!(body(number, Channel::Bizsend), format!(r#"{{"number01":{{"value":{number}}}}}"#));
            for channel in [Channel::Subscribe, Channel::Template] {
                assert_eq!(body(number, channel), format!(r#"{{"number01":{{"value":"{number}"}}}}"#));
            }
        }
        for text in ["007", "2020062215360648", "１２", ".5", "5.", "-1", "", " 1", "1]", "[1]"] {
            assert_eq!(body(text, Channel::Bizsend), format!(r#"{{"number01":{{"value":"{text}"}}}}"#));
        }
    }

    #[test]
    fn nothing_but_a_number_field_is_a_json_number_on_bizsend() {
        for key in ["phone_number1", "car_number1", "thing1", "amount1", "character_string1", "numbers", "number"] {
            let fields = [(key.to_owned(), "12".to_owned())];
            let body = serde_json::to_value(Data { fields: &fields, channel: Channel::Bizsend }).unwrap();
            let takes_number = FieldType::of(key, Channel::Bizsend).is_some_and(|row| row.kind == Kind::Number);
            assert_eq!(body.pointer(&format!("/{key}/value")).unwrap().is_number(), takes_number, "{key}");
        }
    }
}
