//! Every method of `RoutineTemplate` and `RoutineTemplate\App`: signature and body, written once for both classes.

use std::time::{Duration, UNIX_EPOCH};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::Error as ZendError;
use ext_php_rs::ffi::{IS_ARRAY, IS_FALSE, IS_LONG, IS_NULL, IS_OBJECT, IS_STRING, IS_VOID, MAY_BE_BOOL};
use ext_php_rs::types::{ZendHashTable, Zval};
use serde_json::Value;

use super::call::Call;
use super::{bulk, class, request, supplier, value};
use crate::app::OneTime;
use crate::error::Error;
use crate::grant::ReportOptions;
use crate::message::{Input, Message};
use crate::options::Options;
use crate::process::Process;
use crate::stats::Stats;

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

/// Those of a method that takes one message; [`message`] reads them.
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
    Method { name: "app", parameters: &[required("appid", STRING, "string")], returns: Returns::App, body: app },
    Method { name: "version", parameters: &[], returns: Returns::Types(STRING), body: version },
    Method {
        name: "configure",
        parameters: &[Parameter { sensitive: true, ..required("config", ARRAY, "array") }],
        returns: Returns::Types(VOID),
        body: configure,
    },
    Method { name: "send", parameters: &MESSAGE, returns: Returns::Types(ARRAY), body: send },
    Method { name: "queue", parameters: &MESSAGE, returns: Returns::Types(STRING), body: queue },
    Method {
        name: "flush",
        parameters: &[optional("timeoutMs", INT | STRING, "string|int", "5000")],
        returns: Returns::Types(INT),
        body: flush,
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
        body: send_template,
    },
    Method {
        name: "validate",
        parameters: &[
            required("templateId", STRING | INT, "string|int"),
            required("data", ARRAY | OBJECT | STRING, "array|object|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: validate,
    },
    Method {
        name: "registerTemplate",
        parameters: &[
            required("key", STRING | INT, "string|int"),
            required("templateId", STRING | INT, "string|int"),
            optional("content", STRING | NULL, "?string", "null"),
        ],
        returns: Returns::Types(VOID),
        body: register_template,
    },
    Method {
        name: "templateId",
        parameters: &[required("key", STRING | INT, "string|int")],
        returns: Returns::Types(STRING | NULL),
        body: template_id,
    },
    Method {
        name: "templates",
        parameters: &[optional("refresh", BOOL, "bool", "false")],
        returns: Returns::Types(ARRAY),
        body: templates,
    },
    Method {
        name: "addTemplate",
        parameters: &[
            required("tid", STRING | INT, "string|int"),
            required("keywordIds", ARRAY, "array"),
            required("scene", STRING, "string"),
        ],
        returns: Returns::Types(STRING),
        body: add_template,
    },
    Method {
        name: "deleteTemplate",
        parameters: &[required("templateId", STRING | INT, "string|int")],
        returns: Returns::Types(VOID),
        body: delete_template,
    },
    Method { name: "categories", parameters: &[], returns: Returns::Types(ARRAY), body: categories },
    Method {
        name: "publicTemplates",
        parameters: &[
            required("categoryIds", ARRAY | STRING | INT, "array|string|int"),
            optional("start", INT | STRING, "string|int", "0"),
            optional("limit", INT | STRING, "string|int", "30"),
        ],
        returns: Returns::Types(ARRAY),
        body: public_templates,
    },
    Method {
        name: "publicKeywords",
        parameters: &[required("tid", STRING | INT, "string|int")],
        returns: Returns::Types(ARRAY),
        body: public_keywords,
    },
    Method {
        name: "syncTemplates",
        parameters: &[required("wanted", ARRAY, "array"), optional("options", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: sync_templates,
    },
    Method {
        name: "accessToken",
        parameters: &[optional("refresh", BOOL, "bool", "false")],
        returns: Returns::Types(STRING),
        body: access_token,
    },
    Method {
        name: "recordGrants",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("result", ARRAY | OBJECT | STRING, "array|object|string"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: record_grants,
    },
    Method {
        name: "grants",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            optional("templateId", STRING | INT | NULL, "string|int|null", "null"),
        ],
        returns: Returns::Types(ARRAY),
        body: grants,
    },
    Method {
        name: "audience",
        parameters: &[
            required("templateId", STRING | INT, "string|int"),
            optional("cursor", STRING | NULL, "?string", "null"),
            optional("limit", INT | STRING, "string|int", "1000"),
        ],
        returns: Returns::Types(ARRAY),
        body: audience,
    },
    Method {
        name: "requestTemplates",
        parameters: &[
            required("openid", STRING | INT, "string|int"),
            required("keys", ARRAY, "array"),
            optional("options", ARRAY, "array", "[]"),
        ],
        returns: Returns::Types(ARRAY),
        body: request_templates,
    },
    Method {
        name: "handlePush",
        parameters: &[required("query", ARRAY, "array"), required("body", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: handle_push,
    },
    Method {
        name: "recordEvent",
        parameters: &[required("message", ARRAY | OBJECT | STRING, "array|object|string")],
        returns: Returns::Types(BOOL),
        body: record_event,
    },
    Method {
        name: "status",
        parameters: &[required("id", STRING, "string")],
        returns: Returns::Types(ARRAY | NULL),
        body: status,
    },
    Method {
        name: "deliveries",
        parameters: &[optional("filter", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: deliveries,
    },
    Method {
        name: "quota",
        parameters: &[required("path", STRING, "string")],
        returns: Returns::Types(ARRAY),
        body: quota,
    },
    Method {
        name: "clearQuota",
        parameters: &[optional("path", STRING | NULL, "?string", "null")],
        returns: Returns::Types(ARRAY),
        body: clear_quota,
    },
    Method { name: "rid", parameters: &[required("rid", STRING, "string")], returns: Returns::Types(ARRAY), body: rid },
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
        body: send_one_time,
    },
    Method {
        name: "uniformSend",
        parameters: &[optional("message", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: uniform_send,
    },
    Method {
        name: "wxopenTemplateSend",
        parameters: &[optional("message", ARRAY, "array", "[]")],
        returns: Returns::Types(ARRAY),
        body: wxopen_template_send,
    },
    Method { name: "stats", parameters: &[], returns: Returns::Types(ARRAY), body: stats },
];

/// How many methods there are.
pub const METHOD_COUNT: usize = 34;
/// Longest wait of `flush()`, in milliseconds: an hour.
const FLUSH_LIMIT: u64 = 3_600_000;
/// How many of them, from the first on, belong to no account and are not on `App`.
pub const ONLY_STATIC: usize = 2;

fn app(call: &Call<'_>) -> Result<Zval, Error> {
    let appid = call.required_text(0)?;
    if appid.is_empty() {
        return Err(Error::value(
            "RoutineTemplate::app()：$appid 不能为空",
            "RoutineTemplate::app(): Argument #1 ($appid) must not be empty",
        ));
    }
    request::with(|context| context.app(Some(&appid)))?;
    class::new_app(&appid).map_err(no_memory)
}

fn version(_: &Call<'_>) -> Result<Zval, Error> {
    php(env!("CARGO_PKG_VERSION"))
}

fn configure(call: &Call<'_>) -> Result<Zval, Error> {
    let changes = call.array(0)?;
    let supplier = call.argument(0).and_then(supplier::given);
    request::configure(call.appid.as_deref(), &changes, supplier)?;
    Ok(Zval::null())
}

fn send(call: &Call<'_>) -> Result<Zval, Error> {
    let message = message(call, Options::read_for_send)?;
    let app = request::app(call.appid.as_deref())?;
    let answer = app.send(&message)?;
    value::answer(&answer, app.settings().hint_lang).map_err(no_memory)
}

fn queue(call: &Call<'_>) -> Result<Zval, Error> {
    let message = message(call, Options::read)?;
    php(request::app(call.appid.as_deref())?.queue(&message)?)
}

fn message<'a>(call: &Call<'a>, options: fn(&Input<'_>) -> Result<Options, Error>) -> Result<Message<'a>, Error> {
    Ok(Message {
        touser: call.required_text(0)?,
        template_id: call.required_text(1)?,
        data: call.data(2)?,
        page: call.text(3)?,
        options: options(&call.array(4)?)?,
    })
}

fn flush(call: &Call<'_>) -> Result<Zval, Error> {
    let wanted = call.number(0, 5000)?;
    let patience = u64::try_from(wanted).ok().filter(|wanted| *wanted <= FLUSH_LIMIT).ok_or_else(|| {
        Error::value(
            format!("RoutineTemplate::flush()：$timeoutMs 应为 0 到 {FLUSH_LIMIT}（毫秒）"),
            format!("RoutineTemplate::flush(): Argument #1 ($timeoutMs) is 0 … {FLUSH_LIMIT} (milliseconds)"),
        )
    })?;
    let left = request::app(call.appid.as_deref())?.flush(Duration::from_millis(patience))?;
    php(i64::try_from(left).unwrap_or(i64::MAX))
}

fn send_template(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, template_id) = (call.text(0)?.unwrap_or_default(), call.text(1)?.unwrap_or_default());
    let (link, data) = (call.text(2)?, call.data(3)?);
    let app = request::app(call.appid.as_deref())?;
    match app.send_template(&openid, &template_id, link.as_deref(), data)? {
        Some(answer) => value::answer(&answer, app.settings().hint_lang).map_err(no_memory),
        None => php(false),
    }
}

fn validate(call: &Call<'_>) -> Result<Zval, Error> {
    let (template_id, data, options) = (call.required_text(0)?, call.data(1)?, Options::read(&call.array(2)?)?);
    let app = request::app(call.appid.as_deref())?;
    let violations = app.validate(&template_id, &data, options.channel);
    value::violations(&violations, app.settings().hint_lang).and_then(array).map_err(no_memory)
}

fn register_template(call: &Call<'_>) -> Result<Zval, Error> {
    let (key, template_id, content) = (call.required_text(0)?, call.required_text(1)?, call.text(2)?);
    request::with(|context| context.register_template(call.appid.as_deref(), &key, &template_id, content.as_deref()))?;
    Ok(Zval::null())
}

fn template_id(call: &Call<'_>) -> Result<Zval, Error> {
    let key = call.required_text(0)?;
    let app = request::app(call.appid.as_deref())?;
    php(app.template_id(&key))
}

fn templates(call: &Call<'_>) -> Result<Zval, Error> {
    let refresh = call.flag(0)?;
    json(&request::app(call.appid.as_deref())?.templates(refresh)?)
}

fn add_template(call: &Call<'_>) -> Result<Zval, Error> {
    let (tid, keywords, scene) = (call.required_text(0)?, call.array(1)?, call.required_text(2)?);
    php(request::app(call.appid.as_deref())?.add_template(&tid, &keywords, &scene)?)
}

fn delete_template(call: &Call<'_>) -> Result<Zval, Error> {
    request::app(call.appid.as_deref())?.delete_template(&call.required_text(0)?)?;
    Ok(Zval::null())
}

fn categories(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.categories()?)
}

fn public_templates(call: &Call<'_>) -> Result<Zval, Error> {
    let categories = match call.argument(0).map(value::input) {
        Some(one @ Input::Int(_)) => one,
        _ => call.data(0)?,
    };
    let (start, limit) = (call.number(1, 0)?, call.number(2, 30)?);
    json(&request::app(call.appid.as_deref())?.public_templates(&categories, start, limit)?)
}

fn public_keywords(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.public_keywords(&call.required_text(0)?)?)
}

fn sync_templates(call: &Call<'_>) -> Result<Zval, Error> {
    let (wanted, options) = (call.array(0)?, call.array(1)?);
    json(&request::app(call.appid.as_deref())?.sync_templates(&wanted, &options)?)
}

fn request_templates(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, keys, options) = (call.required_text(0)?, call.array(1)?, call.array(2)?);
    json(&request::app(call.appid.as_deref())?.request_templates(&openid, &keys, &options)?)
}

fn handle_push(call: &Call<'_>) -> Result<Zval, Error> {
    let (query, body) = (call.array(0)?, call.bytes(1)?);
    json(&request::app(call.appid.as_deref())?.handle_push(&query, body)?)
}

fn record_event(call: &Call<'_>) -> Result<Zval, Error> {
    let message = call.event(0)?;
    php(request::app(call.appid.as_deref())?.record_event(&message)?)
}

fn access_token(call: &Call<'_>) -> Result<Zval, Error> {
    let refresh = call.flag(0)?;
    php(request::app(call.appid.as_deref())?.access_token(refresh)?)
}

fn record_grants(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, result) = (call.required_text(0)?, call.data(1)?);
    let options = ReportOptions::read(&call.array(2)?)?;
    json(&request::app(call.appid.as_deref())?.record_grants(&openid, &result, &options)?)
}

fn grants(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, template_id) = (call.required_text(0)?, call.text(1)?);
    json(&request::app(call.appid.as_deref())?.grants(&openid, template_id.as_deref())?)
}

fn audience(call: &Call<'_>) -> Result<Zval, Error> {
    let (template_id, cursor, limit) = (call.required_text(0)?, call.text(1)?, call.number(2, 1000)?);
    json(&request::app(call.appid.as_deref())?.audience(&template_id, cursor.as_deref(), limit)?)
}

fn status(call: &Call<'_>) -> Result<Zval, Error> {
    let row = request::app(call.appid.as_deref())?.status(&call.required_text(0)?)?;
    json(&row.unwrap_or_default())
}

fn deliveries(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.deliveries(&call.array(0)?)?)
}

fn quota(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.quota(&call.required_text(0)?)?)
}

fn clear_quota(call: &Call<'_>) -> Result<Zval, Error> {
    let path = call.text(0)?;
    json(&request::app(call.appid.as_deref())?.clear_quota(path.as_deref())?)
}

fn rid(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.rid(&call.required_text(0)?)?)
}

