//! One call: its text, its method, its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::given::{CallText, Given};
use super::{answer, bulk, question};
use crate::error::Error;
use crate::face::call::{Call, no_account};
use crate::face::methods::{Body, METHODS, Method};
use crate::face::request;

/// Makes the call, as far as it goes without asking.
pub fn begin(text: &[u8]) -> Vec<u8> {
    let call: CallText<'_> =
        match std::str::from_utf8(text).map_err(|_| None).and_then(|text| serde_json::from_str(text).map_err(Some)) {
            Ok(call) => call,
            Err(error) => return unreadable(error),
        };
    let Some(method) = METHODS.iter().find(|method| method.name == call.method) else {
        let error = Error::config(
            format!("没有方法 {}", call.method.escape_debug()),
            format!("there is no method {}", call.method.escape_debug()),
        );
        return answer::of::<()>(Err(&error));
    };
    if matches!(method.body, Body::SendMany) || request::has_supplier() {
        let text = text.to_vec();
        return question::run(call.call, move || match serde_json::from_slice(&text) {
            Ok(call) => make(method, &call),
            Err(error) => unreadable(Some(error)),
        });
    }
    make(method, &call)
}

fn make(method: &'static Method, call: &CallText<'_>) -> Vec<u8> {
    let body = || -> Vec<u8> {
        let given = match Given::read(call) {
            Ok(given) => given,
            Err(error) => return unreadable(Some(error)),
        };
        let (least, most, count) = (method.required(), method.parameters.len(), given.len());
        if count < least || count > most {
            return answer::argument_count(wrong_count(call, least, most, count));
        }
        if call.appid.as_deref() == Some("") {
            return answer::of::<()>(Err(&no_account()));
        }
        let face_call = Call::new(method, call.appid.as_deref(), &given);
        match method.body {
            Body::Common(body) => answer::of(body(&face_call).as_ref()),
            Body::SendMany => bulk::send_many(&face_call, call.bulk),
        }
    };
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| answer::internal(&format!("RoutineTemplate::{}()", method.name)))
}

/// PHP's own wording.
fn wrong_count(call: &CallText<'_>, least: usize, most: usize, count: usize) -> String {
    let class = if call.appid.is_some() { "RoutineTemplate\\App" } else { "RoutineTemplate" };
    let (bound, wanted) = match (least == most, count < least) {
        (true, _) => ("exactly", least),
        (false, true) => ("at least", least),
        (false, false) => ("at most", most),
    };
    let s = if wanted == 1 { "" } else { "s" };
    format!("{class}::{}() expects {bound} {wanted} argument{s}, {count} given", call.method)
}

fn unreadable(error: Option<serde_json::Error>) -> Vec<u8> {
    let reason = error.map_or_else(|| "UTF-8".to_owned(), |error| error.to_string());
    let error = Error::config(
        format!("routine_template_call：不是所要求的 JSON（{reason}）"),
        format!("routine_template_call: not the JSON that is expected ({reason})"),
    );
    answer::of::<()>(Err(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answer_to(text: &[u8]) -> Value {
        serde_json::from_slice(&begin(text)).unwrap()
    }

    #[test]
    fn a_method_answers_with_its_value() {
        let version = answer_to(br#"{"method": "version", "appid": null, "arguments": []}"#);
        assert_eq!(version, json!({"value": env!("CARGO_PKG_VERSION")}));
    }

    #[test]
    fn a_wrong_number_of_arguments_is_phps_own_error() {
        let missing = answer_to(br#"{"method": "send", "arguments": ["o1"]}"#);
        assert_eq!(missing["error"]["class"], "ArgumentCountError");
        assert_eq!(missing["error"]["message"], "RoutineTemplate::send() expects at least 3 arguments, 1 given");
        let surplus = answer_to(br#"{"method": "version", "arguments": [1]}"#);
        assert_eq!(surplus["error"]["message"], "RoutineTemplate::version() expects exactly 0 arguments, 1 given");
        let of_app = answer_to(br#"{"method": "stats", "appid": "wx1", "arguments": [1]}"#);
        assert_eq!(of_app["error"]["message"], "RoutineTemplate\\App::stats() expects exactly 0 arguments, 1 given");
    }

    #[test]
    fn an_object_is_no_array_where_one_is_wanted() {
        let text = br#"{"method": "configure", "arguments": [["object", ["appid", "wx1"]]], "tagged": true}"#;
        let message = &answer_to(text)["error"]["message"];
        assert_eq!(
            message,
            "RoutineTemplate::configure(): Argument #1 ($config) must be of type array, stdClass given"
        );
    }

    #[test]
    fn an_account_without_a_name_is_refused() {
        let refused = answer_to(br#"{"method": "stats", "appid": "", "arguments": []}"#);
        assert_eq!(refused["error"]["class"], "RoutineTemplate\\ConfigException");
    }

    #[test]
    fn whatever_another_program_sends_is_answered() {
        for text in
            [&b""[..], b"\xff\xfe", b"[]", b"{}", br#"{"method": 5}"#, br#"{"method": "send", "arguments": {}}"#]
        {
            assert!(answer_to(text)["error"]["message"].as_str().unwrap().contains("JSON"), "{text:?}");
        }
        let unknown = answer_to(br#"{"method": "nope", "arguments": []}"#);
        assert!(unknown["error"]["message"].as_str().unwrap().contains("nope"));
    }
}
