//! What WeChat answers to questions about templates and requests, and what the store keeps of it.

use std::time::Duration;

use routine_template::fuzzing::{
    ClearingRecord, list_from_answer, list_from_note, masked, note_of_list, path_of_api, rid_in,
};
use routine_template::message::Input;
use routine_template::template_library::{Keyword, Selection, number, read_kids, read_scene, read_tid};
use routine_template::template_list::TemplateList;
use serde_json::Value;

/// The value of a secret that is to be masked.
const HIDDEN: &str = "90_Hidden-Value";

/// A text, as each of them. A list stays the same list on its way through the store, and a looked-up request shows no secret.
pub fn management_answer(data: &[u8]) {
    let text = super::text(data);
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        number(&value);
        if let Some(list) = list_from_answer(&value) {
            keeps(&list);
        }
        if let Some(keywords) = Keyword::read_all(&value) {
            assert!(keywords.len() <= 1000, "keywords without end");
            let kids: Vec<u32> = keywords.iter().map(|keyword| keyword.kid).take(5).collect();
            let selection = Selection { tid: "1".to_owned(), kids };
            assert!(selection.is_like(&selection) && selection.fields(&keywords).is_ok());
        }
        let input = Input::from(value);
        if let Ok(kids) = read_kids(&input) {
            assert!((2..=5).contains(&kids.len()) && !kids.contains(&0), "{kids:?}");
        }
        let _ = read_tid(&input);
    }
    if let Some(list) = list_from_note(&text, Duration::from_secs(60)) {
        assert!(list.rows().len() <= 500, "a list without end");
        keeps(&list);
    }
    let _ = read_scene(&text).map(|scene| assert!((1..=15).contains(&scene.chars().count())));
    let _ = path_of_api(&text).map(|path| assert!(path.starts_with('/') && path.len() <= 256, "{path}"));
    let _ = rid_in(&text).map(|rid| assert!(rid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')));
    hides(&text);
    books(&text);
}

/// A list, written down and read again.
fn keeps(list: &TemplateList) {
    let again = list_from_note(&note_of_list(list), Duration::ZERO).expect("its own note is none");
    assert_eq!(again.rows(), list.rows(), "the store changes a template");
    for row in list.rows() {
        assert!(!row.id.is_empty() && row.id.len() <= 128);
        let (fields, same) = (list.template(&row.id), again.template(&row.id));
        assert_eq!(fields.map(|template| &template.fields), same.map(|template| &template.fields));
    }
}

fn hides(text: &str) {
    assert_eq!(masked(&masked(text)), masked(text), "masking a masked text changes it");
    // The name must stand by itself, and nothing before it may be a secret's name already.
    let lead: String = text.chars().filter(|letter| !letter.is_alphanumeric() && !matches!(letter, '_')).collect();
    for secret in [format!("{lead}&access_token={HIDDEN}&x"), format!(r#"{lead},"appsecret": "{HIDDEN}"}}"#)] {
        assert!(!masked(&secret).contains(HIDDEN), "{secret}");
    }
}

fn books(text: &str) {
    const NOW: i64 = 1_800_000_000_000;
    let mut record = ClearingRecord::read(text, 202_611);
    assert_eq!(ClearingRecord::read(&record.text(), 202_611), record, "its own note says something else");
    record.has_verdict(NOW);
    let (before, after) = record.used_after_one_given_back(NOW);
    assert!(before == after || before == u32::MAX, "{before} became {after}");
    assert!(record.text().len() < 64 * 1024 + text.len() * 8, "the record grows without end");
}
