//! What WeChat answers to a message or to a request for a token.

use routine_template::wechat::api::Verdict;
use routine_template::wechat::client::Reply;

/// An HTTP status, then the body of an answer of WeChat: its verdict, and a rid that is one.
pub fn answer(data: &[u8]) {
    let (status, body) = data.split_at(data.len().min(2));
    let status = match *status {
        [high, low] => u16::from_be_bytes([high, low]),
        _ => 200,
    };
    for status in [200, status] {
        let Ok(verdict) = Verdict::read(&Reply { status, body: body.to_vec() }) else { continue };
        if let Some(rid) = verdict.rid() {
            assert!(rid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{rid}");
        }
        assert!(!format!("{verdict:?}").contains("access_token: Some(\""), "a token is shown");
    }
}
