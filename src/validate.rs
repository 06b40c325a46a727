//! `routine-template validate`: would WeChat accept this payload? Without network, store or account.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::doctor::command::language;
use crate::field::{self, Checked, Mode, Violation};
use crate::language::{Language, Text};
use crate::message::{Channel, Input};
use crate::template::Template;

/// No message is larger.
const LIMIT: u64 = 1024 * 1024;

/// Checks a payload against WeChat's rules, offline
///
/// FILE holds {"data": {…}} with, if you like, "content" (the template's field list) and "channel", or the body of
/// subscribe/send as it is, or the fields alone.
/// Exit code: 0 WeChat will accept it, 1 it breaks a rule, 2 it cannot be read.
#[derive(Debug, Clone, clap::Args)]
pub struct ValidateArgs {
    /// The payload, JSON; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The template's field list, such as "单号{{character_string1.DATA}}\n金额{{amount2.DATA}}"
    #[arg(long, value_name = "TEXT", conflicts_with = "content_file")]
    pub content: Option<String>,
    /// The same from a file
    #[arg(long, value_name = "FILE")]
    pub content_file: Option<PathBuf>,
    /// subscribe | bizsend | template
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// One JSON object instead of lines
    #[arg(long)]
    pub json: bool,
    /// Language: zh | en; without it, that of the environment
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<Language>,
}

/// A payload, and what is known of its template.
struct Payload {
    data: Input<'static>,
    template: Option<Template>,
    channel: Channel,
}

