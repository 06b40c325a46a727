//! The command line of `routine-template doctor`.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::finding::Level;
use super::source::{Layer, of_environment, of_ini};
use super::templates::wanted;
use super::{Examination, LookForPhp, report};
use crate::error::Error;
use crate::language::{Language, Text};
use crate::message::Channel;

/// Checks settings, network, account, store and PHP, and says what to do
///
/// Settings are taken from the php.ini of the PHP that has the extension (or --ini), from the account's settings that the store
/// keeps, from the environment (ROUTINE_TEMPLATE_APPID, ROUTINE_TEMPLATE_SECRET, …) and from the options; the later ones count.
/// Exit code: 0 all is well or worth a look, 1 something failed.
#[derive(Debug, Clone, clap::Args)]
pub struct DoctorArgs {
    /// php.ini, or a pool file of php-fpm, to read settings from
    #[arg(long, value_name = "FILE")]
    pub ini: Option<PathBuf>,
    /// The account
    #[arg(long, value_name = "APPID")]
    pub appid: Option<String>,
    /// The store: a directory, or redis://…
    #[arg(long, value_name = "PLACE")]
    pub store: Option<String>,
    /// Any other setting, such as timeout_ms=5000 (a secret is better left in the environment)
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// A template id that the code sends, to be looked up in the account
    #[arg(long = "template", value_name = "ID")]
    pub template_ids: Vec<String>,
    /// Templates that the code sends: {"ORDER_PAY": {"id": "…", "content": "…"}}
    #[arg(long, value_name = "FILE")]
    pub templates: Option<PathBuf>,
    /// The channel whose calls are counted: subscribe | bizsend | template
    #[arg(long, value_name = "CHANNEL", default_value = "subscribe", value_parser = channel)]
    pub channel: Channel,
    /// Do not look for PHP
    #[arg(long)]
    pub no_php: bool,
    /// One JSON object instead of lines
    #[arg(long)]
    pub json: bool,
    /// Language: zh | en; without it, that of the environment
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<Language>,
}

fn channel(name: &str) -> Result<Channel, String> {
    Channel::from_name(name).ok_or_else(|| Channel::ALL.map(Channel::name).join(" | "))
}

/// The language of an option `--lang`.
pub fn language(name: &str) -> Result<Language, String> {
    match name.split(['_', '-', '.']).next() {
        Some("zh") => Ok(Language::Chinese),
        Some("en") => Ok(Language::English),
        _ => Err("zh | en".to_owned()),
    }
}

/// Runs all checks and prints what they found.
pub fn run(args: &DoctorArgs) -> io::Result<ExitCode> {
    let language = args.lang.unwrap_or_else(Language::of_environment);
    let (layers, wanted) =
        match layers(args).and_then(|layers| Ok((layers, wanted(&args.template_ids, args.templates.as_deref())?))) {
            Ok(read) => read,
            Err(error) => {
                writeln!(io::stderr(), "routine-template: {}", error.message(language))?;
                return Ok(ExitCode::from(2));
            }
        };
    let php = match (args.no_php, &args.ini) {
        (true, _) => LookForPhp::No,
        (false, Some(_)) => LookForPhp::Yes,
        (false, None) => LookForPhp::WithSettings,
    };
    let findings = Examination::new(layers, wanted, args.channel, php).run();
    let mut output = io::stdout().lock();
    if args.json {
        writeln!(output, "{}", report::json(&findings, language))?;
    } else {
        let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        write!(output, "{}", report::text(&findings, language, coloured))?;
    }
    output.flush()?;
    let failed = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The layers of settings, those that count most last.
fn layers(args: &DoctorArgs) -> Result<Vec<Layer>, Error> {
    let mut layers = Vec::new();
    if let Some(path) = &args.ini {
        layers.push(of_ini(path)?);
    }
    layers.push(of_environment());
    let mut pairs = Vec::new();
    for (name, value) in [("appid", &args.appid), ("store", &args.store)] {
        pairs.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
    }
    for pair in &args.settings {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::config("--set：应为 名称=值", "--set: NAME=VALUE, such as timeout_ms=5000"))?;
        pairs.push((name.trim().to_owned(), value.to_owned()));
    }
    layers.push(Layer { origin: Text::new("选项", "options"), pairs });
    Ok(layers)
}
