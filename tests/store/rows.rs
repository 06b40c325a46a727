//! What is written is read back as it was, whatever users and shops put into it.

use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{APP, Message, Shop, TEMPLATE, Verdict, soon};

on_every_engine!(
    every_column_is_read_back,
    any_text_is_read_back,
    any_text_is_a_key_of_its_own,
    any_text_is_an_openid_and_a_template_of_its_own,
    any_text_is_a_report_token_of_its_own,
    a_message_id_of_any_size_is_read_back,
    any_errcode_is_read_back,
);

/// Texts that confuse whoever joins, splits, quotes, cuts or converts them.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "0",
        "00",
        "-1",
        "1e3",
        "nil",
        "null",
        "NULL",
        "false",
        "{}",
        "[]",
        "a:b",
        "a",
        "a:",
        ":a",
        ":",
        "::",
        "{a}",
        "}{",
        "a|b",
        "a\u{1}b",
        "\u{1f}",
        "\u{7f}",
        "a\nb",
        "a\r\nb",
        "\t",
        "*",
        "?",
        "%",
        "_",
        "'",
        "''",
        "\"",
        "\\",
        "\\0",
        "a'; DROP TABLE delivery; --",
        "KEYS[1]",
        "]]",
        "订单",
        "您的订单🎉已支付",
        "👨‍👩‍👧‍👦",
        "é",
        "e\u{301}",
        "\u{feff}",
        "\u{202e}abc",
        "\u{fffd}",
        "\u{10ffff}",
        "A",
        "ａ",
    ]
    .map(str::to_owned)
    .into();
    texts.push("长".repeat(1365) + "x");
    texts.push("x".repeat(4096));
    texts
}

fn every_column_is_read_back(shop: &Shop) {
    for channel in [Channel::Subscribe, Channel::Bizsend, Channel::Template] {
        let message = Message {
            shown_openid: Some("shown".to_owned()),
            channel,
            changed: Some(r#"[{"field":"thing1"}]"#.to_owned()),
            payload: Some(r#"{"touser":"user","data":{}}"#.to_owned()),
            ..Message::keyed("user", channel.path())
        };
        let verdict = Verdict {
            errmsg: "ok".to_owned(),
            msgid: Some("1".to_owned()),
            rid: Some("65f0-0-0".to_owned()),
            attempts: 3,
            ..Verdict::delivered()
        };
        shop.send(&message, &verdict);
        let row = shop.row_with(message.id);
        let expected = Delivery {
            id: message.id,
            epoch: 1,
            openid: "shown".to_owned(),
            template_id: message.template.clone(),
            channel,
            key: message.key.clone(),
            state: State::Delivered,
            errcode: Some(0),
            errmsg: "ok".to_owned(),
            from_wechat: true,
            msgid: verdict.msgid.clone(),
            rid: verdict.rid.clone(),
            attempts: 3,
            changed: message.changed.clone(),
            payload: message.payload.clone(),
            begun: row.begun,
            finished: row.finished,
            due: row.due,
            receipt: None,
        };
        assert_eq!(row, expected);
        assert_eq!(shop.deliveries(&Filter { key: message.key.as_deref(), limit: 2, ..Filter::default() }), [row]);
    }
}

fn any_text_is_read_back(shop: &Shop) {
    for text in texts() {
        let some = || Some(text.clone());
        let message = Message {
            owner: Owner::named(&text),
            template: text.clone(),
            changed: some(),
            payload: some(),
            ..Message::keyed(&text, &text)
        };
        let going = shop.go(&message);
        let (row, owner) = shop.under_way(&message.again());
        assert_eq!((owner, row.id), (text.clone(), message.id));
        let verdict = Verdict { errmsg: text.clone(), msgid: some(), rid: some(), ..Verdict::delivered() };
        shop.finish(&message, going, &verdict);
        let row = shop.row_with(message.id);
        assert_eq!([&row.openid, &row.template_id, &row.errmsg], [&text; 3]);
        assert_eq!([&row.key, &row.msgid, &row.rid, &row.changed, &row.payload], [&some(); 5], "{text:?}");
    }
}

fn any_text_is_a_key_of_its_own(shop: &Shop) {
    let messages: Vec<_> = texts().iter().map(|text| Message::keyed("user", text)).collect();
    for message in &messages {
        assert_eq!(shop.go(message).id, message.id, "{:?}", message.key);
    }
    for message in &messages {
        assert_eq!(shop.under_way(&message.again()).0.id, message.id);
        let rows = shop.deliveries(&Filter { key: message.key.as_deref(), limit: 10, ..Filter::default() });
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [message.id], "{:?}", message.key);
    }
}

fn any_text_is_an_openid_and_a_template_of_its_own(shop: &Shop) {
    let texts = texts();
    let rows_of = |place: usize, text: &str| {
        // Two texts that are joined somewhere must not read as two others.
        let mut rows = vec![(text.to_owned(), place as u64 % 5 + 1), (String::new(), 1), ("b".to_owned(), 2)];
        rows.sort();
        rows.dedup();
        rows
    };
    for (place, text) in texts.iter().enumerate() {
        for (template, accepts) in rows_of(place, text) {
            for _ in 0..accepts {
                shop.report(text, &[(&template, Choice::Accept)], false);
            }
        }
    }
    for (place, text) in texts.iter().enumerate() {
        let rows = shop.store().grants(APP, text, None, soon()).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|(template, row)| (template, row.accepted)).collect();
        assert_eq!(rows, rows_of(place, text), "{text:?}");
        assert!(shop.audience(APP, text, 1000).contains(&(text.clone(), place as u64 % 5 + 1)), "{text:?}");
    }
    let mut sorted = texts;
    sorted.sort();
    let users: Vec<_> = shop.audience(APP, "b", 7).into_iter().map(|(user, _)| user).collect();
    assert_eq!(users, sorted);
}

fn any_text_is_a_report_token_of_its_own(shop: &Shop) {
    let texts = texts();
    for round in 0..2 {
        for text in &texts {
            let recorded = shop.report_once("user", &[(TEMPLATE, Choice::Accept)], false, text);
            assert_eq!(recorded.duplicate, round == 1, "{text:?}");
        }
    }
    assert_eq!(shop.row("user").accepted, texts.len() as u64);
}

fn a_message_id_of_any_size_is_read_back(shop: &Shop) {
    for msgid in
        ["0", "9007199254740993", "9223372036854775809", "18446744073709551617", "004", "340282366920938463463"]
    {
        let message = Message::to("user");
        shop.send(&message, &Verdict { msgid: Some(msgid.to_owned()), ..Verdict::delivered() });
        assert_eq!(shop.row_with(message.id).msgid.as_deref(), Some(msgid));
    }
}

fn any_errcode_is_read_back(shop: &Shop) {
    for errcode in
        [0, -1, 43101, i64::from(i32::MIN), 9_007_199_254_740_993, -9_007_199_254_740_993, i64::MAX, i64::MIN]
    {
        let message = Message::to("user");
        shop.send(&message, &Verdict { errcode: Some(errcode), ..Verdict::refused() });
        assert_eq!(shop.row_with(message.id).errcode, Some(errcode));
    }
}
