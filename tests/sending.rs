//! `App` over the wire: a message walks all stages against the fake WeChat, and against one that fails.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use routine_template::answer::{Answer, MsgId, Source};
use routine_template::app::App;
use routine_template::config::Settings;
use routine_template::error::Error;
use routine_template::language::Language;
use routine_template::message::{Channel, Message};
use routine_template::options::Options;
use routine_template::registry::Registry;
use routine_template::sandbox::{
    self, AccountChange, FaultKind, MessageFilter, QuotaChange, Sandbox, TokenEnd, TokenKinds,
};
use routine_template::sandbox::{
    DEMO_APPID, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_OPENID, DEMO_OFFICIAL_SECRET, DEMO_OFFICIAL_TEMPLATE, DEMO_SECRET,
    DEMO_TEMPLATE,
};
use routine_template::wechat::errcode::Outcome;

#[path = "support/shop.rs"]
mod support;
use support::*;

#[test]
fn a_message_is_delivered_and_answered_in_wechats_own_words() {
    let shop = Shop::open();
    let answer = send(&shop.app(&[])).unwrap();
    assert_eq!(
        (answer.errcode, answer.errmsg.as_str(), answer.outcome, answer.source),
        (0, "ok", Outcome::Delivered, Source::Wechat)
    );
    assert!(matches!(answer.msgid, Some(MsgId::Int(id)) if id > 1 << 53));
    assert_eq!(answer.attempts, 1);
    assert_eq!(shop.delivered(), 1);
}

#[test]
fn one_token_and_one_connection_serve_many_messages() {
    let shop = Shop::open();
    shop.wechat.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
    let app = shop.app(&[]);
    for _ in 0..20 {
        assert_eq!(send(&app).unwrap().errcode, 0);
    }
    assert_eq!(shop.requests(STABLE_TOKEN), 1);
    assert_eq!(shop.wechat.counters().connections.https, 1);
}

#[test]
fn a_payload_that_wechat_would_refuse_costs_no_request() {
    let shop = Shop::open();
    let answer =
        shop.app(&[("validate", "strict")]).send(&message(map(&[("amount2", "100万元"), ("thing4", "茶")]))).unwrap();
    assert_eq!((answer.errcode, answer.source, answer.attempts), (47003, Source::Local, 0));
    assert_eq!(answer.errmsg, "argument invalid! data.amount2.value invalid");
    assert_eq!(answer.violations.len(), 1);
    assert!(answer.hint.contains("amount2"), "{}", answer.hint);
    assert_eq!(shop.requests(STABLE_TOKEN) + shop.requests(SEND), 0);
}

#[test]
fn with_the_field_list_a_missing_field_is_named_and_a_surplus_one_is_dropped() {
    let shop = Shop::open();
    let mut registry = Registry::default();
    let content =
        "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}";
    registry.register("ORDER_PAY_SUCCESS", DEMO_TEMPLATE, Some(content)).unwrap();
    let app = shop.app_with(&[], registry);
    let mut named = message(map(&[("thing4", "茶"), ("amount2", "1"), ("character_string1", "cp1")]));
    named.template_id = "ORDER_PAY_SUCCESS".into();
    let answer = app.send(&named).unwrap();
    assert_eq!(answer.errmsg, "argument invalid! data.time3.value is empty");
    named.data = map(&[
        ("thing4", "茶"),
        ("amount2", "1"),
        ("character_string1", "cp1"),
        ("time3", "10:00"),
        ("remark", "谢谢"),
    ]);
    let answer = app.send(&named).unwrap();
    assert_eq!(answer.errcode, 0);
    assert_eq!(answer.changed.len(), 1);
    assert_eq!(answer.changed[0].to, None);
    assert!(shop.wechat.messages(&MessageFilter::default())[0].data.get("remark").is_none());
}

#[test]
fn a_used_up_grant_is_a_refusal_for_this_user_with_wechats_rid() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    for _ in 0..3 {
        assert_eq!(send(&app).unwrap().errcode, 0);
    }
    let answer = send(&app).unwrap();
    assert_eq!((answer.errcode, answer.outcome), (43101, Outcome::RefusedUser));
    assert_eq!(answer.rid.unwrap().len(), 26);
    assert!(answer.hint.contains("recordGrants()"));
}

#[test]
fn a_token_that_ended_is_renewed_once_and_the_message_goes_out() {
    for how in [TokenEnd::Expired, TokenEnd::Revoked] {
        let shop = Shop::open();
        let app = shop.app(&[]);
        assert_eq!(send(&app).unwrap().attempts, 1);
        shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, how);
        let answer = send(&app).unwrap();
        assert_eq!((answer.errcode, answer.attempts), (0, 2), "{how:?}");
        assert_eq!(shop.requests(STABLE_TOKEN), 2);
        assert_eq!(shop.delivered(), 2);
    }
}

