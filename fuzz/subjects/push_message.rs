//! The message push, unencrypted.

use routine_template::push::{self, Received};

use super::push_account::{read_event, receive};

/// The body of a push, XML or JSON, of an account in plain mode.
pub fn push_message(data: &[u8]) {
    if let Ok(message) = push::parse(data) {
        read_event(&message);
    }
    push::is_container_check(data);
    if let Ok(Received::Message(message)) = receive(data, "", &[]) {
        read_event(&message);
        let again = serde_json::to_vec(&message).unwrap();
        assert!(again.len() < 64 * data.len() + 1024, "a push grows when it is read");
    }
}
