//! Every method of `RoutineTemplate` and `RoutineTemplate\App`: its signature, written once for both classes and both faces. The
//! bodies stand by subject.
// What Reflection shows of them, the library's PHP side declares by itself.
#![cfg_attr(not(feature = "php"), allow(dead_code))]

mod account;
mod ledger;
mod sending;
mod templates;

use super::call::Call;
use super::returned::Returned;
use crate::error::Error;

/// PHP's built-in types, one bit each.
pub mod types {
    /// `string`.
    pub const STRING: u32 = 1;
    /// `int`.
    pub const INT: u32 = 1 << 1;
    /// `array`.
    pub const ARRAY: u32 = 1 << 2;
    /// `object`.
    pub const OBJECT: u32 = 1 << 3;
    /// `null`.
    pub const NULL: u32 = 1 << 4;
    /// `false`.
    pub const FALSE: u32 = 1 << 5;
    /// `bool`.
    pub const BOOL: u32 = 1 << 6;
    /// `void`.
    pub const VOID: u32 = 1 << 7;
    /// `iterable`, always alone.
    pub const ITERABLE: u32 = 1 << 8;
}

use types::{ARRAY, BOOL, FALSE, INT, ITERABLE, NULL, OBJECT, STRING, VOID};

/// A parameter as Reflection shows it.
pub struct Parameter {
    /// The name, for named arguments.
    pub name: &'static str,
    /// The [`types`] that it takes.
    pub types: u32,
    /// The same in words, for a `TypeError`.
    pub expected: &'static str,
    /// The default as PHP source; `None` if it must be given.
    pub default: Option<&'static str>,
    /// Left out of stack traces (`#[SensitiveParameter]`, PHP 8.2 and newer).
    pub sensitive: bool,
}

const fn required(name: &'static str, types: u32, expected: &'static str) -> Parameter {
    Parameter { name, types, expected, default: None, sensitive: false }
}

const fn optional(name: &'static str, types: u32, expected: &'static str, default: &'static str) -> Parameter {
    Parameter { name, types, expected, default: Some(default), sensitive: false }
}

/// Those of a method that takes one message.
const MESSAGE: [Parameter; 5] = [
    required("openid", STRING | INT, "string|int"),
    required("templateId", STRING | INT, "string|int"),
    required("data", ARRAY | OBJECT | STRING, "array|object|string"),
    optional("page", STRING | NULL, "?string", "null"),
    optional("options", ARRAY, "array", "[]"),
];

/// What a method returns, as Reflection shows it.
#[derive(Clone, Copy)]
pub enum Returns {
    /// Built-in types.
    Types(u32),
    /// `RoutineTemplate\App`.
    App,
}

/// One method.
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Its return type.
    pub returns: Returns,
    /// What it does.
    pub body: Body,
}

impl Method {
    /// How many arguments must be given.
    pub fn required(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.default.is_none()).count()
    }
}

