//! What a buyer does on the phone: answering the popup of `wx.requestSubscribeMessage`, changing the settings.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::account::{AccountKind, Choice};
use super::super::push::{Answered, PushEvent};
use super::super::world::{Shared, World};
use super::members::{BadRequest, Members};

/// Templates that one popup may ask about.
const ASKED: usize = 5;

/// Where the buyer chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The popup that the mini program opens; templates with a kept choice are answered without it.
    Popup {
        /// 总是保持以上选择 is ticked.
        keep: bool,
    },
    /// The settings of the mini program, where a kept choice can be changed.
    Settings,
}

/// What is wrong with a choice; errCodes are those of `wx.requestSubscribeMessage`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is no such account.
    #[error("appid: no such account")]
    NoAccount,
    /// errCode 10001.
    #[error("templates: empty (errCode 10001)")]
    Empty,
    /// errCode 20001.
    #[error("templates: the account has no template {0} (errCode 20001)")]
    NoTemplate(String),
    /// errCode 20002.
    #[error("templates: one-time and long-term ones are mixed (errCode 20002)")]
    Mixed,
    /// errCode 20003.
    #[error("templates: more than 5 (errCode 20003)")]
    TooMany,
}

impl World {
    /// Lets a buyer choose, and pushes what WeChat would push. Returns the answer by template, as the mini program gets
    /// it; from a kept choice no popup opens, so that none is pushed either.
    pub(in super::super) fn choose(
        &mut self,
        appid: &str,
        openid: &str,
        wishes: Vec<Answered>,
        place: Place,
    ) -> Result<Vec<Answered>, ChoiceError> {
        let account = self.accounts.get_mut(appid).ok_or(ChoiceError::NoAccount)?;
        if wishes.is_empty() {
            return Err(ChoiceError::Empty);
        }
        if wishes.len() > ASKED {
            return Err(ChoiceError::TooMany);
        }
        let mut long_term = Vec::new();
        for wish in &wishes {
            let template = account.template(&wish.template_id);
            let template = template.ok_or_else(|| ChoiceError::NoTemplate(wish.template_id.clone()))?;
            long_term.push(template.is_long_term());
        }
        if long_term.contains(&true) && long_term.contains(&false) {
            return Err(ChoiceError::Mixed);
        }
        let (mut asked, mut answers) = (Vec::new(), Vec::new());
        for mut wish in wishes {
            let key = (openid.to_owned(), wish.template_id.clone());
            match place {
                Place::Popup { keep } => {
                    match account.kept.get(&key) {
                        Some(kept) => wish.choice = *kept,
                        None => asked.push(wish.clone()),
                    }
                    if keep {
                        account.kept.insert(key, wish.choice);
                    }
                    account.grant(openid, &wish.template_id, wish.choice, 1);
                }
                Place::Settings => {
                    // Switching it on again lets the mini program ask; only an answer to that is a grant.
                    let count = if wish.choice == Choice::Accept { 0 } else { 1 };
                    account.grant(openid, &wish.template_id, wish.choice, count);
                    account.kept.insert(key, wish.choice);
                    if wish.choice == Choice::Reject {
                        asked.push(wish.clone());
                    }
                }
            }
            answers.push(wish);
        }
        let scene = if account.kind == AccountKind::MiniProgram { 0 } else { 1 };
        if !asked.is_empty() {
            let event = match place {
                Place::Popup { .. } => PushEvent::Popup { list: asked, scene },
                Place::Settings => PushEvent::Change { list: asked },
            };
            self.push(appid, openid, &event);
        }
        self.changed();
        Ok(answers)
    }

    /// Forgets the kept choices of a buyer, as when the mini program is deleted from the phone.
    pub(in super::super) fn forget_kept(&mut self, appid: &str, openid: &str) {
        if let Some(account) = self.accounts.get_mut(appid) {
            account.kept.retain(|(known, _), _| known != openid);
        }
        self.changed();
    }
}

/// `POST /__admin/choose`.
pub(super) fn choose(shared: &Arc<Shared>, mut members: Members) -> Result<Value, BadRequest> {
    let (appid, openid) = (members.text("appid")?, members.text("openid")?);
    let wishes = answers(&mut members, "templates")?;
    let keep = members.optional("keep")?.unwrap_or(false);
    let place = match members.choice("place", &[("popup", true), ("settings", false)])? {
        Some(false) => Place::Settings,
        _ => Place::Popup { keep },
    };
    members.finish()?;
    let answers = shared.world.lock().choose(&appid, &openid, wishes, place)?;
    let mut result = Map::from_iter([("errMsg".to_owned(), json!("requestSubscribeMessage:ok"))]);
    result.extend(answers.into_iter().map(|answered| (answered.template_id, json!(answered.choice))));
    Ok(json!({"ok": true, "result": result}))
}

/// `{"template_id": "accept"|"reject", …}`.
pub(super) fn answers(members: &mut Members, name: &'static str) -> Result<Vec<Answered>, BadRequest> {
    let map: Map<String, Value> = members.required(name)?;
    map.into_iter()
        .map(|(template_id, word)| match word.as_str() {
            Some("accept") => Ok(Answered { template_id, choice: Choice::Accept }),
            Some("reject") => Ok(Answered { template_id, choice: Choice::Reject }),
            _ => Err(BadRequest::Invalid { name, reason: format!("{word} is neither accept nor reject") }),
        })
        .collect()
}
