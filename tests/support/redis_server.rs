//! A real redis-server, started for one test and killed with it.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::expect_used, clippy::panic, reason = "clippy takes helpers of a test crate for product code")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on 127.0.0.1, with a directory of its own.
pub struct RedisServer {
    directory: TempDir,
    port: u16,
    settings: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    /// Without persistence and without a password.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With further settings, as on the command line: `["--requirepass", "x"]`.
    pub fn with(settings: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("redis").tempdir().expect("no temporary directory");
        let mut server = Self {
            directory,
            port: free_port(),
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            process: None,
        };
        server.restart();
        server
    }

    /// As a sentinel: it writes to its own configuration.
    pub fn sentinel(configuration: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("redis").tempdir().expect("no temporary directory");
        let file = directory.path().join("sentinel.conf");
        std::fs::write(&file, configuration).expect("cannot write sentinel.conf");
        let settings = vec![file.to_str().expect("odd path").to_owned(), "--sentinel".to_owned()];
        let mut server = Self { directory, port: free_port(), settings, process: None };
        server.restart();
        server
    }

    /// Starts it (again) on the same port and directory.
    pub fn restart(&mut self) {
        self.kill();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .expect("cannot write the server's log");
        let mut command = Command::new("redis-server");
        let is_sentinel = self.settings.iter().any(|setting| setting == "--sentinel");
        let (first, rest) = if is_sentinel { self.settings.split_at(1) } else { self.settings.split_at(0) };
        command.args(first);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(self.directory.path());
        if !is_sentinel {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        let process = command
            .args(rest)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("cannot share the log"))
            .stderr(log)
            .spawn()
            .expect("redis-server cannot be started; install the package redis-server (./build.sh setup does)");
        self.process = Some(process);
        let deadline = Instant::now() + PATIENCE;
        while !self.answers() {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(ended.is_none() && Instant::now() < deadline, "redis-server does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// One inline command and its answer as it comes over the wire, on a connection of its own.
    pub fn command(&self, line: &str) -> String {
        self.ask(line).unwrap_or_else(|error| panic!("{line}: {error}\n{}", self.log()))
    }

    /// `redis-cli` with these arguments.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["--no-auth-warning", "-p", &self.port.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("redis-cli cannot be started; it comes with the package redis-server");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// SIGSTOP, SIGCONT …
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the server is not running");
        kill(Pid::from_raw(process.id().try_into().expect("odd pid")), signal).expect("cannot signal redis-server");
    }

    /// SIGKILL, if it is running.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("cannot kill redis-server");
            process.wait().expect("cannot wait for redis-server");
        }
    }

    fn answers(&self) -> bool {
        // A server that wants a password, or is loading, has started as well.
        self.ask("PING").is_ok_and(|answer| answer.starts_with(['+', '-']) && !answer.starts_with("-LOADING"))
    }

    fn ask(&self, line: &str) -> std::io::Result<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(format!("{line}\r\n").as_bytes())?;
        let mut answer = vec![0; 65_536];
        let length = socket.read(&mut answer)?;
        answer.truncate(length);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on. A cluster node takes the port 10000 above as well, so it is a low one.
pub fn free_port() -> u16 {
    for _ in 0..1000 {
        let any = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("no free port");
        let port = 10_000 + any.port() % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
