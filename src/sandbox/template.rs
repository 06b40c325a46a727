//! Private templates of an account, and the ones that the start state has.

use super::rule::Kind;

/// One parameter of a template.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) kind: Kind,
    /// The caption in front of it: `订单号` of `订单号:{{character_string1.DATA}}`.
    pub(super) label: String,
    /// What enum, enum_string and const may hold. `None`: no list is set up, so any value passes.
    values: Option<Vec<String>>,
}

impl Field {
    pub(super) fn new(key: &str, values: Option<Vec<String>>) -> Field {
        Field { key: key.to_owned(), kind: Kind::of(key), label: String::new(), values }
    }

    /// Whether the list of approved values has this one.
    pub(super) fn allows(&self, value: &str) -> bool {
        self.values.as_ref().is_none_or(|values| values.iter().any(|allowed| allowed == value))
    }
}

/// One private template, as `gettemplate` lists it.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) content: String,
    /// 2 one-time, 3 long-term.
    pub(super) kind: u8,
    /// Approved values by key, in the order they were set up.
    pub(super) values: Vec<(String, Vec<String>)>,
    /// In template order.
    pub(super) fields: Vec<Field>,
}

impl Template {
    /// Reads the fields from content such as `"订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}"`.
    pub(super) fn new(id: &str, title: &str, content: &str, kind: u8, values: Vec<(String, Vec<String>)>) -> Template {
        let fields = keys(content)
            .map(|(label, key)| {
                let values = values.iter().find(|(name, _)| name == key).map(|(_, allowed)| allowed.clone());
                Field { label: label.to_owned(), ..Field::new(key, values) }
            })
            .collect();
        Template { id: id.to_owned(), title: title.to_owned(), content: content.to_owned(), kind, values, fields }
    }

    /// Whether it has the same keys, in whatever order.
    pub(super) fn has_keys_of(&self, other: &Template) -> bool {
        let has = |key: &str| self.fields.iter().any(|field| field.key == key);
        self.fields.len() == other.fields.len() && other.fields.iter().all(|field| has(&field.key))
    }

    /// The caption of a field.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.key == key).map(|field| field.label.as_str())
    }

    /// Whether one accept is good for any number of messages.
    pub(super) fn is_long_term(&self) -> bool {
        self.kind == 3
    }
}

/// The captions and keys of `caption:{{key.DATA}}` in their order.
fn keys(content: &str) -> impl Iterator<Item = (&str, &str)> {
    content.split("}}").filter_map(|part| {
        let (text, inside) = part.rsplit_once("{{")?;
        let label = text.rsplit('\n').next().unwrap_or(text).trim().trim_end_matches([':', '：']).trim_end();
        inside.trim().strip_suffix(".DATA").map(|key| (label, key))
    })
}

/// Id, title and content of the subscribe messages that a CRMEB v5 shop has.
pub(super) const CRMEB: [(&str, &str, &str); 12] = [
    (
        "0rdErPaid0000000000000000000000000000000001",
        "订单支付成功通知",
        "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}",
    ),
    (
        "0rdErShipped0000000000000000000000000000002",
        "订单发货提醒",
        "快递公司{{thing1.DATA}}\n快递单号{{character_string2.DATA}}\n发货时间{{time3.DATA}}\n商品名称{{thing5.DATA}}",
    ),
    (
        "0rdErDe1ivery000000000000000000000000000003",
        "订单配送通知",
        "订单编号{{character_string1.DATA}}\n配送员{{name4.DATA}}\n联系电话{{phone_number10.DATA}}\n商品名称{{thing8.DATA}}",
    ),
    (
        "0rdErTaken000000000000000000000000000000004",
        "确认收货通知",
        "订单编号{{character_string1.DATA}}\n商品名称{{thing2.DATA}}\n收货时间{{date5.DATA}}",
    ),
    (
        "0rdErRefunded00000000000000000000000000005a",
        "退款通知",
        "退款状态{{thing1.DATA}}\n商品名称{{thing2.DATA}}\n退款金额{{amount3.DATA}}\n退款单号{{character_string6.DATA}}",
    ),
    (
        "RechargePaid0000000000000000000000000000006",
        "充值成功通知",
        "交易单号{{character_string1.DATA}}\n充值金额{{amount3.DATA}}\n账户余额{{amount4.DATA}}\n充值时间{{date5.DATA}}",
    ),
    (
        "P0intsGained0000000000000000000000000000007",
        "积分到账提醒",
        "订单编号{{character_string2.DATA}}\n商品名称{{thing3.DATA}}\n支付金额{{amount4.DATA}}\n获得积分{{number5.DATA}}\n\
         累计积分{{number6.DATA}}",
    ),
    (
        "WithdrawResu1t00000000000000000000000000008",
        "提现结果通知",
        "提现状态{{thing1.DATA}}\n提现金额{{amount2.DATA}}\n提现用户{{thing3.DATA}}\n申请时间{{date4.DATA}}",
    ),
    (
        "Gr0upSuccess0000000000000000000000000000009",
        "拼团成功通知",
        "活动名称{{thing1.DATA}}\n团长{{thing12.DATA}}\n开始时间{{date5.DATA}}\n成团人数{{number2.DATA}}",
    ),
    (
        "Gr0upFai1ed00000000000000000000000000000010",
        "拼团状态通知",
        "活动名称{{thing2.DATA}}\n拼团进度{{thing1.DATA}}\n温馨提示{{thing3.DATA}}",
    ),
    (
        "BargainSuccess00000000000000000000000000011",
        "砍价成功通知",
        "商品名称{{thing1.DATA}}\n砍后价格{{amount2.DATA}}\n备注{{thing3.DATA}}",
    ),
    (
        "RefundRequest000000000000000000000000000012",
        "退款申请通知",
        "订单编号{{character_string4.DATA}}\n申请时间{{date5.DATA}}\n退款金额{{amount2.DATA}}\n退款状态{{phrase7.DATA}}\n\
         备注{{thing8.DATA}}",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_follow_the_content_and_not_their_numbers() {
        let template = Template::new(
            "t",
            "",
            "会议{{thing7.DATA}}\n日期:{{date4.DATA}}\n{{ thing5.DATA }}\n{{broken}}",
            2,
            vec![],
        );
        let keys: Vec<&str> = template.fields.iter().map(|field| field.key.as_str()).collect();
        assert_eq!(keys, ["thing7", "date4", "thing5"]);
        let labels: Vec<&str> = template.fields.iter().map(|field| field.label.as_str()).collect();
        assert_eq!(labels, ["会议", "日期", ""]);
    }

    #[test]
    fn the_start_templates_have_ids_of_real_length_and_fields() {
        for (id, _, content) in CRMEB {
            assert_eq!(id.len(), 43, "{id}");
            assert!(Template::new(id, "", content, 2, vec![]).fields.len() >= 3, "{id}");
        }
    }
}
