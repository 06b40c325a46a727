//! The payload of a message: normalise its shape, check every field against WeChat's rules, and fit what can be fitted.
//!
//! A refusal here must be certain. Each family of parameter types has one file that says what WeChat is known to refuse (`check`) and
//! what a value becomes that can be repaired without changing its meaning (`fit`); whatever `fit` makes goes through `check` too.
//! Free text is cut and cleaned, and where nothing is left a neutral mark is sent (`-`, for names and phrases 无). Identifiers, numbers,
//! amounts, dates, phone and plate numbers keep their value or are refused.

mod amount;
mod car_number;
mod character_string;
mod choice;
mod decimal;
mod encoding;
mod flaw;
mod glyph;
mod json;
mod letter;
mod moment;
mod name;
mod number;
mod phone_number;
mod phrase;
pub(crate) mod shape;
pub mod table;
mod text;
mod untyped;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use flaw::{Fit, Flaw};
use glyph::shorten;
use shape::{Entry, Text, WHOLE};
use table::{FieldType, Kind};

use crate::message::{Channel, Input};
use crate::template::{Template, TemplateField};

/// How far the payload may be changed before it is sent (setting `validate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Repair what can be repaired without changing its meaning; refuse the rest.
    #[default]
    Fit,
    /// Change no value; refuse what WeChat would refuse.
    Strict,
    /// Bring the shape into WeChat's form and send the values as they are.
    Off,
}

/// One thing that WeChat would certainly refuse, and what would be accepted in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The template parameter, such as `thing1`.
    pub field: String,
    /// Which rule is broken: a short stable name such as `too_long`, `empty`, `missing`, `characters`, `format`.
    pub rule: &'static str,
    /// The value that broke it, shortened for display.
    pub value: String,
    /// A value that would be accepted, where there is one that means the same.
    pub fits: Option<String>,
    /// One sentence for a developer, Chinese.
    pub message_zh: String,
    /// One sentence for a developer, English.
    pub message_en: String,
}

impl Violation {
    /// Whether WeChat words this refusal as `is empty` (missing, empty, wrong structure) rather than `invalid`.
    pub fn is_empty(&self) -> bool {
        matches!(self.rule, "missing" | "empty" | "structure")
    }
}

/// One value that fitting altered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The template parameter, such as `thing1`.
    pub field: String,
    /// Why, as a short stable name such as `cut`, `characters`, `date`, `amount`, `encoding`, `surplus`.
    pub rule: Cow<'static, str>,
    /// The value before, shortened for display.
    pub from: String,
    /// The value that is sent; `None` where the field is not sent at all.
    pub to: Option<String>,
}

/// A payload after the field stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// `(key, value)` in template order where the template is known, else in the caller's order.
    pub fields: Vec<(String, String)>,
    /// Why WeChat would refuse it, in the order in which WeChat would find them; empty if it would not.
    pub violations: Vec<Violation>,
    /// What fitting altered.
    pub changes: Vec<Change>,
}

/// Normalises, checks and (in mode `fit`) repairs a payload.
///
/// The shape is repaired in every mode. A field that cannot be sent gives one violation and is left out of `fields`; the other fields
/// are judged all the same. With a template (one that has fields) the order is the template's, a missing field is a violation and a
/// surplus one is dropped; mode `off` keeps the caller's fields and judges no value.
pub fn check(data: &Input<'_>, template: Option<&Template>, mode: Mode, channel: Channel) -> Checked {
    if let Input::Text(bytes) = data {
        return match json::from_json_bytes(bytes) {
            Some(parsed) => check_parsed(&parsed, template, mode, channel),
            None => refused(no_json(), &String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes))),
        };
    }
    check_parsed(data, template, mode, channel)
}

