//! What the store says of WeChat's hosts, written by another version or by somebody else.

use routine_template::store::Millis;
use routine_template::wechat::circuit::{Circuit, Position, Report, Way};
use routine_template::wechat::client::Cause;

const NOW: Millis = 1_800_000_000_000;
/// Above the longest rest and the longest claim.
const HORIZON: Millis = 120_001;

/// A record as JSON. Whatever it says, a host that answers is used at once, and one that does not is tried again in time.
pub fn route_record(data: &[u8]) {
    let Ok(mut circuit) = serde_json::from_slice::<Circuit>(data) else { return };
    let Some(hosts) = (1..=4).find(|hosts| circuit.has(*hosts)) else { return };
    let again = serde_json::to_string(&circuit).unwrap();
    assert_eq!(serde_json::from_str::<Circuit>(&again).ok().as_ref(), Some(&circuit), "the record is not kept");
    circuit.outage(NOW);
    assert!(opens(&circuit, hosts), "no host is ever tried again");
    let report = |host, claim, now| Report { host, claim, cause: Cause::Closed, now, chance: 255 };
    for host in 0..hosts {
        let mut failing = circuit.clone();
        failing.claim(host, 7, NOW, Millis::MAX);
        failing.silent(&report(host, Some(7), NOW));
        failing.unreachable(&report(host, None, NOW));
        assert!(opens(&failing, hosts), "a failure shuts it for good");
        failing.answered(host, Some(7), NOW);
        assert!(failing.may_follow(host, None, NOW), "a host that answers is not used");
        assert_eq!(failing.position(NOW), Position::Closed);
        assert!(matches!(failing.way(NOW), Way::Up(_) | Way::Due(_)));
    }
    circuit.release(Some(7), NOW);
}

/// Whether a host is tried at one of some moments. What another clock has written may keep each host from being tried at one of them.
fn opens(circuit: &Circuit, hosts: usize) -> bool {
    (0..=hosts).any(|turn| circuit.way(NOW + HORIZON * Millis::try_from(turn).unwrap()) != Way::Shut)
}
