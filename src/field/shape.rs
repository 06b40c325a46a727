//! Shape: from what PHP people write to keys with text values.

use std::borrow::Cow;
use std::collections::HashMap;

use super::decimal::{NoText, float_text};
use super::encoding::{Decoded, decode};
use super::flaw::Flaw;
use super::json::from_json;
use crate::message::Input;

/// A key in WeChat's spelling, and its value as it was given.
pub(super) struct Entry<'i, 'a> {
    pub(super) key: Cow<'i, str>,
    pub(super) value: &'i Input<'a>,
    /// An earlier value under the same key, which this one replaces.
    pub(super) replaced: Option<&'i Input<'a>>,
}

/// The name under which faults of the payload as a whole are told.
pub(super) const WHOLE: &str = "data";

/// The entries of a payload in the caller's order; where a key comes twice (`thing1` and `thing1.DATA`) the last value wins, as in
/// JSON and in PHP arrays, at the place of the first.
pub(super) fn entries<'i, 'a>(data: &'i Input<'a>) -> Result<Vec<Entry<'i, 'a>>, Flaw> {
    let Input::Map(members) = data else { return Err(not_a_map(data)) };
    if members.is_empty() {
        return Err(nothing());
    }
    let pairs = members.iter().all(|(key, _)| is_index(key));
    let mut entries: Vec<Entry<'i, 'a>> = Vec::with_capacity(members.len());
    // A linear search beats hashing for the handful of keys of a real message.
    let mut index: HashMap<Cow<'i, str>, usize> = HashMap::new();
    for (key, value) in members {
        let (key, value) = if pairs { named(value)? } else { (key.as_ref(), value) };
        let key = spell(key);
        let found = if entries.len() < 16 {
            entries.iter().position(|entry| entry.key == key)
        } else {
            if index.is_empty() {
                index = entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
            }
            index.get(&key).copied()
        };
        if let Some(entry) = found.and_then(|at| entries.get_mut(at)) {
            entry.replaced = Some(entry.value);
            entry.value = value;
            continue;
        }
        if !index.is_empty() {
            index.insert(key.clone(), entries.len());
        }
        entries.push(Entry { key, value, replaced: None });
    }
    if entries.iter().all(|entry| is_index(entry.key.as_bytes())) {
        return Err(unnamed());
    }
    Ok(entries)
}

fn nothing() -> Flaw {
    Flaw::new("empty", ("为空", "is empty"), ("请至少传一个字段", "give it at least one field"))
}

fn not_a_map(data: &Input<'_>) -> Flaw {
    if *data == Input::Null {
        return nothing();
    }
    let given = data.type_name().to_owned();
    Flaw::new(
        "structure",
        (format!("应为数组或 JSON 对象，给出的是 {given}"), format!("must be an array or a JSON object, not {given}")),
        ("请改为 ['thing1' => '内容', …]", "pass ['thing1' => 'text', …]"),
    )
}

fn is_index(key: &[u8]) -> bool {
    !key.is_empty() && key.iter().all(u8::is_ascii_digit)
}

/// One member of a list of `{"key": …, "value": …}` or `{"name": …, "value": …}`, as admin forms and Java SDKs write payloads.
fn named<'i, 'a>(member: &'i Input<'a>) -> Result<(&'i [u8], &'i Input<'a>), Flaw> {
    if let (Some(Input::Text(name)), Some(value)) =
        (member.get("key").or_else(|| member.get("name")), member.get("value"))
    {
        return Ok((name.as_ref(), value));
    }
    Err(unnamed())
}

fn unnamed() -> Flaw {
    Flaw::new(
        "structure",
        ("是没有字段名的列表", "is a list without field names"),
        ("请改为 ['thing1' => '内容', …]", "pass ['thing1' => 'text', …]"),
    )
}

/// `thing1`, out of `thing1.DATA`, `{{thing1.DATA}}` and white space around them.
fn spell(key: &[u8]) -> Cow<'_, str> {
    let text = match decode(key) {
        Decoded::Utf8(text) | Decoded::Torn(text) => Cow::Borrowed(text),
        Decoded::Gbk(text) => Cow::Owned(text),
        Decoded::Unknown => String::from_utf8_lossy(key),
    };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(bare_key(text)),
        Cow::Owned(text) => Cow::Owned(bare_key(&text).to_owned()),
    }
}

