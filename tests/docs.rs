//! The tables in the documentation are the tables in the code. `UPDATE_DOCS=1 cargo test --test docs` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs
)]

use std::path::Path;

use routine_template::config::{SETTINGS, Setting};
use routine_template::wechat::errcode::ERRCODES;

/// The text with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced by `table`.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = text.find(&open).unwrap_or_else(|| panic!("no {open}")) + open.len();
    let end = text.find(&close).unwrap_or_else(|| panic!("no {close}"));
    format!("{}{table}{}", &text[..start], &text[end..])
}

fn check(file: &str, name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let wanted = with_table(&text, name, table);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    } else {
        assert!(
            text == wanted,
            "the table {name} of {file} is not the code's: run UPDATE_DOCS=1 cargo test --test docs"
        );
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_settings_pages_list_every_setting_with_its_default_and_meaning() {
    type Meaning = fn(&Setting) -> &'static str;
    let languages: [(&str, &str, Meaning); 2] = [
        ("docs/settings.md", "| setting | default | allowed | meaning |\n", |setting| setting.en),
        ("docs/settings.zh-CN.md", "| 设置 | 默认值 | 可填 | 含义 |\n", |setting| setting.zh),
    ];
    for (file, head, meaning) in languages {
        let mut table = format!("{head}|---|---|---|---|\n");
        for setting in SETTINGS {
            let default = if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
            table += &format!(
                "| `{}` | {default} | {} | {} |\n",
                setting.name,
                cell(setting.allowed),
                cell(meaning(setting))
            );
        }
        check(file, "settings", &table);
    }
}

#[test]
fn the_errcode_page_lists_every_errcode_with_its_outcome_and_hint() {
    let mut table = "| errcode | outcome | errmsg | 处理办法 | what to do |\n|---:|---|---|---|---|\n".to_owned();
    for row in ERRCODES {
        table += &format!(
            "| {} | `{}` | {} | {} | {} |\n",
            row.code,
            row.outcome.name(),
            cell(row.text),
            cell(row.hint_zh),
            cell(row.hint_en)
        );
    }
    check("docs/errcodes.md", "errcodes", &table);
}

/// The sections of the troubleshooting page that are about errcodes: their codes, and what they say.
fn troubles(file: &str) -> Vec<(Vec<i64>, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let sections = text.split("\n### ").skip(1).filter_map(|section| {
        let (heading, body) = section.split_once('\n')?;
        let body = body.split("\n## ").next()?;
        let codes: Vec<i64> = heading
            .split([' ', ',', '、'])
            .filter(|word| !word.is_empty())
            .map_while(|word| word.parse().ok())
            .collect();
        (!codes.is_empty()).then(|| (codes, body.to_owned()))
    });
    sections.collect()
}

#[test]
fn the_troubleshooting_pages_tell_of_errcodes_that_wechat_has_in_wechats_own_words() {
    let [chinese, english] = ["docs/troubleshooting.zh-CN.md", "docs/troubleshooting.md"].map(troubles);
    for sections in [&chinese, &english] {
        for (codes, body) in sections {
            let rows: Vec<_> = codes
                .iter()
                .map(|code| ERRCODES.iter().find(|row| row.code == *code).unwrap_or_else(|| panic!("{code} is in no table")))
                .collect();
            let words: Vec<_> = rows[0].text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            let seen = body.split('`').nth(1).unwrap_or_default();
            assert!(words.iter().all(|word| seen.contains(word)), "{codes:?} shows {seen:?}, WeChat says {:?}", rows[0].text);
        }
    }
    let codes = |sections: &[(Vec<i64>, String)]| sections.iter().map(|(codes, _)| codes.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&chinese), codes(&english), "the two languages tell of different errcodes");
    for asked in [43101, 47003, 40001, 40037, 41030, 45009, 40164, 43108, 40125, 40003, 20001, -1] {
        assert!(codes(&chinese).iter().flatten().any(|code| *code == asked), "{asked}, of which shops ask, is missing");
    }
}
