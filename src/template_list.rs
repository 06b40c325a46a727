//! The private templates of an account as `gettemplate` lists them, and what WeChat has said since of ids that are not among them.
//!
//! An id is never given out again, and a template never changes its fields: what a list says of an id stays true for ever. What it
//! does not have may be newer than the list; only [`TemplateList::certainly_lacks`] knows better.

pub(crate) mod fuzzing;
mod listed;
mod record;

use std::collections::HashMap;
use std::time::{Duration, Instant};

pub use listed::{ListedTemplate, TemplateKind};

use crate::template::Template;

/// `gettemplate` has a low daily quota (45009 after few calls), so its list is good for a day.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// WeChat's 40037 for an id counts so long; then WeChat is asked again, in case a new template was not yet known to all its servers.
const REFUSAL_COUNTS: Duration = Duration::from_secs(3600);
/// The store keeps its clock and this process another; what lies closer together has no certain order.
const MARGIN: Duration = Duration::from_secs(2);
/// A list from the store may be older than it says: its age is written down before the store is reached, which takes a third of the
/// longest `timeout_ms` at most.
const UNDER_WAY: Duration = Duration::from_secs(20);
/// WeChat allows some 25 to 50 templates an account.
const MOST_TEMPLATES: usize = 500;
const MOST_REFUSED: usize = 64;

/// A list, with its age.
#[derive(Debug, Clone)]
pub struct TemplateList {
    rows: Vec<ListedTemplate>,
    places: HashMap<String, usize>,
    /// Whether these are all rows of WeChat's answer.
    whole: bool,
    /// A template was added or removed since.
    outdated: bool,
    /// Ids that WeChat refused with 40037, and how old that was at `read`.
    refused: Vec<(String, Duration)>,
    /// How long from `read` on WeChat is not to be asked again: its quota is used up.
    rest: Duration,
    /// How old the list was at `read`.
    age: Duration,
    /// How much older it may have been.
    doubt: Duration,
    read: Instant,
    /// The version of the note that it was read from, or written to; 0 where no store has it.
    version: u64,
}

impl TemplateList {
    /// All rows, in WeChat's order.
    pub fn rows(&self) -> &[ListedTemplate] {
        &self.rows
    }

    /// The row of an id.
    pub fn get(&self, id: &str) -> Option<&ListedTemplate> {
        self.places.get(id).and_then(|place| self.rows.get(*place))
    }

