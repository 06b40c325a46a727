//! The findings as a person or a program reads them.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::finding::{Finding, Level};
use crate::language::Language;

/// How many there are of a level.
fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

/// One object: `ok`, `counts` and `checks`, each with `check`, `level`, `text`, `remedy` and what was measured.
pub fn json(findings: &[Finding], language: Language) -> Value {
    let checks: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut row = Map::new();
            row.insert("check".to_owned(), Value::from(finding.subject.name));
            row.insert("level".to_owned(), Value::from(finding.level.name()));
            row.insert("text".to_owned(), Value::from(finding.text.in_language(language)));
            let remedy = finding.remedy.as_ref().map(|remedy| remedy.in_language(language));
            row.insert("remedy".to_owned(), Value::from(remedy));
            row.insert("facts".to_owned(), Value::Object(finding.facts.clone()));
            Value::Object(row)
        })
        .collect();
    let levels = [Level::Ok, Level::Warn, Level::Fail, Level::Skip];
    let counts: Map<String, Value> =
        levels.iter().map(|level| (level.name().to_owned(), Value::from(count(findings, *level)))).collect();
    json!({
        "ok": count(findings, Level::Fail) == 0,
        "version": env!("CARGO_PKG_VERSION"),
        "counts": counts,
        "checks": checks,
    })
}

/// Aligned lines, each remedy below its finding, and a sum.
pub fn text(findings: &[Finding], language: Language, coloured: bool) -> String {
    let label = |finding: &Finding| language.choose(finding.subject.zh, finding.subject.name).to_owned();
    let longest = findings.iter().map(|finding| width(&label(finding))).max().unwrap_or(0);
    let mut lines = String::new();
    for group in findings.chunk_by(is_one_line) {
        let Some(finding) = group.first() else { continue };
        let level = padded(finding.level.label(language), 4);
        let level = if coloured { painted(&level, finding.level) } else { level };
        let text = finding.text.in_language(language);
        let others: Vec<String> = group.iter().skip(1).map(label).collect();
        let text = if others.is_empty() {
            text.to_owned()
        } else {
            let others = others.join(language.choose("、", ", "));
            format!("{text}{}{others}", language.choose("；还有：", "; so with: "))
        };
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{level}  {}  {text}", padded(&label(finding), longest));
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(lines, "{}→ {}", " ".repeat(longest + 8), remedy.in_language(language));
        }
    }
    let [ok, warn, fail, skip] = [Level::Ok, Level::Warn, Level::Fail, Level::Skip].map(|level| count(findings, level));
    let sum = match language {
        Language::Chinese => format!("正常 {ok}，注意 {warn}，失败 {fail}，跳过 {skip}"),
        Language::English => format!("{ok} ok, {warn} to look at, {fail} failed, {skip} skipped"),
    };
    let _ = writeln!(lines, "\n{sum}");
    lines
}

/// What waits for the same check needs no lines of its own.
fn is_one_line(one: &Finding, next: &Finding) -> bool {
    let after = |finding: &Finding| finding.facts.get("after").cloned();
    after(one).is_some() && after(one) == after(next)
}

fn painted(text: &str, level: Level) -> String {
    let colour = match level {
        Level::Ok => "32",
        Level::Skip => "2",
        Level::Warn => "33",
        Level::Fail => "1;31",
    };
    format!("\x1b[{colour}m{text}\x1b[0m")
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Columns on a terminal: Han characters and full-width forms take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|character| match character {
            '\u{1100}'..='\u{115F}'
            | '\u{2E80}'..='\u{A4CF}'
            | '\u{AC00}'..='\u{D7A3}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{FE30}'..='\u{FE6F}'
            | '\u{FF00}'..='\u{FF60}'
            | '\u{FFE0}'..='\u{FFE6}' => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::finding::subject;
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok(subject::DNS, "已解析", "resolved"),
            Finding::fail(subject::WHITELIST, "被拒", "refused").remedy("加入", "add it").fact("ip", "192.0.2.1"),
        ]
    }

    #[test]
    fn columns_are_aligned_in_both_languages() {
        let english = text(&findings(), Language::English, false);
        assert_eq!(
            english,
            "ok    dns        resolved\nFAIL  whitelist  refused\n                 → add it\n\n1 ok, 0 to look at, 1 failed, 0 skipped\n"
        );
        let chinese = text(&findings(), Language::Chinese, false);
        assert!(chinese.starts_with("正常  域名解析   已解析\n失败  IP 白名单  被拒\n"), "{chinese}");
    }

    #[test]
    fn what_waits_for_the_same_check_is_one_line() {
        let waiting = [subject::SECRET, subject::TOKEN].map(|subject| Finding::after(subject, subject::TLS));
        let shown = text(&waiting, Language::English, false);
        assert_eq!(shown.lines().next(), Some("skip  secret  tls comes first; so with: token"));
        assert!(shown.ends_with("2 skipped\n"), "{shown}");
    }

    #[test]
    fn json_has_the_facts_and_says_whether_anything_failed() {
        let report = json(&findings(), Language::English);
        assert_eq!(report["ok"], false);
        assert_eq!(report["counts"], serde_json::json!({"ok": 1, "warn": 0, "fail": 1, "skip": 0}));
        assert_eq!(report["checks"][1]["facts"]["ip"], "192.0.2.1");
        assert_eq!(report["checks"][0]["remedy"], Value::Null);
    }
}
