//! Plain JSON to [`Input`], with texts borrowed where nothing in them is escaped.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::face::arguments::{Bound, too_deep, too_many};
use crate::message::Input;

/// Reads a value within a bound.
pub struct Within(pub Bound);

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Input<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Input<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Input<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Input<'de>, E> {
        Ok(Input::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Input<'de>, E> {
        Ok(Input::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Input<'de>, E> {
        Ok(Input::Int(number))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E>(self, number: u64) -> Result<Input<'de>, E> {
        Ok(i64::try_from(number).map_or(Input::Float(number as f64), Input::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Input<'de>, E> {
        Ok(Input::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Input<'de>, E> {
        Ok(Input::Text(Cow::Borrowed(text.as_bytes())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Input<'de>, E> {
        Ok(Input::Text(Cow::Owned(text.as_bytes().to_vec())))
    }

    fn visit_string<E>(self, text: String) -> Result<Input<'de>, E> {
        Ok(Input::Text(Cow::Owned(text.into_bytes())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Input<'de>, A::Error> {
        let mut members = Vec::with_capacity(items.size_hint().unwrap_or(0).min(self.0.members));
        let mut count = 0_usize;
        while self.0.levels > 0 && count < self.0.members {
            let Some(item) = items.next_element_seed(Within(self.0.below()))? else {
                return Ok(Input::Map(members));
            };
            members.push((Cow::Owned(count.to_string().into_bytes()), item));
            count += 1;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(whole(self.0, members, count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Input<'de>, A::Error> {
        let mut members = Vec::new();
        let mut count = 0_usize;
        while self.0.levels > 0 && count < self.0.members {
            let Some(name) = items.next_key_seed(Name)? else {
                return Ok(Input::Map(members));
            };
            members.push((name, items.next_value_seed(Within(self.0.below()))?));
            count += 1;
        }
        while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(whole(self.0, members, count))
    }
}

/// An array whose members are all counted; those that were read may be fewer.
fn whole<'a>(bound: Bound, members: Vec<(Cow<'a, [u8]>, Input<'a>)>, count: usize) -> Input<'a> {
    if bound.levels == 0 {
        return too_deep();
    }
    if count > bound.members { too_many(count) } else { Input::Map(members) }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, [u8]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name.as_bytes()))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.as_bytes().to_vec()))
    }
}

/// The value in a text.
pub fn read(text: &str, bound: Bound) -> Result<Input<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Within(bound).deserialize(&mut reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(text: &str) -> Input<'_> {
        read(text, Bound::ARGUMENT).unwrap()
    }

    #[test]
    fn every_kind_of_value_arrives_as_php_has_it() {
        let kinds = [
            ("null", Input::Null),
            ("true", Input::Bool(true)),
            ("-9223372036854775808", Input::Int(i64::MIN)),
            ("0.1", Input::Float(0.1)),
            ("1.0", Input::Float(1.0)),
            (r#""订单""#, Input::text("订单")),
            (r#""a\"b""#, Input::text("a\"b")),
            ("[]", Input::Map(vec![])),
        ];
        for (text, expected) in kinds {
            assert_eq!(argument(text), expected, "{text}");
        }
    }

    #[test]
    fn lists_have_their_positions_for_keys_and_maps_keep_their_order() {
        let list = argument(r#"["a", 2]"#);
        assert_eq!((list.get("0"), list.get("1")), (Some(&Input::text("a")), Some(&Input::Int(2))));
        let Input::Map(members) = argument(r#"{"thing2": "b", "thing1": "a"}"#) else { panic!("a map") };
        assert_eq!(members.iter().map(|(name, _)| name.as_ref()).collect::<Vec<_>>(), [b"thing2", b"thing1"]);
    }

    #[test]
    fn a_float_is_exactly_the_one_that_was_written() {
        for float in [0.1_f64, 1.0 / 3.0, 5e-324, f64::MAX, 123_456_789.123_456_79] {
            assert_eq!(argument(&format!("{float:e}")), Input::Float(float));
        }
    }

    #[test]
    fn what_is_too_deep_or_too_large_is_named_and_what_follows_is_still_read() {
        let deep = argument(r#"{"a": {"b": {"c": {"d": {"e": 1}}}}, "next": 5}"#);
        assert_eq!(deep.get("next"), Some(&Input::Int(5)));
        let c = deep.get("a").and_then(|a| a.get("b")).and_then(|b| b.get("c")).unwrap();
        assert_eq!(c.get("d"), Some(&too_deep()));
        let many = format!("{{\"many\": [{}0], \"next\": 5}}", "0,".repeat(1200));
        let many = argument(&many);
        assert_eq!((many.get("many"), many.get("next")), (Some(&too_many(1201)), Some(&Input::Int(5))));
    }
}
