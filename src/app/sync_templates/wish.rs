//! What an application wants to have: rows of its own, or rows of CRMEB's `eb_system_notification` (before 5.2
//! `eb_template_message`) as they are.

use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::message::Input;
use crate::template::Template;
use crate::template_library::{LONGEST_SCENE, Selection, read_kids, read_scene, read_tid};

/// More than any account can hold.
const MOST_WISHES: usize = 200;

// The names of a member: ours and WeChat's first, then those of CRMEB's columns.
const TID: &[&str] = &["tid", "routine_tempkey", "tempkey"];
const KEYWORDS: &[&str] = &["keywords", "kidList", "kid", "routine_kid"];
const SCENE: &[&str] = &["scene", "sceneDesc"];
const CONTENT: &[&str] = &["content", "routine_content"];
const PRESENT: &[&str] = &["template_id", "templateId", "priTmplId", "routine_tempid", "tempid"];
/// In CRMEB's tables the name of the notice, which may be longer than a scene.
const NAME: &str = "name";
/// CRMEB's column: 0 none, 1 on, 2 off.
const SWITCH: &str = "is_routine";

/// One wanted template.
#[derive(Debug)]
pub(super) struct Wish {
    /// How the application calls it.
    pub(super) key: String,
    /// What it is put together from, or what is wrong with that.
    pub(super) selection: Result<Selection, Flaw>,
    /// `sceneDesc`.
    pub(super) scene: Result<String, Flaw>,
    /// The fields that the application's own row tells.
    pub(super) fields: Option<Template>,
    /// The id that the application has.
    pub(super) present: Option<String>,
}

/// A member that WeChat would refuse, with the errcode that it would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) errcode: i64,
    pub(super) text: Text,
}

/// The wishes, and the rows that want no template.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) wanted: Vec<Wish>,
    /// Keys of rows that want no template.
    pub(super) skipped: Vec<String>,
    /// Template ids that such rows have.
    pub(super) switched_off: Vec<String>,
}

impl Wishes {
    /// Reads the array. What one row lacks is that row's failure; an array that cannot be meant is an error before anything is done.
    pub(super) fn read(wanted: &Input<'_>) -> Result<Self, Error> {
        let members = match wanted {
            Input::Map(members) if members.len() <= MOST_WISHES => members,
            _ => {
                return Err(Error::value(
                    format!("syncTemplates()：$wanted 最多 {MOST_WISHES} 项"),
                    format!("syncTemplates(): $wanted has {MOST_WISHES} members at most"),
                ));
            }
        };
        let mut wishes = Self::default();
        for (name, row) in members {
            let name = plain_text(&String::from_utf8_lossy(name));
            if !matches!(row, Input::Map(_)) {
                return Err(no_row(&name.chars().take(64).collect::<String>(), row));
            }
            // Rows out of a database are numbered; the mark says which notice it is.
            let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
            let key = text(row, &["mark"]).filter(|_| is_number).unwrap_or(name);
            if is_off(row) {
                wishes.skipped.push(key);
                wishes.switched_off.extend(present(row));
            } else if wishes.wanted.iter().any(|wish| wish.key == key) {
                let key: String = key.chars().take(64).collect();
                return Err(Error::value(
                    format!("syncTemplates()：$wanted 中“{key}”出现了两次"),
                    format!("syncTemplates(): $wanted has \"{key}\" twice"),
                ));
            } else {
                wishes.wanted.push(Wish::read(key, row));
            }
        }
        Ok(wishes)
    }
}

impl Wish {
    fn read(key: String, row: &Input<'_>) -> Self {
        let selection = read_tid(member(row, TID).unwrap_or(&Input::Null))
            .map_err(|text| flaw(200_014, "tid（CRMEB：routine_tempkey）", "tid (CRMEB: routine_tempkey)", text))
            .and_then(|tid| {
                let kids = read_kids(member(row, KEYWORDS).unwrap_or(&Input::Null));
                let kids = kids.map_err(|text| {
                    flaw(200_020, "keywords（CRMEB：routine_kid）", "keywords (CRMEB: routine_kid)", text)
                })?;
                Ok(Selection { tid, kids })
            });
        let scene = match text(row, SCENE) {
            Some(scene) => scene,
            None => text(row, &[NAME]).unwrap_or_default().trim().chars().take(LONGEST_SCENE).collect(),
        };
        let scene = read_scene(&scene)
            .map(str::to_owned)
            .map_err(|text| flaw(200_021, "scene（CRMEB：name）", "scene (CRMEB: name)", text));
        let fields = text(row, CONTENT).map(|content| Template::from_content(&content));
        Self { key, selection, scene, fields: fields.filter(|fields| !fields.is_empty()), present: present(row) }
    }
}