/// Checks and prints.
pub fn run(args: &ValidateArgs) -> io::Result<ExitCode> {
    let language = args.lang.unwrap_or_else(Language::of_environment);
    let payload = match payload(args) {
        Ok(payload) => payload,
        Err(reason) => {
            writeln!(io::stderr(), "routine-template: {}", reason.in_language(language))?;
            return Ok(ExitCode::from(2));
        }
    };
    let check = |mode| field::check(&payload.data, payload.template.as_ref(), mode, payload.channel);
    let (strict, fit) = (check(Mode::Strict), check(Mode::Fit));
    let mut output = io::stdout().lock();
    if args.json {
        writeln!(output, "{}", as_json(&strict, &fit, payload.channel, language))?;
    } else {
        write!(output, "{}", as_text(&strict, &fit, payload.channel, language))?;
    }
    output.flush()?;
    Ok(if strict.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn payload(args: &ValidateArgs) -> Result<Payload, Text> {
    let text = read(&args.file)?;
    let shown = args.file.display();
    let unusable = |reason: &dyn std::fmt::Display| {
        Text::new(
            format!("{shown} 不是可用的 JSON 对象（{reason}）"),
            format!("{shown} is no usable JSON object ({reason})"),
        )
    };
    let members: HashMap<String, &RawValue> = serde_json::from_str(&text).map_err(|error| unusable(&error))?;
    let data = members.get("data").copied();
    // Without `data` the object is the fields themselves, whatever their names.
    let member = |name: &str| {
        let value = members.get(name).filter(|_| data.is_some()).filter(|value| value.get() != "null");
        let text = value.map(|value| serde_json::from_str::<String>(value.get()));
        text.transpose().map_err(|error| unusable(&format!("{name}: {error}")))
    };
    let (content, channel) = (member("content")?, member("channel")?);
    // As text: numbers keep their digits.
    let data = data.map_or(text.as_str(), RawValue::get);
    // The array that PHP passes may be a JSON string, too.
    let data = serde_json::from_str::<String>(data).unwrap_or_else(|_| data.to_owned());
    let channel = match args.channel.as_deref().or(channel.as_deref()) {
        None => Channel::default(),
        Some(name) => Channel::from_name(name).ok_or_else(|| {
            let all = Channel::ALL.map(Channel::name).join(" | ");
            Text::new(format!("channel 只能是 {all}，给出的是“{name}”"), format!("channel is {all}, \"{name}\" given"))
        })?,
    };
    let content = match &args.content_file {
        Some(path) => Some(read(path)?),
        None => args.content.clone().or(content),
    };
    let template = content.map(|content| Template::from_content(&content));
    if template.as_ref().is_some_and(Template::is_empty) {
        return Err(Text::new(
            "content 里没有字段，应含 {{thing1.DATA}} 这样的标记",
            "content has no field: it holds marks such as {{thing1.DATA}}",
        ));
    }
    Ok(Payload { data: Input::text(data), template, channel })
}

fn read(path: &Path) -> Result<String, Text> {
    let shown = path.display();
    let unreadable = |reason: String| {
        Text::new(format!("{shown} 无法读取（{reason}）"), format!("{shown} cannot be read ({reason})"))
    };
    let mut bytes = Vec::new();
    let length = if path == Path::new("-") {
        io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
    };
    let length = length.map_err(|error| unreadable(error.to_string()))?;
    if length as u64 > LIMIT {
        return Err(unreadable("more than 1 MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("not UTF-8".to_owned()))?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

fn as_json(strict: &Checked, fit: &Checked, channel: Channel, language: Language) -> Value {
    let violations = |checked: &Checked| -> Vec<Value> {
        let row = |violation: &Violation| {
            json!({
                "field": violation.field,
                "rule": violation.rule,
                "value": violation.value,
                "fits": violation.fits,
                "message": language.choose(&violation.message_zh, &violation.message_en),
            })
        };
        checked.violations.iter().map(row).collect()
    };
    let sent: Map<String, Value> =
        fit.fields.iter().map(|(key, value)| (key.clone(), json!({ "value": value }))).collect();
    json!({
        "ok": strict.violations.is_empty(),
        "channel": channel.name(),
        "violations": violations(strict),
        "fit": {
            "data": if fit.violations.is_empty() { Value::Object(sent) } else { Value::Null },
            "changed": fit.changes,
            "violations": violations(fit),
        },
    })
}

fn as_text(strict: &Checked, fit: &Checked, channel: Channel, language: Language) -> String {
    let mut lines: Vec<String> = Vec::new();
    let name = channel.name();
    if strict.violations.is_empty() {
        lines.push(match language {
            Language::Chinese => format!("正常：微信会接受（{name}）"),
            Language::English => format!("ok: WeChat will accept it ({name})"),
        });
    } else {
        let count = strict.violations.len();
        lines.push(match language {
            Language::Chinese => format!("{count} 处不符合规则（{name}）："),
            Language::English if count == 1 => format!("1 rule is broken ({name}):"),
            Language::English => format!("{count} rules are broken ({name}):"),
        });
        for violation in &strict.violations {
            let Violation { field, rule, fits, .. } = violation;
            let message = language.choose(&violation.message_zh, &violation.message_en);
            lines.push(format!("  {field} [{rule}] {message}"));
            if let Some(fits) = fits.as_ref().filter(|fits| !message.contains(fits.as_str())) {
                lines.push(format!("    → {fits}"));
            }
        }
    }
    lines.push(String::new());
    if fit.violations.is_empty() {
        lines.push(language.choose("fit 模式会发送：", "fit mode would send:").to_owned());
        let longest = fit.fields.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, value) in &fit.fields {
            let mark = match fit.changes.iter().find(|change| change.field == *key) {
                Some(change) => format!("   ← {} [{}]", change.from, change.rule),
                None => String::new(),
            };
            lines.push(format!("  {key:longest$}  {value}{mark}"));
        }
        for change in fit.changes.iter().filter(|change| change.to.is_none()) {
            let (field, rule) = (&change.field, &change.rule);
            lines.push(match language {
                Language::Chinese => format!("  不发送 {field} [{rule}]"),
                Language::English => format!("  not sent: {field} [{rule}]"),
            });
        }
    } else {
        let fields: Vec<&str> = fit.violations.iter().map(|violation| violation.field.as_str()).collect();
        let fields = fields.join(", ");
        lines.push(match language {
            Language::Chinese => format!("fit 模式也不会发送，因为无法修正 {fields}"),
            Language::English => format!("fit mode would not send it either: {fields} cannot be repaired"),
        });
    }
    lines.join("\n") + "\n"
}
