//! The public library: what a private template is put together from.

use serde_json::{Value, json};

use crate::language::Text;
use crate::message::Input;
use crate::template::Template;

/// What WeChat allows in a private template.
const FEWEST_KEYWORDS: usize = 2;
const MOST_KEYWORDS: usize = 5;
/// `sceneDesc`, in characters.
pub const LONGEST_SCENE: usize = 15;

/// One keyword of a public template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    /// Its number within the template.
    pub kid: u32,
    /// Its caption.
    pub name: String,
    /// An example value.
    pub example: String,
    /// The type of its value, such as `thing`.
    pub rule: String,
}

impl Keyword {
    /// The keywords out of `data` of `getpubtemplatekeywords`.
    pub fn read_all(data: &Value) -> Option<Vec<Self>> {
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let read = |row: &Value| {
            let kid = number(row.get("kid")?)?;
            Some(Self { kid, name: text(row, "name"), example: text(row, "example"), rule: text(row, "rule") })
        };
        Some(data.as_array()?.iter().take(1000).filter_map(read).collect())
    }

    /// The key that a private template has for it.
    pub fn key(&self) -> String {
        format!("{}{}", self.rule, self.kid)
    }

    /// As an application gets it.
    pub fn to_row(&self) -> Value {
        json!({"kid": self.kid, "name": self.name, "example": self.example, "rule": self.rule, "key": self.key()})
    }
}

/// A public template and the keywords chosen from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The number of the public template.
    pub tid: String,
    /// Numbers of its keywords, in the order chosen.
    pub kids: Vec<u32>,
}

impl Selection {
    /// Whether it gives the same template; WeChat refuses the same keywords in another order as added already (200022).
    pub fn is_like(&self, other: &Self) -> bool {
        self.tid == other.tid && sorted(&self.kids) == sorted(&other.kids)
    }

    /// The fields that the private template has; the number of a keyword that the public one lacks.
    pub fn fields(&self, keywords: &[Keyword]) -> Result<Template, u32> {
        let mut content = String::new();
        for kid in &self.kids {
            let keyword = keywords.iter().find(|keyword| keyword.kid == *kid).ok_or(*kid)?;
            content.push_str(&format!("{}:{{{{{}.DATA}}}}\n", keyword.name, keyword.key()));
        }
        Ok(Template::from_content(&content))
    }
}

/// Whether two templates have the same keys with the same captions, in whatever order.
pub fn have_same_fields(one: &Template, other: &Template) -> bool {
    !one.is_empty()
        && one.fields.len() == other.fields.len()
        && one.fields.iter().all(|field| other.get(&field.key).is_some_and(|same| same.caption == field.caption))
}

/// The number of a public template as WeChat takes it.
pub fn read_tid(value: &Input<'_>) -> Result<String, Text> {
    let tid = match value {
        Input::Int(number) => number.to_string(),
        Input::Text(bytes) => String::from_utf8_lossy(bytes).trim().to_owned(),
        _ => String::new(),
    };
    if !tid.is_empty() && tid.len() <= 32 && tid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(tid);
    }
    Err(Text::new(
        "应为公共模板的编号，如 1927（见 publicTemplates()）",
        "is the number of a public template, such as 1927 (see publicTemplates())",
    ))
}

/// Keyword numbers: an array, or a text such as `1,2,3`.
pub fn read_kids(value: &Input<'_>) -> Result<Vec<u32>, Text> {
    let kids: Option<Vec<u32>> = match value {
        Input::Map(members) => members.iter().map(|(_, kid)| read_kid(kid)).collect(),
        Input::Text(bytes) => {
            // CRMEB's `routine_kid` is `1,2,3`; some shops have it as JSON.
            let text = String::from_utf8_lossy(bytes);
            let outer = |character: char| character.is_whitespace() || matches!(character, '[' | ']');
            let parts = text.trim_matches(outer).split([',', '，']);
            parts.map(|part| part.trim_matches(|c: char| c.is_whitespace() || c == '"').parse().ok()).collect()
        }
        _ => None,
    };
    let repeats = |kids: &Vec<u32>| sorted(kids).windows(2).any(|pair| pair.first() == pair.last());
    let fits = |kids: &Vec<u32>| (FEWEST_KEYWORDS..=MOST_KEYWORDS).contains(&kids.len()) && !kids.contains(&0);
    kids.filter(|kids| fits(kids) && !repeats(kids)).ok_or_else(|| {
        Text::new(
            format!("应为 {FEWEST_KEYWORDS} 到 {MOST_KEYWORDS} 个不重复的关键词编号，如 [1, 2, 4]（见 publicKeywords()）"),
            format!(
                "is {FEWEST_KEYWORDS} to {MOST_KEYWORDS} keyword numbers without repeats, such as [1, 2, 4] (see publicKeywords())"
            ),
        )
    })
}

