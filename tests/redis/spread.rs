//! An outbox on several servers, and the list of accounts that have one.

use std::time::Duration;

use routine_template::store::*;

use super::message::*;
use super::parcel::*;
use super::redis_server::{RedisServer, free_port};
use super::servers::{Watched, cluster, wait_for, watched};

const LIST: &str = "rt:{outbox}:accounts";

fn accounts(store: &RedisStore) -> Vec<String> {
    let mut accounts: Vec<_> = store.queues(None, soon()).unwrap().into_iter().map(|queue| queue.appid).collect();
    accounts.sort();
    accounts
}

#[test]
fn queues_of_all_accounts_are_found_on_every_node_of_a_cluster() {
    let nodes = cluster();
    let addresses: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    let store = open(&format!("redis+cluster://{}", addresses[0]));
    let mut appids: Vec<String> = (0..24).map(|number| format!("wx{number}")).collect();
    appids.sort();
    for appid in &appids {
        queue_for(&store, appid, "user", Duration::ZERO).unwrap();
        queue_for(&store, appid, "another", Duration::ZERO).unwrap();
    }
    let owner = Owner::current();
    for address in &addresses {
        let fresh = open(&format!("redis+cluster://{address}"));
        assert_eq!(accounts(&fresh), appids);
        assert_eq!(accounts(&fresh), appids, "by homes that are known");
        assert_eq!(fresh.lead("host", &owner, None, Duration::from_secs(60), soon()).unwrap(), Lead::Mine);
        assert_eq!(fresh.sender("wx0", soon()).unwrap().unwrap().version, "1");
    }
    let holders = nodes.iter().filter(|node| node.cli(&["KEYS", "*}:o:subscribe"]).contains("rt:")).count();
    assert_eq!(holders, 3, "all accounts are on {holders} nodes");

    // One batch for all of them, by a store that knows no home yet.
    let jobs: Vec<(&String, Job)> = appids
        .iter()
        .flat_map(|appid| {
            let claimed = store.claim(&claim(appid, &owner), soon()).unwrap();
            assert_eq!(claimed.jobs.len(), 2);
            claimed.jobs.into_iter().map(move |job| (appid, job))
        })
        .collect();
    let begins: Vec<_> = jobs.iter().map(|(appid, job)| of_job(appid, &owner, job)).collect();
    let end = delivered(Grant::Uncounted);
    let all: Vec<_> = begins.iter().zip(&jobs).map(|(begin, (_, job))| (begin, job.epoch, &end)).collect();
    let fresh = open(&format!("redis+cluster://{}", addresses[2]));
    fresh.finish_all(&all, soon()).unwrap();
    fresh.finish_all(&all, soon()).unwrap();
    assert!(accounts(&store).is_empty());
    for appid in &appids {
        assert_eq!(fresh.usage(appid, API, DAY, soon()).unwrap().calls, 2);
    }
}

#[test]
fn a_queue_goes_with_its_slot_to_another_node() {
    let nodes = cluster();
    let addresses: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    let store = open(&format!("redis+cluster://{}", addresses.join(",")));
    let queued: Vec<_> = ["a", "b", "c", "d"].iter().map(|user| queue(&store, user)).collect();
    let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", APPID]).trim().to_owned();
    let holds = |node: &RedisServer| !node.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "1"]).trim().is_empty();
    let from = nodes.iter().position(holds).unwrap();
    let (from, to) = (&nodes[from], &nodes[(from + 1) % 3]);
    let [from_id, to_id] = [from, to].map(|node| node.cli(&["CLUSTER", "MYID"]).trim().to_owned());
    to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let port = to.port().to_string();
    let keys = from.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]);
    let mut keys: Vec<_> = keys.lines().filter(|key| key.starts_with("rt:")).collect();
    keys.sort();
    for key in keys.iter().step_by(2) {
        from.cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
    }
    // In the middle of the move nothing is taken for lost or unreadable, and nothing is half done.
    let owner = Owner::current();
    let error = store.claim(&claim(APPID, &owner), soon()).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, false), "{error}");
    let end = delivered(Grant::Uncounted);
    let stray = begin(&owner, None);
    let error = store.finish_all(&[(&stray, 1, &end), (&stray, 2, &end)], soon()).unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    for key in from.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]).lines() {
        from.cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
    }
    for node in [to, from] {
        node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    // A store that still knows the old node is sent on, with all that it asks at once.
    let brought = store.claim(&claim(APPID, &owner), soon()).unwrap();
    assert_eq!(ids(&brought), queued);
    deliver(&store, APPID, &brought.jobs).unwrap();
    assert_eq!(store.pending(APPID, soon()).unwrap(), 0);
}

