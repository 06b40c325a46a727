//! JSON as WeChat pushes it, with bounds, and its integers exact.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

use super::budget::Budget;

/// Reads a text.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Bounded { budget: &mut Budget::whole(), depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct Bounded<'a> {
    budget: &'a mut Budget,
    depth: usize,
}

impl Bounded<'_> {
    fn below(&mut self) -> Bounded<'_> {
        Bounded { budget: self.budget, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.budget.take(self.depth).map_err(D::Error::custom)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::from(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    /// One that no PHP int holds keeps its digits: a `MsgID` would be another as a float.
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or_else(|_| Value::from(number.to_string()), Value::from))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below())? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            members.insert(name, object.next_value_seed(self.below())?);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_as_it_is_and_integers_stay_exact() {
        let text = r#"{"b":18446744073709551615,"a":[1,null,true,0.5,"x"],"c":{"d":9223372036854775807}}"#;
        assert_eq!(
            parse(text).unwrap(),
            json!({ "b": "18446744073709551615", "a": [1, null, true, 0.5, "x"], "c": { "d": i64::MAX } })
        );
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn depth_and_number_of_values_are_bounded() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&deep(16)).is_ok());
        assert!(parse(&deep(17)).unwrap_err().to_string().contains("16 levels"));
        assert!(parse(&deep(100_000)).is_err());
        let wide = |number: usize| format!("[{}1]", "1,".repeat(number));
        assert!(parse(&wide(9_998)).is_ok());
        assert!(parse(&wide(9_999)).unwrap_err().to_string().contains("10000 values"));
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        for bad in ["", "{", "{}{}", "{} x", "{'a':1}", "NaN", "\"\\ud800\""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:0-9eE.a\\\\ -]{0,200}", other in ".{0,200}") {
            let _ = parse(&text);
            let _ = parse(&other);
        }
    }
}
