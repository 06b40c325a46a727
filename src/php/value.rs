//! PHP values to [`Input`], answers to PHP arrays.

use std::borrow::Cow;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::Result as ZendResult;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ce;

use serde_json::Value;

use super::exception;
use crate::answer::{Answer, MsgId};
use crate::app::Ended;
use crate::error::Error;
use crate::field::{Change, Violation};
use crate::language::{Language, plain_text};
use crate::message::Input;

/// `data`, its fields, their members, and one level that is certainly wrong: deeper arrays (or circles) end here.
const DEPTH_LIMIT: usize = 5;
/// Far above what any template has.
const MEMBER_LIMIT: usize = 1000;

/// A PHP value as the core takes it. Strings are borrowed; what no message can hold keeps its type's name.
pub fn input(value: &Zval) -> Input<'_> {
    at_depth(value, 1)
}

/// A whole message, which has `data` one level below.
pub fn message(value: &Zval) -> Input<'_> {
    at_depth(value, 0)
}

fn at_depth(value: &Zval, depth: usize) -> Input<'_> {
    let value = value.dereference();
    if let Some(text) = value.zend_str() {
        return Input::Text(Cow::Borrowed(text.as_bytes()));
    }
    if let Some(number) = value.long() {
        return Input::Int(number);
    }
    if let Some(number) = value.double() {
        return Input::Float(number);
    }
    if let Some(flag) = value.bool() {
        return Input::Bool(flag);
    }
    if value.is_null() {
        return Input::Null;
    }
    if let Some(members) = value.array() {
        return map(members, depth);
    }
    if let Some(object) = value.object() {
        // Only a plain object: asking any other for its properties may run PHP code.
        if std::ptr::eq(object.get_class_entry(), ce::stdclass())
            && let Ok(members) = object.get_properties()
        {
            return map(members, depth);
        }
        let class = object.get_class_name().unwrap_or_default();
        return Input::Unusable(Cow::Owned(class.chars().take(100).collect()));
    }
    if value.is_resource() {
        return Input::Unusable(Cow::Borrowed("resource"));
    }
    Input::Null
}

fn map(members: &ZendHashTable, depth: usize) -> Input<'_> {
    if depth >= DEPTH_LIMIT {
        return Input::Unusable(Cow::Borrowed("array nested too deeply"));
    }
    if members.len() > MEMBER_LIMIT {
        return Input::Unusable(Cow::Owned(format!("array with {} members", members.len())));
    }
    let mut read = Vec::with_capacity(members.len());
    // `next_zval` is the one iterator that takes keys which are not UTF-8.
    let mut iterator = members.iter();
    while let Some((key, value)) = iterator.next_zval() {
        let key = match (key.zend_str(), key.long()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(number)) => number.to_string().into_bytes(),
            (None, None) => continue,
        };
        read.push((Cow::Owned(key), at_depth(value, depth + 1)));
    }
    Input::Map(read)
}

/// The array that PHP gets for a sent message.
pub fn answer(answer: &Answer, hints: Language) -> ZendResult<Zval> {
    answer_rows(answer, hints)?.into_zval(false)
}

/// The same for a message of a bulk, where what ended it without a verdict is a member: `exception`.
pub fn bulk_answer(ended: &Ended, hints: Language) -> ZendResult<Zval> {
    let mut array = match &ended.result {
        Ok(answer) => answer_rows(answer, hints)?,
        Err(error) => unanswered_rows(ended, error, hints)?,
    };
    array.insert("exception", ended.result.as_ref().err().map(exception::object).transpose()?)?;
    array.into_zval(false)
}

fn unanswered_rows(ended: &Ended, error: &Error, hints: Language) -> ZendResult<ZBox<ZendHashTable>> {
    let outcome = if matches!(error, Error::Transport { ambiguous: true, .. }) { "unknown" } else { "not_sent" };
    let mut array = ZendHashTable::with_capacity(16);
    array.insert("errcode", Zval::null())?;
    array.insert("errmsg", plain_text(error.message(hints)))?;
    array.insert("msgid", Zval::null())?;
    array.insert("rid", Zval::null())?;
    array.insert("source", Zval::null())?;
    array.insert("outcome", outcome)?;
    array.insert("attempts", i64::from(ended.attempts))?;
    array.insert("changed", ZendHashTable::new())?;
    array.insert("violations", ZendHashTable::new())?;
    array.insert("duplicate", false)?;
    array.insert("id", ended.id.map(|id| id.to_string()))?;
    array.insert("hint", "")?;
    Ok(array)
}

fn answer_rows(answer: &Answer, hints: Language) -> ZendResult<ZBox<ZendHashTable>> {
    let mut array = ZendHashTable::with_capacity(16);
    array.insert("errcode", answer.errcode)?;
    array.insert("errmsg", answer.errmsg.as_str())?;
    match &answer.msgid {
        Some(MsgId::Int(number)) => array.insert("msgid", *number)?,
        Some(MsgId::Text(digits)) => array.insert("msgid", digits.as_str())?,
        None => array.insert("msgid", Zval::null())?,
    }
    array.insert("rid", answer.rid.as_deref())?;
    array.insert("source", answer.source.name())?;
    array.insert("outcome", answer.outcome.name())?;
    array.insert("attempts", i64::from(answer.attempts))?;
    array.insert("changed", changes(&answer.changed)?)?;
    array.insert("violations", violations(&answer.violations, hints)?)?;
    array.insert("duplicate", answer.duplicate)?;
    array.insert("id", answer.id.map(|id| id.to_string()))?;
    array.insert("hint", answer.hint.as_str())?;
    Ok(array)
}

/// A value of the core as PHP has it: objects and lists become arrays.
pub fn json(value: &Value) -> ZendResult<Zval> {
    match value {
        Value::Null => Ok(Zval::null()),
        Value::Bool(flag) => flag.into_zval(false),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into_zval(false),
            (None, Some(number)) => number.into_zval(false),
            (None, None) => number.to_string().into_zval(false),
        },
        Value::String(text) => text.as_str().into_zval(false),
        Value::Array(items) => {
            let mut list = ZendHashTable::with_capacity(u32_size(items.len()));
            for item in items {
                list.push(json(item)?)?;
            }
            list.into_zval(false)
        }
        Value::Object(members) => {
            let mut map = ZendHashTable::with_capacity(u32_size(members.len()));
            for (name, member) in members {
                // A key that consists of digits is an int in PHP, as in any array that PHP code writes.
                map.insert(name.as_str(), json(member)?)?;
            }
            map.into_zval(false)
        }
    }
}

fn u32_size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The list that `validate()` answers.
pub fn violations(violations: &[Violation], hints: Language) -> ZendResult<ZBox<ZendHashTable>> {
    let mut list = ZendHashTable::new();
    for violation in violations {
        let mut row = ZendHashTable::with_capacity(5);
        row.insert("field", violation.field.as_str())?;
        row.insert("rule", violation.rule)?;
        row.insert("value", violation.value.as_str())?;
        row.insert("fits", violation.fits.as_deref())?;
        row.insert("message", hints.choose(&violation.message_zh, &violation.message_en))?;
        list.push(row)?;
    }
    Ok(list)
}

fn changes(changes: &[Change]) -> ZendResult<ZBox<ZendHashTable>> {
    let mut list = ZendHashTable::new();
    for change in changes {
        let mut row = ZendHashTable::with_capacity(4);
        row.insert("field", change.field.as_str())?;
        row.insert("rule", change.rule.as_ref())?;
        row.insert("from", change.from.as_str())?;
        row.insert("to", change.to.as_deref())?;
        list.push(row)?;
    }
    Ok(list)
}