/// What a method does.
#[derive(Clone, Copy)]
pub enum Body {
    /// The same on both faces.
    Common(fn(&Call<'_>) -> Result<Returned, Error>),
    /// Walks through code of the application, which each face does in a way of its own.
    SendMany,
}

/// The methods. `RoutineTemplate` has them as static ones; `App` has all but the first [`ONLY_STATIC`].
pub static METHODS: [Method; METHOD_COUNT] = [
    Method {
        name: "app",
        parameters: &[required("appid", STRING, "string")],
        returns: Returns::App,
        body: Body::Common(account::app),
    },
    Method { name: "version", parameters: &[], returns: Returns::Types(STRING), body: Body::Common(account::version) },
    Method {
        name: "configure",
        parameters: &[Parameter { sensitive: true, ..required("config", ARRAY, "array") }],
        returns: Returns::Types(VOID),
        body: Body::Common(account::configure),
    },
    Method { name: "send", parameters: &MESSAGE, returns: Returns::Types(ARRAY), body: Body::Common(sending::send) },
    Method { name: "queue", parameters: &MESSAGE, returns: Returns::Types(STRING), body: Body::Common(sending::queue) },
    Method {
        name: "flush",
        parameters: &[optional("timeoutMs", INT | STRING, "string|int", "5000")],
        returns: Returns::Types(INT),
        body: Body::Common(sending::flush),
    },
    Method {
        name: "sendMany",
        parameters: &[required("messages", ITERABLE, "array|Traversable"), optional("options", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: Body::SendMany,
    },
    Method {
        name: "sendTemplate",
        parameters: &[
            required("openId", STRING | INT | NULL, "string|int|null"),
            required("templateId", STRING | INT | NULL, "string|int|null"),
            optional("link", STRING | NULL, "?string", "''"),
            optional("dataKey", ARRAY | OBJECT | STRING, "array|object|string", "[]"),
        ],
        returns: Returns::Types(ARRAY | FALSE),
        body: Body::Common(sending::send_template),
    },
    Method {
        name: "validate",
        parameters: &[
            required("templateId", STRING | INT, "string|int"),
            required("data", ARRAY | OBJECT | STRING, "array|object|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(sending::validate),
    },
    Method {
        name: "registerTemplate",
        parameters: &[
            required("key", STRING | INT, "string|int"),
            required("templateId", STRING | INT, "string|int"),
            optional("content", STRING | NULL, "?string", "null"),
        ],
        returns: Returns::Types(VOID),
        body: Body::Common(templates::register_template),
    },
    Method {
        name: "templateId",
        parameters: &[required("key", STRING | INT, "string|int")],
        returns: Returns::Types(STRING | NULL),
        body: Body::Common(templates::template_id),
    },
    Method {
        name: "templates",
        parameters: &[optional("refresh", BOOL, "bool", "false")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(templates::templates),
    },
    Method {
        name: "addTemplate",
        parameters: &[
            required("tid", STRING | INT, "string|int"),
            required("keywordIds", ARRAY, "array"),
            required("scene", STRING, "string"),
        ],
        returns: Returns::Types(STRING),
        body: Body::Common(templates::add_template),
    },
    Method {
        name: "deleteTemplate",
        parameters: &[required("templateId", STRING | INT, "string|int")],
        returns: Returns::Types(VOID),
        body: Body::Common(templates::delete_template),
    },
    Method {
        name: "categories",
        parameters: &[],
        returns: Returns::Types(ARRAY),
        body: Body::Common(templates::categories),
    },
    Method {
        name: "publicTemplates",
        parameters: &[
            required("categoryIds", ARRAY | STRING | INT, "array|string|int"),
            optional("start", INT | STRING, "string|int", "0"),
            optional("limit", INT | STRING, "string|int", "30"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(templates::public_templates),
    },
    Method {
        name: "publicKeywords",
        parameters: &[required("tid", STRING | INT, "string|int")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(templates::public_keywords),
    },
    Method {
        name: "syncTemplates",
        parameters: &[required("wanted", ARRAY, "array"), optional("options", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(templates::sync_templates),
    },
    Method {
        name: "accessToken",
        parameters: &[optional("refresh", BOOL, "bool", "false")],
        returns: Returns::Types(STRING),
        body: Body::Common(account::access_token),
    },
    Method {
        name: "recordGrants",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("result", ARRAY | OBJECT | STRING, "array|object|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(ledger::record_grants),
    },
    Method {
        name: "grants",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            optional("templateId", STRING | INT | NULL, "string|int|null", "null"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(ledger::grants),
    },
    Method {
        name: "audience",
        parameters: &[
            required("templateId", STRING | INT, "string|int"),
            optional("cursor", STRING | NULL, "?string", "null"),
            optional("limit", INT | STRING, "string|int", "1000"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(ledger::audience),
    },
    Method {
        name: "requestTemplates",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("keys", ARRAY, "array"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(ledger::request_templates),
    },
    Method {
        name: "handlePush",
        parameters: &[required("query", ARRAY, "array"), required("body", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(ledger::handle_push),
    },
    Method {
        name: "recordEvent",
        parameters: &[required("message", ARRAY | OBJECT | STRING, "array|object|string")],
        returns: Returns::Types(BOOL),
        body: Body::Common(ledger::record_event),
    },
    Method {
        name: "status",
        parameters: &[required("id", STRING, "string")],
        returns: Returns::Types(ARRAY | NULL),
        body: Body::Common(ledger::status),
    },
    Method {
        name: "deliveries",
        parameters: &[optional("filter", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(ledger::deliveries),
    },
    Method {
        name: "quota",
        parameters: &[required("path", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(account::quota),
    },
    Method {
        name: "clearQuota",
        parameters: &[optional("path", STRING | NULL, "?string", "null")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(account::clear_quota),
    },
    Method {
        name: "rid",
        parameters: &[required("rid", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(account::rid),
    },
    Method {
        name: "sendOneTime",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("templateId", STRING | INT, "string|int"),
            required("scene", STRING | INT, "string|int"),
            required("title", STRING, "string"),
            required("content", STRING | ARRAY, "array|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: Body::Common(sending::send_one_time),
    },
    Method {
        name: "uniformSend",
        parameters: &[optional("message", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(sending::uniform_send),
    },
    Method {
        name: "wxopenTemplateSend",
        parameters: &[optional("message", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: Body::Common(sending::wxopen_template_send),
    },
    Method { name: "stats", parameters: &[], returns: Returns::Types(ARRAY), body: Body::Common(account::stats) },
];

/// How many methods there are.
pub const METHOD_COUNT: usize = 34;
/// How many of them, from the first on, belong to no account and are not on `App`.
pub const ONLY_STATIC: usize = 2;
