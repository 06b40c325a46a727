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
