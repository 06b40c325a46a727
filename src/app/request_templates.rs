//! What the front end should ask a user for now.
//!
//! One wrong id fails the whole of `wx.requestSubscribeMessage`: an unknown one (20001), one-time and long-term ones together
//! (20002), too many (20003). And the user is asked once a tap, so the templates that have run out come first.

use std::collections::HashMap;

use serde_json::Value;

use super::App;
use super::ledger::named;
use crate::error::Error;
use crate::grant;
use crate::language::{Text, plain_text};
use crate::message::Input;
use crate::store::{Choice, LedgerRow};
use crate::template_list::TemplateList;

/// What every client takes (reference: mini games and older ones refuse the fourth with 20003), and the newer ones.
const USUAL_LIMIT: usize = 3;
const MOST: usize = 5;
/// Far above what an account has.
const KEY_LIMIT: usize = 1000;

/// One template that could be asked for.
#[derive(Debug)]
struct Candidate<'a> {
    id: &'a str,
    long_term: bool,
    row: LedgerRow,
}

impl App {
    /// Which template ids to hand to `wx.requestSubscribeMessage` for this user: a list of ids. Where the ledger cannot be read, the
    /// order given is kept: a shop without it must still be able to ask.
    pub fn request_templates(&self, openid: &str, keys: &Input<'_>, options: &Input<'_>) -> Result<Value, Error> {
        self.settings.require_appid()?;
        let openid = named("requestTemplates", "openid", openid)?;
        let limit = read_limit(options)?;
        let keys = read_keys(keys)?;
        let mut ids: Vec<&str> = Vec::new();
        let known = self.known_templates();
        for id in keys.iter().filter_map(|key| self.askable(key, known.as_deref())) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let rows = self.stored(|store, until| store.grants(&self.settings.appid, openid, None, until));
        let mut rows: HashMap<String, LedgerRow> = rows.unwrap_or_default().into_iter().collect();
        let candidates = ids.into_iter().map(|id| {
            let row = rows.remove(id).unwrap_or_default();
            let long_term = row.long_term || known.as_ref().is_some_and(|list| list.is_long_term(id));
            Candidate { id, long_term, row }
        });
        Ok(choose(candidates.collect(), limit).into_iter().map(Value::from).collect())
    }

    /// The template id of a name or id; `None` of what the client would refuse.
    fn askable<'a>(&'a self, key: &'a str, known: Option<&TemplateList>) -> Option<&'a str> {
        let listed = |id: &str| known.is_some_and(|list| list.get(id).is_some());
        let id = match self.registry.id(key) {
            Some(id) => id,
            // As recordGrants() counts: where the application has said which templates there are, there are no others.
            None if self.registry.is_empty() || self.registry.has(key) || listed(key) => key,
            None => return None,
        };
        (grant::is_template_id(id) && (listed(id) || !self.certainly_lacks_template(known, id))).then_some(id)
    }
}

/// The ids in the order to ask for them.
fn choose(candidates: Vec<Candidate<'_>>, limit: usize) -> Vec<&str> {
    let mut candidates: Vec<Candidate<'_>> = candidates.into_iter().filter(Candidate::is_worth_asking).collect();
    // Stable: what is equal stays as given.
    candidates.sort_by_key(Candidate::rank);
    let long_term = candidates.first().is_some_and(|first| first.long_term);
    candidates.iter().filter(|candidate| candidate.long_term == long_term).map(|it| it.id).take(limit).collect()
}

impl Candidate<'_> {
    /// Not if one accept was enough for ever.
    fn is_worth_asking(&self) -> bool {
        !(self.long_term && self.row.state == Some(Choice::Accept) && !self.row.refused)
    }

    /// The lower the sooner. A user who has said no for good must not keep the one-time templates from being asked for.
    fn rank(&self) -> (bool, bool, u64) {
        let banned = self.row.state == Some(Choice::Ban);
        let declined = self.long_term && self.row.state.is_some_and(|state| state != Choice::Accept);
        (banned, declined, self.row.available)
    }
}

fn read_limit(options: &Input<'_>) -> Result<usize, Error> {
    let Input::Map(members) = options else { return Err(no_array("options", options)) };
    let mut limit = USUAL_LIMIT;
    for (name, value) in members.iter().filter(|(_, value)| *value != Input::Null) {
        let number = match value {
            Input::Int(number) => usize::try_from(*number).ok(),
            Input::Text(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse().ok()),
            _ => None,
        };
        limit = match (name.as_ref(), number) {
            (b"limit", Some(number @ 1..=MOST)) => number,
            (b"limit", _) => {
                return Err(Error::value(
                    format!("requestTemplates()：选项 limit 应为 1 到 {MOST} 的整数"),
                    format!("requestTemplates(): option limit must be a whole number from 1 to {MOST}"),
                ));
            }
            (other, _) => {
                let shown: String = plain_text(&String::from_utf8_lossy(other)).chars().take(64).collect();
                return Err(Error::value(
                    format!("requestTemplates()：没有选项“{shown}”；选项：limit（1 到 {MOST}）"),
                    format!("requestTemplates(): there is no option \"{shown}\"; options: limit (1 to {MOST})"),
                ));
            }
        };
    }
    Ok(limit)
}