#[test]
fn a_queue_outlives_its_master() {
    let Watched { mut master, replica, sentinels } = watched();
    let url =
        format!("redis+sentinel://:right@127.0.0.1:{},127.0.0.1:{}/shop", sentinels[0].port(), sentinels[1].port());
    let store = open(&url);
    let queued: Vec<_> = ["a", "b", "c"].iter().map(|user| queue(&store, user)).collect();
    let owner = Owner::current();
    let two = Claim { limit: 2, ..claim(APPID, &owner) };
    let brought = store.claim(&two, soon()).unwrap();
    assert_eq!(ids(&brought), queued[..2]);
    wait_for("the copy", || replica.cli(&["-a", "right", "ZCARD", &key("f:subscribe")]).trim().ends_with('2'));
    master.kill();
    let error = deliver(&store, APPID, &brought.jobs).unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    wait_for("the new master", || deliver(&store, APPID, &brought.jobs).is_ok());
    assert_eq!(accounts(&store), [APPID]);
    assert_eq!(ids(&claimed(&store)), queued[2..]);
    assert_eq!(store.pending(APPID, soon()).unwrap(), 1);
    drop(sentinels);
}

#[test]
fn an_account_that_the_list_has_lost_is_noted_by_whoever_sends_its_messages() {
    let server = RedisServer::start();
    let store = open(&server.url());
    queue(&store, "user");
    server.cli(&["DEL", LIST]);
    assert!(accounts(&store).is_empty());
    // This process trusts its own note for a while; another one makes a new one.
    queue(&store, "user");
    assert!(accounts(&store).is_empty());
    let other = open(&server.url());
    assert_eq!(claimed(&other).jobs.len(), 1);
    assert_eq!(accounts(&store), [APPID]);
    server.cli(&["DEL", LIST]);
    queue(&open(&server.url()), "another");
    assert_eq!(accounts(&store), [APPID]);
}

#[test]
fn an_account_is_forgotten_when_its_outbox_has_been_empty_for_long() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let listed = || server.cli(&["--raw", "ZRANGE", LIST, "0", "-1"]);
    queue(&store, "user");
    server.cli(&["ZADD", LIST, "1", APPID, "1", "wx empty"]);
    assert_eq!(accounts(&store), [APPID]);
    assert_eq!(listed().trim(), APPID, "messages wait in it");
    let jobs = claimed(&store).jobs;
    deliver(&store, APPID, &jobs).unwrap();
    server.cli(&["ZADD", LIST, "9999999999999", "wx empty"]);
    assert!(accounts(&store).is_empty());
    assert_eq!(listed().trim(), "wx empty", "it was noted lately");
}

#[test]
fn an_account_that_cannot_be_read_hides_no_other() {
    let server = RedisServer::start();
    let store = open(&server.url());
    queue(&store, "user");
    queue_for(&store, "wx newer", "user", Duration::ZERO).unwrap();
    queue_for(&store, "wx damaged", "user", Duration::ZERO).unwrap();
    server.cli(&["SET", "rt:{wx newer}:v", "2"]);
    server.cli(&["SET", "rt:{wx damaged}:o:subscribe", "stray"]);
    assert_eq!(accounts(&store), [APPID]);
    assert_eq!(store.queues(Some("wx newer"), soon()).unwrap_err().fault, Fault::TooNew);
    server.cli(&["DEL", &key("o:subscribe")]);
    assert!(store.queues(None, soon()).is_err(), "nothing is there but what cannot be read");
}

#[test]
fn a_message_is_not_queued_where_its_account_cannot_be_noted() {
    let server = RedisServer::start();
    let store = open(&server.url());
    server.cli(&["SET", LIST, "stray"]);
    let error = queue_for(&store, APPID, "user", Duration::ZERO).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Corrupt, false), "{error}");
    assert_eq!(store.pending(APPID, soon()).unwrap(), 0);
    let nobody = open(&format!("redis://127.0.0.1:{}", free_port()));
    let error = queue_for(&nobody, APPID, "user", Duration::ZERO).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, false), "{error}");
}
