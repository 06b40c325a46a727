//! The words of a call that ends without a verdict, or with one that it has no answer array for.

use super::account::errcode_in;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::language::Text;
use crate::store::StoreError;
use crate::wechat::client::Failure;

fn transport(zh: &str, en: &str, failure: &Failure, ambiguous: bool) -> Error {
    let (cause, detail) = (failure.cause.text(), &failure.detail);
    let text = Text::new(format!("{zh}{}（{}）", cause.zh, detail.zh), format!("{en}{} ({})", cause.en, detail.en));
    Error::Transport { text, ambiguous }
}

/// Nothing was written.
pub(super) fn not_sent(failure: &Failure) -> Error {
    transport("消息没有发出，可以稍后重试：", "Not sent, safe to try again later: ", failure, false)
}

/// There is no token, so nothing could be written.
pub(super) fn no_token(failure: &Failure, zh: &str, en: &str) -> Error {
    transport(&format!("{zh}没有取到 access_token，"), &format!("{en}no access token, "), failure, false)
}

/// It was written, and there is no answer.
pub(super) fn unknown(failure: &Failure) -> Error {
    transport(
        "请求已发出但没有结果，消息可能已送达，请勿自动重发：",
        "Sent, but there is no verdict; it may have been delivered, never resend it by itself: ",
        failure,
        true,
    )
}

/// The same of a message that took a grant.
pub(super) fn keeping_the_grant(error: Error) -> Error {
    match error {
        Error::Transport { text, ambiguous: true } => Error::Transport {
            text: Text::new(
                format!("{}；账本中这次授权保持占用", text.zh),
                format!("{}; its grant stays reserved in the ledger", text.en),
            ),
            ambiguous: true,
        },
        other => other,
    }
}

/// An earlier call with the same key has no verdict.
pub(super) fn unknown_before(key: &str, detail: &str) -> Error {
    let detail = if detail.is_empty() { "the process that sent it ended" } else { detail };
    Error::Transport {
        text: Text::new(
            format!("key “{key}” 的消息已经发出过但没有结果，可能已送达，不再重发（{detail}）"),
            format!(
                "the message with key \"{key}\" was sent before without a verdict; it may have been delivered and is not sent again ({detail})"
            ),
        ),
        ambiguous: true,
    }
}

/// Another call is sending the message with this key.
pub(super) fn under_way(key: &str, waited: u128) -> Error {
    Error::Transport {
        text: Text::new(
            format!("key “{key}” 的消息正由另一个调用发送，等待 {waited} 毫秒仍无结果"),
            format!(
                "the message with key \"{key}\" is being sent by another call, which had no verdict within {waited} ms"
            ),
        ),
        ambiguous: true,
    }
}

/// WeChat has refused a call that answers a list or an id.
pub(super) fn refused(answer: &Map<String, Value>) -> Error {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = errcode_in(answer).unwrap_or(0);
    let words = format!("{} ({code}) {}", text("errmsg"), text("hint"));
    Error::Refused { text: Text::new(words.clone(), words), code }
}

/// WeChat has answered, but not with what the call is for.
pub(super) fn no_data(path: &str) -> Error {
    let text = Text::new(
        format!("{path} 的回答里没有应有的内容，请检查 base_url 和 proxy"),
        format!("the answer of {path} lacks what it should hold; check base_url and proxy"),
    );
    Error::Transport { text, ambiguous: false }
}

/// Another process has been fetching the list of templates all the time.
pub(super) fn no_list(waited: Duration) -> Error {
    let waited = waited.as_millis();
    let text = Text::new(
        format!("另一个进程正在获取模板列表，等待 {waited} 毫秒仍无结果，请稍后再试"),
        format!("another process has been fetching the list of templates for {waited} ms; try again a little later"),
    );
    Error::Transport { text, ambiguous: false }
}

/// The key belongs to another message.
pub(super) fn key_taken(key: &str) -> Error {
    Error::value(
        format!(
            "选项 key：“{key}” 已用于另一个用户或模板的消息，请把事件写进 key，如 order-123-paid、order-123-shipped"
        ),
        format!(
            "option key: \"{key}\" belongs to a message to another user or with another template; name the event in it, such as order-123-paid, order-123-shipped"
        ),
    )
}

/// This is the child of a fork in the application's code, which ran within `call`; its parent goes on with what it was at.
pub(super) fn forked(call: &str) -> Error {
    let text = Text::new(
        format!("本进程是 {call} 运行中 fork 出来的，由父进程继续进行"),
        format!("this process was forked while {call} ran; its parent goes on with it"),
    );
    Error::Transport { text, ambiguous: true }
}

/// The store cannot serve.
pub(super) fn store(error: &StoreError, place: Option<&str>) -> Error {
    let (text, place) = (error.fault.text(), place.unwrap_or("store"));
    let unsure = if error.maybe_done {
        ("，这次操作可能已经完成", "; the operation may have been done")
    } else {
        ("", "")
    };
    Error::Store(Text::new(
        format!("存储 {place} {}{}（{}）", text.zh, unsure.0, error.detail),
        format!("the store {place} {}{} ({})", text.en, unsure.1, error.detail),
    ))
}
