//! Values that JSON cannot hold as they are: bytes that are no UTF-8, infinite floats, objects, resources.
//!
//! In a tagged text every JSON array is `[tag, …]`: `["map", [key, value], …]`, `["object", [key, value], …]` for a plain object,
//! `["bytes", base64]`, `["float", "NAN"]`, `["exact", bits]` for a float whose digits PHP would cut, `["callable", number, class]`, `["other", type]`. Everything else is itself.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::face::arguments::{Bound, too_deep, too_many};
use crate::message::Input;

/// A tagged value, read within a bound.
pub fn input(value: &Value, bound: Bound) -> Input<'static> {
    let Value::Array(parts) = value else {
        return match value {
            // No tag is an object.
            Value::Object(_) => Input::Null,
            plain => Input::from(plain.clone()),
        };
    };
    let text = |index: usize| parts.get(index).and_then(Value::as_str).unwrap_or_default();
    match text(0) {
        "map" | "object" => map(parts.get(1..).unwrap_or_default(), bound),
        "bytes" => bytes(text(1)),
        "float" => match text(1) {
            "INF" => Input::Float(f64::INFINITY),
            "-INF" => Input::Float(f64::NEG_INFINITY),
            _ => Input::Float(f64::NAN),
        },
        "exact" => u64::from_str_radix(text(1), 16).map_or(Input::Null, |bits| Input::Float(f64::from_bits(bits))),
        "callable" => Input::Unusable(Cow::Owned(text(2).to_owned())),
        _ => Input::object(text(1)),
    }
}

/// Whether a value is a PHP array.
pub fn is_array(value: &Value) -> bool {
    tag(value) == Some("map")
}

/// The number of the callable that a member of this array is.
pub fn callable(value: &Value, name: &str) -> Option<u64> {
    let members = value.as_array()?.get(1..)?;
    let named = |member: &&Value| member.get(0).and_then(Value::as_str) == Some(name);
    let member = members.iter().find(named)?.get(1)?;
    if tag(member) == Some("callable") { member.get(1)?.as_u64() } else { None }
}

fn tag(value: &Value) -> Option<&str> {
    value.get(0)?.as_str()
}

fn bytes(base64: &str) -> Input<'static> {
    STANDARD.decode(base64).map_or(Input::Null, |bytes| Input::Text(Cow::Owned(bytes)))
}

fn map(members: &[Value], bound: Bound) -> Input<'static> {
    if bound.levels == 0 {
        return too_deep();
    }
    if members.len() > bound.members {
        return too_many(members.len());
    }
    let mut read = Vec::with_capacity(members.len());
    for member in members {
        let (Some(key), Some(value)) = (member.get(0), member.get(1)) else { continue };
        let key = match input(key, bound.below()) {
            Input::Text(bytes) => bytes,
            other => Cow::Owned(other.shown().into_bytes()),
        };
        read.push((key, input(value, bound.below())));
    }
    Input::Map(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn argument(value: &Value) -> Input<'static> {
        input(value, Bound::ARGUMENT)
    }

    #[test]
    fn what_json_cannot_hold_arrives_as_it_was() {
        assert_eq!(argument(&json!(["bytes", "tqk="])), Input::Text(Cow::Borrowed(b"\xb6\xa9")));
        assert_eq!(argument(&json!(["exact", "3fb999999999999a"])), Input::Float(0.1));
        assert_eq!(argument(&json!(["float", "-INF"])), Input::Float(f64::NEG_INFINITY));
        assert!(matches!(argument(&json!(["float", "NAN"])), Input::Float(nan) if nan.is_nan()));
        assert_eq!(argument(&json!(["other", "DateTime"])), Input::Unusable("DateTime".into()));
        assert_eq!(argument(&json!(["other", "class@anonymous\0/srv/shop.php:7$0"])).type_name(), "class@anonymous");
        let map = argument(&json!(["map", ["thing1", "x"], [7, ["map"]], [["bytes", "tg=="], null]]));
        let expected = vec![
            (b"thing1"[..].into(), Input::text("x")),
            (b"7"[..].into(), Input::Map(vec![])),
            (b"\xb6"[..].into(), Input::Null),
        ];
        assert_eq!(map, Input::Map(expected));
    }

    #[test]
    fn a_plain_object_is_read_like_an_array_but_is_none() {
        assert_eq!(argument(&json!(["object", ["a", 1]])), argument(&json!(["map", ["a", 1]])));
        assert!(is_array(&json!(["map"])));
        assert!(!is_array(&json!(["object"])) && !is_array(&json!("map")));
    }

    #[test]
    fn the_callable_of_a_member_is_found_by_its_number() {
        let config = json!(["map", ["appid", "wx1"], ["token", ["callable", 7, "Closure"]]]);
        assert_eq!(callable(&config, "token"), Some(7));
        assert_eq!(callable(&config, "appid"), None);
        assert_eq!(argument(&config).get("token"), Some(&Input::Unusable("Closure".into())));
    }

    #[test]
    fn nothing_that_another_program_may_send_is_taken_for_more_than_it_is() {
        for odd in [
            json!([]),
            json!([[]]),
            json!(["map", 5, [], ["a"]]),
            json!({"a": 1}),
            json!(["exact", "zz"]),
            json!(["bytes", "*"]),
        ] {
            let _ = (argument(&odd), is_array(&odd), callable(&odd, "token"));
        }
        let deep = (0..40).fold(json!("x"), |inner, _| json!(["map", ["a", inner]]));
        assert!(format!("{:?}", argument(&deep)).contains("nested too deeply"));
    }
}
