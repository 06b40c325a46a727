//! What an accepted message leads to: it is written down, counted, and its delivery pushed.

use super::super::journal::Entry;
use super::super::push::PushEvent;
use super::super::world::World;
use super::send::{BIZSEND, SUBSCRIBE, TEMPLATE};

impl World {
    /// Takes a message for delivery.
    pub(super) fn deliver(&mut self, entry: Entry) {
        let msgid = entry.msgid;
        let event = match entry.path {
            SUBSCRIBE | BIZSEND => Some(PushEvent::Sent {
                template_id: entry.template_id.to_string(),
                msgid,
                error_code: 0,
                error_status: "success".to_owned(),
            }),
            TEMPLATE => Some(PushEvent::JobFinish { msgid, status: "success".to_owned() }),
            // No event is documented for template/subscribe.
            _ => None,
        };
        if let Some(event) = event {
            self.push(&entry.appid, &entry.openid, &event);
        }
        if let Some(account) = self.accounts.get_mut(&entry.appid) {
            account.accepted += 1;
        }
        self.journal.push(entry);
        self.changed();
    }
}
