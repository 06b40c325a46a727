//! Servers that belong together.

use std::process::Command;
use std::time::{Duration, Instant};

use super::redis_server::RedisServer;

/// A cluster of three nodes.
pub fn cluster() -> Vec<RedisServer> {
    let nodes: Vec<RedisServer> =
        (0..3).map(|_| RedisServer::with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"])).collect();
    let made = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())))
        .args(["--cluster-replicas", "0", "--cluster-yes"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    wait_for("the cluster", || nodes.iter().all(|node| node.command("CLUSTER INFO").contains("cluster_state:ok")));
    nodes
}

/// A master with the password `right`, its replica, and two sentinels that call it `shop`.
pub struct Watched {
    pub master: RedisServer,
    pub replica: RedisServer,
    pub sentinels: [RedisServer; 2],
}

pub fn watched() -> Watched {
    let master = RedisServer::with(&["--requirepass", "right", "--masterauth", "right"]);
    let port = master.port().to_string();
    let replica =
        RedisServer::with(&["--requirepass", "right", "--masterauth", "right", "--replicaof", "127.0.0.1", &port]);
    wait_for("the replica", || replica.cli(&["-a", "right", "INFO", "replication"]).contains("master_link_status:up"));
    let configuration = format!(
        "sentinel monitor shop 127.0.0.1 {port} 1\nsentinel auth-pass shop right\n\
         sentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 3000\n"
    );
    let sentinels = [RedisServer::sentinel(&configuration), RedisServer::sentinel(&configuration)];
    wait_for("the sentinels", || {
        sentinels.iter().all(|sentinel| sentinel.command("SENTINEL MASTERS").contains("num-slaves\r\n$1\r\n1"))
    });
    Watched { master, replica, sentinels }
}

/// Waits for something that other processes do.
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !done() {
        assert!(Instant::now() < deadline, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