/// The template id that the row has.
fn present(row: &Input<'_>) -> Option<String> {
    text(row, PRESENT).map(|id| id.trim().to_owned())
}

/// Whether CRMEB's row wants no subscribe message: there is none, or it is switched off.
fn is_off(row: &Input<'_>) -> bool {
    match row.get(SWITCH) {
        Some(Input::Int(number)) => *number != 1,
        Some(Input::Text(bytes)) => bytes.as_ref() != b"1",
        _ => false,
    }
}

fn member<'i, 'a>(row: &'i Input<'a>, names: &[&str]) -> Option<&'i Input<'a>> {
    names.iter().find_map(|name| row.get(name).filter(|value| **value != Input::Null))
}

fn text(row: &Input<'_>, names: &[&str]) -> Option<String> {
    let text = match member(row, names)? {
        Input::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Input::Int(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

fn flaw(errcode: i64, name_zh: &str, name_en: &str, text: Text) -> Flaw {
    Flaw { errcode, text: Text::new(format!("{name_zh} {}。", text.zh), format!("{name_en} {}.", text.en)) }
}

fn no_row(name: &str, row: &Input<'_>) -> Error {
    let kind = row.type_name();
    Error::value(
        format!(
            "syncTemplates()：$wanted[{name}] 应为数组，给出的是 {kind}；写成 ['tid' => 1927, 'keywords' => [1, 2, 4], 'scene' => '订单支付成功']，或 CRMEB 的行（模型对象请先 toArray()）"
        ),
        format!(
            "syncTemplates(): $wanted[{name}] is an array, not {kind}: ['tid' => 1927, 'keywords' => [1, 2, 4], 'scene' => '订单支付成功'], or a row of CRMEB's (of a model, its toArray())"
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(wanted: serde_json::Value) -> Wishes {
        Wishes::read(&wanted.into()).unwrap()
    }

    #[test]
    fn rows_of_crmeb_are_read_as_they_are() {
        let wishes = read(json!([
            {
                "id": 7, "mark": "order_pay_success", "name": "用户支付成功之后给用户发送的通知", "is_routine": 1,
                "routine_tempkey": "1927", "routine_kid": "1,2,3,4", "routine_tempid": "0rdEr",
                "routine_content": "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}",
            },
            {"mark": "send_order_apply_refund", "is_routine": "0", "routine_tempkey": ""},
            {"mark": "user_extract", "is_routine": 2, "routine_tempkey": "1470"},
        ]));
        assert_eq!(wishes.skipped, ["send_order_apply_refund", "user_extract"]);
        let [wish] = &wishes.wanted[..] else { panic!("{wishes:?}") };
        assert_eq!(wish.key, "order_pay_success");
        assert_eq!(wish.selection, Ok(Selection { tid: "1927".to_owned(), kids: vec![1, 2, 3, 4] }));
        assert_eq!(wish.scene.as_deref(), Ok("用户支付成功之后给用户发送的通"));
        assert_eq!(wish.fields.as_ref().map(|fields| fields.fields.len()), Some(2));
        assert_eq!(wish.present.as_deref(), Some("0rdEr"));
    }

    #[test]
    fn rows_of_ones_own_are_short() {
        let wishes = read(json!({"PAID": {"tid": 1927, "keywords": [4, 1], "scene": "支付成功"}}));
        let wish = &wishes.wanted[0];
        assert_eq!((wish.key.as_str(), wish.scene.as_deref()), ("PAID", Ok("支付成功")));
        assert_eq!(wish.selection, Ok(Selection { tid: "1927".to_owned(), kids: vec![4, 1] }));
        assert!(wish.fields.is_none() && wish.present.is_none());
    }

    #[test]
    fn what_a_row_lacks_is_named_with_wechats_errcode() {
        let wishes = read(
            json!({"a": {}, "b": {"tid": 1, "keyword": [1, 2]}, "c": {"tid": 1, "kid": "1,2", "scene": "长".repeat(16)}}),
        );
        let codes: Vec<_> =
            wishes.wanted.iter().map(|wish| wish.selection.as_ref().map_err(|flaw| flaw.errcode).err()).collect();
        assert_eq!(codes, [Some(200_014), Some(200_020), None]);
        assert_eq!(wishes.wanted[2].scene.as_ref().unwrap_err().errcode, 200_021);
        assert!(wishes.wanted[1].selection.as_ref().unwrap_err().text.en.contains("keywords"));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_before_anything_is_done() {
        for wrong in [json!({"PAID": "templateId"}), json!([{"mark": "a"}, {"mark": "a"}])] {
            assert!(Wishes::read(&wrong.into()).is_err());
        }
        let many: serde_json::Map<_, _> = (0..300).map(|number| (format!("k{number}"), json!({}))).collect();
        assert!(Wishes::read(&json!(many).into()).is_err());
    }
}
