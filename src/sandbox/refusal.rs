//! Refusals in WeChat's own words.

use std::borrow::Cow;

use serde_json::Value;

/// An answer with an errcode other than 0. The rid is added when it is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) errcode: i64,
    pub(super) errmsg: Cow<'static, str>,
    /// A member that the answer carries beside errcode and errmsg.
    pub(super) extra: Option<Box<(&'static str, Value)>>,
    /// 47003: the key of the bad field, for the page.
    pub(super) field: Option<String>,
}

impl Refusal {
    /// The refusal of this code in its usual wording.
    pub(super) fn of(errcode: i64) -> Refusal {
        let errmsg = TEXTS.iter().find(|(code, _)| *code == errcode).map_or("system error", |(_, text)| text);
        Refusal { errcode, errmsg: Cow::Borrowed(errmsg), extra: None, field: None }
    }

    /// The refusal of this code in the given words.
    pub(super) fn with(errcode: i64, errmsg: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { errcode, errmsg: errmsg.into(), extra: None, field: None }
    }
}

/// Wordings as quoted in public error logs; where none is quoted, the meaning in the style of the others.
const TEXTS: &[(i64, &str)] = &[
    (-1, "system error"),
    (404, "not found"),
    (20001, "system error"),
    (20002, "invalid args"),
    (
        40001,
        "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, \
         more details at https://mmbizurl.cn/s/JtxxFh33r",
    ),
    (40002, "invalid grant_type"),
    (40003, "invalid openid"),
    (40013, "invalid appid"),
    (40014, "invalid access_token"),
    (40037, "invalid template_id"),
    (40039, "invalid url size"),
    (40062, "invalid title size"),
    (40066, "invalid url"),
    (40097, "invalid args"),
    (40125, "invalid appsecret"),
    (40243, "AppSecret is frozen"),
    (40400, "bad request"),
    (41001, "access_token missing"),
    (41002, "appid missing"),
    (41004, "appsecret missing"),
    (41030, "invalid page"),
    (42001, "access_token expired"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43106, "not allow to add template, for punishment"),
    (43101, "user refuse to accept the msg"),
    (43108, "Cannot make concurrent calls to the same OpenID, please try again"),
    (44002, "empty post data"),
    (45009, "reach max api daily quota limit"),
    (45011, "api minute-quota reach limit mustslower retry next minute"),
    (45103, "This API has been unsupported"),
    (
        45109,
        "This API has been unsupported. For more details, please view https://developers.weixin.qq.com/community/develop/doc/000ae8d6348af08e7030bc2546bc01?blockType=1",
    ),
    (45168, "keyword in blacklist"),
    (47001, "data format error"),
    (48001, "api unauthorized"),
    (48006, "forbid to clear quota because of reaching the limit"),
    (76001, "rid not found"),
    (76002, "rid is invalid"),
    (76003, "rid not belong to this account"),
    (76004, "rid is older than 7 days"),
    (76021, "cgi_path not found"),
    (76022, "could not use this cgi_path, no permission"),
    (200001, "system error"),
    (200002, "invalid args"),
    (200011, "account has been banned to add template"),
    (200012, "private template num exceeds limit"),
    (200013, "template has been banned"),
    (200014, "invalid template id"),
    (200016, "start param missing"),
    (200017, "limit param missing or too large"),
    (200018, "ids missing"),
    (200019, "invalid ids"),
    (200020, "invalid kidList"),
    (200021, "invalid sceneDesc"),
    (200022, "template has added already"),
    (200100, "invalid account type"),
];
