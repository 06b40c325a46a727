//! The account's templates: how many there are, and whether those that the code sends are among them with the same fields.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::finding::{Finding, subject};
use super::source;
use crate::app::App;
use crate::error::Error;
use crate::template::Template;

/// 25 by one list of errcodes, 50 by another; 200012 is WeChat's own word.
const CROWDED: usize = 24;
const FILE_LIMIT: u64 = 1024 * 1024;
/// More lines help nobody.
const MOST: usize = 50;

/// A template that the code sends.
pub struct Wanted {
    /// Its name in the code, or its id.
    key: String,
    id: String,
    content: Option<String>,
}

/// Ids from the command line and the entries of a file: `{"ORDER_PAY": {"id": "…", "content": "…"}}`, or `{"ORDER_PAY": "…"}`.
pub fn wanted(ids: &[String], file: Option<&Path>) -> Result<Vec<Wanted>, Error> {
    let mut wanted: Vec<Wanted> =
        ids.iter().map(|id| Wanted { key: id.clone(), id: id.clone(), content: None }).collect();
    let Some(file) = file else { return Ok(wanted) };
    let shown = file.display();
    let unusable = |reason: &str| {
        Error::config(
            format!(
                "--templates：{shown} 无法使用（{reason}），应为 {{\"ORDER_PAY\": {{\"id\": \"…\", \"content\": \"…\"}}}}"
            ),
            format!(
                "--templates: {shown} cannot be used ({reason}); it holds {{\"ORDER_PAY\": {{\"id\": \"…\", \"content\": \"…\"}}}}"
            ),
        )
    };
    let length = fs::metadata(file).map_err(|error| unusable(&error.to_string()))?.len();
    if length > FILE_LIMIT {
        return Err(unusable("larger than 1 MiB"));
    }
    let text = fs::read_to_string(file).map_err(|error| unusable(&error.to_string()))?;
    let entries: Map<String, Value> = serde_json::from_str(&text).map_err(|error| unusable(&error.to_string()))?;
    for (key, entry) in entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = entry.as_str().map(str::to_owned).or_else(|| text("id"));
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| unusable(&format!("{key}: no id")))?;
        wanted.push(Wanted { key, id, content: text("content") });
    }
    Ok(wanted)
}

/// The count, and one line for each wanted template that is not as it should be.
pub fn check(app: &App, wanted: &[Wanted]) -> Vec<Finding> {
    let rows = match app.templates(false) {
        Ok(rows) => rows,
        Err(error) => {
            let text = source::of(&error);
            return vec![Finding::warn(
                subject::TEMPLATES,
                format!("模板列表没有取到：{}", text.zh),
                format!("the list of templates could not be had: {}", text.en),
            )];
        }
    };
    let rows: Vec<&Value> = rows.as_array().map(|rows| rows.iter().collect()).unwrap_or_default();
    let mut findings: Vec<Finding> = wanted.iter().filter_map(|wanted| compared(wanted, &rows)).take(MOST).collect();
    let (count, good) = (rows.len(), wanted.len() - findings.len());
    let (zh, en) = match wanted.len() {
        0 => (format!("账号有 {count} 个模板"), format!("the account has {count}")),
        all => (
            format!("账号有 {count} 个模板，代码用到的 {all} 个中 {good} 个一致"),
            format!("the account has {count}; {good} of the {all} that the code sends are right"),
        ),
    };
    let sum = if count >= CROWDED {
        Finding::warn(subject::TEMPLATES, zh, en).remedy(
            "接近上限（公开资料说 25 或 50）：添加失败（200012）时，删除不用的模板",
            "near the limit (25 or 50 by public lists): remove unused ones when adding fails with 200012",
        )
    } else {
        Finding::ok(subject::TEMPLATES, zh, en)
    };
    findings.insert(0, sum.fact("count", count));
    findings
}

/// What is wrong with one of them.
fn compared(wanted: &Wanted, rows: &[&Value]) -> Option<Finding> {
    let Wanted { key, id, content } = wanted;
    let member = |row: &&Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(row) = rows.iter().find(|row| member(row, "priTmplId").as_deref() == Some(id)) else {
        let finding = Finding::fail(
            subject::TEMPLATES,
            format!("{key}：账号没有模板 {id}"),
            format!("{key}: the account has no template {id}"),
        );
        return Some(
            finding
                .remedy(
                    "核对模板 ID 是否属于本账号，或用 syncTemplates() 添加",
                    "check whether the id is this account's, or add it with syncTemplates()",
                )
                .fact("template_id", id.as_str()),
        );
    };
    let ours = Template::from_content(content.as_deref()?);
    let theirs = Template::from_content(&member(row, "content")?);
    let beyond = |one: &Template, other: &Template| -> Vec<String> {
        one.fields.iter().filter(|field| other.get(&field.key).is_none()).map(|field| field.key.clone()).collect()
    };
    let (surplus, missing) = (beyond(&ours, &theirs), beyond(&theirs, &ours));
    if surplus.is_empty() && missing.is_empty() {
        return None;
    }
    let listed = |keys: &[String]| if keys.is_empty() { "–".to_owned() } else { keys.join(", ") };
    Some(
        Finding::fail(
            subject::TEMPLATES,
            format!("{key}：字段与账号的模板不同，缺 {}，多 {}", listed(&missing), listed(&surplus)),
            format!(
                "{key}: other fields than the account's template, missing {}, surplus {}",
                listed(&missing),
                listed(&surplus)
            ),
        )
        .remedy("按账号的模板修改代码或 content", "make code and content fit the account's template")
        .fact("template_id", id.as_str())
        .fact("missing", missing)
        .fact("surplus", surplus),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(id: &str, content: Option<&str>) -> Wanted {
        Wanted { key: "PAY".to_owned(), id: id.to_owned(), content: content.map(str::to_owned) }
    }

    #[test]
    fn an_unknown_id_and_other_fields_are_told_and_the_right_ones_are_not() {
        let row = json!({"priTmplId": "t1", "content": "单号{{thing1.DATA}}\n金额{{amount2.DATA}}"});
        let rows = [&row];
        assert!(compared(&wanted("t1", None), &rows).is_none());
        assert!(compared(&wanted("t1", Some("{{amount2.DATA}}{{thing1.DATA}}")), &rows).is_none());
        assert_eq!(compared(&wanted("t2", None), &rows).unwrap().facts["template_id"], "t2");
        let other = compared(&wanted("t1", Some("{{thing1.DATA}}{{date3.DATA}}")), &rows).unwrap();
        assert_eq!((&other.facts["missing"], &other.facts["surplus"]), (&json!(["amount2"]), &json!(["date3"])));
    }
}
