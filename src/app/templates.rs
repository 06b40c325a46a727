//! The account's templates: WeChat's list, its library, adding and removing.

use serde_json::{Map, Value, json};

use super::App;
use super::account::errcode_in;
use super::failure::{no_data, refused};
use super::template_list::Wanted;
use crate::error::Error;
use crate::language::Text;
use crate::message::Input;
use crate::template_library::{Keyword, Selection, have_same_fields, number, read_kids, read_scene, read_tid};
use crate::wechat::api::Question;

const ADD: &str = "/wxaapi/newtmpl/addtemplate";
const DELETE: &str = "/wxaapi/newtmpl/deltemplate";
const CATEGORIES: &str = "/wxaapi/newtmpl/getcategory";
const TITLES: &str = "/wxaapi/newtmpl/getpubtemplatetitles";
const KEYWORDS: &str = "/wxaapi/newtmpl/getpubtemplatekeywords";

/// Most rows of one page of the library.
pub(super) const LONGEST_PAGE: u32 = 30;
const MOST_CATEGORIES: usize = 100;
/// WeChat: the account has this template already.
pub(super) const ADDED_ALREADY: i64 = 200_022;

/// A page of the library.
pub(super) struct Titles {
    /// How many templates there are in these categories.
    pub(super) count: u32,
    /// Those of the page.
    pub(super) rows: Vec<Value>,
}

/// What WeChat said to the wish for a template.
pub(super) enum Added {
    /// The account has it now, under this id.
    New(String),
    /// It had it before; under this id, if WeChat says so.
    Before(Option<String>),
    /// WeChat does not want it: the whole answer.
    Refused(Map<String, Value>),
}

impl App {
    /// The account's private templates (`gettemplate`), from the store while they are fresh; with `refresh` from WeChat.
    pub fn templates(&self, refresh: bool) -> Result<Value, Error> {
        let list = self.template_list(if refresh { Wanted::New } else { Wanted::Fresh })?;
        Ok(list.rows().iter().map(|row| row.to_row()).collect())
    }

    /// Adds a template of the library to the account (`addtemplate`); answers its id, also where the account has it already.
    pub fn add_template(&self, tid: &str, keywords: &Input<'_>, scene: &str) -> Result<String, Error> {
        let tid = read_tid(&Input::text(tid)).map_err(|text| wrong("addTemplate", "tid", text))?;
        let kids = read_kids(keywords).map_err(|text| wrong("addTemplate", "keywordIds", text))?;
        let scene = read_scene(scene).map_err(|text| wrong("addTemplate", "scene", text))?;
        let selection = Selection { tid, kids };
        match self.add(&selection, scene)? {
            Added::New(id) | Added::Before(Some(id)) => Ok(id),
            Added::Before(None) => self.find_added(&selection),
            Added::Refused(answer) => Err(refused(&answer)),
        }
    }

    /// Removes a template (`deltemplate`). All grants for it are lost.
    pub fn delete_template(&self, template_id: &str) -> Result<(), Error> {
        let template_id = template_id.trim();
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        if template_id.is_empty() || template_id.len() > 128 {
            let text = Text::new("应为模板 ID（见 templates()）", "is a template id (see templates())");
            return Err(wrong("deleteTemplate", "templateId", text));
        }
        answered(self.ask(DELETE, Question::Post(&json!({ "priTmplId": template_id })))?)?;
        self.forget_template(template_id)
    }

    /// The account's categories (`getcategory`).
    pub fn categories(&self) -> Result<Value, Error> {
        let mut answer = answered(self.ask(CATEGORIES, Question::Get(&[]))?)?;
        match answer.remove("data") {
            Some(rows @ Value::Array(_)) => Ok(rows),
            _ => Err(no_data(CATEGORIES)),
        }
    }

    /// Templates of the library by category (`getpubtemplatetitles`): `count` and the rows of this page, `data`.
    pub fn public_templates(&self, categories: &Input<'_>, start: i64, limit: i64) -> Result<Value, Error> {
        let categories = read_categories(categories)?;
        let range =
            |parameter, text_zh: &str, text_en: &str| wrong("publicTemplates", parameter, Text::new(text_zh, text_en));
        let start = u32::try_from(start).map_err(|_| range("start", "应从 0 开始", "counts from 0"))?;
        let limit = u32::try_from(limit)
            .ok()
            .filter(|limit| (1..=LONGEST_PAGE).contains(limit))
            .ok_or_else(|| range("limit", "应为 1 到 30", "is from 1 to 30"))?;
        let page = self.titles(&categories, start, limit)?;
        Ok(json!({ "count": page.count, "data": page.rows }))
    }

    /// Keywords of a template of the library (`getpubtemplatekeywords`), each with the `key` that it has in a private template.
    pub fn public_keywords(&self, tid: &str) -> Result<Value, Error> {
        let tid = read_tid(&Input::text(tid)).map_err(|text| wrong("publicKeywords", "tid", text))?;
        Ok(self.keywords(&tid)?.iter().map(Keyword::to_row).collect())
    }

    /// The library's keywords of a template.
    pub(super) fn keywords(&self, tid: &str) -> Result<Vec<Keyword>, Error> {
        read_keywords(&answered(self.keywords_answer(tid)?)?)
    }

