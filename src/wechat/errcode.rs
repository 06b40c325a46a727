//! WeChat's errcodes: what each one means for the message and what to do now. Written once; hints, docs and retry rules
//! come from here.
//!
//! The table holds what WeChat's servers answer; the `errCode` of `wx.requestSubscribeMessage` is another numbering.
//! One number says two things: 40001 from a token endpoint means a wrong secret, see [`find_for_token_request`].

mod table;

use table::WRONG_SECRET;
pub use table::{ERRCODES, UNLISTED_HINT};

/// What an answer, or the lack of one, means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// WeChat has accepted the message.
    Delivered,
    /// Not for this user: no grant left, wrong openid, not following, blocked.
    RefusedUser,
    /// This content cannot be sent; the next message with the same template may well be.
    RefusedPayload,
    /// Template, account, credentials or request are wrong: every message fails until a person acts.
    Misconfigured,
    /// The daily limit of this API is used up, until midnight Asia/Shanghai (45009).
    ThrottledDay,
    /// Too many calls this minute, until the next one (45011).
    ThrottledMinute,
    /// Too many, too close or concurrent messages to this one user (43108, 43117, 40241).
    ThrottledUser,
    /// The access token is no longer valid: renew it, then send once more.
    TokenStale,
    /// A passing fault of WeChat, answered before anything was delivered (-1).
    RetryLater,
    /// WeChat has withdrawn the API, or never offered it to this kind of account.
    Gone,
    /// No verdict: the request was written, no answer came. No errcode maps to it.
    Unknown,
}

impl Outcome {
    /// The name that PHP, logs and metrics show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::RefusedUser => "refused_user",
            Self::RefusedPayload => "refused_payload",
            Self::Misconfigured => "misconfigured",
            Self::ThrottledDay => "throttled_day",
            Self::ThrottledMinute => "throttled_minute",
            Self::ThrottledUser => "throttled_user",
            Self::TokenStale => "token_stale",
            Self::RetryLater => "retry_later",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }
}

/// One errcode and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Errcode {
    /// The number, as `errcode` carries it.
    pub code: i64,
    /// What it means for the message.
    pub outcome: Outcome,
    /// WeChat's own errmsg without `rid` and `hint`, where it is known, else the meaning in short.
    pub text: &'static str,
    /// What a shop developer does now, one sentence in Chinese.
    pub hint_zh: &'static str,
    /// The same sentence in English.
    pub hint_en: &'static str,
}

/// The entry for `code`, if WeChat's answers are known to use it.
pub fn find(code: i64) -> Option<&'static Errcode> {
    ERRCODES.binary_search_by_key(&code, |entry| entry.code).ok().and_then(|index| ERRCODES.get(index))
}

/// The entry for `code` in an answer of `cgi-bin/token` or `stable_token`, where 40001 means a wrong secret.
pub fn find_for_token_request(code: i64) -> Option<&'static Errcode> {
    if code == WRONG_SECRET.code { Some(&WRONG_SECRET) } else { find(code) }
}

/// What `code` means for the message.
///
/// An errcode that is not in the table is still an answered refusal: nothing was delivered, and since nobody knows that
/// a second try would help, it counts as [`Outcome::Misconfigured`]: never retried by itself, and a person looks at it.
pub fn outcome(code: i64) -> Outcome {
    find(code).map_or(Outcome::Misconfigured, |entry| entry.outcome)
}

#[cfg(test)]
mod tests {
    use super::Outcome::*;
    use super::table::Hint;
    use super::*;
    use std::collections::BTreeSet;

    const ALL_OUTCOMES: [(Outcome, &str); 11] = [
        (Delivered, "delivered"),
        (RefusedUser, "refused_user"),
        (RefusedPayload, "refused_payload"),
        (Misconfigured, "misconfigured"),
        (ThrottledDay, "throttled_day"),
        (ThrottledMinute, "throttled_minute"),
        (ThrottledUser, "throttled_user"),
        (TokenStale, "token_stale"),
        (RetryLater, "retry_later"),
        (Gone, "gone"),
        (Outcome::Unknown, "unknown"),
    ];

    fn hints() -> impl Iterator<Item = (i64, Hint)> {
        let entries = ERRCODES.iter().chain([&WRONG_SECRET]);
        entries.map(|entry| (entry.code, (entry.hint_zh, entry.hint_en))).chain([(i64::MIN, UNLISTED_HINT)])
    }

