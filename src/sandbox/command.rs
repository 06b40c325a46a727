//! `routine-template sandbox`.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Options, Sandbox, StartError};

/// Runs a fake WeChat until SIGTERM or SIGINT
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxArgs {
    /// Where to listen for plain HTTP; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub http: SocketAddr,
    /// Where to listen for HTTPS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub https: SocketAddr,
    /// Where to write the CA certificate; without it, a temporary file that is removed at the end
    #[arg(long, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
    /// Write {"http","https","ca_file","pid"} to this file as soon as the sandbox listens
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// Permit addresses that are not loopback
    #[arg(long)]
    pub allow_remote: bool,
    /// Make the certificate for this host name alone
    #[arg(long, value_name = "NAME")]
    pub tls_host: Option<String>,
    /// Use a certificate that ended years ago
    #[arg(long)]
    pub tls_expired: bool,
    /// Threads that serve
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: usize,
    /// Accepted messages to keep for /__admin/messages
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub keep_messages: usize,
}

/// Runs the sandbox until a signal ends it.
pub fn run(args: SandboxArgs) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything listens: a signal that comes at once must not kill the process half set up.
    let (mut terminate, mut interrupt) = {
        let _guard = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let sandbox = Sandbox::start(Options {
        http: args.http,
        https: args.https,
        allow_remote: args.allow_remote,
        tls_host: args.tls_host,
        tls_expired: args.tls_expired,
        threads: args.threads,
        message_cap: args.keep_messages,
    })?;
    let ca_file = match &args.ca_file {
        Some(path) => std::path::absolute(path)?,
        None => std::env::temp_dir().join(format!("routine-template-sandbox-{}.pem", std::process::id())),
    };
    write_atomically(&ca_file, sandbox.ca_pem())?;
    let mut output = io::stdout();
    writeln!(
        output,
        "WeChat sandbox: {} and {}, CA certificate {}",
        sandbox.http_url(),
        sandbox.https_url(),
        ca_file.display()
    )?;
    output.flush()?;
    if let Some(ready_file) = &args.ready_file {
        let ready = json!({
            "http": sandbox.http_url(),
            "https": sandbox.https_url(),
            "ca_file": ca_file.to_string_lossy(),
            "pid": std::process::id(),
        });
        write_atomically(ready_file, &ready.to_string())?;
    }
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    drop(sandbox);
    if args.ca_file.is_none() {
        std::fs::remove_file(&ca_file)?;
    }
    Ok(())
}

/// Readers see the whole file or none.
fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}
