//! Texts that the processes of an account share: only who has seen the present one replaces it.

use std::time::{Duration, Instant};

use routine_template::store::*;

use crate::shop::{APP, HOUR, SHORT, Shop, soon};

on_every_engine!(
    a_note_is_replaced_by_who_has_seen_it,
    of_many_who_have_seen_the_same_one_wins,
    a_note_knows_how_old_it_is,
    a_note_is_over_in_time_and_makes_room,
    a_note_may_be_long_and_hold_anything,
    one_that_is_too_long_is_refused,
    notes_of_other_names_and_accounts_are_others,
);

const NAME: &str = "templates";

fn note(version: u64) -> Note {
    Note { version, text: format!("{version} 好"), age: Duration::ZERO }
}

/// Version and text of what stands: its age is another at each look.
fn what(note: Option<Note>) -> Option<(u64, String)> {
    note.map(|note| (note.version, note.text))
}

impl Shop {
    fn note(&self, name: &str) -> Option<Note> {
        self.store().note(APP, name, soon()).unwrap()
    }

    fn put(&self, seen: u64, note: &Note) -> Option<(u64, String)> {
        what(self.store().put_note(APP, NAME, seen, note, HOUR, soon()).unwrap())
    }
}

fn a_note_is_replaced_by_who_has_seen_it(shop: &Shop) {
    assert_eq!(shop.note(NAME), None);
    assert_eq!(shop.put(5, &note(6)), None, "what was seen is gone");
    let first = note(u64::MAX >> 1);
    assert_eq!(shop.put(0, &first), what(Some(first.clone())));
    assert_eq!(what(shop.note(NAME)), what(Some(first.clone())));
    assert_eq!(shop.put(0, &note(2)), what(Some(first.clone())), "somebody else was first");
    assert_eq!(shop.put(first.version, &note(3)), what(Some(note(3))));
    assert_eq!(shop.put(first.version, &note(3)), what(Some(note(3))), "the call whose answer was lost");
    assert_eq!(shop.put(first.version, &note(4)), what(Some(note(3))));
    assert_eq!(what(shop.note(NAME)), what(Some(note(3))));
}

fn of_many_who_have_seen_the_same_one_wins(shop: &Shop) {
    shop.put(0, &note(1));
    let winners = std::thread::scope(|scope| {
        let threads: Vec<_> = (2..10)
            .map(|version| {
                let store = shop.another();
                scope.spawn(move || {
                    let stands = store.put_note(APP, NAME, 1, &note(version), HOUR, soon()).unwrap();
                    what(stands) == what(Some(note(version)))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(winners, 1);
}

fn a_note_knows_how_old_it_is(shop: &Shop) {
    let before = Instant::now();
    let old = Note { age: HOUR, ..note(1) };
    let put = shop.store().put_note(APP, NAME, 0, &old, HOUR, soon()).unwrap();
    assert_eq!(put, Some(note(1)), "it is new, whatever its writer says");
    shop.wait();
    let age = shop.note(NAME).unwrap().age;
    // A millisecond is lost by rounding, and another by the clock of the server.
    assert!(
        age >= 3 * SHORT - Duration::from_millis(2) && age <= before.elapsed() + Duration::from_millis(2),
        "{age:?}"
    );
    shop.put(1, &note(2));
    let younger = shop.note(NAME).unwrap().age;
    assert!(younger + age <= before.elapsed() + Duration::from_millis(2), "its successor is new again: {younger:?}");
}

fn a_note_is_over_in_time_and_makes_room(shop: &Shop) {
    shop.store().put_note(APP, NAME, 0, &note(1), SHORT, soon()).unwrap();
    shop.wait();
    assert_eq!(shop.note(NAME), None);
    assert_eq!(shop.put(1, &note(2)), None, "what was seen is over");
    assert_eq!(shop.put(0, &note(3)), what(Some(note(3))));
    assert_eq!(what(shop.note(NAME)), what(Some(note(3))));
}

fn a_note_may_be_long_and_hold_anything(shop: &Shop) {
    for (version, text) in ["", "\0\r\n'\"%\\ 好 🙂", &"好".repeat(NOTE_LIMIT / 3)].into_iter().enumerate() {
        let note = Note { version: version as u64 + 1, text: text.to_owned(), age: Duration::ZERO };
        assert_eq!(shop.put(version as u64, &note), what(Some(note.clone())));
        assert_eq!(what(shop.note(NAME)), what(Some(note)));
    }
}

fn one_that_is_too_long_is_refused(shop: &Shop) {
    let long = Note { text: "x".repeat(NOTE_LIMIT + 1), ..note(1) };
    let refused = shop.store().put_note(APP, NAME, 0, &long, HOUR, soon()).unwrap_err();
    assert_eq!((refused.fault, refused.maybe_done), (Fault::Other, false));
    assert_eq!(shop.note(NAME), None);
}

fn notes_of_other_names_and_accounts_are_others(shop: &Shop) {
    shop.put(0, &note(1));
    assert_eq!(shop.note("another"), None);
    assert_eq!(shop.store().note("wx another", NAME, soon()), Ok(None));
    let stands = shop.store().put_note("wx another", NAME, 0, &note(2), HOUR, soon()).unwrap();
    assert_eq!((what(stands), what(shop.note(NAME))), (what(Some(note(2))), what(Some(note(1)))));
}