/// The texts of the list. A shop's own table has empty values where a message is switched off.
fn read_keys(keys: &Input<'_>) -> Result<Vec<String>, Error> {
    let Input::Map(members) = keys else { return Err(no_array("keys", keys)) };
    if members.len() > KEY_LIMIT {
        return Err(Error::value(
            format!("requestTemplates()：$keys 超过 {KEY_LIMIT} 项"),
            format!("requestTemplates(): $keys has more than {KEY_LIMIT} members"),
        ));
    }
    let mut texts = Vec::new();
    for (place, key) in members {
        match key {
            Input::Null | Input::Bool(false) => {}
            Input::Int(number) => texts.push(number.to_string()),
            // What is no UTF-8 is no template either.
            Input::Text(bytes) => texts.extend(std::str::from_utf8(bytes).map(|text| text.trim().to_owned())),
            other => {
                let (place, kind) = (plain_text(&String::from_utf8_lossy(place)), other.type_name());
                return Err(Error::Type(Text::new(
                    format!("requestTemplates()：$keys[{place}] 应为模板 ID 或名称（字符串），给出的是 {kind}"),
                    format!(
                        "requestTemplates(): $keys[{place}] must be a template id or name of type string, {kind} given"
                    ),
                )));
            }
        }
    }
    Ok(texts)
}

fn no_array(parameter: &str, given: &Input<'_>) -> Error {
    let kind = given.type_name();
    if kind.starts_with("array") {
        return Error::value(
            format!("requestTemplates()：${parameter} 太大（{kind}），最多 {KEY_LIMIT} 项"),
            format!("requestTemplates(): ${parameter} is too large ({kind}), {KEY_LIMIT} members at most"),
        );
    }
    Error::Type(Text::new(
        format!("requestTemplates()：${parameter} 应为数组，给出的是 {kind}"),
        format!("requestTemplates(): ${parameter} must be of type array, {kind} given"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(id: &str, available: u64) -> Candidate<'_> {
        Candidate { id, long_term: false, row: LedgerRow { available, ..LedgerRow::default() } }
    }

    fn long_term(id: &str, state: Option<Choice>) -> Candidate<'_> {
        Candidate { id, long_term: true, row: LedgerRow { state, long_term: true, ..LedgerRow::default() } }
    }

    fn banned(id: &str) -> Candidate<'_> {
        Candidate { row: LedgerRow { state: Some(Choice::Ban), ..LedgerRow::default() }, ..once(id, 0) }
    }

    #[test]
    fn a_list_that_is_too_long_to_be_read_is_told_from_what_is_no_list() {
        let error = read_keys(&Input::Unusable("array with 5000 members".into())).unwrap_err();
        assert!(matches!(error, Error::Value(_)) && error.to_string().contains("1000 members at most"), "{error}");
        assert!(matches!(read_keys(&Input::text("order_pay_success")).unwrap_err(), Error::Type(_)));
    }

    #[test]
    fn the_drained_come_first_then_the_order_given_and_banned_ones_last() {
        let order = choose(vec![banned("x"), once("a", 2), once("b", 0), once("c", 1), once("d", 0)], 5);
        assert_eq!(order, ["b", "d", "c", "a", "x"]);
        assert_eq!(choose(vec![once("a", 2), once("b", 0), once("c", 1)], 2), ["b", "c"]);
        assert!(choose(Vec::new(), 3).is_empty());
    }

    #[test]
    fn one_time_and_long_term_are_never_asked_for_together() {
        assert_eq!(choose(vec![long_term("l", None), once("a", 0), long_term("m", None)], 5), ["l", "m"]);
        assert_eq!(choose(vec![once("a", 0), long_term("l", None), once("b", 0)], 5), ["a", "b"]);
        // A user who declined is asked for what he can still accept.
        assert_eq!(choose(vec![long_term("l", Some(Choice::Reject)), once("a", 7)], 5), ["a"]);
        assert_eq!(choose(vec![long_term("l", Some(Choice::Reject))], 5), ["l"]);
    }

    #[test]
    fn a_long_term_accept_is_asked_for_again_only_after_wechat_said_no() {
        let accepted = long_term("l", Some(Choice::Accept));
        let mut refused = long_term("m", Some(Choice::Accept));
        refused.row.refused = true;
        assert_eq!(choose(vec![accepted, refused], 5), ["m"]);
    }

    #[test]
    fn options_and_keys_say_what_they_take() {
        let option = |name: &'static str, value| read_limit(&Input::Map(vec![(name.as_bytes().into(), value)]));
        assert_eq!(read_limit(&Input::Map(Vec::new())).unwrap(), 3);
        assert_eq!(option("limit", Input::Int(5)).unwrap(), 5);
        assert_eq!(option("limit", Input::text("1")).unwrap(), 1);
        assert_eq!(option("limit", Input::Null).unwrap(), 3);
        for bad in [Input::Int(0), Input::Int(6), Input::Int(-1), Input::text("many"), Input::Bool(true)] {
            assert!(option("limit", bad).unwrap_err().to_string().contains("1 to 5"));
        }
        assert!(option("max", Input::Int(1)).unwrap_err().to_string().contains("limit"));
        let list = |key: Input<'static>| read_keys(&Input::Map(vec![(b"0"[..].into(), key)]));
        assert!(list(Input::Null).unwrap().is_empty() && list(Input::Bool(false)).unwrap().is_empty());
        assert_eq!(list(Input::Int(6271)).unwrap(), ["6271"]);
        assert!(list(Input::Map(Vec::new())).unwrap_err().to_string().contains("$keys[0]"));
        let many = (0..=KEY_LIMIT).map(|_| (b"0"[..].into(), Input::Null)).collect();
        assert!(read_keys(&Input::Map(many)).is_err());
        assert!(read_keys(&Input::text("a")).is_err());
    }
}
