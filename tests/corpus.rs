//! Payloads that WeChat has judged, held against our own judgement.
//!
//! `corpus/cases.jsonl` has the payloads as they were sent. `corpus/classes.jsonl` has observations whose literal is not known, each with
//! a value of the class that was observed (`rebuilt`). `use` says what a case can prove: `value` and `structure` are firm, `template_*`
//! need a field list that is made up here from the answer, the others prove nothing about the rules of today.

// Helpers of tests, which the lint settings do not count as tests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::BTreeMap;

use routine_template::field::table::FieldType;
use routine_template::field::{Checked, Mode, check};
use routine_template::message::{Channel, Input};
use routine_template::template::{Template, TemplateField};
use serde_json::Value;

struct Case {
    id: String,
    channel: Channel,
    data: Value,
    verdict: String,
    bad_field: String,
    purpose: String,
}

fn cases() -> Vec<Case> {
    [include_str!("corpus/cases.jsonl"), include_str!("corpus/classes.jsonl")]
        .iter()
        .flat_map(|file| file.lines())
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
            Case {
                id: text("id"),
                channel: match text("channel").as_str() {
                    "bizsend" => Channel::Bizsend,
                    "template" => Channel::Template,
                    _ => Channel::Subscribe,
                },
                data: case["data"].clone(),
                verdict: text("verdict"),
                bad_field: text("bad_field"),
                purpose: text("use"),
            }
        })
        .collect()
}

impl Case {
    fn judged(&self, template: Option<&Template>, mode: Mode) -> Checked {
        check(&Input::from(self.data.clone()), template, mode, self.channel)
    }

    /// Whether the field that WeChat named came as `{"value": "string"}` under its bare key.
    fn is_in_shape(&self) -> bool {
        self.data.get(&self.bad_field).and_then(|member| member.get("value")).is_some_and(Value::is_string)
    }

    /// A template that has the given fields, or those of the payload and the one that WeChat named.
    fn template(&self, values: Option<Vec<String>>) -> Template {
        let mut keys: Vec<&str> = self.data.as_object().unwrap().keys().map(String::as_str).collect();
        if !keys.contains(&self.bad_field.as_str()) {
            keys.push(&self.bad_field);
        }
        let field = |key: &str| TemplateField {
            key: key.to_owned(),
            caption: String::new(),
            values: values.clone().filter(|_| key == self.bad_field),
        };
        Template { fields: keys.into_iter().map(field).collect() }
    }

    fn names(&self, checked: &Checked) -> bool {
        checked.violations.iter().any(|violation| violation.field == self.bad_field)
    }
}

/// The type that the case is about.
fn kind(case: &Case) -> &'static str {
    FieldType::of(&case.bad_field, case.channel).map_or("untyped", |row| row.prefix)
}

#[derive(Default)]
struct Tally {
    refused: usize,
    fitted: usize,
    reshaped: usize,
}

#[test]
fn nothing_that_wechat_accepts_is_refused_in_any_mode() {
    let mut fields: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases().iter().filter(|case| case.verdict == "ok") {
        // A test account without limits, and two reports that contradict the rest.
        if ["other_rules", "contradiction"].contains(&case.purpose.as_str()) {
            continue;
        }
        for mode in [Mode::Strict, Mode::Fit, Mode::Off] {
            let checked = case.judged(None, mode);
            assert!(checked.violations.is_empty(), "{} in {mode:?}: {:#?}", case.id, checked.violations);
            for key in case.data.as_object().unwrap().keys() {
                if mode == Mode::Strict {
                    *fields.entry(FieldType::of(key, case.channel).map_or("untyped", |row| row.prefix)).or_default() +=
                        1;
                }
            }
        }
    }
    println!("accepted values that pass, per type: {fields:?}");
    assert!(fields.values().sum::<usize>() > 40);
}

#[test]
fn what_wechat_accepts_is_sent_as_it_is() {
    for case in cases().iter().filter(|case| case.verdict == "ok" && case.purpose == "value") {
        let changes = case.judged(None, Mode::Fit).changes;
        let more_than_space = changes.iter().find(|change| change.rule != "space");
        assert!(more_than_space.is_none(), "{}: {more_than_space:?}", case.id);
    }
}

#[test]
fn what_wechat_refuses_is_refused_or_repaired() {
    let mut tallies: BTreeMap<&str, [Tally; 2]> = BTreeMap::new();
    for case in cases().iter().filter(|case| case.verdict == "invalid") {
        if !["value", "structure"].contains(&case.purpose.as_str()) {
            continue;
        }
        for (slot, mode) in [Mode::Strict, Mode::Fit].into_iter().enumerate() {
            let checked = case.judged(None, mode);
            let tally = &mut tallies.entry(kind(case)).or_default()[slot];
            let change = checked.changes.iter().any(|change| change.field == case.bad_field);
            if case.names(&checked) || checked.violations.iter().any(|violation| violation.field == "data") {
                tally.refused += 1;
            } else if !case.is_in_shape() {
                tally.reshaped += 1;
            } else {
                assert!(mode == Mode::Fit && change, "{} passes in {mode:?}: {checked:#?}", case.id);
                tally.fitted += 1;
            }
            // What is let through must stand up to the strict check, and have the right shape.
            if mode == Mode::Fit && checked.violations.is_empty() {
                let again = Input::Map(
                    checked
                        .fields
                        .iter()
                        .map(|(key, value)| (key.as_bytes().into(), Input::text(value.as_str())))
                        .collect(),
                );
                let strict = check(&again, None, Mode::Strict, case.channel);
                assert!(strict.violations.is_empty(), "{}: {:#?}", case.id, strict.violations);
                assert_eq!(strict.fields, checked.fields);
                assert!(checked.fields.iter().all(|(key, _)| !key.ends_with(".DATA")));
            }
        }
    }
    println!("refused cases per type of the named field: refused + repaired by shape + fitted, in strict | in fit");
    for (kind, [strict, fit]) in &tallies {
        println!(
            "{kind:18} {:2} + {:2} + {:2} | {:2} + {:2} + {:2}",
            strict.refused, strict.reshaped, strict.fitted, fit.refused, fit.reshaped, fit.fitted
        );
    }
    assert!(tallies.len() >= 10);
}

#[test]
fn a_field_that_the_payload_lacks_is_named_with_the_template() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.purpose == "template_missing") {
        let template = case.template(None);
        for mode in [Mode::Strict, Mode::Fit] {
            let checked = case.judged(Some(&template), mode);
            let missing = checked.violations.iter().find(|violation| violation.rule == "missing");
            assert_eq!(missing.map(|violation| violation.field.as_str()), Some(case.bad_field.as_str()), "{}", case.id);
        }
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn a_value_outside_the_templates_list_is_named_with_the_template() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.purpose == "template_choice") {
        let template = case.template(Some(vec!["正常".to_owned(), "离线".to_owned()]));
        for mode in [Mode::Strict, Mode::Fit] {
            assert!(case.names(&case.judged(Some(&template), mode)), "{}", case.id);
            // Without the list nothing is certain.
            assert!(!case.names(&case.judged(None, mode)), "{}", case.id);
        }
        count += 1;
    }
    assert!(count >= 5);
}