    /// The fields of an id. Which values an `enum` or `const` field may have is told by a fresh list only: WeChat may have approved
    /// more since an older one.
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.get(id).map(|row| row.template(self.age() < FRESH)).filter(|template| !template.is_empty())
    }

    /// Whether one accept of this template is good for any number of messages.
    pub fn is_long_term(&self, id: &str) -> bool {
        self.get(id).is_some_and(|row| row.kind == TemplateKind::LongTerm)
    }

    /// How long ago WeChat was asked.
    pub fn age(&self) -> Duration {
        self.age.saturating_add(self.read.elapsed())
    }

    /// Whether it need not be fetched anew.
    pub fn is_fresh(&self) -> bool {
        self.read.elapsed() < self.rest || (!self.outdated && self.age() < FRESH)
    }

    /// Whether the account certainly has no template of this id, of which this process knows since so long: the list does not have
    /// it, and either was fetched after that, or WeChat itself has answered 40037 for it and no template is newer than the list: of
    /// one that was added just now not all of WeChat's servers need know.
    pub fn certainly_lacks(&self, id: &str, known_for: Duration) -> bool {
        let oldest = self.age().saturating_add(self.doubt).saturating_add(MARGIN);
        self.whole && self.get(id).is_none() && (oldest < known_for || (!self.outdated && self.has_been_refused(id)))
    }

    /// Whether WeChat has lately answered 40037 for it.
    pub(crate) fn has_been_refused(&self, id: &str) -> bool {
        let passed = self.read.elapsed();
        self.refused.iter().any(|(refused, age)| refused == id && age.saturating_add(passed) < REFUSAL_COUNTS)
    }

    /// What WeChat's answer 40037 for this id teaches; `None` if nothing new.
    pub(crate) fn refusing(&self, id: &str) -> Option<Self> {
        if self.get(id).is_some() {
            // It was removed since.
            return self.outdated();
        }
        if self.has_been_refused(id) {
            return None;
        }
        let mut list = self.as_of_now();
        list.refused.retain(|(refused, age)| refused != id && *age < REFUSAL_COUNTS);
        if list.refused.len() >= MOST_REFUSED {
            list.refused.remove(0);
        }
        list.refused.push((id.to_owned(), Duration::ZERO));
        Some(list)
    }

    /// The same where it no longer holds all; `None` if that was known.
    pub(crate) fn outdated(&self) -> Option<Self> {
        (!self.outdated).then(|| Self { outdated: true, ..self.clone() })
    }

    /// The same without a template; `None` if it does not have it.
    pub(crate) fn without(&self, id: &str) -> Option<Self> {
        self.get(id)?;
        let rows = self.rows.iter().filter(|row| row.id != id).cloned().collect();
        let mut list = Self { places: HashMap::new(), rows, ..self.clone() };
        list.find_places();
        Some(list)
    }

    /// The same, not to be fetched again for so long.
    pub(crate) fn resting(&self, rest: Duration) -> Self {
        Self { rest, ..self.as_of_now() }
    }

    /// The same with ages that count from now.
    fn as_of_now(&self) -> Self {
        let passed = self.read.elapsed();
        let refused = self.refused.iter().map(|(id, age)| (id.clone(), age.saturating_add(passed))).collect();
        Self {
            refused,
            rest: self.rest.saturating_sub(passed),
            age: self.age.saturating_add(passed),
            read: self.read + passed,
            ..self.clone()
        }
    }

    /// Takes over from an older list what a new one cannot know.
    pub(crate) fn after(mut self, older: &Self) -> Self {
        self.refused = older.as_of_now().refused;
        self.refused.retain(|(id, age)| *age < REFUSAL_COUNTS && !self.places.contains_key(id));
        self
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn with_version(self, version: u64) -> Self {
        Self { version, ..self }
    }

    fn find_places(&mut self) {
        self.places = self.rows.iter().enumerate().map(|(place, row)| (row.id.clone(), place)).collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Note;

    fn list(ids: &[&str]) -> TemplateList {
        let rows: Vec<_> = ids
            .iter()
            .map(|id| json!({"priTmplId": id, "title": "通知", "content": "商品:{{thing1.DATA}}\n", "example": "", "type": 2}))
            .collect();
        TemplateList::from_answer(&json!(rows), Instant::now()).unwrap()
    }

    fn aged(list: &TemplateList, age: Duration) -> TemplateList {
        let note = Note { version: 7, text: list.to_text(), age };
        TemplateList::from_note(&note, Instant::now()).unwrap()
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_id_that_an_older_list_lacks_may_be_newer_than_the_list() {
        let list = aged(&list(&["a"]), HOUR);
        assert!(!list.certainly_lacks("b", Duration::ZERO));
        assert!(!list.certainly_lacks("b", HOUR));
        assert!(!list.certainly_lacks("b", HOUR + UNDER_WAY), "the note took a while to be written");
        assert!(list.certainly_lacks("b", HOUR * 2), "it was used before WeChat was asked");
        assert!(!list.certainly_lacks("a", HOUR * 2));
    }

    #[test]
    fn wechats_own_40037_settles_it_for_an_hour() {
        let refusing = aged(&list(&["a"]), HOUR).refusing("b").unwrap();
        assert!(refusing.certainly_lacks("b", Duration::ZERO));
        assert!(refusing.refusing("b").is_none(), "nothing new");
        assert!(aged(&refusing, HOUR / 2).certainly_lacks("b", Duration::ZERO));
        assert!(!aged(&refusing, HOUR).certainly_lacks("b", Duration::ZERO));
        assert!(!refusing.outdated().unwrap().certainly_lacks("b", Duration::ZERO), "it may have been added just now");
        assert!(list(&["a", "b"]).after(&refusing).get("b").is_some());
        assert!(list(&["a"]).after(&refusing).has_been_refused("b"));
        assert!(!list(&["a", "b"]).after(&refusing).has_been_refused("b"));
    }

    #[test]
    fn a_40037_for_a_listed_id_says_that_the_list_is_outdated() {
        let list = list(&["a"]);
        assert!(list.is_fresh());
        let outdated = list.refusing("a").unwrap();
        assert!(!outdated.is_fresh() && !aged(&outdated, Duration::ZERO).is_fresh());
        assert!(!outdated.certainly_lacks("a", HOUR), "WeChat decides");
        assert!(outdated.refusing("a").is_none());
    }

    #[test]
    fn a_list_is_fresh_for_a_day_and_longer_while_the_quota_rests() {
        assert!(aged(&list(&["a"]), HOUR * 23).is_fresh());
        let old = aged(&list(&["a"]), HOUR * 24);
        assert!(!old.is_fresh());
        assert!(old.resting(HOUR).is_fresh());
        assert!(aged(&old.resting(HOUR), HOUR / 2).is_fresh() && !aged(&old.resting(HOUR), HOUR).is_fresh());
        assert!(aged(&old, HOUR).age() >= HOUR * 25, "the age outlives a change");
    }

    #[test]
    fn a_refusal_counts_from_its_own_moment_however_old_the_list_is() {
        let old = aged(&list(&["a"]), HOUR);
        let old = TemplateList { read: Instant::now() - HOUR / 2, ..old };
        assert!(old.refusing("b").unwrap().has_been_refused("b"));
        assert!(old.resting(HOUR).is_fresh());
        assert!(old.refusing("b").unwrap().age() >= HOUR * 3 / 2);
        let refused_then = TemplateList { read: Instant::now() - HOUR * 2, ..old.refusing("b").unwrap() };
        assert!(!refused_then.has_been_refused("b"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn refused_ids_are_bounded() {
        let mut known = list(&["a"]);
        for number in 0..1000 {
            known = known.refusing(&format!("id{number}")).unwrap();
        }
        assert_eq!(known.refused.len(), MOST_REFUSED);
        assert!(known.has_been_refused("id999") && !known.has_been_refused("id0"));
    }

    #[test]
    fn a_list_without_a_template_still_finds_the_others() {
        let list = list(&["a", "b", "c"]).without("b").unwrap();
        assert!(list.get("b").is_none() && list.get("c").is_some_and(|row| row.id == "c"));
        assert!(list.without("b").is_none());
    }
}
