//! The parameter types of WeChat's templates: one row each, written once; code, documents and stubs come from here.
//!
//! Source: 订阅消息参数值内容限制说明, under `POST /cgi-bin/message/subscribe/send`. What the row says is what WeChat publishes;
//! where the real server is known to be kinder, the family's check is kinder too.

use crate::message::Channel;

/// A parameter type, by the prefix that its keys carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 事物: any text.
    Thing,
    /// A shorter `thing`; in real templates, in no table.
    ShortThing,
    /// 数字.
    Number,
    /// 字母.
    Letter,
    /// 符号.
    Symbol,
    /// 字符串: an identifier.
    CharacterString,
    /// 时间.
    Time,
    /// 日期.
    Date,
    /// 金额.
    Amount,
    /// 电话.
    PhoneNumber,
    /// 车牌.
    CarNumber,
    /// 姓名.
    Name,
    /// 汉字.
    Phrase,
    /// 枚举值.
    Enum,
    /// 枚举值, under the prefix that real templates carry.
    EnumString,
    /// 常量 of official-account category templates.
    Const,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Unicode characters of any kind, one each.
    Characters,
    /// Digits.
    Digits,
    /// Nothing: the form alone decides.
    Form,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldType {
    /// The key without its number, such as `thing`.
    pub prefix: &'static str,
    /// The type.
    pub kind: Kind,
    /// The largest number of units; 0 where the form alone decides.
    pub limit: usize,
    /// The limit on official-account channels, where it differs.
    pub account_limit: Option<usize>,
    /// What the limit counts.
    pub unit: Unit,
    /// WeChat's Chinese name of the type.
    pub name: &'static str,
    /// WeChat's rule in one sentence, Chinese.
    pub rule_zh: &'static str,
    /// WeChat's rule in one sentence, English.
    pub rule_en: &'static str,
    /// What mode `fit` sends in place of nothing; `None` where an invented value could mislead.
    pub placeholder: Option<&'static str>,
}

const fn row(
    prefix: &'static str,
    kind: Kind,
    limit: usize,
    unit: Unit,
    name: &'static str,
    rule_zh: &'static str,
    rule_en: &'static str,
) -> FieldType {
    FieldType { prefix, kind, limit, account_limit: None, unit, name, rule_zh, rule_en, placeholder: None }
}

const fn with_placeholder(row: FieldType, placeholder: &'static str) -> FieldType {
    FieldType { placeholder: Some(placeholder), ..row }
}

const fn with_account_limit(row: FieldType, limit: usize) -> FieldType {
    FieldType { account_limit: Some(limit), ..row }
}