fn check_parsed(data: &Input<'_>, template: Option<&Template>, mode: Mode, channel: Channel) -> Checked {
    let template = template.filter(|template| mode != Mode::Off && !template.is_empty());
    let entries = match (shape::entries(data), template) {
        (Ok(entries), _) => entries,
        // With a template, an empty payload is the absence of each of its fields.
        (Err(flaw), Some(_)) if flaw.rule == "empty" => Vec::new(),
        (Err(flaw), _) => return refused(flaw, ""),
    };
    let mut judge = Judge { mode, channel, checked: Checked::default() };
    let Some(template) = template else {
        judge.checked.fields.reserve(entries.len());
        for entry in &entries {
            judge.field(entry, None);
        }
        return judge.checked;
    };
    judge.checked.fields.reserve(template.fields.len());
    for field in &template.fields {
        match entries.iter().find(|entry| entry.key == field.key) {
            Some(entry) => judge.field(entry, Some(field)),
            None => judge.missing(field),
        }
    }
    if entries.len() + judge.checked.violations.len() > template.fields.len() {
        for entry in entries.iter().filter(|entry| template.get(&entry.key).is_none()) {
            judge.surplus(entry);
        }
    }
    judge.checked
}

fn refused(flaw: Flaw, given: &str) -> Checked {
    Checked { violations: vec![flaw.of(WHOLE, None, given, None)], ..Checked::default() }
}

fn no_json() -> Flaw {
    Flaw::new(
        "structure",
        ("是字符串，但不是 JSON 对象", "is a string but no JSON object"),
        ("请传数组，或传 json_encode 的结果", "pass an array, or what json_encode made of one"),
    )
}

/// Walks the fields of one payload.
struct Judge {
    mode: Mode,
    channel: Channel,
    checked: Checked,
}

impl Judge {
    fn field(&mut self, entry: &Entry<'_, '_>, field: Option<&TemplateField>) {
        let key = entry.key.as_ref();
        let row = FieldType::of(key, self.channel);
        // Only a typed key is certain to belong to the template, and only there is `{}` certain to be refused.
        let hollow = row.is_none() && shape::is_hollow(entry.value);
        let Text { text, bytes } = match shape::text_of(if hollow { &Input::Null } else { entry.value }) {
            Ok(text) => text,
            Err(flaw) => {
                // Types that no text shows are named in the sentence already.
                let given = match entry.value {
                    Input::Map(_) | Input::Unusable(_) | Input::Bool(_) => String::new(),
                    value => display(value),
                };
                return self.checked.violations.push(flaw.of(key, row, &given, None));
            }
        };
        if let Some(earlier) = entry.replaced {
            self.changed(key, "duplicate", &display(earlier), Some(bounded(&text)));
        }
        if let Some(bytes) = bytes {
            let given = String::from_utf8_lossy(bytes.get(..256).unwrap_or(&bytes)).into_owned();
            if self.mode == Mode::Strict {
                return self.checked.violations.push(not_utf8().of(key, row, &given, Some(text.into_owned())));
            }
            self.changed(key, "encoding", &given, Some(bounded(&text)));
        }
        let values = field.and_then(|field| field.values.as_deref());
        let rule = Rule { row, values, channel: self.channel };
        match self.mode {
            Mode::Off => self.checked.fields.push((key.to_owned(), text.into_owned())),
            Mode::Strict => match rule.check(&text) {
                Ok(()) => self.checked.fields.push((key.to_owned(), text.into_owned())),
                Err(flaw) => self.violated(&rule, key, &text, flaw),
            },
            Mode::Fit => {
                let Fit { value, rule: reason } = rule.fit(&text);
                match rule.check(&value) {
                    Ok(()) => {
                        if value != text {
                            self.changed(key, reason, &text, Some(value.to_string()));
                        }
                        self.checked.fields.push((key.to_owned(), value.into_owned()));
                    }
                    Err(flaw) => self.violated(&rule, key, &text, flaw),
                }
            }
        }
    }

    fn violated(&mut self, rule: &Rule<'_>, key: &str, text: &str, flaw: Flaw) {
        let fitted = rule.fit(text);
        let means_the_same = fitted.rule != "placeholder" && fitted.value != text && rule.check(&fitted.value).is_ok();
        let fits = means_the_same.then(|| fitted.value.into_owned());
        self.checked.violations.push(flaw.of(key, rule.row, text, fits));
    }

