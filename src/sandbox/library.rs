//! The public template library that newtmpl offers: an excerpt with the titles that CRMEB shops use.

/// A public template.
pub(super) struct PublicTemplate {
    pub(super) tid: u32,
    pub(super) title: &'static str,
    /// 2 one-time, 3 long-term.
    pub(super) kind: u8,
    pub(super) category: u32,
    pub(super) keywords: &'static [Keyword],
}

/// One keyword that a private template may be put together from.
pub(super) struct Keyword {
    pub(super) kid: u32,
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    /// The type of its value.
    pub(super) rule: &'static str,
}

const fn keyword(kid: u32, name: &'static str, example: &'static str, rule: &'static str) -> Keyword {
    Keyword { kid, name, example, rule }
}

/// Categories (服务类目) of every account here.
pub(super) const CATEGORIES: [(u32, &str); 2] = [(307, "百货"), (616, "综合电商")];

pub(super) const LIBRARY: &[PublicTemplate] = &[
    PublicTemplate {
        tid: 1927,
        title: "订单支付成功通知",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(1, "订单号", "20201210123", "character_string"),
            keyword(2, "支付金额", "100元", "amount"),
            keyword(3, "下单时间", "2020年12月10日 12:00", "time"),
            keyword(4, "商品名称", "苹果", "thing"),
        ],
    },
    PublicTemplate {
        tid: 1458,
        title: "订单发货提醒",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(1, "快递公司", "顺丰速运", "thing"),
            keyword(2, "快递单号", "SF150383222222", "character_string"),
            keyword(3, "发货时间", "2020年12月10日 12:00", "time"),
            keyword(5, "商品名称", "苹果", "thing"),
        ],
    },
    PublicTemplate {
        tid: 1128,
        title: "订单配送通知",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(1, "订单编号", "20201210123", "character_string"),
            keyword(4, "配送员", "张三", "name"),
            keyword(8, "商品名称", "苹果", "thing"),
            keyword(10, "联系电话", "13800138000", "phone_number"),
        ],
    },
    PublicTemplate {
        tid: 1481,
        title: "确认收货通知",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(1, "订单编号", "20201210123", "character_string"),
            keyword(2, "商品名称", "苹果", "thing"),
            keyword(5, "收货时间", "2020-12-10", "date"),
        ],
    },
    PublicTemplate {
        tid: 1451,
        title: "退款通知",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(1, "退款状态", "已退款", "thing"),
            keyword(2, "商品名称", "苹果", "thing"),
            keyword(3, "退款金额", "100元", "amount"),
            keyword(6, "退款单号", "20201210123", "character_string"),
        ],
    },
    PublicTemplate {
        tid: 755,
        title: "充值成功通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "交易单号", "20201210123", "character_string"),
            keyword(3, "充值金额", "100元", "amount"),
            keyword(4, "账户余额", "200元", "amount"),
            keyword(5, "充值时间", "2020-12-10", "date"),
        ],
    },
    PublicTemplate {
        tid: 335,
        title: "积分到账提醒",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(2, "订单编号", "20201210123", "character_string"),
            keyword(3, "商品名称", "苹果", "thing"),
            keyword(4, "支付金额", "100元", "amount"),
            keyword(5, "获得积分", "10", "number"),
            keyword(6, "累计积分", "100", "number"),
        ],
    },
    PublicTemplate {
        tid: 1470,
        title: "提现结果通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "提现状态", "提现成功", "thing"),
            keyword(2, "提现金额", "100元", "amount"),
            keyword(3, "提现用户", "张三", "thing"),
            keyword(4, "申请时间", "2020-12-10", "date"),
        ],
    },
    PublicTemplate {
        tid: 3098,
        title: "拼团成功通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "活动名称", "双十二", "thing"),
            keyword(2, "成团人数", "3", "number"),
            keyword(5, "开始时间", "2020-12-10", "date"),
            keyword(12, "团长", "张三", "thing"),
        ],
    },
    PublicTemplate {
        tid: 3353,
        title: "拼团状态通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "拼团进度", "还差一人", "thing"),
            keyword(2, "活动名称", "双十二", "thing"),
            keyword(3, "温馨提示", "拼团失败", "thing"),
        ],
    },
    PublicTemplate {
        tid: 2727,
        title: "砍价成功通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "商品名称", "苹果", "thing"),
            keyword(2, "砍后价格", "1元", "amount"),
            keyword(3, "备注", "请尽快下单", "thing"),
        ],
    },
    PublicTemplate {
        tid: 1468,
        title: "退款申请通知",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(2, "退款金额", "100元", "amount"),
            keyword(4, "订单编号", "20201210123", "character_string"),
            keyword(5, "申请时间", "2020-12-10", "date"),
            keyword(7, "退款状态", "申请中", "phrase"),
            keyword(8, "备注", "七天无理由", "thing"),
        ],
    },
];

/// The public template of this id.
pub(super) fn find(tid: &str) -> Option<&'static PublicTemplate> {
    let tid: u32 = tid.parse().ok()?;
    LIBRARY.iter().find(|template| template.tid == tid)
}