#[test]
fn of_several_threads_with_a_dead_token_one_fetches() {
    let shop = Shop::open();
    shop.wechat.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    let openids: Vec<String> = (0..8).map(|number| format!("oBuyer{number}")).collect();
    std::thread::scope(|scope| {
        for openid in &openids {
            let settings = Arc::new(app.settings().clone());
            scope.spawn(move || {
                let app = App::new(settings, Arc::default());
                let answer = app.send(&Message { touser: openid.into(), ..message(order()) }).unwrap();
                assert_eq!(answer.errcode, 0);
            });
        }
    });
    assert_eq!(shop.requests(STABLE_TOKEN), 2);
}

#[test]
fn a_token_that_wechat_refuses_for_ever_is_fetched_once_more_and_then_left_alone() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    shop.fault(SEND, None, FaultKind::Errcode { errcode: 40001, errmsg: None });
    let first = send(&app).unwrap();
    assert_eq!((first.errcode, first.outcome, first.attempts), (40001, Outcome::TokenStale, 2));
    assert_eq!(send(&app).unwrap().attempts, 1);
    assert_eq!(shop.requests(STABLE_TOKEN), 2);
}

#[test]
fn a_renewal_that_wechat_refuses_is_the_answer_and_not_the_stale_token() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    shop.wechat.account(DEMO_APPID, AccountChange { ip_refused: Some(true), ..AccountChange::default() });
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Expired);
    let answer = send(&app).unwrap();
    assert_eq!((answer.errcode, answer.outcome, answer.attempts), (40164, Outcome::Misconfigured, 1));
    // The dead token is not tried again.
    let again = send(&app).unwrap();
    assert_eq!((again.errcode, again.source, again.attempts), (40164, Source::Local, 0));
    assert_eq!(shop.requests(SEND), 2);
}

#[test]
fn one_broken_token_connection_costs_no_message() {
    let shop = Shop::open();
    shop.fault(STABLE_TOKEN, Some(1), FaultKind::DropBefore);
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Expired);
    shop.fault(STABLE_TOKEN, Some(1), FaultKind::ResetAfter);
    assert_eq!(send(&app).unwrap().errcode, 0);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    shop.fault(STABLE_TOKEN, Some(2), FaultKind::DropBefore);
    assert!(!ambiguous(send(&app)), "refused with a dead token, and no other to be had: certainly not delivered");
    assert_eq!(send(&app).unwrap().errcode, 0, "the next message fetches a token at once");
    assert_eq!(shop.delivered(), 3);
}

#[test]
fn a_wrong_secret_is_the_answer_and_is_not_asked_about_again_at_once() {
    let shop = Shop::open();
    let app = shop.app(&[("secret", "wrong")]);
    let answer = send(&app).unwrap();
    assert_eq!(
        (answer.errcode, answer.outcome, answer.attempts, answer.source),
        (40125, Outcome::Misconfigured, 0, Source::Wechat)
    );
    let again = send(&app).unwrap();
    assert_eq!((again.errcode, again.source), (40125, Source::Local));
    assert_eq!(shop.requests(STABLE_TOKEN), 1);
    assert!(matches!(app.access_token(false), Err(Error::Config { code: 40125, .. })));
    // The right one is another account to this process: no refusal stands in its way.
    assert_eq!(send(&shop.app(&[])).unwrap().errcode, 0);
}

#[test]
fn while_the_old_token_lives_a_failed_renewal_costs_no_message() {
    let shop = Shop::open();
    shop.wechat.account(
        DEMO_APPID,
        AccountChange { any_openid: Some(true), token_expires_in: Some(10), ..AccountChange::default() },
    );
    let app = shop.app(&[("token_mode", "classic")]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    // A tenth of its life is left: a renewal is due, and fails.
    std::thread::sleep(Duration::from_millis(9100));
    shop.fault("/cgi-bin/token", None, FaultKind::HttpStatus { status: 502 });
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_eq!(shop.requests("/cgi-bin/token"), 2);
}

#[test]
fn classic_and_external_tokens_work_too() {
    let shop = Shop::open();
    let token = shop.app(&[("token_mode", "classic")]).access_token(false).unwrap();
    let external = shop.app(&[("secret", ""), ("token_mode", "external"), ("token", token.as_str())]);
    assert_eq!(send(&external).unwrap().errcode, 0);
    assert_eq!(external.access_token(true).unwrap(), token);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Expired);
    assert_eq!(send(&external).unwrap().errcode, 42001);
    assert_eq!(shop.requests(STABLE_TOKEN), 0);
}