    fn missing(&mut self, field: &TemplateField) {
        let caption =
            if field.caption.is_empty() { String::new() } else { format!("“{}”", shorten(&field.caption)) };
        let flaw = Flaw::new(
            "missing",
            (
                format!("是模板要求的字段{caption}，但没有给出"),
                format!(
                    "is a field of the template{} that was not given",
                    if caption.is_empty() { caption.clone() } else { format!(" ({caption})") }
                ),
            ),
            ("请在 data 中加上它", "add it to data"),
        );
        let row = FieldType::of(&field.key, self.channel);
        self.checked.violations.push(flaw.of(&field.key, row, "", None));
    }

    fn surplus(&mut self, entry: &Entry<'_, '_>) {
        self.changed(&entry.key, "surplus", &display(entry.value), None);
    }

    fn changed(&mut self, field: &str, rule: &'static str, from: &str, to: Option<String>) {
        self.checked.changes.push(Change { field: shorten(field), rule: Cow::Borrowed(rule), from: shorten(from), to });
    }
}

fn not_utf8() -> Flaw {
    Flaw::new("encoding", ("不是 UTF-8", "is not UTF-8"), ("请以 UTF-8 传递", "pass UTF-8"))
}

/// A value on its way through the stage; a huge one is not worth a copy.
fn bounded(text: &str) -> String {
    const LONGEST: usize = 1024;
    if text.len() > LONGEST { shorten(text) } else { text.to_owned() }
}

/// A value for an error text, whatever it is.
fn display(value: &Input<'_>) -> String {
    match value {
        Input::Text(bytes) => shorten(&String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes))),
        other => shape::text_of(other).map_or_else(|_| shorten(other.type_name()), |text| shorten(&text.text)),
    }
}

/// What is known about one field.
struct Rule<'r> {
    row: Option<&'static FieldType>,
    values: Option<&'r [String]>,
    channel: Channel,
}

impl Rule<'_> {
    fn check(&self, value: &str) -> Result<(), Flaw> {
        if let Some(row) = self.row {
            self.check_type(row, value)?;
        }
        untyped::check(value)
    }

    fn check_type(&self, row: &'static FieldType, value: &str) -> Result<(), Flaw> {
        match row.kind {
            Kind::Thing | Kind::ShortThing => text::check(row, value),
            Kind::Number => number::check(row, value),
            Kind::Letter | Kind::Symbol => letter::check(row, value),
            Kind::CharacterString => character_string::check(row, value),
            Kind::Time | Kind::Date => moment::check(row, value),
            Kind::Amount => amount::check(row, row.limit_on(self.channel), value),
            Kind::PhoneNumber => phone_number::check(row, value),
            Kind::CarNumber => car_number::check(row, value),
            Kind::Name => name::check(row, value),
            Kind::Phrase => phrase::check(row, value),
            Kind::Enum | Kind::EnumString | Kind::Const => choice::check(row, self.values, value),
        }
    }

    fn fit<'a>(&self, value: &'a str) -> Fit<'a> {
        let Some(row) = self.row else { return untyped::fit(value) };
        match row.kind {
            Kind::Thing | Kind::ShortThing => text::fit(row, value),
            Kind::Number => number::fit(row, value),
            Kind::Letter | Kind::Symbol => letter::fit(row, value),
            Kind::CharacterString => character_string::fit(row, value),
            Kind::Time | Kind::Date => moment::fit(row, value),
            Kind::Amount => amount::fit(row.limit_on(self.channel), value),
            Kind::PhoneNumber => phone_number::fit(row, value),
            Kind::CarNumber => car_number::fit(row, value),
            Kind::Name => name::fit(row, value),
            Kind::Phrase => phrase::fit(row, value),
            Kind::Enum | Kind::EnumString | Kind::Const => choice::fit(self.values, value),
        }
    }
}

#[cfg(test)]
mod tests;