    fn has_han(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    /// The names in front of `()`.
    fn methods_named(hint: &str) -> BTreeSet<&str> {
        let calls = hint.match_indices("()").map(|(end, _)| hint.split_at(end).0);
        calls.filter_map(|before| before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()).collect()
    }

    #[test]
    fn the_table_is_sorted_and_names_each_code_once() {
        assert!(ERRCODES.len() > 100);
        for pair in ERRCODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
        }
    }

    #[test]
    fn find_and_outcome_agree_on_every_code() {
        for entry in ERRCODES {
            assert_eq!(find(entry.code), Some(entry));
            assert_eq!(outcome(entry.code), entry.outcome);
        }
    }

    #[test]
    fn an_unlisted_code_is_a_fault_of_the_account() {
        for code in [i64::MIN, -2, 1, 40038, 99999, i64::MAX] {
            assert_eq!(find(code), None);
            assert_eq!(outcome(code), Misconfigured);
        }
    }

    #[test]
    fn at_a_token_endpoint_40001_means_a_wrong_secret_and_every_other_code_means_the_same() {
        let entry = find_for_token_request(40001).unwrap();
        assert_eq!((entry.code, entry.outcome), (40001, Misconfigured));
        assert!(entry.hint_en.contains("AppSecret"));
        assert_eq!(outcome(40001), TokenStale);
        for entry in ERRCODES.iter().filter(|entry| entry.code != 40001) {
            assert_eq!(find_for_token_request(entry.code), Some(entry));
        }
    }

    #[test]
    fn each_code_has_the_outcome_that_wechat_documents_or_users_observed() {
        let groups: [(Outcome, &[i64]); 10] = [
            (Delivered, &[0]),
            (TokenStale, &[40001, 40014, 42001]),
            (RefusedUser, &[40003, 43004, 43019, 43101, 48002, 50005]),
            (RefusedPayload, &[40039, 40062, 40249, 41030, 44002, 45168, 47001, 47002, 47003]),
            (
                Misconfigured,
                &[
                    40002, 40013, 40036, 40037, 40125, 40164, 40243, 41001, 41002, 41004, 42007, 43104, 43107, 43116,
                    48001, 48004, 50002, 50004, 50007, 61007, 89503, 89506, 89507, 200_011, 200_012, 200_014, 200_100,
                ],
            ),
            (ThrottledDay, &[45009]),
            (ThrottledMinute, &[45011]),
            (ThrottledUser, &[40241, 43108, 43117]),
            (RetryLater, &[-1, 20001, 200_001]),
            (Gone, &[45103, 45109]),
        ];
        for (expected, codes) in groups {
            for &code in codes {
                assert_eq!(find(code).map(|entry| entry.outcome), Some(expected), "{code}");
            }
        }
    }

    #[test]
    fn only_0_means_delivered_and_no_code_means_unknown() {
        for entry in ERRCODES {
            assert_eq!(entry.outcome == Delivered, entry.code == 0, "{}", entry.code);
            assert_ne!(entry.outcome, Outcome::Unknown, "{}", entry.code);
        }
    }

    #[test]
    fn outcomes_say_their_name() {
        for (outcome, name) in ALL_OUTCOMES {
            assert_eq!(outcome.name(), name);
        }
    }

    #[test]
    fn every_hint_is_one_sentence_in_its_own_language() {
        for (code, (zh, en)) in hints() {
            assert!(zh.ends_with('。') && zh.matches(['。', '！', '？']).count() == 1, "{code}: {zh}");
            assert!(en.ends_with('.') && en.matches(['.', '!', '?']).count() == 1, "{code}: {en}");
            assert!(has_han(zh) && !has_han(en), "{code}");
            assert!(en.starts_with(|c: char| c.is_ascii_uppercase()) && en.len() > 20, "{code}: {en}");
        }
        assert!(ERRCODES.iter().all(|entry| !entry.text.trim().is_empty() && !has_han(entry.text)));
    }

    #[test]
    fn both_languages_name_the_same_methods_and_only_methods_of_the_extension() {
        let known = "accessToken addTemplate categories clearQuota configure flush grants queue quota recordGrants publicKeywords publicTemplates registerTemplate requestTemplates rid send sendMany sendOneTime sendTemplate syncTemplates templateId templates validate";
        for (code, (zh, en)) in hints() {
            let methods = methods_named(zh);
            assert_eq!(methods, methods_named(en), "{code}");
            for method in methods {
                assert!(known.split(' ').any(|name| name == method), "{code}: {method}");
            }
        }
    }
}
