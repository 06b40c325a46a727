//! The fields of one template, read from WeChat's content text.

use crate::field::shape::bare_key;

/// The field list of one private template, in WeChat's own order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The parameters in template order.
    pub fields: Vec<TemplateField>,
}

/// One parameter of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateField {
    /// The key as `data` carries it, such as `character_string1`.
    pub key: String,
    /// The caption in front of it, such as `订单号`.
    pub caption: String,
    /// For `enum`, `enum_string` and `const`: the values that the account may send, where they are known.
    pub values: Option<Vec<String>>,
}

/// No template has more content, in bytes, or more fields; what lies beyond is not read.
const LONGEST_CONTENT: usize = 64 * 1024;
const MOST_FIELDS: usize = 64;
const LONGEST_KEY: usize = 64;
/// In characters; captions only serve error texts.
const LONGEST_CAPTION: usize = 40;

impl Template {
    /// Reads content such as `"订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}"`, as `gettemplate` and CRMEB's `routine_content` have it.
    ///
    /// Every `{{key.DATA}}` is a field, several on a line too; a key that comes twice is one field. Content without any gives an
    /// empty template, which stands for an unknown one.
    pub fn from_content(content: &str) -> Template {
        let mut end = content.len().min(LONGEST_CONTENT);
        while !content.is_char_boundary(end) {
            end -= 1;
        }
        let mut rest = content.get(..end).unwrap_or_default();
        let mut template = Template::default();
        while let Some((before, behind)) = rest.split_once("{{") {
            let Some((inside, after)) = behind.split_once("}}") else { break };
            // Braces that were opened and never closed belong to the text.
            let inside = inside.rsplit_once("{{").map_or(inside, |(_, inside)| inside);
            rest = after;
            let key = bare_key(inside);
            let is_key = !key.is_empty() && key.len() <= LONGEST_KEY && !key.contains(['\n', '{', '}']);
            if !is_key || template.get(key).is_some() {
                continue;
            }
            if template.fields.len() == MOST_FIELDS {
                break;
            }
            template.fields.push(TemplateField { key: key.to_owned(), caption: caption(before), values: None });
        }
        template
    }

    /// Whether the field list is unknown: no template that can be sent has no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The field with exactly this key; `thing01` is not `thing1`.
    pub fn get(&self, key: &str) -> Option<&TemplateField> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// Notes the values that an `enum`, `enum_string` or `const` field may have (`keywordEnumValueList` of `gettemplate`, whose keys
    /// end in `.DATA`). Answers whether the template has the field.
    pub fn set_values(&mut self, key: &str, values: Vec<String>) -> bool {
        let key = bare_key(key);
        let field = self.fields.iter_mut().find(|field| field.key == key);
        field.map(|field| field.values = Some(values)).is_some()
    }
}

/// The words between the last line break (a real one, or `\n` as two characters, as some databases hold it) and the field.
fn caption(before: &str) -> String {
    const BREAKS: [&str; 6] = ["\n", "\r", "\\n", "\\r", "<br>", "<br/>"];
    let line = BREAKS.iter().fold(before, |line, mark| line.rsplit_once(mark).map_or(line, |(_, line)| line));
    let punctuation = |character: char| {
        character.is_whitespace()
            || matches!(
                character,
                ':' | '：' | ',' | '，' | ';' | '；' | '、' | '|' | '。' | '·' | '=' | '\u{FEFF}' | '}'
            )
    };
    line.trim_matches(punctuation).chars().filter(|character| !character.is_control()).take(LONGEST_CAPTION).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Vec<(String, String)> {
        Template::from_content(content).fields.into_iter().map(|field| (field.key, field.caption)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|&(key, caption)| (key.to_owned(), caption.to_owned())).collect()
    }

    #[test]
    fn content_is_read_in_its_own_order() {
        let expected = pairs(&[("character_string1", "订单号"), ("amount2", "金额"), ("thing7", "商品")]);
        for content in [
            "订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}\n商品{{thing7.DATA}}",
            "订单号:{{character_string1.DATA}}\n金额:{{amount2.DATA}}\n商品:{{thing7.DATA}}\n",
            "订单号：{{character_string1.DATA}}\r\n金额：{{amount2.DATA}}\r\n商品：{{thing7.DATA}}\r\n",
            r"订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}\n商品{{thing7.DATA}}",
            r"订单号{{character_string1.DATA}}\r\n金额{{amount2.DATA}}\r\n商品{{thing7.DATA}}\r\n",
            "订单号 : {{ character_string1.DATA }}\n 金额 {{ amount2 . data }}\n商品{{thing7}}",
            "订单号{{character_string1.DATA}}，金额{{amount2.DATA}} 商品{{thing7.DATA}}",
            "\u{FEFF}订单号{{character_string1.DATA}}<br/>金额{{amount2.DATA}}<br>商品{{thing7.DATA}}",
        ] {
            assert_eq!(read(content), expected, "{content}");
        }
    }

    #[test]
    fn legacy_keys_and_repeated_keys_are_read_once() {
        assert_eq!(
            read("{{first.DATA}}\n订单{{keyword1.DATA}}\n再次{{keyword1.DATA}}\n{{remark.DATA}}"),
            pairs(&[("first", ""), ("keyword1", "订单"), ("remark", "")])
        );
    }

    #[test]
    fn broken_content_gives_what_can_be_read() {
        assert!(Template::from_content("").is_empty());
        assert!(Template::from_content("没有字段").is_empty());
        assert!(Template::from_content("{{}}{{ .DATA}}").is_empty());
        assert_eq!(read("甲{{thing1.DATA\n乙{{thing2.DATA}}"), pairs(&[("thing2", "甲")]));
        assert_eq!(read("甲{{thing1.DATA}}乙{{thing2.DA"), pairs(&[("thing1", "甲")]));
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn content_of_any_size_is_read_in_bounded_time() {
        assert!(Template::from_content(&"{{".repeat(1_000_000)).is_empty());
        let many: String = (0..100_000).map(|number| format!("字{{{{thing{number}.DATA}}}}\n")).collect();
        assert_eq!(Template::from_content(&many).fields.len(), MOST_FIELDS);
    }

    #[test]
    fn the_number_of_a_key_is_literal() {
        let template = Template::from_content("单号{{character_string01.DATA}}");
        assert!(template.get("character_string01").is_some());
        assert!(template.get("character_string1").is_none());
    }

    #[test]
    fn values_are_noted_under_the_spelling_of_gettemplate() {
        let mut template = Template::from_content("状态{{enum_string2.DATA}}");
        assert!(template.set_values("enum_string2.DATA", vec!["正常".to_owned()]));
        assert!(!template.set_values("enum.DATA", Vec::new()));
        assert_eq!(template.get("enum_string2").unwrap().values.as_deref(), Some(&["正常".to_owned()][..]));
    }
}