/// A key without white space, braces and `.DATA` around it.
pub(crate) fn bare_key(key: &str) -> &str {
    let is_bare = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if key.bytes().all(is_bare) {
        return key;
    }
    let outer =
        |character: char| character.is_whitespace() || character == '\u{FEFF}' || matches!(character, '{' | '}');
    let mut key = key.trim_matches(outer);
    // Code that wraps what is wrapped already makes two of them.
    while let Some(stem) = without_suffix(key) {
        key = stem.trim_matches(outer);
    }
    key
}

fn without_suffix(key: &str) -> Option<&str> {
    let (stem, end) = key.split_at_checked(key.len().checked_sub(4)?)?;
    end.eq_ignore_ascii_case("data").then(|| stem.trim_end().strip_suffix('.').map(str::trim_end)).flatten()
}

/// The text of a value, and what decoding did to it.
#[derive(Debug)]
pub(super) struct Text<'i> {
    pub(super) text: Cow<'i, str>,
    /// The bytes as they came, where they were not UTF-8.
    pub(super) bytes: Option<Cow<'i, [u8]>>,
}

impl<'i> Text<'i> {
    fn plain(text: impl Into<Cow<'i, str>>) -> Self {
        Self { text: text.into(), bytes: None }
    }
}

/// Whether a value is `{}`, which Java programs send under the unused keys of old templates.
pub(super) fn is_hollow(value: &Input<'_>) -> bool {
    matches!(value, Input::Map(members) if members.is_empty())
}

/// How deep `['value' => ['value' => …]]` is followed; PHP code that wraps twice exists.
const DEEPEST: usize = 4;

/// The text that a value stands for.
pub(super) fn text_of<'i>(value: &'i Input<'_>) -> Result<Text<'i>, Flaw> {
    let mut value = value;
    for _ in 0..DEEPEST {
        value = match value {
            Input::Map(members) => match value.get("value").or_else(|| listed(members)) {
                Some(inner) => inner,
                None => return date_object(value).map(Text::plain).ok_or_else(|| no_value(value)),
            },
            Input::Text(bytes) => return text(bytes),
            Input::Null => return Ok(Text::plain("")),
            Input::Int(number) => return Ok(Text::plain(number.to_string())),
            Input::Float(number) => return float_text(*number).map(Text::plain).map_err(no_float),
            Input::Bool(flag) => return Err(no_bool(*flag)),
            Input::Unusable(_) => return Err(no_value(value)),
        };
    }
    match value {
        Input::Map(_) | Input::Unusable(_) => Err(no_value(value)),
        _ => text_of(value),
    }
}

/// What a PHP `DateTime` looks like as an array: `date`, `timezone_type` and `timezone`.
fn date_object(value: &Input<'_>) -> Option<String> {
    let member = |key| match value.get(key) {
        Some(Input::Text(bytes)) => std::str::from_utf8(bytes).ok(),
        _ => None,
    };
    value.get("timezone_type")?;
    let date = member("date")?;
    let seconds = date.split_once('.').map_or(date, |(seconds, _)| seconds);
    match member("timezone")? {
        "Asia/Shanghai" | "PRC" | "Asia/Chongqing" | "Asia/Hong_Kong" | "Asia/Taipei" | "+08:00" => {
            Some(seconds.to_owned())
        }
        "UTC" | "Z" | "GMT" => Some(format!("{seconds}Z")),
        offset if offset.starts_with('+') => Some(format!("{seconds}{offset}")),
        // A zone by name would need its rules; rather refuse than be hours wrong.
        _ => None,
    }
}

/// `['内容', '#ff0000']`: CRMEB's value and colour.
fn listed<'i, 'a>(members: &'i [(Cow<'a, [u8]>, Input<'a>)]) -> Option<&'i Input<'a>> {
    members
        .first()
        .filter(|(key, value)| key.as_ref() == b"0" && !matches!(value, Input::Map(_)))
        .map(|(_, value)| value)
}

