//! Long lists of delivery rows.

use routine_template::store::*;

use crate::message::*;
use crate::proxy::measure_answers;
use crate::redis_server::RedisServer;

/// What a slow line carries well within the time of one exchange.
const MOST: usize = 160 * 1024;

#[test]
fn a_long_list_comes_whole_and_in_pieces_that_a_slow_line_can_carry() {
    let server = RedisServer::start();
    let direct = open(&server.url());
    let (owner, payload) = (Owner::current(), format!("{{\"thing1\":\"{}\"}}", "好".repeat(300)));
    let begins: Vec<_> = (0..1200).map(|_| Begin { payload: Some(&payload), ..begin(&owner, None) }).collect();
    for part in begins.chunks(200) {
        let gone = direct.begin_all(part, soon()).unwrap();
        assert_eq!(gone.len(), part.len());
    }
    let (port, proxy) = measure_answers(server.port());
    let store = open(&format!("redis://127.0.0.1:{port}"));
    let filter =
        Filter { openid: None, template_id: None, key: None, state: None, before: None, since: None, limit: 1000 };
    let patient = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let listed: Vec<_> = store.deliveries(APPID, &filter, patient).unwrap().into_iter().map(|row| row.id).collect();
    let wanted: Vec<_> = begins.iter().rev().take(1000).map(|begin| begin.id).collect();
    assert!(listed == wanted, "{} of {}", listed.len(), wanted.len());
    let few = Filter { limit: 150, before: Some(begins[100].id), ..filter };
    assert_eq!(store.deliveries(APPID, &few, patient).unwrap().len(), 100, "what is left");
    drop(store);
    let largest = proxy.join().unwrap();
    assert!(largest <= MOST, "one answer had {largest} bytes");
}
