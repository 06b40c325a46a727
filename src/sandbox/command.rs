//! `routine-template sandbox`.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::admin;
use super::{DEMO_APPID, Options, PushFormat, PushMode, PushSettings, Sandbox, StartError};

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
    /// Let requests meet faults by chance: {"seed":N,"faults":[{"fault":NAME,"per_thousand":N,…}]}, see docs/sandbox.md
    #[arg(long, value_name = "JSON")]
    pub faults: Option<String>,
    /// Push the account's events to this address, as WeChat does
    #[arg(long, value_name = "URL", requires = "push_token")]
    pub push_url: Option<String>,
    /// Token of the push settings
    #[arg(long, value_name = "TOKEN", env = "ROUTINE_TEMPLATE_PUSH_TOKEN", hide_env_values = true)]
    pub push_token: Option<String>,
    /// EncodingAESKey of the push settings, 43 characters
    #[arg(long, value_name = "KEY", env = "ROUTINE_TEMPLATE_PUSH_AES_KEY", hide_env_values = true)]
    pub push_aes_key: Option<String>,
    /// Leave pushes as they are, encrypt them beside it, or encrypt them; default: safe with a key, else plain
    #[arg(long, value_name = "MODE", value_parser = ["plain", "compat", "safe"])]
    pub push_mode: Option<String>,
    /// Write pushes as
    #[arg(long, value_name = "FORMAT", value_parser = ["xml", "json"], default_value = "json")]
    pub push_format: String,
    /// The account whose events are pushed
    #[arg(long, value_name = "APPID", default_value = DEMO_APPID)]
    pub push_appid: String,
}

impl SandboxArgs {
    fn push(&self) -> Result<Option<(String, PushSettings)>, StartError> {
        let Some(url) = &self.push_url else { return Ok(None) };
        let key = self.push_aes_key.as_deref();
        let mode = match self.push_mode.as_deref() {
            Some("plain") => PushMode::Plain,
            Some("compat") => PushMode::Compat,
            None if key.is_none() => PushMode::Plain,
            _ => PushMode::Safe,
        };
        let format = if self.push_format == "xml" { PushFormat::Xml } else { PushFormat::Json };
        let settings = PushSettings::new(url, self.push_token.as_deref().unwrap_or_default(), key, mode, format)?;
        Ok(Some((self.push_appid.clone(), settings)))
    }
}

/// Runs the sandbox until a signal ends it.
pub fn run(args: SandboxArgs) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything listens: a signal that comes at once must not kill the process half set up.
    let (mut terminate, mut interrupt) = {
        let _guard = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let push = args.push()?;
    let faults = args.faults.as_deref().map(admin::random_faults).transpose();
    let faults = faults.map_err(StartError::Faults)?;
    let sandbox = Sandbox::start(Options {
        push,
        faults,
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
        "WeChat sandbox: {} and {}, CA certificate {}\n浏览器打开 {http}/ 看买家手机上的样子 / open {http}/ to see what the buyers' phones would show",
        sandbox.http_url(),
        sandbox.https_url(),
        ca_file.display(),
        http = sandbox.http_url(),
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

/// Readers see the whole file or none. In `/tmp` somebody may have guessed the name: what is there is not written to.
fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(&temporary)?.write_all(text.as_bytes())?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_somebody_has_put_there_is_not_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (directory.path().join("ca.pem"), directory.path().join("elsewhere"));
        std::fs::write(&elsewhere, "before").unwrap();
        let planted = directory.path().join(format!("ca.pem.{}", std::process::id()));
        for link in [&path, &planted] {
            std::os::unix::fs::symlink(&elsewhere, link).unwrap();
        }
        write_atomically(&path, "text").unwrap();
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "before");
        assert!(path.symlink_metadata().unwrap().is_file());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
    }
}