fn send_one_time(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, template_id, scene) = (call.required_text(0)?, call.required_text(1)?, call.required_text(2)?);
    let (title, content, options) = (call.required_text(3)?, call.data(4)?, call.array(5)?);
    json(&request::app(call.appid.as_deref())?.send_one_time(&OneTime {
        openid: &openid,
        template_id: &template_id,
        scene: &scene,
        title: &title,
        content: &content,
        options: &options,
    })?)
}

fn uniform_send(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.uniform_send())
}

fn wxopen_template_send(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.wxopen_template_send())
}

fn json(value: &Value) -> Result<Zval, Error> {
    value::json(value).map_err(no_memory)
}

fn stats(call: &Call<'_>) -> Result<Zval, Error> {
    let process = Process::existing();
    let blank = Stats::default();
    let mut row = ZendHashTable::with_capacity(32);
    let started =
        process.and_then(|process| process.started().duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_secs());
    let mut insert = |name: &str, value: u64| row.insert(name, i64::try_from(value).unwrap_or(i64::MAX));
    insert("pid", u64::from(std::process::id())).map_err(no_memory)?;
    insert("process_started", started).map_err(no_memory)?;
    for (name, value) in process.map_or(&blank, |process| &process.stats).rows() {
        insert(name, value).map_err(no_memory)?;
    }
    let app = request::app(call.appid.as_deref())?;
    let condition = app.store_condition();
    row.insert("store", condition.place).map_err(no_memory)?;
    row.insert("store_state", condition.state).map_err(no_memory)?;
    row.insert("store_error", condition.error).map_err(no_memory)?;
    let route = app.route_condition();
    row.insert("circuit", route.circuit).map_err(no_memory)?;
    row.insert("host", route.host).map_err(no_memory)?;
    array(row).map_err(no_memory)
}

fn php(value: impl IntoZval) -> Result<Zval, Error> {
    value.into_zval(false).map_err(no_memory)
}

fn array(table: ZBox<ZendHashTable>) -> Result<Zval, ZendError> {
    table.into_zval(false)
}

/// Building a PHP value fails for sizes only that no answer of ours has.
pub fn no_memory(error: ZendError) -> Error {
    Error::value(format!("结果无法交给 PHP：{error}"), format!("the result cannot be handed to PHP: {error}"))
}
