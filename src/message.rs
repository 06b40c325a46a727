//! What goes out: one message as the application wrote it, before any stage has touched it.

use std::borrow::Cow;

use crate::options::Options;

/// A value as PHP (or JSON) handed it over, borrowed where possible: the edge converts nothing, so that the field
/// stage can name the field that holds something unusable.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// `null`, or an undefined PHP variable.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any PHP integer.
    Int(i64),
    /// Any PHP float, NaN and infinities included.
    Float(f64),
    /// A PHP string: bytes that are usually, but not always, UTF-8.
    Text(Cow<'a, [u8]>),
    /// A PHP array or plain object in its own order; integer keys are written out in decimal.
    Map(Vec<(Cow<'a, [u8]>, Input<'a>)>),
    /// What no message can hold, by its name for the error text: a resource, a closure, a too deep nesting.
    Unusable(Cow<'a, str>),
}

impl<'a> Input<'a> {
    /// A text value from UTF-8.
    pub fn text(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(match value.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    /// An object that no message can hold, by its class. The name of an anonymous class goes on behind a NUL with the path of its file,
    /// which is nobody's business.
    pub fn object(class: &str) -> Self {
        Self::Unusable(Cow::Owned(class.split('\0').next().unwrap_or_default().chars().take(100).collect()))
    }

    /// The member of a map with exactly this key.
    pub fn get(&self, key: &str) -> Option<&Input<'a>> {
        match self {
            Self::Map(members) => {
                members.iter().find(|(name, _)| name.as_ref() == key.as_bytes()).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The same without anything borrowed.
    pub fn into_owned(self) -> Input<'static> {
        let text = |text: Cow<'a, [u8]>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Input::Null,
            Self::Bool(flag) => Input::Bool(flag),
            Self::Int(number) => Input::Int(number),
            Self::Float(number) => Input::Float(number),
            Self::Text(bytes) => Input::Text(text(bytes)),
            Self::Map(members) => {
                Input::Map(members.into_iter().map(|(name, value)| (text(name), value.into_owned())).collect())
            }
            Self::Unusable(name) => Input::Unusable(Cow::Owned(name.into_owned())),
        }
    }

    /// The value as an error text shows it.
    pub fn shown(&self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(bytes) => String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).into_owned(),
            other => other.type_name().to_owned(),
        }
    }

    /// What PHP calls this type, for error texts.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "string",
            Self::Map(_) => "array",
            Self::Unusable(name) => name,
        }
    }
}

impl From<serde_json::Value> for Input<'_> {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Self::Int(int),
                (None, Some(float)) => Self::Float(float),
                (None, None) => Self::text(number.to_string()),
            },
            Value::String(text) => Self::text(text),
            Value::Array(items) => Self::Map(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| (Cow::Owned(index.to_string().into_bytes()), item.into()))
                    .collect(),
            ),
            Value::Object(members) => Self::Map(
                members.into_iter().map(|(key, member)| (Cow::Owned(key.into_bytes()), member.into())).collect(),
            ),
        }
    }
}

/// The WeChat call that carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Channel {
    /// Mini program: `POST /cgi-bin/message/subscribe/send`.
    #[default]
    Subscribe,
    /// Official account, subscription notice: `POST /cgi-bin/message/subscribe/bizsend`.
    Bizsend,
    /// Official account, template message: `POST /cgi-bin/message/template/send`.
    Template,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 3] = [Self::Subscribe, Self::Bizsend, Self::Template];

    /// The name in option `channel` and in delivery rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Bizsend => "bizsend",
            Self::Template => "template",
        }
    }

    /// The channel of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// One message before any stage.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The receiver's openid.
    pub touser: Cow<'a, str>,
    /// Private template id, or a name given by `registerTemplate()`.
    pub template_id: Cow<'a, str>,
    /// The fields in any shape that PHP code writes them.
    pub data: Input<'a>,
    /// Where a tap leads.
    pub page: Option<Cow<'a, str>>,
    /// What this message wants otherwise than the settings say.
    pub options: Options,
}
