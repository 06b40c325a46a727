//! What one process knows of the templates of one account.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::config::Settings;
use crate::store::handle::StoreKey;
use crate::template_list::TemplateList;

/// Between two looks into the store.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// After a look that failed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Ids of messages that no list has; a shop has some dozens, of 43 characters.
const MOST_IDS: usize = 256;
const LONGEST_ID: usize = 128;

/// The list of one account and store in this process.
pub struct TemplateCache {
    appid: String,
    store: StoreKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    list: Option<Arc<TemplateList>>,
    next_look: Option<Instant>,
    /// When a message with this template id was first seen.
    first_seen: HashMap<String, Instant>,
}

impl TemplateCache {
    /// An empty one.
    pub fn new(settings: &Settings) -> Self {
        Self { appid: settings.appid.clone(), store: StoreKey::of(settings), state: Mutex::default() }
    }

    /// Whether it is that of these settings.
    pub fn is_of(&self, settings: &Settings) -> bool {
        self.appid == settings.appid && self.store.is_of(settings)
    }

    /// The list, if any is known.
    pub fn list(&self) -> Option<Arc<TemplateList>> {
        self.state.lock().list.clone()
    }

    /// Whether it is time to look into the store; if so, no other thread does for a while.
    pub fn takes_a_look(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state.lock();
        let due = state.next_look.is_none_or(|next| next <= now);
        if due {
            state.next_look = Some(now + LOOK_AGAIN);
        }
        due
    }

    /// Takes what the store had: `None` if nothing.
    pub fn looked(&self, found: Option<TemplateList>) {
        let mut state = self.state.lock();
        state.next_look = Some(Instant::now() + LOOK_EVERY);
        let Some(found) = found else { return };
        let keeps_own = state.list.as_ref().is_some_and(|own| match own.version() {
            // Fetched while there was no store.
            0 => own.age() < found.age(),
            version => version == found.version(),
        });
        if !keeps_own {
            state.list = Some(Arc::new(found));
        }
    }

    /// Puts a list in place of the one there.
    pub fn put(&self, list: TemplateList) -> Arc<TemplateList> {
        let list = Arc::new(list);
        self.state.lock().list = Some(list.clone());
        list
    }

    /// Notes that a message uses an id that is in no list; answers since when this process knows it.
    pub fn known_for(&self, id: &str) -> Duration {
        let mut state = self.state.lock();
        if let Some(first) = state.first_seen.get(id) {
            return first.elapsed();
        }
        // Beyond the bound an id is new every time, which is to say: never certain.
        if state.first_seen.len() < MOST_IDS && id.len() <= LONGEST_ID {
            state.first_seen.insert(id.to_owned(), Instant::now());
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Note;

    fn cache() -> TemplateCache {
        TemplateCache::new(&Settings::from_pairs([("appid", "wx1"), ("store", "off")]).unwrap())
    }

    fn list(version: u64, age: u64) -> TemplateList {
        let fetched = TemplateList::from_answer(&json!([]), Instant::now()).unwrap();
        let note = Note { version, text: fetched.to_text(), age: Duration::from_secs(age) };
        TemplateList::from_note(&note, Instant::now()).unwrap()
    }

    #[test]
    fn the_store_is_looked_into_now_and_then() {
        let cache = cache();
        assert!(cache.takes_a_look() && !cache.takes_a_look());
        cache.looked(Some(list(3, 10)));
        assert!(!cache.takes_a_look());
        assert_eq!(cache.list().unwrap().version(), 3);
        cache.looked(None);
        assert!(cache.list().is_some(), "what is known stays known");
    }

    #[test]
    fn a_list_that_no_store_has_gives_way_to_a_younger_one_only() {
        let cache = cache();
        cache.put(list(0, 100));
        cache.looked(Some(list(5, 1000)));
        assert_eq!(cache.list().unwrap().version(), 0);
        cache.looked(Some(list(6, 10)));
        assert_eq!(cache.list().unwrap().version(), 6);
        cache.looked(Some(list(7, 1000)));
        assert_eq!(cache.list().unwrap().version(), 7, "another process has changed it");
    }

    #[test]
    fn ids_in_use_are_bounded() {
        let cache = cache();
        for number in 0..10_000 {
            cache.known_for(&"x".repeat(10_000));
            cache.known_for(&number.to_string());
        }
        assert!(cache.state.lock().first_seen.keys().all(|id| id.len() <= LONGEST_ID));
        assert_eq!(cache.state.lock().first_seen.len(), MOST_IDS);
    }

    #[test]
    fn each_account_has_its_own() {
        let other = Settings::from_pairs([("appid", "wx2"), ("store", "off")]).unwrap();
        assert!(!cache().is_of(&other) && TemplateCache::new(&other).is_of(&other));
    }
}
