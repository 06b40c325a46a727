//! Who may use `/__admin` and the page: this computer's programs, and of its browser the page itself.
//!
//! A website that is open in the developer's browser can post to 127.0.0.1, or make its own name point there (DNS
//! rebinding). The first shows in `Origin` and `Sec-Fetch-Site`, the second in `Host`; programs send neither.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};

/// Why a request is not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum Foreign {
    #[error("Host: {0} is not this computer's name for itself; ask 127.0.0.1 or localhost")]
    Host(String),
    #[error("Origin: {0} is another site's page")]
    Origin(String),
    #[error("Sec-Fetch-Site: {0} is another site's page")]
    Site(String),
}

/// Whether a host name, without a port, means this computer.
pub(in super::super) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Lets a request for the page through, or says why not; a link on another site may lead there.
pub(in super::super) fn check_host(headers: &HeaderMap, allow_remote: bool) -> Result<(), Foreign> {
    let host = text(headers, header::HOST).unwrap_or_default();
    if allow_remote || host.is_empty() || is_loopback(without_port(&host)) {
        return Ok(());
    }
    Err(Foreign::Host(host.into_owned()))
}

/// Lets a request to `/__admin` through, or says why not.
pub(super) fn check(headers: &HeaderMap, allow_remote: bool) -> Result<(), Foreign> {
    check_host(headers, allow_remote)?;
    if let Some(origin) = text(headers, header::ORIGIN) {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        if authority != text(headers, header::HOST).as_deref() {
            return Err(Foreign::Origin(origin.into_owned()));
        }
    }
    match text(headers, header::HeaderName::from_static("sec-fetch-site")) {
        Some(site) if !["same-origin", "none"].contains(&site.as_ref()) => Err(Foreign::Site(site.into_owned())),
        _ => Ok(()),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<Cow<'_, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn passes(pairs: &[(&'static str, &str)]) -> bool {
        check(&headers(pairs), false).is_ok()
    }

    #[test]
    fn programs_and_the_page_itself_pass() {
        assert!(passes(&[]));
        for host in ["127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:80", "[::1]", "127.0.0.2"] {
            assert!(passes(&[("host", host)]), "{host}");
        }
        let page = [("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:80"), ("sec-fetch-site", "same-origin")];
        assert!(passes(&page));
    }

    #[test]
    fn other_sites_do_not() {
        let host = ("host", "127.0.0.1:80");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:81", "http://localhost:80"] {
            assert!(!passes(&[host, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!passes(&[host, ("sec-fetch-site", site)]), "{site}");
        }
        for host in ["evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:80"] {
            assert!(!passes(&[("host", host)]), "{host}");
        }
        let link = headers(&[("host", "localhost:80"), ("sec-fetch-site", "cross-site")]);
        assert!(check_host(&link, false).is_ok(), "a link to the page may be anywhere");
    }

    #[test]
    fn with_remote_addresses_permitted_any_name_is_ours_but_not_any_origin() {
        let of = |pairs: &[(&'static str, &str)]| check(&headers(pairs), true);
        assert!(of(&[("host", "sandbox:80"), ("origin", "http://sandbox:80")]).is_ok());
        assert!(of(&[("host", "sandbox:80"), ("origin", "http://evil.example")]).is_err());
    }
}
