//! The ledger as an application sees it: what users accepted, and who can still be reached.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::App;
use crate::error::Error;
use crate::grant::{self, ReportOptions};
use crate::language::plain_text;
use crate::message::Input;
use crate::store::{Choice, GrantReport, LedgerRow, MessageId, Source};
use crate::template_list::TemplateList;

/// A report whose answer was lost is repeated within this time at most, where the application names no key.
const REPEAT: Duration = Duration::from_secs(60);
/// Most users of one page of `audience()`.
const PAGE_LIMIT: usize = 10_000;

impl App {
    /// Takes what `wx.requestSubscribeMessage` or `wx-open-subscribe` gave the front end. Answers `recorded` (template id and its
    /// ledger row), `unknown` (what was not stored, and why) and `duplicate`.
    pub fn record_grants(&self, openid: &str, result: &Input<'_>, options: &ReportOptions) -> Result<Value, Error> {
        let openid = named("recordGrants", "openid", openid)?;
        let report = grant::read(result)?;
        let known = self.known_templates();
        let mut choices: Vec<(&str, Choice)> = Vec::new();
        let mut unknown = Map::new();
        for (template_id, choice) in &report.choices {
            if self.may_count(known.as_deref(), template_id, options) {
                choices.push((template_id, *choice));
            } else {
                unknown.insert(template_id.clone(), Value::from("not_a_template_of_this_account"));
            }
        }
        for (name, reason) in &report.rejected {
            unknown.insert(plain_text(name), Value::from(*reason));
        }
        // Front ends number clicks as they like: the same key of two users is two reports.
        let token = options.key.as_ref().map_or_else(|| MessageId::new().to_string(), |key| format!("{openid} {key}"));
        // WeChat mixes both kinds in no request, so nearly always one of the two is empty.
        let lasts = |template_id: &str| {
            options.long_term.unwrap_or_else(|| known.as_ref().is_some_and(|list| list.is_long_term(template_id)))
        };
        let (lasting, single): (Vec<_>, Vec<_>) = choices.iter().partition(|(template_id, _)| lasts(template_id));
        let mut rows = Map::new();
        let mut duplicate = false;
        for (choices, long_term, token) in [(single, false, token.clone()), (lasting, true, format!("{token} lasting"))]
        {
            if choices.is_empty() {
                continue;
            }
            let report = GrantReport {
                appid: &self.settings.appid,
                openid,
                choices: &choices,
                long_term,
                source: Source::Client,
                at: None,
                token: &token,
                remember: if options.key.is_some() { self.settings.retention } else { REPEAT },
            };
            let recorded = self.stored(|store, until| store.record_grants(&report, until))?;
            duplicate |= recorded.duplicate;
            let told = choices.iter().zip(&recorded.rows);
            rows.extend(told.map(|((template_id, _), row)| ((*template_id).to_owned(), ledger_row(row))));
        }
        self.settings.require_appid()?;
        Ok(json!({
            "recorded": rows,
            "unknown": unknown,
            "duplicate": duplicate,
            "errMsg": report.errmsg,
        }))
    }

    /// One user's rows: that of one template, or all by template id.
    pub fn grants(&self, openid: &str, template_id: Option<&str>) -> Result<Value, Error> {
        let openid = named("grants", "openid", openid)?;
        let template_id = template_id.map(|key| self.registry.id(key).unwrap_or(key));
        let rows = self.stored(|store, until| store.grants(&self.settings.appid, openid, template_id, until))?;
        Ok(match template_id {
            Some(_) => rows.first().map_or_else(|| ledger_row(&LedgerRow::default()), |(_, row)| ledger_row(row)),
            None => Value::Object(rows.iter().map(|(id, row)| (id.clone(), ledger_row(row))).collect()),
        })
    }

    /// Who can still be reached with a template, page by page: `users` (openid => how often) and `cursor`.
    pub fn audience(&self, template_id: &str, cursor: Option<&str>, limit: i64) -> Result<Value, Error> {
        let template_id = named("audience", "templateId", template_id)?;
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=PAGE_LIMIT).contains(limit)).ok_or_else(|| {
            Error::value(
                format!("audience()：$limit 应为 1 到 {PAGE_LIMIT}"),
                format!("audience(): $limit must be from 1 to {PAGE_LIMIT}"),
            )
        })?;
        let cursor = cursor.filter(|cursor| !cursor.is_empty());
        let page =
            self.stored(|store, until| store.audience(&self.settings.appid, template_id, cursor, limit, until))?;
        let users: Vec<Value> =
            page.users.iter().map(|(openid, available)| json!({ "openid": openid, "available": available })).collect();
        Ok(json!({ "users": users, "cursor": page.cursor }))
    }

    /// A report comes from outside. Where the application has said which templates there are, others are not counted, and nowhere one
    /// that the account certainly lacks. What WeChat's list merely does not have may be newer than the list, and its accepts are real.
    fn may_count(&self, known: Option<&TemplateList>, template_id: &str, options: &ReportOptions) -> bool {
        match (&options.templates, known) {
            (Some(named), _) => named.iter().any(|named| self.registry.id(named).unwrap_or(named) == template_id),
            (None, _) if !self.registry.is_empty() => self.registry.has(template_id),
            // Since when an id is known here says nothing of one that anybody can have made up.
            (None, Some(list)) => !list.certainly_lacks(template_id, Duration::ZERO),
            (None, None) => true,
        }
    }
}

/// An argument that names a user or a template.
pub(super) fn named<'a>(method: &str, parameter: &str, value: &'a str) -> Result<&'a str, Error> {
    let value = value.trim();
    if value.is_empty() || value.len() > 128 {
        return Err(Error::value(
            format!("{method}()：${parameter} 不能为空，也不能超过 128 字节"),
            format!("{method}(): ${parameter} must not be empty or longer than 128 bytes"),
        ));
    }
    Ok(value)
}

/// A row as PHP sees it.
pub(super) fn ledger_row(row: &LedgerRow) -> Value {
    json!({
        "available": row.available,
        "reserved": row.reserved,
        "state": row.state.map(Choice::name),
        "long_term": row.long_term,
        "certain": row.refused,
        "accepted": row.accepted,
        "delivered": row.delivered,
        "lost": row.lost,
    })
}
