//! What the page shows, as JSON.

use axum::http::Uri;
use serde_json::{Map, Value, json};

use super::super::account::{Account, AccountKind};
use super::super::endpoint::query_value;
use super::super::journal::MessageFilter;
use super::super::world::World;
use super::members::BadRequest;

/// Users that are listed unless a limit is given.
const USERS: usize = 100;
/// Refused calls and pushes that are listed unless a limit is given.
const LISTED: usize = 1000;

/// A query parameter that is not empty.
pub(super) fn text(uri: &Uri, name: &str) -> Option<String> {
    query_value(uri.query()?, name).map(|value| value.into_owned()).filter(|value| !value.is_empty())
}

/// A query parameter that is a number.
pub(super) fn number(uri: &Uri, name: &'static str) -> Result<Option<u64>, BadRequest> {
    text(uri, name)
        .map(|text| {
            text.parse().map_err(|_| BadRequest::Invalid { name, reason: format!("`{text}` is not a whole number") })
        })
        .transpose()
}

fn limit(uri: &Uri) -> Result<Option<usize>, BadRequest> {
    Ok(number(uri, "limit")?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)))
}

impl World {
    pub(super) fn read_messages(&self, uri: &Uri) -> Result<Value, BadRequest> {
        let filter = MessageFilter {
            appid: text(uri, "appid"),
            openid: text(uri, "openid"),
            template_id: text(uri, "template_id"),
            since: number(uri, "since")?.unwrap_or(0),
            limit: limit(uri)?,
        };
        Ok(json!({"messages": self.messages(&filter)}))
    }

    pub(super) fn read_refused(&self, uri: &Uri) -> Result<Value, BadRequest> {
        let (since, limit) = (number(uri, "since")?.unwrap_or(0), limit(uri)?.unwrap_or(LISTED));
        Ok(json!({"refused": self.refused.read(text(uri, "appid").as_deref(), since, limit)}))
    }

    pub(super) fn read_pushes(&self, uri: &Uri) -> Result<Value, BadRequest> {
        let (since, limit) = (number(uri, "since")?.unwrap_or(0), limit(uri)?.unwrap_or(LISTED));
        Ok(json!({"pushes": self.pushes.read(text(uri, "appid").as_deref(), since, limit)}))
    }

    pub(super) fn read_users(&self, uri: &Uri) -> Result<Value, BadRequest> {
        let appid = text(uri, "appid").ok_or(BadRequest::Missing("appid"))?;
        Ok(self.users(&appid, &text(uri, "prefix").unwrap_or_default(), limit(uri)?.unwrap_or(USERS)))
    }

    /// Users whose openid starts with `prefix`, the first ones, with what they have granted.
    pub(super) fn users(&self, appid: &str, prefix: &str, limit: usize) -> Value {
        let Some(account) = self.accounts.get(appid) else { return json!({"users": [], "total": 0}) };
        let users: Vec<Value> = account
            .users
            .range(prefix.to_owned()..)
            .take_while(|(openid, _)| openid.starts_with(prefix))
            .take(limit)
            .map(|(openid, _)| json!({"openid": openid, "grants": grants(account, openid)}))
            .collect();
        json!({"users": users, "total": account.users.len()})
    }

    /// Every account with its templates.
    pub(super) fn read_accounts(&self) -> Value {
        let accounts: Vec<Value> = self
            .accounts
            .values()
            .map(|account| {
                let templates: Vec<Value> = account
                    .templates
                    .iter()
                    .map(|template| json!({"template_id": template.id, "title": template.title, "type": template.kind}))
                    .collect();
                json!({
                    "appid": *account.appid,
                    "kind": match account.kind {
                        AccountKind::MiniProgram => "miniprogram",
                        AccountKind::Official => "official",
                    },
                    "any_openid": account.any_openid,
                    "users": account.users.len(),
                    "templates": templates,
                    "push": account.push.as_ref().map(|push| push.describe()),
                })
            })
            .collect();
        json!({"accounts": accounts})
    }
}

/// A user's grants by template id, with the kept choice where there is one.
fn grants(account: &Account, openid: &str) -> Map<String, Value> {
    let mut rows: Map<String, Value> = account
        .grants(openid)
        .into_iter()
        .map(|(id, grant)| (id, json!({"available": grant.available, "state": grant.state})))
        .collect();
    for template in &account.templates {
        if let Some(kept) = account.kept.get(&(openid.to_owned(), template.id.clone())) {
            let row = rows.entry(template.id.clone()).or_insert_with(|| json!({"available": 0, "state": null}));
            if let Some(row) = row.as_object_mut() {
                row.insert("kept".to_owned(), json!(kept));
            }
        }
    }
    rows
}