#[test]
fn what_was_certainly_not_sent_says_so() {
    let _turn = turn();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let app = App::new(
        Arc::new(
            Settings::from_pairs([("appid", "wx"), ("secret", "s"), ("base_url", url.as_str()), ("store", "off")])
                .unwrap(),
        ),
        Arc::default(),
    );
    assert!(!ambiguous(send(&app)));

    let shop = Shop::open();
    shop.fault(STABLE_TOKEN, Some(2), FaultKind::DropAfter);
    assert!(!ambiguous(send(&shop.app(&[]))), "a token request that failed has sent no message");
    assert_eq!(shop.delivered(), 0);
}

#[test]
fn what_was_written_and_not_answered_is_unknown_and_never_repeated() {
    let cases = [
        (FaultKind::DropBefore, 0),
        (FaultKind::DropAfter, 1),
        (FaultKind::ResetBefore, 0),
        (FaultKind::ResetAfter, 1),
        (FaultKind::HalfAnswer, 1),
        (FaultKind::Garbage, 1),
        (FaultKind::HttpStatus { status: 500 }, 0),
        (FaultKind::HttpStatus { status: 302 }, 0),
        (FaultKind::HugeAnswer { bytes: 3_000_000 }, 1),
        (FaultKind::Hang, 0),
        (FaultKind::SlowBytes { ms_per_byte: 50 }, 1),
    ];
    for (kind, delivered) in cases {
        let shop = Shop::open();
        // Where nothing but the deadline ends it, a short one; a busy machine needs its time for the others.
        let waits = matches!(kind, FaultKind::Hang | FaultKind::SlowBytes { .. });
        let app = shop.app(&[("timeout_ms", if waits { "2000" } else { "15000" })]);
        app.access_token(false).unwrap();
        shop.fault(SEND, Some(1), kind.clone());
        assert!(ambiguous(send(&app)), "{kind:?}");
        assert_eq!(shop.requests(SEND), 1, "{kind:?}");
        assert_eq!(shop.delivered(), delivered, "{kind:?}");
        assert_eq!(send(&app).unwrap().errcode, 0, "after {kind:?} the next message goes out");
    }
}

