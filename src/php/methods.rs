//! Every method of `RoutineTemplate` and `RoutineTemplate\App`: its signature, written once for both classes. The bodies stand by subject.

mod account;
mod ledger;
mod result;
mod sending;
mod templates;

use ext_php_rs::ffi::{IS_ARRAY, IS_FALSE, IS_LONG, IS_NULL, IS_OBJECT, IS_STRING, IS_VOID, MAY_BE_BOOL};
use ext_php_rs::types::Zval;

use super::bulk;
use super::call::Call;
use crate::error::Error;

pub(super) use result::no_memory;

/// PHP's masks of built-in types.
const STRING: u32 = 1 << IS_STRING;
const INT: u32 = 1 << IS_LONG;
const ARRAY: u32 = 1 << IS_ARRAY;
const OBJECT: u32 = 1 << IS_OBJECT;
const NULL: u32 = 1 << IS_NULL;
const FALSE: u32 = 1 << IS_FALSE;
const BOOL: u32 = MAY_BE_BOOL;
const VOID: u32 = 1 << IS_VOID;
/// No mask: what it means differs between versions of PHP, and the builder knows.
pub const ITERABLE: u32 = u32::MAX;

/// A parameter as Reflection shows it.
pub struct Parameter {
    /// The name, for named arguments.
    pub name: &'static str,
    /// PHP's type masks.
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
    pub body: fn(&Call<'_>) -> Result<Zval, Error>,
}

/// The methods. `RoutineTemplate` has them as static ones; `App` has all but the first [`ONLY_STATIC`].
pub static METHODS: [Method; METHOD_COUNT] = [
    Method {
        name: "app",
        parameters: &[required("appid", STRING, "string")],
        returns: Returns::App,
        body: account::app,
    },
    Method { name: "version", parameters: &[], returns: Returns::Types(STRING), body: account::version },
    Method {
        name: "configure",
        parameters: &[Parameter { sensitive: true, ..required("config", ARRAY, "array") }],
        returns: Returns::Types(VOID),
        body: account::configure,
    },
    Method { name: "send", parameters: &MESSAGE, returns: Returns::Types(ARRAY), body: sending::send },
    Method { name: "queue", parameters: &MESSAGE, returns: Returns::Types(STRING), body: sending::queue },
    Method {
        name: "flush",
        parameters: &[optional("timeoutMs", INT | STRING, "string|int", "5000")],
        returns: Returns::Types(INT),
        body: sending::flush,
    },
    Method {
        name: "sendMany",
        parameters: &[required("messages", ITERABLE, "array|Traversable"), optional("options", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: bulk::send_many,
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
        body: sending::send_template,
    },
    Method {
        name: "validate",
        parameters: &[
            required("templateId", STRING | INT, "string|int"),
            required("data", ARRAY | OBJECT | STRING, "array|object|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: sending::validate,
    },
    Method {
        name: "registerTemplate",
        parameters: &[
            required("key", STRING | INT, "string|int"),
            required("templateId", STRING | INT, "string|int"),
            optional("content", STRING | NULL, "?string", "null"),
        ],
        returns: Returns::Types(VOID),
        body: templates::register_template,
    },
    Method {
        name: "templateId",
        parameters: &[required("key", STRING | INT, "string|int")],
        returns: Returns::Types(STRING | NULL),
        body: templates::template_id,
    },
    Method {
        name: "templates",
        parameters: &[optional("refresh", BOOL, "bool", "false")],
        returns: Returns::Types(ARRAY),
        body: templates::templates,
    },
    Method {
        name: "addTemplate",
        parameters: &[
            required("tid", STRING | INT, "string|int"),
            required("keywordIds", ARRAY, "array"),
            required("scene", STRING, "string"),
        ],
        returns: Returns::Types(STRING),
        body: templates::add_template,
    },
    Method {
        name: "deleteTemplate",
        parameters: &[required("templateId", STRING | INT, "string|int")],
        returns: Returns::Types(VOID),
        body: templates::delete_template,
    },
    Method { name: "categories", parameters: &[], returns: Returns::Types(ARRAY), body: templates::categories },
    Method {
        name: "publicTemplates",
        parameters: &[
            required("categoryIds", ARRAY | STRING | INT, "array|string|int"),
            optional("start", INT | STRING, "string|int", "0"),
            optional("limit", INT | STRING, "string|int", "30"),
        ],
        returns: Returns::Types(ARRAY),
        body: templates::public_templates,
    },
    Method {
        name: "publicKeywords",
        parameters: &[required("tid", STRING | INT, "string|int")],
        returns: Returns::Types(ARRAY),
        body: templates::public_keywords,
    },
    Method {
        name: "syncTemplates",
        parameters: &[required("wanted", ARRAY, "array"), optional("options", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: templates::sync_templates,
    },
    Method {
        name: "accessToken",
        parameters: &[optional("refresh", BOOL, "bool", "false")],
        returns: Returns::Types(STRING),
        body: account::access_token,
    },
    Method {
        name: "recordGrants",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("result", ARRAY | OBJECT | STRING, "array|object|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: ledger::record_grants,
    },
    Method {
        name: "grants",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            optional("templateId", STRING | INT | NULL, "string|int|null", "null"),
        ],
        returns: Returns::Types(ARRAY),
        body: ledger::grants,
    },
    Method {
        name: "audience",
        parameters: &[
            required("templateId", STRING | INT, "string|int"),
            optional("cursor", STRING | NULL, "?string", "null"),
            optional("limit", INT | STRING, "string|int", "1000"),
        ],
        returns: Returns::Types(ARRAY),
        body: ledger::audience,
    },
    Method {
        name: "requestTemplates",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("keys", ARRAY, "array"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: ledger::request_templates,
    },
    Method {
        name: "handlePush",
        parameters: &[required("query", ARRAY, "array"), required("body", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: ledger::handle_push,
    },
    Method {
        name: "recordEvent",
        parameters: &[required("message", ARRAY | OBJECT | STRING, "array|object|string")],
        returns: Returns::Types(BOOL),
        body: ledger::record_event,
    },
    Method {
        name: "status",
        parameters: &[required("id", STRING, "string")],
        returns: Returns::Types(ARRAY | NULL),
        body: ledger::status,
    },
    Method {
        name: "deliveries",
        parameters: &[optional("filter", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: ledger::deliveries,
    },
    Method {
        name: "quota",
        parameters: &[required("path", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: account::quota,
    },
    Method {
        name: "clearQuota",
        parameters: &[optional("path", STRING | NULL, "?string", "null")],
        returns: Returns::Types(ARRAY),
        body: account::clear_quota,
    },
    Method {
        name: "rid",
        parameters: &[required("rid", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: account::rid,
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
        body: sending::send_one_time,
    },
    Method {
        name: "uniformSend",
        parameters: &[optional("message", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: sending::uniform_send,
    },
    Method {
        name: "wxopenTemplateSend",
        parameters: &[optional("message", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: sending::wxopen_template_send,
    },
    Method { name: "stats", parameters: &[], returns: Returns::Types(ARRAY), body: account::stats },
];

/// How many methods there are.
pub const METHOD_COUNT: usize = 34;
/// How many of them, from the first on, belong to no account and are not on `App`.
pub const ONLY_STATIC: usize = 2;