/// What the template is for, as WeChat's reviewers read it.
pub fn read_scene(scene: &str) -> Result<&str, Text> {
    let scene = scene.trim();
    if (1..=LONGEST_SCENE).contains(&scene.chars().count()) && !scene.contains(char::is_control) {
        return Ok(scene);
    }
    Err(Text::new(
        format!("应为 1 到 {LONGEST_SCENE} 个字的场景说明，不能为空白"),
        format!("is 1 to {LONGEST_SCENE} characters that say what the template is for, not blank"),
    ))
}

fn read_kid(value: &Input<'_>) -> Option<u32> {
    match value {
        Input::Int(number) => u32::try_from(*number).ok(),
        Input::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
        _ => None,
    }
}

/// A number that WeChat writes now as a number and now as a text.
pub fn number(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    }
}

fn sorted(kids: &[u32]) -> Vec<u32> {
    let mut kids = kids.to_vec();
    kids.sort_unstable();
    kids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: Vec<Input<'static>>) -> Input<'static> {
        Input::Map(items.into_iter().enumerate().map(|(at, item)| (at.to_string().into_bytes().into(), item)).collect())
    }

    #[test]
    fn keyword_numbers_are_read_as_shops_write_them() {
        let array = list(vec![Input::Int(1), Input::text("2"), Input::Int(4)]);
        for given in [
            array,
            Input::text("1,2,4"),
            Input::text(" 1， 2 ,4 "),
            Input::text("[1,2,4]"),
            Input::text(r#"["1","2","4"]"#),
        ] {
            assert_eq!(read_kids(&given), Ok(vec![1, 2, 4]), "{given:?}");
        }
    }

    #[test]
    fn wechat_takes_two_to_five_different_keywords() {
        for wrong in ["", "1", "1,1", "1,2,3,4,5,6", "1,x", "0,1", "-1,2", "1,2,"] {
            assert!(read_kids(&Input::text(wrong)).is_err(), "{wrong}");
        }
        assert!(read_kids(&Input::Null).is_err());
        assert!(read_kids(&list(vec![Input::Int(1), Input::Float(2.0)])).is_err());
        assert!(read_kids(&Input::text("1,2,3,4,5")).is_ok());
    }

    #[test]
    fn a_scene_has_1_to_15_characters() {
        assert_eq!(read_scene(" 订单支付成功 "), Ok("订单支付成功"));
        assert!(read_scene(&"长".repeat(15)).is_ok());
        for wrong in ["", " \u{3000}", &"长".repeat(16), "两\n行"] {
            assert!(read_scene(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tid_is_a_number_or_its_digits() {
        assert_eq!(read_tid(&Input::Int(1927)), Ok("1927".to_owned()));
        assert_eq!(read_tid(&Input::text(" 1927 ")), Ok("1927".to_owned()));
        for wrong in [Input::text(""), Input::Null, Input::text("19 27"), Input::Float(1.5), Input::Int(-1)] {
            assert!(read_tid(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_selection_says_which_fields_its_template_has() {
        let keywords = Keyword::read_all(&json!([
            {"kid": 1, "name": "订单号", "example": "1", "rule": "character_string"},
            {"kid": "4", "name": "商品名称", "example": "茶", "rule": "thing"},
            {"name": "no number"},
        ]))
        .unwrap();
        let selection = Selection { tid: "1927".to_owned(), kids: vec![4, 1] };
        let fields = selection.fields(&keywords).unwrap();
        assert!(have_same_fields(
            &fields,
            &Template::from_content("订单号{{character_string1.DATA}}\n商品名称{{thing4.DATA}}")
        ));
        assert!(!have_same_fields(
            &fields,
            &Template::from_content("单号{{character_string1.DATA}}\n商品名称{{thing4.DATA}}")
        ));
        assert!(!have_same_fields(&fields, &Template::from_content("订单号{{character_string1.DATA}}")));
        assert!(!have_same_fields(&Template::default(), &Template::default()));
        let other = Selection { tid: "1927".to_owned(), kids: vec![4, 2] };
        assert_eq!(other.fields(&keywords), Err(2));
        assert!(selection.is_like(&Selection { kids: vec![1, 4], ..selection.clone() }) && !selection.is_like(&other));
    }
}
