//! The list of templates in the store: every change of it replaces the list that its maker has seen, so none undoes another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::handle::{Outage, StoreHandle};
use crate::store::{NOTE_LIMIT, Note};
use crate::template_cache::TemplateCache;
use crate::template_list::TemplateList;

/// The note that holds the list, and the one of the process that is fetching it.
const LIST: &str = "templates";
const CLAIM: &str = "templates_claim";
/// A list that nobody has changed for so long is forgotten.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Whoever loses every race meets others who change the list.
const RACES: usize = 4;

/// What reading and changing the list takes.
pub(super) struct SharedList<'a> {
    pub(super) appid: &'a str,
    pub(super) process: &'a Process,
    pub(super) cache: Arc<TemplateCache>,
    pub(super) store: Arc<StoreHandle>,
    /// How long the store may take.
    pub(super) glance: Duration,
}

/// The right to fetch the list.
pub(super) enum Claim {
    /// The list may be fetched; with the version of the claim, if there is a store.
    Free(Option<u64>),
    /// Another process is at it.
    Taken,
}

impl SharedList<'_> {
    /// Takes over what the store has.
    pub(super) fn look(&self) {
        let asked = Instant::now();
        let note =
            self.store.glance(self.glance, &self.process.stats, |store, until| store.note(self.appid, LIST, until));
        // Without a store this process goes on with what it knows; the store handle has counted and reported a failure.
        if let Ok(note) = note {
            self.cache.looked(note.and_then(|note| TemplateList::from_note(&note, asked)));
        }
    }

    /// Changes the list, here and for all, unless there is none.
    pub(super) fn change(&self, change: impl Fn(&TemplateList) -> Option<TemplateList>) {
        for _ in 0..RACES {
            let Some(changed) = self.cache.list().and_then(|list| change(&list)) else { return };
            match self.put(changed.version(), &changed) {
                Put::Done(version) => return drop(self.cache.put(changed.with_version(version))),
                Put::Other(Some(other)) => drop(self.cache.put(other)),
                Put::Other(None) => drop(self.cache.put(changed.with_version(0))),
                Put::Failed => return drop(self.cache.put(changed)),
            }
        }
    }

    /// Puts a list that was just fetched in place of whatever there is.
    pub(super) fn publish(&self, list: TemplateList) -> Arc<TemplateList> {
        let list = match self.cache.list() {
            Some(older) => list.after(&older),
            None => list,
        };
        let mut seen = self.cache.list().map_or(0, |older| older.version());
        for _ in 0..RACES {
            match self.put(seen, &list) {
                Put::Done(version) => return self.cache.put(list.with_version(version)),
                Put::Other(other) => seen = other.map_or(0, |other| other.version()),
                Put::Failed => break,
            }
        }
        self.cache.put(list)
    }

    fn put(&self, seen: u64, list: &TemplateList) -> Put {
        let note = Note::new(list.to_text());
        if note.text.len() > NOTE_LIMIT {
            // No account has so many templates; this process still knows them.
            return Put::Failed;
        }
        let asked = Instant::now();
        let stands = self.store.glance(self.glance, &self.process.stats, |store, until| {
            store.put_note(self.appid, LIST, seen, &note, LIFETIME, until)
        });
        match stands {
            Ok(Some(stands)) if stands.version == note.version => Put::Done(note.version),
            Ok(stands) => Put::Other(stands.and_then(|stands| TemplateList::from_note(&stands, asked))),
            // As above.
            Err(Outage::Off | Outage::Failed(_)) => Put::Failed,
        }
    }

    pub(super) fn claim(&self, deadline: Deadline) -> Claim {
        let note = Note::new("");
        // Shorter than the deadline, so that whoever waits for a process that was killed still has time to fetch.
        let lease = deadline.total() * 2 / 3;
        let stands = self.store.run(deadline, &self.process.stats, |store, until| {
            store.put_note(self.appid, CLAIM, 0, &note, lease, until)
        });
        match stands {
            Ok(Some(stands)) if stands.version != note.version => Claim::Taken,
            Ok(_) => Claim::Free(Some(note.version)),
            Err(Outage::Off | Outage::Failed(_)) => Claim::Free(None),
        }
    }

    pub(super) fn release(&self, claim: Option<u64>) {
        let Some(claim) = claim else { return };
        // A failure was counted and reported; the claim ends by itself.
        let _ = self.store.glance(self.glance, &self.process.stats, |store, until| {
            store.put_note(self.appid, CLAIM, claim, &Note::new(""), Duration::ZERO, until)
        });
    }
}

/// What became of a list that was put into the store.
enum Put {
    /// It stands there, under this version.
    Done(u64),
    /// Something else does, or nothing.
    Other(Option<TemplateList>),
    /// There is no store at this moment.
    Failed,
}
