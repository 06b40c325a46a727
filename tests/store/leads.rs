//! `lead`: one process of a host adopts what others have left.

use std::time::Duration;

use routine_template::store::*;

use crate::shop::{HOUR, SHORT, Shop, soon};

on_every_engine!(
    one_leads_and_may_go_on,
    a_lead_is_over_in_time,
    a_lead_ends_with_its_process,
    every_host_has_a_leader_of_its_own,
);

fn lead(shop: &Shop, host: &str, name: &str, ended: Option<&str>, lease: Duration) -> Lead {
    shop.store().lead(host, &Owner::named(name), ended, lease, soon()).unwrap()
}

fn one_leads_and_may_go_on(shop: &Shop) {
    for _ in 0..3 {
        assert_eq!(lead(shop, "host", "a", None, HOUR), Lead::Mine);
        assert_eq!(lead(shop, "host", "b", None, HOUR), Lead::Other("a".to_owned()));
    }
}

fn a_lead_is_over_in_time(shop: &Shop) {
    lead(shop, "host", "a", None, SHORT);
    shop.wait();
    assert_eq!(lead(shop, "host", "b", None, HOUR), Lead::Mine);
    assert_eq!(lead(shop, "host", "a", None, HOUR), Lead::Other("b".to_owned()));
    // Whoever leads can make it longer or shorter.
    assert_eq!(lead(shop, "host", "b", None, SHORT), Lead::Mine);
    shop.wait();
    assert_eq!(lead(shop, "host", "a", None, HOUR), Lead::Mine);
}

fn a_lead_ends_with_its_process(shop: &Shop) {
    assert_eq!(lead(shop, "host", "a", Some("nobody"), HOUR), Lead::Mine);
    for ended in [Some("c"), Some(""), None] {
        assert_eq!(lead(shop, "host", "b", ended, HOUR), Lead::Other("a".to_owned()), "somebody else has ended");
    }
    assert_eq!(lead(shop, "host", "b", Some("a"), HOUR), Lead::Mine);
    assert_eq!(lead(shop, "host", "c", Some("a"), HOUR), Lead::Other("b".to_owned()), "one heir");
}

fn every_host_has_a_leader_of_its_own(shop: &Shop) {
    for host in ["host", "host:", "{host}", "", "主机"] {
        assert_eq!(lead(shop, host, host, None, HOUR), Lead::Mine, "{host}");
    }
    assert_eq!(lead(shop, "host", "another", None, HOUR), Lead::Other("host".to_owned()));
}
