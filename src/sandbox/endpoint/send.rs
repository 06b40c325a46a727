//! The calls that send a message.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::Method;

use super::super::account::{Account, AccountKind};
use super::super::clock::Millis;
use super::super::journal::Entry;
use super::super::payload::{Object, decode};
use super::super::refusal::Refusal;
use super::super::rule::{self, Edition};
use super::super::world::World;
use super::{Answer, Call, Outcome};

pub(super) const SUBSCRIBE: &str = "/cgi-bin/message/subscribe/send";
pub(super) const BIZSEND: &str = "/cgi-bin/message/subscribe/bizsend";
pub(super) const TEMPLATE: &str = "/cgi-bin/message/template/send";
pub(in super::super) const ONE_TIME: &str = "/cgi-bin/message/template/subscribe";

/// template/send: one message per openid and client_msg_id within ten minutes.
const CLIENT_ID_LIFE: Millis = 600_000;
const CLIENT_IDS: usize = 10_000;

/// What tells the channels apart.
struct Channel {
    path: &'static str,
    account: AccountKind,
    edition: Edition,
    /// Whether a message costs a grant of the user.
    takes_grant: bool,
    /// Whether the detail of 47003 is cut at 30 characters. Proven for subscribe/send, disproven for template/send;
    /// bizsend is open and taken for its neighbour.
    cuts_detail: bool,
    answers_msgid: bool,
}

/// Mini program, subscribe message.
pub(super) fn subscribe(world: &mut World, call: &Call) -> Outcome {
    send(
        world,
        call,
        &Channel {
            path: SUBSCRIBE,
            account: AccountKind::MiniProgram,
            edition: Edition::MiniProgram,
            takes_grant: true,
            cuts_detail: true,
            answers_msgid: true,
        },
    )
}

/// Official account, subscription notice.
pub(super) fn bizsend(world: &mut World, call: &Call) -> Outcome {
    send(
        world,
        call,
        &Channel {
            path: BIZSEND,
            account: AccountKind::Official,
            edition: Edition::OfficialAccount,
            takes_grant: true,
            cuts_detail: true,
            answers_msgid: false,
        },
    )
}

/// Official account, template message: to every follower, without a grant.
pub(super) fn template(world: &mut World, call: &Call) -> Outcome {
    send(
        world,
        call,
        &Channel {
            path: TEMPLATE,
            account: AccountKind::Official,
            edition: Edition::OfficialAccount,
            takes_grant: false,
            cuts_detail: false,
            answers_msgid: true,
        },
    )
}

/// The observed order: token, quota, body, openid, template, concurrency, 43101, fields, page, word filter.
fn send(world: &mut World, call: &Call, channel: &Channel) -> Outcome {
    let appid = world.authorise(call, &Method::POST)?;
    world.require_kind(&appid, channel.account)?;
    let text = message_text(call)?;
    let body = Object::parse(&text).ok_or_else(|| Refusal::of(47001))?;
    let now = world.clock.now();
    let account = world.owner(&appid)?;
    let message = Addressed::read(&body, account)?;
    // Documented for subscription messages; template/send goes to followers and names other codes for haste.
    if channel.takes_grant && account.busy.contains(message.openid.as_ref()) {
        return Err(Refusal::of(43108));
    }
    if channel.takes_grant && !account.may_send(&message.openid, &message.template_id) {
        return Err(Refusal::of(43101));
    }
    let data = body.object("data");
    check_fields(account, &message, data.as_ref(), channel)?;
    check_options(account, &body)?;
    if channel.account == AccountKind::Official {
        check_target(&body)?;
    }
    if has_forbidden_word(account, data.as_ref()) {
        return Err(Refusal::of(45168));
    }
    let client_id =
        if channel.path == TEMPLATE { body.text("client_msg_id")?.filter(|id| !id.is_empty()) } else { None };
    let client_key = client_id.map(|id| (message.openid.clone().into_owned(), id.into_owned()));
    if let Some((sent, msgid)) = client_key.as_ref().and_then(|key| account.client_ids.get(key))
        && now.saturating_sub(*sent) < CLIENT_ID_LIFE
    {
        return Ok(answer(channel, *msgid).into());
    }
    if channel.takes_grant {
        account.take_grant(&message.openid, &message.template_id);
    }
    let msgid = world.next_msgid();
    if let Some(key) = client_key {
        remember_client_id(world.owner(&appid)?, key, now, msgid);
    }
    Ok(deliver(world, call, channel, appid, &message, &text, msgid))
}

