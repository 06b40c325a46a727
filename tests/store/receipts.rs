//! `receipt`: what WeChat says of a message after it has accepted it.

use routine_template::store::*;

use crate::post::Post;
use crate::shop::{APP, Message, SHORT, Shop, Verdict, now, soon};

on_every_engine!(
    what_wechat_says_of_a_message_stands_in_its_row,
    the_first_word_stays,
    a_message_is_found_by_its_msgid_among_those_of_its_receiver,
    only_the_newest_rows_are_looked_at,
    a_hidden_receiver_is_found_as_his_rows_show_him,
    a_message_of_the_outbox_has_a_receipt_as_well,
    a_row_that_is_opened_again_has_none,
    a_row_that_is_over_has_none,
);

impl Shop {
    fn receipt(&self, openid: &str, msgid: &str, text: &str) -> Option<MessageId> {
        let receipt = Receipt { appid: APP, shown_openid: openid, msgid, text, at: now() };
        self.store().receipt(&receipt, soon()).unwrap()
    }

    fn says(&self, id: MessageId) -> Option<String> {
        self.row_with(id).receipt
    }

    /// Sends what WeChat gives that number.
    fn deliver(&self, message: &Message, msgid: &str) -> MessageId {
        self.send(message, &numbered(msgid)).id
    }
}

fn numbered(msgid: &str) -> Verdict {
    Verdict { msgid: Some(msgid.to_owned()), ..Verdict::delivered() }
}

fn what_wechat_says_of_a_message_stands_in_its_row(shop: &Shop) {
    for (msgid, text) in [("1", "success"), ("2", "failed: system failed"), ("3", "用户 '拒收'\0\n")] {
        let message = Message::keyed("user", msgid);
        let id = shop.deliver(&message, msgid);
        let before = shop.row_with(id);
        assert_eq!(before.receipt, None, "WeChat has said nothing yet");
        assert_eq!(shop.receipt("user", msgid, text), Some(id));
        let after = Delivery { receipt: Some(text.to_owned()), ..before };
        assert_eq!(shop.row_with(id), after, "nothing else is changed");
        assert_eq!(
            shop.deliveries(&Filter { key: Some(msgid), limit: 2, ..Filter::default() }),
            std::slice::from_ref(&after)
        );
        assert_eq!(shop.known(&message.again()), after);
    }
}

fn the_first_word_stays(shop: &Shop) {
    let id = shop.deliver(&Message::to("user"), "1");
    for text in ["success", "failed: system failed", "success"] {
        assert_eq!(shop.receipt("user", "1", text), Some(id));
        assert_eq!(shop.says(id).as_deref(), Some("success"));
    }
    let id = shop.deliver(&Message::to("user"), "2");
    assert_eq!(shop.receipt("user", "2", ""), Some(id));
    assert_eq!(shop.receipt("user", "2", "success"), Some(id));
    assert_eq!(shop.says(id).as_deref(), Some(""), "no words are words as well");
}

fn a_message_is_found_by_its_msgid_among_those_of_its_receiver(shop: &Shop) {
    let [one, two] = ["1", "2"].map(|msgid| shop.deliver(&Message::to("user"), msgid));
    let other = shop.deliver(&Message::to("another"), "1");
    shop.go(&Message::to("user"));
    assert_eq!(shop.receipt("user", "3", "success"), None, "no such number");
    assert_eq!(shop.receipt("nobody", "1", "success"), None);
    let elsewhere = Receipt { appid: "wx another", shown_openid: "user", msgid: "1", text: "success", at: now() };
    assert_eq!(shop.store().receipt(&elsewhere, soon()), Ok(None));
    assert_eq!(shop.receipt("user", "", "success"), None, "one under way has no number");
    assert_eq!([one, two, other].map(|id| shop.says(id)), [None, None, None]);
    assert_eq!(shop.receipt("user", "1", "success"), Some(one));
    assert_eq!([one, two, other].map(|id| shop.says(id).is_some()), [true, false, false]);
}

fn only_the_newest_rows_are_looked_at(shop: &Shop) {
    let ids: Vec<_> = (0..=RECEIPT_ROWS).map(|msgid| shop.deliver(&Message::to("user"), &msgid.to_string())).collect();
    shop.deliver(&Message::to("another"), "0");
    assert_eq!(shop.receipt("user", "0", "success"), None);
    assert_eq!(shop.receipt("user", "1", "success"), Some(ids[1]));
}

fn a_hidden_receiver_is_found_as_his_rows_show_him(shop: &Shop) {
    let message = Message { shown_openid: Some("hash".to_owned()), ..Message::to("user") };
    let id = shop.deliver(&message, "1");
    assert_eq!(shop.receipt("user", "1", "success"), None);
    assert_eq!(shop.receipt("hash", "1", "success"), Some(id));
}

fn a_message_of_the_outbox_has_a_receipt_as_well(shop: &Shop) {
    let job = shop.take(&Post::keyed("user", "order 1"));
    assert_eq!(shop.receipt("user", "1", "success"), None, "it is under way");
    shop.close(&job, &numbered("1"));
    assert_eq!(shop.receipt("user", "1", "success"), Some(job.id));
    assert_eq!(shop.says(job.id).as_deref(), Some("success"));
}

fn a_row_that_is_opened_again_has_none(shop: &Shop) {
    // An answer with a number that is no last word.
    let message = Message::keyed("user", "order 1");
    let id = shop.send(&message, &Verdict { last_word: false, ..numbered("1") }).id;
    assert_eq!(shop.receipt("user", "1", "success"), Some(id));
    shop.send(&message.again(), &numbered("2"));
    assert_eq!(shop.says(id), None);
    assert_eq!(shop.receipt("user", "1", "success"), None, "that number is gone");
    assert_eq!(shop.receipt("user", "2", "success"), Some(id));
}

fn a_row_that_is_over_has_none(shop: &Shop) {
    let message = Message { retention: SHORT, ..Message::to("user") };
    shop.deliver(&message, "1");
    shop.wait();
    assert_eq!(shop.receipt("user", "1", "success"), None);
}
