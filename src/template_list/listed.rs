//! One row of `gettemplate`.

use serde_json::{Map, Value, json};

use crate::template::Template;

/// What WeChat's documents do not bound; a row that goes beyond is cut.
const LONGEST_TEXT: usize = 4096;
const MOST_VALUES: usize = 256;
const LONGEST_VALUE: usize = 256;

/// What an accept of a template is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateKind {
    /// One message (`type` 2).
    OneTime,
    /// Any number of messages (`type` 3).
    LongTerm,
    /// Another number.
    Other(i64),
}

impl TemplateKind {
    fn of(number: i64) -> Self {
        match number {
            2 => Self::OneTime,
            3 => Self::LongTerm,
            other => Self::Other(other),
        }
    }

    /// WeChat's number.
    pub fn number(self) -> i64 {
        match self {
            Self::OneTime => 2,
            Self::LongTerm => 3,
            Self::Other(number) => number,
        }
    }
}

/// A private template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTemplate {
    /// The template id (`priTmplId`).
    pub id: String,
    /// Its title, as on the card.
    pub title: String,
    /// Its content, `标签:{{key.DATA}}` line by line.
    pub content: String,
    /// The same with example values.
    pub example: String,
    /// One-time or long-term.
    pub kind: TemplateKind,
    fields: Template,
    /// The same with the values that `enum` and `const` fields may have, where there are any.
    valued: Option<Template>,
}

impl ListedTemplate {
    /// Reads a row; `None` if it has no id.
    pub(super) fn read(row: &Value) -> Option<Self> {
        let text = |name: &str| cut(row.get(name).and_then(Value::as_str).unwrap_or_default(), LONGEST_TEXT);
        let id = row.get("priTmplId").and_then(Value::as_str).filter(|id| !id.is_empty() && id.len() <= 128)?;
        let content = text("content");
        // A row from the store has been cut before.
        let whole = content.chars().count() < LONGEST_TEXT;
        // Half the fields would drop the other half of a message.
        let fields = if whole { Template::from_content(&content) } else { Template::default() };
        let mut valued = fields.clone();
        let mut has_values = false;
        let lists = row.get("keywordEnumValueList").and_then(Value::as_array);
        for list in lists.into_iter().flatten().take(MOST_VALUES) {
            let key = list.get("keywordCode").and_then(Value::as_str).unwrap_or_default();
            let values: Vec<String> = list
                .get("enumValueList")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            // Half a list of values would refuse what the other half allows.
            let usable = !values.is_empty()
                && values.len() <= MOST_VALUES
                && values.iter().all(|value| value.chars().count() <= LONGEST_VALUE);
            has_values |= usable && valued.set_values(key, values);
        }
        let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
        Some(Self {
            id: id.to_owned(),
            title: text("title"),
            example: text("example"),
            kind: TemplateKind::of(row.get("type").and_then(number).unwrap_or(0)),
            content,
            fields,
            valued: has_values.then_some(valued),
        })
    }

    /// Its fields, with or without the values that they may have.
    pub(super) fn template(&self, with_values: bool) -> &Template {
        self.valued.as_ref().filter(|_| with_values).unwrap_or(&self.fields)
    }

    /// Its fields.
    pub fn fields(&self) -> &Template {
        &self.fields
    }

    /// The row as WeChat has it.
    pub(super) fn to_value(&self) -> Value {
        let fields = self.valued.iter().flat_map(|template| &template.fields);
        let lists: Vec<Value> = fields
            .filter_map(|field| Some((&field.key, field.values.as_ref()?)))
            .map(|(key, values)| json!({"keywordCode": format!("{key}.DATA"), "enumValueList": values}))
            .collect();
        json!({
            "priTmplId": self.id,
            "title": self.title,
            "content": self.content,
            "example": self.example,
            "type": self.kind.number(),
            "keywordEnumValueList": lists,
        })
    }

    /// The row as an application gets it: WeChat's, and `fields` (key => caption).
    pub fn to_row(&self) -> Value {
        let mut row = self.to_value();
        let fields: Map<String, Value> =
            self.fields.fields.iter().map(|field| (field.key.clone(), field.caption.clone().into())).collect();
        if let Some(row) = row.as_object_mut() {
            row.insert("fields".to_owned(), fields.into());
        }
        row
    }
}

fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_leniently_and_told_as_wechat_has_it() {
        let row = json!({
            "priTmplId": "t1", "title": "设备状态", "content": "状态:{{enum_string2.DATA}}\n备注:{{thing1.DATA}}\n",
            "example": "状态:正常\n", "type": "3",
            "keywordEnumValueList": [
                {"keywordCode": "enum_string2.DATA", "enumValueList": ["正常", "故障"]},
                {"keywordCode": "enum.DATA", "enumValueList": ["其他"]}, {"keywordCode": 7}, null,
            ],
        });
        let listed = ListedTemplate::read(&row).unwrap();
        assert_eq!(listed.kind, TemplateKind::LongTerm);
        let told = listed.to_row();
        assert_eq!(told["type"], 3);
        assert_eq!(told["fields"], json!({"enum_string2": "状态", "thing1": "备注"}));
        assert_eq!(
            told["keywordEnumValueList"],
            json!([{"keywordCode": "enum_string2.DATA", "enumValueList": ["正常", "故障"]}])
        );
        assert_eq!(ListedTemplate::read(&told).unwrap(), listed);
        assert_eq!(listed.template(true).get("enum_string2").unwrap().values.as_ref().unwrap().len(), 2);
        assert_eq!(listed.template(false).get("enum_string2").unwrap().values, None);
    }

    #[test]
    fn what_has_no_id_is_no_row_and_what_is_missing_is_empty() {
        for row in [json!(null), json!("t"), json!({}), json!({"priTmplId": ""}), json!({"priTmplId": 7})] {
            assert_eq!(ListedTemplate::read(&row), None, "{row}");
        }
        let card = ListedTemplate::read(&json!({"priTmplId": "card", "type": null})).unwrap();
        assert!(card.fields().is_empty());
        assert_eq!(card.kind, TemplateKind::Other(0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn nothing_grows_without_end() {
        let values: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
        let row = json!({
            "priTmplId": "t", "title": "字".repeat(1_000_000), "content": "状态{{enum1.DATA}}",
            "keywordEnumValueList": [{"keywordCode": "enum1.DATA", "enumValueList": values}],
        });
        let listed = ListedTemplate::read(&row).unwrap();
        assert_eq!(listed.title.chars().count(), LONGEST_TEXT);
        assert_eq!(listed.template(true).get("enum1").unwrap().values, None);
        let long = format!("{}{{{{thing1.DATA}}}}\n{}{{{{thing2.DATA}}}}", "甲", "字".repeat(LONGEST_TEXT));
        let listed = ListedTemplate::read(&json!({"priTmplId": "t", "content": long})).unwrap();
        assert!(listed.fields().is_empty(), "half of them would be worse than none");
        assert!(ListedTemplate::read(&listed.to_row()).unwrap().fields().is_empty());
    }
}
