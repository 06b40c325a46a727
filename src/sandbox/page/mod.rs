//! The page at `/`: what the buyers' phones would show.

use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use once_cell::sync::Lazy;
use sha2::{Digest, Sha256};

use super::body::AnswerBody;

/// The whole page: it loads nothing else.
const HTML: &str = include_str!("index.html");

/// Its one script and its one style sheet run by their hashes; everything else is refused by the browser, so that a
/// value that slipped into the page as markup would still do nothing.
static POLICY: Lazy<Option<HeaderValue>> = Lazy::new(|| {
    let hash = |tag: &str| {
        let (_, rest) = HTML.split_once(&format!("<{tag}>"))?;
        let (inside, _) = rest.split_once(&format!("</{tag}>"))?;
        Some(format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside))))
    };
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash("script")?,
        hash("style")?
    );
    HeaderValue::from_str(&policy).ok()
});

/// Answers `GET /`.
pub(super) fn answer() -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::whole(HTML.as_bytes().into()));
    let headers = response.headers_mut();
    let nothing = HeaderValue::from_static("default-src 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone().unwrap_or(nothing));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.status_mut() = StatusCode::OK;
    response
}