#[test]
fn the_deadline_covers_token_and_message_together() {
    let shop = Shop::open();
    let app = shop.app(&[("timeout_ms", "3000")]);
    shop.fault(STABLE_TOKEN, Some(1), FaultKind::Latency { ms: 2000 });
    shop.fault(SEND, Some(1), FaultKind::Hang);
    let start = Instant::now();
    assert!(ambiguous(send(&app)));
    // Generous towards a busy machine, but below the five seconds that two separate limits would come to.
    assert!(start.elapsed() < Duration::from_millis(4900), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_accepts_and_says_nothing_costs_the_deadline_and_no_more() {
    let _turn = turn();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let app = App::new(
        Arc::new(
            Settings::from_pairs([
                ("appid", "wx"),
                ("secret", "s"),
                ("base_url", url.as_str()),
                ("timeout_ms", "400"),
                ("store", "off"),
            ])
            .unwrap(),
        ),
        Arc::default(),
    );
    let start = Instant::now();
    assert!(!ambiguous(send(&app)), "a TLS handshake that never ends has sent nothing");
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
}

#[test]
fn a_connection_that_the_server_closed_while_idle_costs_no_message() {
    let shop = Shop::open();
    shop.wechat.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
    let app = shop.app(&[]);
    // A message right behind the token, on a busy machine, might cross the close on its way.
    app.access_token(false).unwrap();
    shop.wechat
        .settings(sandbox::SettingsChange { idle_close_ms: Some(Some(400)), ..sandbox::SettingsChange::default() });
    for _ in 0..8 {
        assert_eq!(send(&app).unwrap().errcode, 0);
        wait_until("the server to close", || shop.wechat.counters().connections.open == 0);
    }
    assert_eq!(shop.delivered(), 8);
    assert_eq!(shop.requests(SEND), 8);
}

/// Certainly not sent, in words that say what to look at.
fn assert_untrusted(sent: Result<Answer, Error>) {
    let error = sent.unwrap_err();
    assert!(error.message(Language::English).contains("the certificate is not trusted"), "{error:?}");
    assert!(!ambiguous(Err(error)));
}

#[test]
fn a_certificate_that_does_not_prove_the_host_is_refused() {
    let unknown = Shop::open();
    let other = Shop::open();
    let app = unknown.app(&[("ca_file", other.ca_file.as_str())]);
    assert_untrusted(send(&app));
    for options in [
        sandbox::Options { tls_host: Some("wechat.invalid".into()), ..sandbox::Options::default() },
        sandbox::Options { tls_expired: true, ..sandbox::Options::default() },
    ] {
        let wechat = Sandbox::start(options).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let ca_file = directory.path().join("ca.pem");
        std::fs::write(&ca_file, wechat.ca_pem()).unwrap();
        let (url, ca_file) = (wechat.https_url(), ca_file.to_str().unwrap().to_owned());
        let pairs = [
            ("appid", DEMO_APPID),
            ("secret", DEMO_SECRET),
            ("base_url", url.as_str()),
            ("ca_file", ca_file.as_str()),
            ("store", "off"),
        ];
        let app = App::new(Arc::new(Settings::from_pairs(pairs).unwrap()), Arc::default());
        assert_untrusted(send(&app));
        assert_eq!(wechat.counters().requests.len(), 0);
    }
}

#[test]
fn throttling_is_told_apart() {
    for (errcode, outcome) in [
        (45009, Outcome::ThrottledDay),
        (45011, Outcome::ThrottledMinute),
        (43108, Outcome::ThrottledUser),
        (-1, Outcome::RetryLater),
    ] {
        let shop = Shop::open();
        shop.fault(SEND, Some(1), FaultKind::Errcode { errcode, errmsg: None });
        let answer = send(&shop.app(&[])).unwrap();
        assert_eq!((answer.errcode, answer.outcome, answer.attempts), (errcode, outcome, 1));
    }
    let shop = Shop::open();
    shop.wechat.quota(DEMO_APPID, SEND, QuotaChange { daily_limit: Some(Some(1)), minute_limit: None });
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_eq!(send(&app).unwrap().errcode, 45009);
}

#[test]
fn each_channel_has_its_own_members() {
    let shop = Shop::open();
    let app = shop.app(&[("state", "trial"), ("lang", "en_US")]);
    let mut page = message(order());
    page.page = Some("/pages/order?id=1".into());
    app.send(&page).unwrap();
    let sent = &shop.wechat.messages(&MessageFilter::default())[0];
    assert_eq!(sent.page.as_deref(), Some("pages/order?id=1"), "one leading slash is dropped");
    assert_eq!((sent.miniprogram_state.as_deref(), sent.lang.as_deref()), (Some("trial"), Some("en_US")));

    let official = shop.app(&[("appid", DEMO_OFFICIAL_APPID), ("secret", DEMO_OFFICIAL_SECRET)]);
    let data = map(&[
        ("character_string1", "cp1"),
        ("thing2", "茶"),
        ("amount3", "1"),
        ("const4", "已发货"),
        ("time5", "10:00"),
    ]);
    for channel in [Channel::Template, Channel::Bizsend] {
        let answer = official
            .send(&Message {
                touser: DEMO_OFFICIAL_OPENID.into(),
                template_id: DEMO_OFFICIAL_TEMPLATE.0.into(),
                data: data.clone(),
                page: Some("https://shop.test/order/1".into()),
                options: Options { channel, ..Options::default() },
            })
            .unwrap();
        assert_eq!(answer.errcode, 0, "{channel:?}: {}", answer.errmsg);
        let body = &shop.wechat.messages(&MessageFilter::default()).pop().unwrap().body;
        assert_eq!(
            body.get(if channel == Channel::Template { "url" } else { "page" }).unwrap(),
            "https://shop.test/order/1"
        );
        assert!(body.get("miniprogram_state").is_none() && body.get("lang").is_none());
    }
}

#[test]
fn a_proxy_is_used_if_it_is_set_and_the_environment_is_not_read() {
    let shop = Shop::open();
    let target = shop.wechat.https_url().replace("https://", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let tunnel = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let length = client.read(&mut head).unwrap();
        let request = String::from_utf8_lossy(&head[..length]).into_owned();
        let server = std::net::TcpStream::connect(&target).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut up, &mut down));
        let (mut server, mut client) = (server, client);
        std::thread::spawn(move || std::io::copy(&mut server, &mut client));
        request
    });
    assert_eq!(send(&shop.app(&[("proxy", proxy.as_str())])).unwrap().errcode, 0);
    assert!(tunnel.join().unwrap().starts_with("CONNECT 127.0.0.1:"));
}

#[test]
fn no_error_text_holds_secret_or_token() {
    let shop = Shop::open();
    let app = shop.app(&[("timeout_ms", "300")]);
    // With time enough for a busy machine.
    let token = shop.app(&[]).access_token(false).unwrap();
    shop.fault("*", None, FaultKind::Hang);
    let error = send(&app).unwrap_err().to_string();
    assert!(!error.contains(&token) && !error.contains(DEMO_SECRET), "{error}");
    let classic = shop.app(&[("timeout_ms", "300"), ("token_mode", "classic")]);
    let error = send(&classic).unwrap_err().to_string();
    assert!(!error.contains(DEMO_SECRET), "{error}");
}
