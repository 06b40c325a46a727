//! The endpoints that this crate calls: address, body, and the answer read leniently.

use bytes::Bytes;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::client::{Attempt, Cause, Failure, Reply};
use super::data::Data;
use super::wire::Wire;
use crate::config::{Secret, TokenMode};
use crate::message::Channel;

/// Sets an account's counters back without a token.
pub const CLEAR_QUOTA_BY_SECRET: &str = "/cgi-bin/clear_quota/v2";

impl Channel {
    /// The path of the endpoint that carries it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Subscribe => "/cgi-bin/message/subscribe/send",
            Self::Bizsend => "/cgi-bin/message/subscribe/bizsend",
            Self::Template => "/cgi-bin/message/template/send",
        }
    }
}

/// Body of the three sending endpoints; each uses the members that its page lists.
#[derive(Debug, Serialize)]
pub struct SendBody<'a> {
    /// The receiver's openid.
    pub touser: &'a str,
    /// Private template id.
    pub template_id: &'a str,
    /// Where a tap leads: a page of the mini program (`subscribe`) or a web address (`bizsend`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<&'a str>,
    /// Where a tap leads, `template/send` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    /// The mini program that a tap opens, official-account channels only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miniprogram: Option<MiniProgram<'a>>,
    /// The fields.
    pub data: Data<'a>,
    /// `formal`, `trial` or `developer`, `subscribe/send` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miniprogram_state: Option<&'a str>,
    /// Language of the card, `subscribe/send` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<&'a str>,
    /// To one openid it is one message within ten minutes, `template/send` only: of bizsend's page no more than the example has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_msg_id: Option<&'a str>,
}

/// A mini program and a page in it.
#[derive(Debug, Serialize)]
pub struct MiniProgram<'a> {
    /// Its appid; it must be bound to the official account.
    pub appid: &'a str,
    /// The page, with its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagepath: Option<&'a str>,
}

/// One of the sending endpoints.
pub async fn send(wire: &Wire<'_>, channel: Channel, token: &str, body: Bytes) -> Attempt {
    let path = channel.path();
    let address = |host: &Url| wire.client.addresses.get(host, path, token, || with_token(endpoint(host, path), token));
    wire.request(address, Some(body)).await
}

/// What an endpoint is asked, beside the token.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// `GET` with these query parameters.
    Get(&'a [(&'a str, &'a str)]),
    /// `POST` with this JSON body.
    Post(&'a serde_json::Value),
}

/// Any endpoint that takes a token.
pub async fn call(wire: &Wire<'_>, path: &str, token: &str, question: Question<'_>) -> Attempt {
    match question {
        Question::Get(parameters) => {
            let address = |host: &Url| {
                let mut url = with_token(endpoint(host, path), token);
                if !parameters.is_empty() {
                    url.query_pairs_mut().extend_pairs(parameters);
                }
                url
            };
            wire.request(address, None).await
        }
        Question::Post(body) => {
            wire.request(|host| with_token(endpoint(host, path), token), Some(body.to_string().into())).await
        }
    }
}

/// `POST /cgi-bin/clear_quota/v2`, which takes the secret in place of a token. Its page lists appid and appsecret as parameters and
/// shows them in the query; in the body they stay out of the logs of proxies, so the query is for an answer that misses them there.
pub async fn clear_quota_by_secret(wire: &Wire<'_>, in_query: bool) -> Attempt {
    #[derive(Serialize)]
    struct Body<'a> {
        appid: &'a str,
        appsecret: &'a str,
    }
    let (appid, secret) = (&wire.settings.appid, wire.settings.secret.reveal());
    let address = |host: &Url| {
        let mut url = endpoint(host, CLEAR_QUOTA_BY_SECRET);
        if in_query {
            url.query_pairs_mut().append_pair("appid", appid).append_pair("appsecret", secret);
        }
        url
    };
    match serde_json::to_vec(&Body { appid, appsecret: secret }) {
        Ok(body) => wire.request(address, Some(body.into())).await,
        Err(error) => Attempt::NotSent(Failure::new(Cause::Other, error.to_string())),
    }
}

fn with_token(mut url: Url, token: &str) -> Url {
    if token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        // What WeChat issues; escaping it letter by letter would be a tenth of the work of a send.
        url.set_query(Some(&format!("access_token={token}")));
    } else {
        url.query_pairs_mut().append_pair("access_token", token);
    }
    url
}

/// `POST /cgi-bin/stable_token` in normal mode, or `GET /cgi-bin/token`.
pub async fn fetch_token(wire: &Wire<'_>) -> Attempt {
    #[derive(Serialize)]
    struct StableToken<'a> {
        grant_type: &'static str,
        appid: &'a str,
        secret: &'a str,
    }
    let settings = wire.settings;
    let secret = settings.secret.reveal();
    if settings.token_mode == TokenMode::Classic {
        let address = |host: &Url| {
            let mut url = endpoint(host, "/cgi-bin/token");
            url.query_pairs_mut()
                .append_pair("grant_type", "client_credential")
                .append_pair("appid", &settings.appid)
                .append_pair("secret", secret);
            url
        };
        return wire.request(address, None).await;
    }
    let body = StableToken { grant_type: "client_credential", appid: &settings.appid, secret };
    match serde_json::to_vec(&body) {
        Ok(body) => wire.request(|host| endpoint(host, "/cgi-bin/stable_token"), Some(body.into())).await,
        Err(error) => Attempt::NotSent(Failure::new(Cause::Other, error.to_string())),
    }
}

