//! What is known of a route: a record that only who has seen the present one replaces.

use std::time::{Duration, Instant};

use routine_template::store::Health;

use crate::engine::Engine;

const ROUTE: &str = "route@0123456789abcdef0123456789abcdef";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn health(version: u64) -> Health {
    Health { version, record: format!("{{\"hosts\":[null,\"{version} 好\"]}}") }
}

on_every_engine!(with engine: a_record_is_replaced_by_who_has_seen_it, of_many_who_have_seen_the_same_one_wins);

fn a_record_is_replaced_by_who_has_seen_it(engine: Box<dyn Engine>) {
    let (store, other) = (engine.open(), engine.open());
    assert_eq!(store.health(ROUTE, soon()), Ok(None));
    assert_eq!(store.put_health(ROUTE, 5, &health(6), soon()), Ok(None), "what was seen is gone");
    let first = health(u64::MAX >> 1);
    assert_eq!(store.put_health(ROUTE, 0, &first, soon()), Ok(Some(first.clone())));
    assert_eq!(other.health(ROUTE, soon()), Ok(Some(first.clone())));
    assert_eq!(other.put_health(ROUTE, 0, &health(2), soon()), Ok(Some(first.clone())));
    assert_eq!(other.put_health(ROUTE, first.version, &health(3), soon()), Ok(Some(health(3))));
    // The call whose answer was lost.
    assert_eq!(other.put_health(ROUTE, first.version, &health(3), soon()), Ok(Some(health(3))));
    assert_eq!(store.put_health(ROUTE, first.version, &health(4), soon()), Ok(Some(health(3))));
    assert_eq!(store.health("route@another", soon()), Ok(None));
}

fn of_many_who_have_seen_the_same_one_wins(engine: Box<dyn Engine>) {
    engine.open().put_health(ROUTE, 0, &health(1), soon()).unwrap();
    let winners = std::thread::scope(|scope| {
        let threads: Vec<_> = (2..10)
            .map(|version| {
                let store = engine.open();
                scope.spawn(move || store.put_health(ROUTE, 1, &health(version), soon()) == Ok(Some(health(version))))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(winners, 1);
}
