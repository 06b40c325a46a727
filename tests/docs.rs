//! The pages say what the code does: their tables are the tables in the code, and what they name exists. `UPDATE_DOCS=1 cargo test --test docs`
//! writes the tables anew.
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
                .map(|code| {
                    ERRCODES.iter().find(|row| row.code == *code).unwrap_or_else(|| panic!("{code} is in no table"))
                })
                .collect();
            let words: Vec<_> = rows[0].text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            let seen = body.split('`').nth(1).unwrap_or_default();
            assert!(
                words.iter().all(|word| seen.contains(word)),
                "{codes:?} shows {seen:?}, WeChat says {:?}",
                rows[0].text
            );
        }
    }
    let codes = |sections: &[(Vec<i64>, String)]| sections.iter().map(|(codes, _)| codes.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&chinese), codes(&english), "the two languages tell of different errcodes");
    for asked in [43101, 47003, 40001, 40037, 41030, 45009, 40164, 43108, 40125, 40003, 20001, -1] {
        assert!(codes(&chinese).iter().flatten().any(|code| *code == asked), "{asked}, of which shops ask, is missing");
    }
}

/// The pages of docs/.
fn pages() -> Vec<std::path::PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The anchors that GitHub and Gitee make of a page's headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'));
        kept.map(|sign| if sign == ' ' { '-' } else { sign }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_the_pages_leads_to_a_page_and_a_heading_that_is_there() {
    let mut links = 0;
    // A checkout may be without the adapters; one of them missing is a fault.
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("crmeb");
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            links += 1;
            if link.starts_with("../crmeb/") && !adapters.exists() {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}, which is not there", page.display());
            if !anchor.is_empty() {
                let there = anchors(&std::fs::read_to_string(target).unwrap());
                assert!(
                    there.iter().any(|known| known == anchor),
                    "{}: no heading for {link} in {there:?}",
                    page.display()
                );
            }
        }
    }
    assert!(links > 50, "only {links} links were found");
}

#[test]
fn the_indexes_name_every_page() {
    for (index, own) in [("docs/README.md", ".md"), ("docs/README.zh-CN.md", ".zh-CN.md")] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(index)).unwrap();
        for page in pages() {
            let name = page.file_name().unwrap().to_str().unwrap();
            let subject = name.strip_suffix(".zh-CN.md").or_else(|| name.strip_suffix(".md")).unwrap();
            if subject != "README" {
                let named =
                    [format!("({subject}{own})"), format!("({subject}.md)")].iter().any(|link| text.contains(link));
                assert!(named, "{index} does not name {subject}");
            }
        }
    }
}

#[test]
fn every_setting_that_the_pages_name_exists() {
    // Not a setting of the core: where PHP finds the library; and what files are called.
    let others = ["library", "so", "stub", "h"];
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for rest in text.split("routine_template.").skip(1) {
            let name: String = rest.chars().take_while(|sign| sign.is_ascii_lowercase() || *sign == '_').collect();
            let known = name.is_empty()
                || others.contains(&name.as_str())
                || SETTINGS.iter().any(|setting| setting.name == name);
            assert!(known, "{} names routine_template.{name}, which is no setting", page.display());
        }
    }
}

/// What stands between these marks of a page.
fn between<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<!-- {name} -->")).unwrap_or_else(|| panic!("no mark {name}"));
    rest.split_once(&format!("<!-- /{name} -->")).unwrap_or_else(|| panic!("no end of {name}")).0
}

/// The numbers of a text in their order.
fn numbers(text: &str) -> Vec<&str> {
    let digits = text.split(|sign: char| !sign.is_ascii_digit() && !matches!(sign, '.' | ','));
    digits.map(|word| word.trim_matches(['.', ','])).filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_two_pages_of_measurements_have_the_same_numbers() {
    let [english, chinese] = ["docs/benchmarks.md", "docs/benchmarks.zh-CN.md"]
        .map(|file| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap());
    let [english, chinese] = [&english, &chinese].map(|text| between(text, "measured"));
    let [english, chinese] = [english, chinese].map(numbers);
    assert!(english.len() > 100, "only {} numbers: run ./build.sh bench and benches/publish.sh", english.len());
    assert_eq!(english, chinese, "the two pages are of different runs: run benches/publish.sh");
}

/// The rows of a table: the cells of each.
fn table_rows(file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in backticks in a cell of the tests and is a path: that of a file, or of a file and a test in it.
fn named_tests(cell: &str) -> Vec<(&str, Option<&str>)> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|name| name.contains('/') && !name.starts_with('.') && !name.contains(' '));
    paths.map(|name| name.split_once("::").map_or((name, None), |(file, test)| (file, Some(test)))).collect()
}

#[test]
fn the_guarantees_name_tests_that_are_there_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [english, chinese] = ["docs/guarantees.md", "docs/guarantees.zh-CN.md"].map(table_rows);
    assert_eq!(english.len(), chinese.len(), "the two languages promise differently much");
    assert!(!english.is_empty());
    for (row, translation) in english.iter().zip(&chinese) {
        assert_eq!([row.len(), translation.len()], [4, 4], "{row:?} {translation:?}");
        let tests = named_tests(&row[2]);
        assert_eq!(tests, named_tests(&translation[2]), "the tests of {} differ", row[0]);
        let is_tried = !tests.is_empty() || row[2].contains("`./build.sh") || row[2].contains("by hand");
        assert!(is_tried, "{} names no test", row[0]);
        for (file, test) in tests {
            let text =
                std::fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("{file} of {} is missing", row[0]));
            if let Some(test) = test {
                // A function, or one that a macro makes of a list.
                let is_there = ["(", ":", ","].iter().any(|after| text.contains(&format!("{test}{after}")));
                assert!(is_there, "{file} has no {test}");
            }
        }
    }
}
