//! TLS, Sentinel and cluster.

use std::path::Path;
use std::time::{Duration, Instant};

use routine_template::store::*;

use super::message::*;
use super::redis_server::{RedisServer, free_port};
use super::servers::{Watched, cluster, wait_for, watched};

/// A certificate of a CA of its own for this name, and the CA, as files.
fn certificates(directory: &Path, name: &str) -> [String; 3] {
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    [("ca.pem", ca_certificate.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())].map(
        |(file, content)| {
            let path = directory.join(file);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        },
    )
}

#[test]
fn an_encrypted_connection_needs_a_certificate_of_a_known_authority_and_the_right_name() {
    let directory = tempfile::tempdir().unwrap();
    let [ca, certificate, key] = certificates(directory.path(), "localhost");
    let port = free_port().to_string();
    let server = RedisServer::with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "right",
    ]);
    let url = format!("rediss://:right@localhost:{port}/1");
    let store = RedisStore::open(&url, Some(&ca), soon()).unwrap();
    accept(&store, "one").unwrap();
    server.cli(&["-a", "right", "CLIENT", "KILL", "TYPE", "normal"]);
    accept(&store, "two").unwrap();
    assert_eq!(ledger(&store).accepted, 2);
    let keys = |database: &str| server.cli(&["-a", "right", "-n", database, "--raw", "DBSIZE"]).trim().to_owned();
    assert!(keys("1") != "0" && keys("0") == "0", "the store is not in database 1");

    for (url, ca) in [(url.as_str(), None), (&format!("rediss://:right@127.0.0.1:{port}"), Some(ca.as_str()))] {
        let error = failure(&RedisStore::open(url, ca, soon()).unwrap(), soon());
        assert_eq!(error.fault, Fault::Unreachable, "{error}");
        assert!(error.detail.contains("certificate") && !error.detail.contains("right"), "{error}");
    }
    // A server that does not speak TLS, and a CA file that is none.
    let plain = format!("rediss://localhost:{}", server.port());
    let error = failure(&RedisStore::open(&plain, Some(&ca), soon()).unwrap(), Instant::now() + Duration::from_secs(1));
    assert!(matches!(error.fault, Fault::Unreachable | Fault::Timeout), "{error}");
    let error = failure(&RedisStore::open(&url, Some(&key), soon()).unwrap(), soon());
    assert!(error.fault == Fault::Unreachable && error.detail.contains("ca_file"), "{error}");
}

#[test]
fn a_cluster_is_followed_from_any_node_through_moves_and_a_dead_node() {
    let nodes = cluster();
    let addresses: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    let owner = Owner::current();
    let appids: Vec<String> = (0..24).map(|number| format!("wx{number}")).collect();
    let one_message = |store: &RedisStore, appid: &str| {
        let message = Begin { appid, ..begin(&owner, Some("order")) };
        let Begun::Go { epoch, grant, .. } = store.begin(&message, soon()).unwrap() else { panic!("not let go") };
        store.finish(&message, epoch, &delivered(grant), soon()).unwrap();
        let Begun::Known(row) = store.begin(&message, soon()).unwrap() else { panic!("not known") };
        assert_eq!(store.deliveries(appid, &Filter { limit: 5, ..Filter::default() }, soon()).unwrap(), [row]);
    };
    for (address, node) in addresses.iter().zip(&nodes) {
        let store = open(&format!("redis+cluster://{address}"));
        assert_eq!(store.place(), format!("redis+cluster://{address}"));
        for appid in &appids {
            one_message(&store, &format!("{appid}-{}", node.port()));
        }
        let ask = TokenAsk {
            account: "account",
            account_here: "an account in another slot",
            owner: &owner,
            held: 0,
            refused: None,
            force: false,
            lease: Duration::from_millis(1),
            fresh: Duration::ZERO,
            ended: None,
        };
        std::thread::sleep(Duration::from_millis(5));
        let TokenTurn::Fetch { fence, .. } = store.token(&ask, soon()).unwrap() else { panic!("no turn") };
        let refusal = StoredRefusal { errcode: 40164, errmsg: String::new(), stands: Duration::from_millis(1) };
        store.refuse_token("account", "an account in another slot", fence, &refusal, soon()).unwrap();
    }
    let used = nodes.iter().filter(|node| !node.command("DBSIZE").starts_with(":0")).count();
    assert_eq!(used, 3, "all accounts are on {used} nodes");

    // A slot moves, with a store that still knows the old node; and in the middle of the move.
    let store = open(&format!("redis+cluster://{}", addresses.join(",")));
    accept(&store, "one").unwrap();
    let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", APPID]).trim().to_owned();
    let holds = |node: &RedisServer| !node.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "1"]).trim().is_empty();
    let from = nodes.iter().position(holds).unwrap();
    let (from, to) = (&nodes[from], &nodes[(from + 1) % 3]);
    let [from_id, to_id] = [from, to].map(|node| node.cli(&["CLUSTER", "MYID"]).trim().to_owned());
    to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    // New keys cannot be made on either node now, so this waits, and gives up without having done anything.
    let error = accept(&store, "two").unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, false), "{error}");
    let port = to.port().to_string();
    let keys = from.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
    for key in keys.lines() {
        from.cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
    }
    // Every key is there; the slot is not yet: ASK.
    accept(&store, "three").unwrap();
    for node in [to, from] {
        node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    accept(&store, "four").unwrap();
    assert_eq!(ledger(&store).accepted, 3);

    // A node of the URL that is gone is passed by; accounts on it are out of reach until it is back.
    let gone = format!("127.0.0.1:{}", free_port());
    accept(&open(&format!("redis+cluster://{gone},{}", addresses[0])), "five").unwrap();
}

#[test]
fn sentinels_lead_to_the_new_master() {
    let Watched { mut master, replica, sentinels } = watched();
    // The first sentinel of the URL is down.
    let url = format!(
        "redis+sentinel://:right@127.0.0.1:{},127.0.0.1:{},127.0.0.1:{}/shop",
        free_port(),
        sentinels[0].port(),
        sentinels[1].port()
    );
    let store = open(&url);
    accept(&store, "one").unwrap();
    wait_for("the copy", || {
        replica.cli(&["-a", "right", "EXISTS", &format!("rt:{{{APPID}}}:g:one")]).trim().ends_with('1')
    });
    master.kill();
    let error = accept(&store, "two").unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    wait_for("the new master", || accept(&store, "three").is_ok());
    assert_eq!(ledger(&store).accepted, 2);
    // A sentinel that has not heard of it yet would lead to the old master, should that come back: wait for all.
    let now = replica.port().to_string();
    wait_for("the other sentinel", || {
        sentinels.iter().all(|sentinel| sentinel.command("SENTINEL GET-MASTER-ADDR-BY-NAME shop").contains(&now))
    });
    // The old master comes back as a replica. A store that was on it finds the way.
    master.restart();
    accept(&store, "four").unwrap();
    assert_eq!(ledger(&store).accepted, 3);

    let unknown = open(&url.replace("/shop", "/bakery"));
    let error = failure(&unknown, soon());
    assert!(error.fault == Fault::Unreachable && error.detail.contains("master"), "{error}");
}