/// Every type that is judged. A key with any other prefix (`keyword1`, `first`, `remark`, a type of the future) is left to WeChat.
pub static FIELD_TYPES: [FieldType; 16] = [
    with_placeholder(
        row(
            "thing",
            Kind::Thing,
            20,
            Unit::Characters,
            "事物",
            "20 个以内字符，可汉字、数字、字母或符号组合，不能带换行等控制字符",
            "at most 20 characters: Chinese, digits, letters or symbols, no line breaks or control characters",
        ),
        "-",
    ),
    with_placeholder(
        row(
            "short_thing",
            Kind::ShortThing,
            5,
            Unit::Characters,
            "短事物",
            "5 个以内字符，可汉字、数字、字母或符号组合",
            "at most 5 characters: Chinese, digits, letters or symbols",
        ),
        "-",
    ),
    row(
        "number",
        Kind::Number,
        32,
        Unit::Digits,
        "数字",
        "32 位以内数字，可带小数点，不能带正负号",
        "at most 32 digits, a decimal point allowed, no sign",
    ),
    row("letter", Kind::Letter, 32, Unit::Characters, "字母", "32 位以内字母", "at most 32 letters"),
    row("symbol", Kind::Symbol, 5, Unit::Characters, "符号", "5 位以内符号", "at most 5 symbols"),
    row(
        "character_string",
        Kind::CharacterString,
        32,
        Unit::Characters,
        "字符串",
        "32 位以内数字、字母或符号，不能有汉字",
        "at most 32 digits, letters or symbols, no Chinese",
    ),
    row(
        "time",
        Kind::Time,
        0,
        Unit::Form,
        "时间",
        "24 小时制时间，可带年月日，时间段用“~”连接，例：15:01 或 2019年10月1日 15:01",
        "24-hour time, a date may precede it, a range is joined with ~, such as 15:01 or 2019年10月1日 15:01",
    ),
    row(
        "date",
        Kind::Date,
        0,
        Unit::Form,
        "日期",
        "年月日，可带 24 小时制时间，时间段用“~”连接，例：2019年10月1日 或 2019-10-01 15:01",
        "year, month and day, a 24-hour time may follow, a range is joined with ~, such as 2019年10月1日 or 2019-10-01 15:01",
    ),
    with_account_limit(
        row(
            "amount",
            Kind::Amount,
            10,
            Unit::Digits,
            "金额",
            "1 个币种符号加 10 位以内纯数字（公众号为 12 位），可带小数，结尾可带“元”",
            "one currency symbol and at most 10 digits (official accounts: 12), decimals allowed, 元 may follow",
        ),
        12,
    ),
    row(
        "phone_number",
        Kind::PhoneNumber,
        17,
        Unit::Characters,
        "电话",
        "17 位以内数字、符号，例：+86-0766-66888866",
        "at most 17 digits and symbols, such as +86-0766-66888866",
    ),
    row(
        "car_number",
        Kind::CarNumber,
        8,
        Unit::Characters,
        "车牌",
        "8 位以内，第一位与最后一位可为汉字，其余为字母或数字，例：粤A8Z888挂",
        "at most 8 characters, the first and the last may be Chinese, the others letters or digits, such as 粤A8Z888挂",
    ),
    with_placeholder(
        row(
            "name",
            Kind::Name,
            20,
            Unit::Characters,
            "姓名",
            "10 个以内汉字或 20 个以内字母或符号，中文和字母混合按 10 个字计，不能有数字",
            "at most 10 Chinese characters or 20 letters or symbols, a mixture counts as Chinese, no digits",
        ),
        "无",
    ),
    with_placeholder(
        row(
            "phrase",
            Kind::Phrase,
            5,
            Unit::Characters,
            "汉字",
            "5 个以内纯汉字，例：配送中",
            "at most 5 Chinese characters and nothing else, such as 配送中",
        ),
        "无",
    ),
    row(
        "enum",
        Kind::Enum,
        0,
        Unit::Form,
        "枚举值",
        "只能是模板列出的枚举值",
        "one of the values that the template lists",
    ),
    row(
        "enum_string",
        Kind::EnumString,
        0,
        Unit::Form,
        "枚举值",
        "只能是模板列出的枚举值",
        "one of the values that the template lists",
    ),
    row(
        "const",
        Kind::Const,
        20,
        Unit::Characters,
        "常量",
        "20 个以内字符，只能是已审核通过的值或空",
        "at most 20 characters, an approved value or nothing",
    ),
];

impl FieldType {
    /// The type of a template key: its longest known prefix, followed by a number and nothing else.
    ///
    /// The number is not read: `character_string01` and `character_string1` are two keys. A key without a number is judged too,
    /// except in template messages, whose legacy templates used bare words such as `name` or `time` as free keys.
    pub fn of(key: &str, channel: Channel) -> Option<&'static FieldType> {
        let prefix = key.trim_end_matches(|character: char| character.is_ascii_digit());
        if prefix.len() == key.len() && channel == Channel::Template {
            return None;
        }
        FIELD_TYPES.iter().find(|row| row.prefix == prefix)
    }

    /// The limit that holds on a channel.
    pub fn limit_on(&self, channel: Channel) -> usize {
        match (channel, self.account_limit) {
            (Channel::Bizsend | Channel::Template, Some(limit)) => limit,
            _ => self.limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(key: &str) -> Option<Kind> {
        FieldType::of(key, Channel::Subscribe).map(|row| row.kind)
    }

    #[test]
    fn the_longest_prefix_names_the_type() {
        assert_eq!(kind("short_thing2"), Some(Kind::ShortThing));
        assert_eq!(kind("phone_number10"), Some(Kind::PhoneNumber));
        assert_eq!(kind("car_number12"), Some(Kind::CarNumber));
        assert_eq!(kind("enum_string4"), Some(Kind::EnumString));
        assert_eq!(kind("character_string01"), Some(Kind::CharacterString));
        assert_eq!(kind("enum"), Some(Kind::Enum));
    }

    #[test]
    fn other_keys_have_no_type() {
        for key in ["keyword1", "first", "remark", "thing1a", "Thing1", "账号", "", "1", "time_range3"] {
            assert_eq!(kind(key), None, "{key}");
        }
        assert_eq!(FieldType::of("name", Channel::Template), None);
    }

    #[test]
    fn an_amount_may_have_twelve_digits_on_official_accounts() {
        let amount = FieldType::of("amount1", Channel::Bizsend).unwrap();
        assert_eq!((amount.limit_on(Channel::Subscribe), amount.limit_on(Channel::Template)), (10, 12));
    }
}