fn endpoint(host: &Url, path: &str) -> Url {
    let mut url = host.clone();
    url.set_path(path);
    url
}

/// What an answer says, whatever the endpoint. An absent `errcode` means 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// WeChat's errcode, if it is written.
    pub errcode: Option<i64>,
    /// WeChat's errmsg, unchanged.
    pub errmsg: String,
    /// `msgid` in its own digits: it exceeds 2^53.
    pub msgid: Option<String>,
    /// `access_token` of the token endpoints.
    pub access_token: Option<Secret>,
    /// Its lifetime in seconds.
    pub expires_in: Option<u64>,
}

impl Verdict {
    /// Reads an answer, or says why it is none.
    pub fn read(reply: &Reply) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            #[serde(borrow)]
            errcode: Option<&'a RawValue>,
            #[serde(default)]
            errmsg: Option<String>,
            #[serde(borrow)]
            msgid: Option<&'a RawValue>,
            access_token: Option<String>,
            #[serde(borrow)]
            expires_in: Option<&'a RawValue>,
        }
        let wire: Wire<'_> = serde_json::from_slice(&reply.body).map_err(|error| {
            format!("HTTP {} with {} bytes that are not an answer of the API ({error})", reply.status, reply.body.len())
        })?;
        let errcode = wire
            .errcode
            .map(|raw| digits(raw).parse().map_err(|_| "errcode is not a number".to_owned()))
            .transpose()?;
        if reply.status != 200 && errcode.is_none() {
            return Err(format!("HTTP {}", reply.status));
        }
        Ok(Self {
            errcode,
            errmsg: wire.errmsg.unwrap_or_default(),
            msgid: wire.msgid.map(digits).filter(|text| !text.is_empty() && *text != "null").map(str::to_owned),
            access_token: wire.access_token.map(Secret::new),
            expires_in: wire.expires_in.and_then(|raw| digits(raw).parse().ok()),
        })
    }

    /// The `rid` that an errmsg ends with, for `/cgi-bin/openapi/rid/get`.
    pub fn rid(&self) -> Option<&str> {
        rid(&self.errmsg)
    }
}

/// The `rid` that a text names last.
pub(crate) fn rid(text: &str) -> Option<&str> {
    let (_, behind) = text.rsplit_once("rid:")?;
    behind.split_whitespace().next().filter(|rid| is_rid(rid))
}

/// Whether a text may be a `rid`: hexadecimal digits in groups.
pub(crate) fn is_rid(text: &str) -> bool {
    text.len() <= 64 && text.contains('-') && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A JSON number, or the same number as a JSON string.
fn digits(raw: &RawValue) -> &str {
    raw.get().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Verdict, String> {
        Verdict::read(&Reply { status: 200, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_msgid_above_2_to_the_53_keeps_every_digit() {
        assert_eq!(
            read(r#"{"errcode":0,"errmsg":"ok","msgid":3248682510344192008}"#).unwrap().msgid.as_deref(),
            Some("3248682510344192008")
        );
        assert_eq!(
            read(r#"{"errcode":0,"errmsg":"ok","msgid":"99999999999999999999"}"#).unwrap().msgid.as_deref(),
            Some("99999999999999999999")
        );
        assert_eq!(read(r#"{"errcode":0,"errmsg":"ok","msgid":null}"#).unwrap().msgid, None);
    }

    #[test]
    fn the_rid_is_found_behind_any_errmsg() {
        let verdict =
            read(r#"{"errcode":43101,"errmsg":"user refuse to accept the msg rid: 6a3ba761-6ef7535a-33c60a10"}"#)
                .unwrap();
        assert_eq!(verdict.rid(), Some("6a3ba761-6ef7535a-33c60a10"));
        let old =
            read(r#"{"errcode":47003,"errmsg":"argument invalid! hint: [ciPecA05663945] data.thing3.value invalid"}"#)
                .unwrap();
        assert_eq!(old.rid(), None);
    }

    #[test]
    fn an_errcode_may_be_written_as_a_string() {
        assert_eq!(read(r#"{"errcode":"40001","errmsg":"x"}"#).unwrap().errcode, Some(40001));
    }

    #[test]
    fn what_is_not_an_answer_is_said_to_be_none() {
        for body in ["", "<html>", "[]", "null", "{", "\u{feff}", r#"{"errcode":"many"}"#] {
            assert!(read(body).is_err(), "{body:?}");
        }
        let reply = Reply { status: 502, body: b"{}".to_vec() };
        assert!(Verdict::read(&reply).is_err());
    }
}
