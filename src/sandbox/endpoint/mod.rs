//! WeChat's endpoints.

mod delivery;
mod diagnosis;
mod management;
mod send;
mod token;

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::BodyExt;

use super::account::{Account, AccountKind};
use super::refusal::Refusal;
use super::world::{Busy, Shared, World};

/// Where a request came from and how long its answer will take; the connection puts it into the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) peer: IpAddr,
    pub(super) connection: u64,
    /// Between processing and answer.
    pub(super) delay: Duration,
}

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) body: Bytes,
    pub(super) peer: IpAddr,
    pub(super) connection: u64,
    pub(super) delay: Duration,
}

/// A success.
#[derive(Debug)]
pub(super) struct Answer {
    /// The JSON body.
    pub(super) body: String,
    pub(super) appid: Option<Arc<str>>,
    /// The openid that stays occupied until the answer is out.
    pub(super) occupies: Option<String>,
}

impl From<String> for Answer {
    fn from(body: String) -> Answer {
        Answer { body, appid: None, occupies: None }
    }
}

pub(super) type Outcome = Result<Answer, Refusal>;

/// What goes out, and what is held until it has.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    body: Bytes,
    busy: Option<Arc<Busy>>,
}

impl Reply {
    pub(super) fn new(body: String, busy: Option<Busy>) -> Reply {
        Reply { body: body.into(), busy: busy.map(Arc::new) }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; encoding=utf-8"));
        if let Some(busy) = self.busy {
            response.extensions_mut().insert(busy);
        }
        response
    }
}

impl<S: Sync> FromRequest<S> for Call {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Call, Infallible> {
        let (parts, body) = request.into_parts();
        let origin = parts.extensions.get::<Origin>().copied();
        // The connection has read the body already, so this cannot fail.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(Call {
            method: parts.method,
            uri: parts.uri,
            body,
            peer: origin.map_or(IpAddr::from([127, 0, 0, 1]), |origin| origin.peer),
            connection: origin.map_or(0, |origin| origin.connection),
            delay: origin.map_or(Duration::ZERO, |origin| origin.delay),
        })
    }
}

impl Call {
    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The decoded value of a query parameter.
    pub(super) fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(self.uri.query()?, name)
    }

    pub(super) fn access_token(&self) -> Option<Cow<'_, str>> {
        self.query("access_token")
    }

    fn require(&self, method: &Method) -> Result<(), Refusal> {
        if self.method == *method {
            return Ok(());
        }
        Err(Refusal::of(if *method == Method::POST { 43002 } else { 43001 }))
    }
}

/// Finds and decodes a parameter of a query string (`application/x-www-form-urlencoded`).
pub(super) fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let value = query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })?;
    if !value.contains(['%', '+']) {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |digit: Option<u8>| {
            digit.and_then(|digit| char::from(digit).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
        };
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'+', ..) => decoded.push(b' '),
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    Some(Cow::Owned(String::from_utf8_lossy(&decoded).into_owned()))
}

impl World {
    /// What comes before everything else on a business call: token, method, quota.
    fn authorise(&mut self, call: &Call, method: &Method) -> Result<Arc<str>, Refusal> {
        let now = self.clock.now();
        let appid = self.tokens.check(call.access_token().as_deref(), now)?;
        call.require(method)?;
        self.owner(&appid)?.count_call(call.path(), now)?;
        Ok(appid)
    }

    /// The account that a token belongs to.
    fn owner(&mut self, appid: &str) -> Result<&mut Account, Refusal> {
        self.accounts.get_mut(appid).ok_or_else(|| Refusal::of(40001))
    }

    /// Refuses tokens of the other kind of account: 45103 for a mini program on an official-account path; the
    /// opposite is open, 48001 is its general code.
    fn require_kind(&mut self, appid: &str, kind: AccountKind) -> Result<(), Refusal> {
        match (self.owner(appid)?.kind, kind) {
            (AccountKind::MiniProgram, AccountKind::Official) => Err(Refusal::of(45103)),
            (AccountKind::Official, AccountKind::MiniProgram) => Err(Refusal::of(48001)),
            _ => Ok(()),
        }
    }
}

pub(super) use send::ONE_TIME;

type Endpoint = fn(&mut World, &Call) -> Outcome;

/// Every endpoint by its path.
pub(super) const ENDPOINTS: &[(&str, Endpoint)] = &[
    ("/cgi-bin/token", token::classic),
    ("/cgi-bin/stable_token", token::stable),
    (send::SUBSCRIBE, send::subscribe),
    (send::BIZSEND, send::bizsend),
    (send::TEMPLATE, send::template),
    (send::ONE_TIME, send::one_time),
    ("/cgi-bin/message/wxopen/template/uniform_send", send::uniform),
    ("/cgi-bin/message/wxopen/template/send", send::withdrawn),
    ("/wxaapi/newtmpl/addtemplate", management::add),
    ("/wxaapi/newtmpl/deltemplate", management::delete),
    ("/wxaapi/newtmpl/getcategory", management::categories),
    ("/wxaapi/newtmpl/getpubtemplatekeywords", management::keywords),
    ("/wxaapi/newtmpl/getpubtemplatetitles", management::titles),
    ("/wxaapi/newtmpl/gettemplate", management::list),
    ("/cgi-bin/clear_quota", diagnosis::clear_quota),
    ("/cgi-bin/clear_quota/v2", diagnosis::clear_quota_by_secret),
    ("/cgi-bin/openapi/quota/get", diagnosis::quota),
    ("/cgi-bin/openapi/quota/clear", diagnosis::clear_path),
    ("/cgi-bin/openapi/rid/get", diagnosis::rid),
];

/// The router of WeChat's part; any other path is 40066, as WeChat answers it, with status 200.
pub(super) fn router() -> Router<Arc<Shared>> {
    let mut router = Router::new().fallback(handler(|_, _| Err(Refusal::of(40066))));
    for (path, endpoint) in ENDPOINTS {
        router = router.route(path, any(handler(*endpoint)));
    }
    router
}

fn handler(
    endpoint: Endpoint,
) -> impl Fn(State<Arc<Shared>>, Call) -> std::future::Ready<Reply> + Clone + Send + Sync + 'static {
    move |State(shared), call| std::future::ready(shared.answer(endpoint, &call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_parameters_are_found_by_their_whole_name_and_decoded() {
        let query = "my_access_token=x&access_token=a%2Bb+c&flag&broken=%zz";
        assert_eq!(query_value(query, "access_token").as_deref(), Some("a+b c"));
        assert_eq!(query_value(query, "flag").as_deref(), Some(""));
        assert_eq!(query_value(query, "broken").as_deref(), Some("%zz"));
        assert_eq!(query_value(query, "token"), None);
    }
}
