//! The published vectors (`tests/corpus/wechat-crypto-vectors.json`), for tests: official samples, those of other libraries, each checked in both directions.

use serde_json::Value;

use crate::config::Secret;

/// One of them.
pub struct Vector(Value);

/// All of them.
pub fn all() -> Vec<Vector> {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/corpus/wechat-crypto-vectors.json")).unwrap();
    vectors.into_iter().map(Vector).collect()
}

/// The one with this name.
pub fn named(id: &str) -> Vector {
    all().into_iter().find(|vector| vector.id().starts_with(id)).unwrap()
}

impl Vector {
    /// Its name.
    pub fn id(&self) -> &str {
        self.text("id").unwrap()
    }

    /// A member, if it has it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A member that is a secret of the account.
    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.text(name).unwrap().to_owned())
    }

    /// The random bytes inside.
    pub fn random(&self) -> [u8; 16] {
        if let Some(text) = self.text("random") {
            return text.as_bytes().try_into().unwrap();
        }
        match self.text("random_hex") {
            Some(digits) => u128::from_str_radix(digits, 16).unwrap().to_be_bytes(),
            // The source does not print them.
            None => panic!("{} has no random bytes", self.id()),
        }
    }
}