    /// The same with WeChat's refusal as it is.
    pub(super) fn keywords_answer(&self, tid: &str) -> Result<Map<String, Value>, Error> {
        self.ask(KEYWORDS, Question::Get(&[("tid", tid)]))
    }

    /// A page of the library; `categories` as a comma list.
    pub(super) fn titles(&self, categories: &str, start: u32, limit: u32) -> Result<Titles, Error> {
        let (start, limit) = (start.to_string(), limit.to_string());
        let parameters = [("ids", categories), ("start", &start), ("limit", &limit)];
        let mut answer = answered(self.ask(TITLES, Question::Get(&parameters))?)?;
        let Some(Value::Array(mut rows)) = answer.remove("data") else { return Err(no_data(TITLES)) };
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            // WeChat's page has it as a number, its example as a text.
            if let Some(category) = row.get("categoryId").and_then(number) {
                row.insert("categoryId".to_owned(), category.into());
            }
        }
        let count = answer.get("count").and_then(number).unwrap_or(0);
        Ok(Titles { count, rows })
    }

    /// Adds a template, and lets the list be fetched anew when it is next asked for.
    pub(super) fn add(&self, selection: &Selection, scene: &str) -> Result<Added, Error> {
        let body = json!({ "tid": selection.tid, "kidList": selection.kids, "sceneDesc": scene });
        let mut answer = self.ask(ADD, Question::Post(&body))?;
        let id = match answer.remove("priTmplId") {
            Some(Value::String(id)) if !id.is_empty() => Some(id),
            _ => None,
        };
        match (errcode_in(&answer), id) {
            (Some(0), Some(id)) => {
                self.outdate_templates()?;
                Ok(Added::New(id))
            }
            (Some(0), None) => Err(no_data(ADD)),
            (Some(ADDED_ALREADY), id) => Ok(Added::Before(id)),
            _ => Ok(Added::Refused(answer)),
        }
    }

    /// The id of a template that WeChat says is there, where it has not said which one it is.
    fn find_added(&self, selection: &Selection) -> Result<String, Error> {
        let keywords = self.keywords(&selection.tid)?;
        let list = self.template_list(Wanted::New)?;
        let fields = selection.fields(&keywords).unwrap_or_default();
        let mut same = list.rows().iter().filter(|row| have_same_fields(row.fields(), &fields));
        match (same.next(), same.next()) {
            (Some(row), None) => Ok(row.id.clone()),
            _ => {
                let text = Text::new(
                    "微信说该模板已添加（200022），但没有给出 ID，列表里也不能确定是哪一个，请从 templates() 中选取",
                    "WeChat says that the account has this template (200022) but not which one, and the list does not settle it; choose it from templates()",
                );
                Err(Error::Refused { text, code: ADDED_ALREADY })
            }
        }
    }
}

fn answered(answer: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    match errcode_in(&answer) {
        Some(0) => Ok(answer),
        _ => Err(refused(&answer)),
    }
}

/// The keywords out of a good answer.
pub(super) fn read_keywords(answer: &Map<String, Value>) -> Result<Vec<Keyword>, Error> {
    answer.get("data").and_then(Keyword::read_all).ok_or_else(|| no_data(KEYWORDS))
}

/// An unusable argument.
fn wrong(method: &str, parameter: &str, text: Text) -> Error {
    Error::value(format!("{method}()：${parameter} {}", text.zh), format!("{method}(): ${parameter} {}", text.en))
}

/// Category ids as WeChat takes them: `616,307`.
fn read_categories(value: &Input<'_>) -> Result<String, Error> {
    let part = |value: &Input<'_>| match value {
        Input::Int(number) => u32::try_from(*number).ok(),
        Input::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
        // A row of categories().
        row @ Input::Map(_) => match row.get("id")? {
            Input::Int(number) => u32::try_from(*number).ok(),
            Input::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let ids: Option<Vec<u32>> = match value {
        Input::Map(members) => members.iter().map(|(_, id)| part(id)).collect(),
        Input::Text(bytes) => {
            String::from_utf8_lossy(bytes).split([',', '，']).map(|id| id.trim().parse().ok()).collect()
        }
        other => part(other).map(|id| vec![id]),
    };
    match ids.filter(|ids| (1..=MOST_CATEGORIES).contains(&ids.len())) {
        Some(ids) => Ok(ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        None => {
            let text = Text::new(
                "应为类目 ID（见 categories()），如 [307, 616] 或 '307,616'",
                "is category ids (see categories()), such as [307, 616] or '307,616'",
            );
            Err(wrong("publicTemplates", "categoryIds", text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn category_ids_are_taken_as_numbers_texts_and_rows() {
        for given in [
            json!([307, 616]),
            json!("307, 616"),
            json!(["307", 616]),
            json!([{"id": 307, "name": "百货"}, {"id": "616"}]),
        ] {
            assert_eq!(read_categories(&given.clone().into()).unwrap(), "307,616", "{given}");
        }
        assert_eq!(read_categories(&Input::Int(307)).unwrap(), "307");
        for wrong in [json!([]), json!(""), json!("百货"), json!([null]), json!(-1), json!(null), json!([[1]])] {
            let error = read_categories(&wrong.clone().into()).unwrap_err();
            assert!(error.to_string().contains("$categoryIds"), "{wrong}");
        }
    }
}