/// The body as text, or why there is none.
fn message_text(call: &Call) -> Result<Cow<'_, str>, Refusal> {
    if call.body.is_empty() {
        return Err(Refusal::of(44002));
    }
    Ok(decode(&call.body))
}

/// To whom, by which template: both known.
struct Addressed<'a> {
    openid: Cow<'a, str>,
    template_id: Cow<'a, str>,
}

impl<'a> Addressed<'a> {
    fn read(body: &Object<'a>, account: &Account) -> Result<Addressed<'a>, Refusal> {
        let openid = body.text("touser").ok().flatten().filter(|openid| account.knows(openid));
        let openid = openid.ok_or_else(|| Refusal::of(40003))?;
        let template_id = body.text("template_id").ok().flatten().filter(|id| account.template(id).is_some());
        Ok(Addressed { openid, template_id: template_id.ok_or_else(|| Refusal::of(40037))? })
    }
}

/// 47003 for the first bad field in template order. Surplus keys and colours are nobody's business.
fn check_fields(
    account: &Account,
    message: &Addressed,
    data: Option<&Object>,
    channel: &Channel,
) -> Result<(), Refusal> {
    let fields = account.template(&message.template_id).map(|template| template.fields.as_slice()).unwrap_or_default();
    for field in fields {
        let value = data.and_then(|data| data.field(&field.key));
        if let Err(fault) = rule::check(field, value.as_deref(), channel.edition) {
            return Err(argument_invalid(&field.key, fault.wording(), channel.cuts_detail));
        }
    }
    Ok(())
}

fn argument_invalid(key: &str, wording: &str, cut: bool) -> Refusal {
    let detail = format!("data.{key}.value {wording}");
    let detail: String = detail.chars().take(if cut { 30 } else { usize::MAX }).collect();
    Refusal { field: Some(key.to_owned()), ..Refusal::with(47003, format!("argument invalid! {detail}")) }
}

/// page, miniprogram_state, lang. A value of a wrong type is 47001; an unknown state or language has no documented
/// answer, 40097 (invalid args) is the general one.
fn check_options(account: &Account, body: &Object) -> Result<(), Refusal> {
    let page = body.text("page")?;
    let state = body.text("miniprogram_state")?;
    let lang = body.text("lang")?;
    if let (Some(page), Some(pages)) = (page.as_deref().filter(|page| !page.is_empty()), &account.pages) {
        // Equal to app.json, the query aside; a leading slash is reported as a cause of 41030.
        let path = page.split(['?', '#']).next().unwrap_or(page);
        if !pages.iter().any(|known| known == path) {
            return Err(Refusal::of(41030));
        }
    }
    if state.as_deref().is_some_and(|state| !["", "developer", "trial", "formal"].contains(&state))
        || lang.as_deref().is_some_and(|lang| !["", "zh_CN", "en_US", "zh_HK", "zh_TW"].contains(&lang))
    {
        return Err(Refusal::of(40097));
    }
    Ok(())
}

/// Where a tap leads from an official account's message: `url`, and `miniprogram` with an appid of its own. How long an
/// address may be is not published; 40039 is documented, and nobody's address has 2048 characters.
fn check_target(body: &Object) -> Result<(), Refusal> {
    if body.text("url")?.is_some_and(|url| url.len() > 2048) {
        return Err(Refusal::of(40039));
    }
    // EasyWeChat 3 writes "" where there is none, in every template message of a CRMEB shop, and WeChat delivers them.
    match body.get("miniprogram").filter(|target| !matches!(target.get(), "null" | "\"\"")) {
        None => Ok(()),
        Some(_) => {
            let target = body.object("miniprogram").ok_or_else(|| Refusal::of(47001))?;
            target.text("pagepath")?;
            target.text("appid")?.filter(|appid| !appid.is_empty()).map(|_| ()).ok_or_else(|| Refusal::of(40013))
        }
    }
}

fn has_forbidden_word(account: &Account, data: Option<&Object>) -> bool {
    !account.blacklist.is_empty()
        && data.is_some_and(|data| {
            data.keys()
                .filter_map(|key| data.field(key))
                .any(|value| account.blacklist.iter().any(|word| value.contains(word)))
        })
}

fn remember_client_id(account: &mut Account, key: (String, String), now: Millis, msgid: u64) {
    if account.client_ids.len() >= CLIENT_IDS {
        account.client_ids.retain(|_, (sent, _)| now.saturating_sub(*sent) < CLIENT_ID_LIFE);
        if account.client_ids.len() >= CLIENT_IDS {
            account.client_ids.clear();
        }
    }
    account.client_ids.insert(key, (now, msgid));
}

fn answer(channel: &Channel, msgid: u64) -> String {
    if channel.answers_msgid {
        format!(r#"{{"errcode":0,"errmsg":"ok","msgid":{msgid}}}"#)
    } else {
        r#"{"errcode":0,"errmsg":"ok"}"#.to_owned()
    }
}

fn deliver(
    world: &mut World,
    call: &Call,
    channel: &Channel,
    appid: Arc<str>,
    message: &Addressed,
    text: &str,
    msgid: u64,
) -> Answer {
    world.deliver(Entry {
        time: world.clock.now(),
        connection: call.connection,
        appid: Arc::clone(&appid),
        path: channel.path,
        openid: message.openid.as_ref().into(),
        template_id: message.template_id.as_ref().into(),
        body: text.into(),
        msgid,
    });
    let occupies = (channel.takes_grant && !call.delay.is_zero()).then(|| message.openid.clone().into_owned());
    Answer { body: answer(channel, msgid), appid: Some(appid), occupies }
}

/// Official account, the old one-time message: `title` up to 15 characters, `scene`, `data.content.value` up to 200.
pub(super) fn one_time(world: &mut World, call: &Call) -> Outcome {
    let channel = Channel {
        path: ONE_TIME,
        account: AccountKind::Official,
        edition: Edition::OfficialAccount,
        takes_grant: true,
        cuts_detail: false,
        answers_msgid: false,
    };
    let appid = world.authorise(call, &Method::POST)?;
    world.require_kind(&appid, channel.account)?;
    let text = message_text(call)?;
    let body = Object::parse(&text).ok_or_else(|| Refusal::of(47001))?;
    let account = world.owner(&appid)?;
    let message = Addressed::read(&body, account)?;
    if !account.may_send(&message.openid, &message.template_id) {
        return Err(Refusal::of(43101));
    }
    let title = body.text("title")?.unwrap_or_default();
    if title.is_empty() || title.chars().count() > 15 {
        return Err(Refusal::of(40062));
    }
    // Published as a string of 0 … 10000.
    let scene = body.text("scene")?.and_then(|scene| scene.parse::<u32>().ok());
    if scene.is_none_or(|scene| scene > 10_000) {
        return Err(Refusal::of(40097));
    }
    check_target(&body)?;
    match body.object("data").and_then(|data| data.field("content")) {
        Some(content) if content.chars().count() > 200 => return Err(argument_invalid("content", "invalid", false)),
        Some(content) if !content.trim().is_empty() => {}
        _ => return Err(argument_invalid("content", "is empty", false)),
    }
    account.take_grant(&message.openid, &message.template_id);
    let msgid = world.next_msgid();
    Ok(deliver(world, call, &channel, appid, &message, &text, msgid))
}

/// Withdrawn on 2023-09-20.
pub(super) fn uniform(world: &mut World, call: &Call) -> Outcome {
    world.authorise(call, &Method::POST)?;
    Err(Refusal::of(45109))
}

/// Mini-program template messages, offline since January 2020.
pub(super) fn withdrawn(world: &mut World, call: &Call) -> Outcome {
    world.authorise(call, &Method::POST)?;
    Err(Refusal::of(45103))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_of_47003_is_cut_at_30_characters_on_subscribe_send_alone() {
        let text = |key, wording, cut| argument_invalid(key, wording, cut).errmsg.into_owned();
        assert_eq!(text("character_string1", "is empty", true), "argument invalid! data.character_string1.value i"); // wx-00002eee
        assert_eq!(text("car_number12", "is empty", true), "argument invalid! data.car_number12.value is emp");
        assert_eq!(text("character_string10", "invalid", true), "argument invalid! data.character_string10.value ");
        assert_eq!(text("thing1", "is empty", true), "argument invalid! data.thing1.value is empty");
        assert_eq!(
            text("character_string21", "invalid", false),
            "argument invalid! data.character_string21.value invalid"
        ); // wx-000248ab
    }
}
