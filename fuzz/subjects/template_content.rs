//! A template's content and a payload.

use std::borrow::Cow;

use routine_template::field::{self, Mode};
use routine_template::message::{Channel, Input};
use routine_template::template::Template;

use super::parts;

/// A template's content, then key and value in turns, or a payload as JSON: what fits is accepted as it is.
pub fn template_content(data: &[u8]) {
    let mut parts = parts(data);
    let template = Template::from_content(&String::from_utf8_lossy(parts.next().unwrap_or_default()));
    let rest: Vec<&[u8]> = parts.collect();
    let pairs = rest.chunks(2).map(|pair| {
        let value = pair.get(1).copied().unwrap_or_default();
        (Cow::Borrowed(pair[0]), Input::Text(Cow::Borrowed(value)))
    });
    let payloads = [Input::Map(pairs.collect()), Input::Text(Cow::Borrowed(rest.first().copied().unwrap_or_default()))];
    for payload in &payloads {
        for channel in Channel::ALL {
            for template in [None, Some(&template)] {
                let fitted = field::check(payload, template, Mode::Fit, channel);
                field::check(payload, template, Mode::Off, channel);
                let strict = field::check(payload, template, Mode::Strict, channel);
                assert!(!strict.violations.is_empty() || fitted.violations.is_empty(), "strict takes what fit refuses");
                // Names of digits only, as no template of WeChat has them, are positions of a list where they stand by themselves.
                let is_list = fitted.fields.iter().all(|(key, _)| key.bytes().all(|byte| byte.is_ascii_digit()));
                if fitted.violations.is_empty() && !is_list {
                    let members = fitted.fields.iter().map(|(key, value)| {
                        (Cow::Borrowed(key.as_bytes()), Input::Text(Cow::Borrowed(value.as_bytes())))
                    });
                    let again = field::check(&Input::Map(members.collect()), template, Mode::Strict, channel);
                    assert_eq!(again.violations, Vec::new(), "what fits is refused");
                    assert_eq!(again.fields, fitted.fields, "what fits is changed");
                }
            }
        }
    }
}
