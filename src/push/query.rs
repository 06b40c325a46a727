//! What WeChat puts into the address of a push.

use std::borrow::Cow;

use super::refusal::{Reason, Refusal};
use crate::message::Input;

/// Longest value: an encrypted `echostr` has some hundred bytes.
const LENGTH_LIMIT: usize = 1024;

/// The parameters that count, as `$_GET` has them; others are ignored.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// Signs timestamp and nonce, but no body.
    pub signature: Option<Cow<'a, str>>,
    /// Signs the encrypted text as well.
    pub msg_signature: Option<Cow<'a, str>>,
    /// Unix time of the request.
    pub timestamp: Cow<'a, str>,
    /// A random text.
    pub nonce: Cow<'a, str>,
    /// What the check of the address wants back.
    pub echostr: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    /// Reads `$_GET`.
    pub fn read(query: &'a Input<'_>) -> Result<Self, Refusal> {
        let required = |name: &str| text(query, name)?.ok_or_else(|| missing(name));
        let (timestamp, nonce) = (required("timestamp")?, required("nonce")?);
        Ok(Self {
            signature: text(query, "signature")?,
            msg_signature: text(query, "msg_signature")?,
            timestamp,
            nonce,
            echostr: text(query, "echostr")?,
        })
    }
}

/// The refusal of a request that lacks a parameter.
pub fn missing(name: &str) -> Refusal {
    Refusal::new(
        Reason::Unsigned,
        format!("请求地址缺少参数 {name}：这不是微信的推送，或者没有把完整的 $_GET 交给 handlePush()"),
        format!(
            "the address has no parameter {name}: this is no push of WeChat's, or handlePush() was not given the whole $_GET"
        ),
    )
}

fn text<'a>(query: &'a Input<'_>, name: &str) -> Result<Option<Cow<'a, str>>, Refusal> {
    let text = match query.get(name) {
        // `signature[]=x` makes an array of it, which nobody has signed.
        None | Some(Input::Null | Input::Map(_) | Input::Unusable(_) | Input::Bool(_) | Input::Float(_)) => {
            return Ok(None);
        }
        Some(Input::Int(number)) => Cow::Owned(number.to_string()),
        Some(Input::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= LENGTH_LIMIT => Cow::Borrowed(text.trim()),
            _ => {
                return Err(Refusal::malformed(
                    format!("参数 {name} 过长，或不是 UTF-8"),
                    format!("the parameter {name} is too long, or not UTF-8"),
                ));
            }
        },
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(members: &[(&'static str, Input<'static>)]) -> Input<'static> {
        Input::Map(members.iter().map(|(name, value)| (name.as_bytes().into(), value.clone())).collect())
    }

    #[test]
    fn parameters_are_read_as_php_has_them() {
        let given = query(&[
            ("s", Input::text("/api/wechat/push")),
            ("signature", Input::text("ab")),
            ("timestamp", Input::Int(1714036504)),
            ("nonce", Input::text("1514711492")),
        ]);
        let read = Query::read(&given).unwrap();
        assert_eq!((read.signature.as_deref(), read.timestamp.as_ref()), (Some("ab"), "1714036504"));
        assert_eq!((read.msg_signature, read.echostr), (None, None));
    }

    #[test]
    fn what_is_missing_is_named_and_an_array_is_missing() {
        let empty = query(&[]);
        assert!(Query::read(&empty).unwrap_err().hint.en.contains("timestamp"));
        let list = query(&[("timestamp", Input::text("1")), ("nonce", query(&[("0", Input::text("1"))]))]);
        let refusal = Query::read(&list).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unsigned);
        assert!(refusal.hint.en.contains("nonce"));
    }

    #[test]
    fn what_is_too_long_or_no_text_is_malformed() {
        for bad in [Input::text("1".repeat(1025)), Input::Text(b"\xd4\xc6"[..].into())] {
            let given = query(&[("timestamp", bad)]);
            assert_eq!(Query::read(&given).unwrap_err().reason, Reason::Malformed);
        }
    }
}