fn text(bytes: &[u8]) -> Result<Text<'_>, Flaw> {
    match decode(bytes) {
        Decoded::Utf8(text) => Ok(Text::plain(inner_value(text).map_or(Cow::Borrowed(text), Cow::Owned))),
        Decoded::Gbk(text) => Ok(Text { text: Cow::Owned(text), bytes: Some(Cow::Borrowed(bytes)) }),
        Decoded::Torn(text) => Ok(Text { text: Cow::Borrowed(text), bytes: Some(Cow::Borrowed(bytes)) }),
        Decoded::Unknown => Err(Flaw::new(
            "encoding",
            ("的字节既不是 UTF-8 也不是 GBK", "holds bytes that are neither UTF-8 nor GBK"),
            ("请以 UTF-8 传递", "pass UTF-8"),
        )),
    }
}

/// The value of `{"value": "…"}` that was encoded once too often.
fn inner_value(text: &str) -> Option<String> {
    const LONGEST: usize = 64 * 1024;
    if !text.starts_with('{') || text.len() > LONGEST {
        return None;
    }
    let object = from_json(text)?;
    let inner = object.get("value")?;
    match inner {
        Input::Map(_) | Input::Unusable(_) | Input::Bool(_) => None,
        inner => text_of(inner).ok().map(|text| text.text.into_owned()),
    }
}

fn no_value(value: &Input<'_>) -> Flaw {
    let given = match value {
        Input::Map(members) if members.is_empty() => Cow::Borrowed("array()"),
        Input::Map(_) => Cow::Borrowed("array"),
        Input::Unusable(name) if name.starts_with(|first: char| first.is_ascii_uppercase()) => {
            let class = super::glyph::shorten(name);
            return Flaw::new(
                "structure",
                (format!("是 {class} 对象，不是文字"), format!("is an object of class {class}, which is no text")),
                (
                    "请先转成文字，如 (string) $x 或 $x->format('Y-m-d H:i:s')",
                    "make it a text first, such as (string) $x or $x->format('Y-m-d H:i:s')",
                ),
            );
        }
        other => Cow::Owned(super::glyph::shorten(other.type_name())),
    };
    Flaw::new(
        "structure",
        (format!("没有可用的 value，给出的是 {given}"), format!("has no usable value, {given} was given")),
        ("请改为 '内容' 或 ['value' => '内容']", "pass 'text' or ['value' => 'text']"),
    )
}

fn no_bool(flag: bool) -> Flaw {
    Flaw::new(
        "type",
        (format!("是布尔值 {flag}，不是文字"), format!("is the boolean {flag}, which is no text")),
        ("请改为要显示的文字，如“是”", "pass the text to show, such as \"yes\""),
    )
}

fn no_float(reason: NoText) -> Flaw {
    let (why, fix) = match reason {
        NoText::NotFinite => (
            ("是 NaN 或无穷大，不是数字", "is NaN or infinite, which is no number"),
            ("请检查计算它的代码", "check the code that computes it"),
        ),
        NoText::LostDigits => (
            (
                "是超出精度的浮点数，末位数字已经丢失",
                "is a float beyond its precision, its last digits are already lost",
            ),
            ("请以字符串传递", "pass it as a string"),
        ),
        NoText::OutOfRange => (
            ("是过大或过小的浮点数", "is a float too large or too small to show"),
            ("请以字符串传递", "pass it as a string"),
        ),
    };
    Flaw::new("type", why, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lose_what_templates_write_around_them() {
        for key in
            ["thing1", "thing1.DATA", "{{thing1.DATA}}", " {{ thing1 . data }} ", "\u{FEFF}thing1", "thing1.Data"]
        {
            assert_eq!(bare_key(key), "thing1", "{key}");
        }
        for key in ["thing1.DATA.DATA", "{{ {{thing1.DATA}}.DATA }}"] {
            assert_eq!(bare_key(key), "thing1", "{key}");
        }
        assert_eq!(bare_key("DATA"), "DATA");
        assert_eq!(bare_key("账号"), "账号");
    }
}
