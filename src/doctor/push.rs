//! Whether WeChat's message push can be verified and read.

use super::finding::{Finding, subject};
use crate::config::Settings;

/// Token and EncodingAESKey. Their form was checked when the settings were read.
pub fn check(settings: &Settings) -> Finding {
    let keys = settings.push_aes_keys.len();
    let has_token = !settings.push_token.is_empty();
    let finding = match (has_token, keys) {
        (false, 0) => Finding::skip(
            subject::PUSH,
            "没有配置，用户的拒收和送达结果只能从发送结果得知",
            "not configured: refusals and deliveries are known from answers to sends only",
        )
        .remedy(
            "可选：设置 push_token 和 push_aes_key，并在公众平台「消息推送」填写同样的值",
            "optional: set push_token and push_aes_key, the same as on the Message Push page of the console",
        ),
        (false, _) => Finding::fail(
            subject::PUSH,
            "有 push_aes_key 但没有 push_token",
            "push_aes_key is set but push_token is not",
        )
        .remedy("设置 push_token，否则无法验证签名", "set push_token: without it no signature can be verified"),
        (true, 0) => Finding::ok(
            subject::PUSH,
            "push_token 已设置，没有 push_aes_key（只能收明文模式）",
            "push_token is set, push_aes_key is not (plain mode only)",
        ),
        (true, 1) => {
            Finding::ok(subject::PUSH, "push_token 和 push_aes_key 已设置", "push_token and push_aes_key are set")
        }
        (true, _) => Finding::ok(
            subject::PUSH,
            "push_token、push_aes_key 和上一个密钥已设置；更换完成后可去掉旧的",
            "push_token, push_aes_key and the key before it are set; drop the old one once the change is over",
        ),
    };
    finding.fact("token", has_token).fact("aes_keys", keys)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn a_key_without_a_token_is_a_fault_and_nothing_at_all_is_none() {
        let key = "a".repeat(43);
        let two = format!("{key},{key}");
        let level = |pairs: &[(&str, &str)]| check(&Settings::from_pairs(pairs.iter().copied()).unwrap()).level;
        assert_eq!(level(&[]), Level::Skip);
        assert_eq!(level(&[("push_aes_key", &key)]), Level::Fail);
        assert_eq!(level(&[("push_token", "t")]), Level::Ok);
        assert_eq!(level(&[("push_token", "t"), ("push_aes_key", &two)]), Level::Ok);
    }
}
