//! Making the account hold the templates that an application wants.
//!
//! Nothing is ever removed: a template that is removed takes the grants of all users with it. `gettemplate` tells neither the public
//! template nor the keywords that a private one was made from, so they are recognised by what they can be sent with: the same keys
//! with the same captions (a key is the keyword's type and number), and, unless the application itself names the id, the same title.
//! What stays doubtful is settled by `addtemplate`, which answers 200022 and the id of a template that is there.

mod report;
mod titles;
mod wish;

use std::collections::HashMap;

use serde_json::Value;

use super::App;
use super::account::errcode_in;
use super::template_list::Wanted;
use super::templates::{ADDED_ALREADY, Added, read_keywords};
use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::message::Input;
use crate::template::Template;
use crate::template_library::{Keyword, Selection, have_same_fields};
use crate::template_list::{ListedTemplate, TemplateList};
use report::{Failure, Report};
use titles::Titles;
use wish::{Wish, Wishes};

/// Keywords that an error text lists.
const SHOWN_KEYWORDS: usize = 40;

/// What becomes of a wish.
enum Fate {
    /// The account has it, under this id.
    Kept(String),
    /// It has to be added.
    Missing,
}

/// One run.
struct Sync<'a> {
    app: &'a App,
    list: &'a TemplateList,
    dry_run: bool,
    keywords: HashMap<String, Result<Vec<Keyword>, Failure>>,
    titles: Titles,
    /// What this run has added, or would have.
    added: Vec<(Selection, Option<String>)>,
    /// What ended all calls.
    stop: Option<Failure>,
    report: Report,
}

impl App {
    /// Makes the account hold the wanted templates, without ever removing one.
    pub fn sync_templates(&self, wanted: &Input<'_>, options: &Input<'_>) -> Result<Value, Error> {
        self.require_account()?;
        let dry_run = read_options(options)?;
        let wishes = Wishes::read(wanted)?;
        let list = self.template_list(Wanted::New)?;
        let mut sync = Sync {
            app: self,
            list: &list,
            dry_run,
            keywords: HashMap::new(),
            titles: Titles::default(),
            added: Vec::new(),
            stop: None,
            // What is switched off may be switched on again, and its grants are worth something then.
            report: Report { skipped: wishes.skipped, in_use: wishes.switched_off, ..Report::default() },
        };
        for wish in &wishes.wanted {
            if let Err(failure) = sync.fulfil(wish) {
                sync.report.failed.push((wish.key.clone(), failure));
                // It did not come to a better one, so the shop goes on with what it has.
                sync.report.in_use.extend(wish.present.clone());
            }
        }
        Ok(sync.report.to_value(&list, self.settings.hint_lang))
    }
}

impl Sync<'_> {
    fn fulfil(&mut self, wish: &Wish) -> Result<(), Failure> {
        let id = match self.decide(wish)? {
            Fate::Kept(id) => id,
            Fate::Missing => return self.add(wish),
        };
        self.report.kept.push(wish.key.clone());
        self.report.ids.push((wish.key.clone(), id));
        Ok(())
    }

    fn decide(&mut self, wish: &Wish) -> Result<Fate, Failure> {
        let list = self.list;
        let present = wish.present.as_deref().and_then(|id| list.get(id));
        let mut fitting: Vec<&ListedTemplate> = match &wish.fields {
            Some(fields) => list.rows().iter().filter(|row| have_same_fields(row.fields(), fields)).collect(),
            None => Vec::new(),
        };
        let is_present = |row: &&ListedTemplate| present.is_some_and(|present| present.id == row.id);
        if let Some(row) = fitting.iter().find(|row| is_present(row)) {
            return Ok(Fate::Kept(row.id.clone()));
        }
        let selection = match (&wish.selection, present, &fitting[..]) {
            (Ok(selection), ..) => selection,
            // There is nothing to compare it with.
            (Err(_), Some(present), _) if wish.fields.is_none() => return Ok(Fate::Kept(present.id.clone())),
            (Err(_), _, [only]) => return Ok(Fate::Kept(only.id.clone())),
            (Err(flaw), ..) => return Err(Failure::of_flaw(flaw)),
        };
        if self.added.iter().any(|(added, _)| added.is_like(selection)) {
            return Ok(Fate::Missing);
        }
        // The row's own fields may be older than its keywords, and the other way round.
        if fitting.is_empty() || present.is_some() {
            match self.fields_of(selection) {
                Ok(fields) => {
                    fitting.extend(list.rows().iter().filter(|row| have_same_fields(row.fields(), &fields)));
                }
                Err(failure) if fitting.is_empty() => return Err(failure),
                Err(_) => {}
            }
        }
        if let Some(row) = fitting.iter().find(|row| is_present(row)) {
            return Ok(Fate::Kept(row.id.clone()));
        }
        if fitting.is_empty() {
            return Ok(Fate::Missing);
        }
        match (self.title_of(&selection.tid), &fitting[..]) {
            (Some(title), fitting) => Ok(fitting
                .iter()
                .find(|row| row.title.trim() == title)
                .map_or(Fate::Missing, |row| Fate::Kept(row.id.clone()))),
            // Nobody tells the title.
            (None, [first, others @ ..]) if others.iter().all(|other| other.id == first.id) => {
                Ok(Fate::Kept(first.id.clone()))
            }
            (None, _) => Ok(Fate::Missing),
        }
    }

    fn add(&mut self, wish: &Wish) -> Result<(), Failure> {
        let selection = wish.selection.as_ref().map_err(Failure::of_flaw)?;
        let known = self.added.iter().find(|(added, _)| added.is_like(selection)).map(|(_, id)| id.clone());
        let id = match known {
            Some(id) => id,
            None => {
                let scene = wish.scene.as_ref().map_err(Failure::of_flaw)?;
                let id = match self.dry_run {
                    true => None,
                    false => match self.ask_for(selection, scene)? {
                        Added::New(id) => Some(id),
                        Added::Before(Some(id)) => {
                            self.report.kept.push(wish.key.clone());
                            self.report.ids.push((wish.key.clone(), id));
                            return Ok(());
                        }
                        Added::Before(None) => return Err(Failure::of_errcode(ADDED_ALREADY)),
                        Added::Refused(answer) => return Err(self.note(Failure::of_answer(&answer))),
                    },
                };
                self.added.push((selection.clone(), id.clone()));
                id
            }
        };
        self.report.added.push(wish.key.clone());
        if let Some(id) = id {
            self.report.ids.push((wish.key.clone(), id));
        }
        Ok(())
    }

    fn ask_for(&mut self, selection: &Selection, scene: &str) -> Result<Added, Failure> {
        self.may_ask()?;
        self.app.add(selection, scene).map_err(|error| self.note(Failure::of_error(&error)))
    }

    fn may_ask(&self) -> Result<(), Failure> {
        self.stop.as_ref().map_or(Ok(()), |stop| Err(stop.not_tried()))
    }

    /// Whether a failure concerns this template only, or ends all calls.
    fn note(&mut self, failure: Failure) -> Failure {
        if failure.ends_all() {
            self.stop.get_or_insert_with(|| failure.clone());
        }
        failure
    }

    /// The fields of what a selection gives.
    fn fields_of(&mut self, selection: &Selection) -> Result<Template, Failure> {
        let fields = selection.fields(self.keywords_of(&selection.tid)?);
        fields.map_err(|kid| self.no_such_keyword(&selection.tid, kid))
    }

    fn keywords_of(&mut self, tid: &str) -> Result<&[Keyword], Failure> {
        if !self.keywords.contains_key(tid) {
            self.may_ask()?;
            let asked = match self.app.keywords_answer(tid) {
                Ok(answer) if errcode_in(&answer) == Some(0) => {
                    read_keywords(&answer).map_err(|error| Failure::of_error(&error))
                }
                Ok(answer) => Err(Failure::of_answer(&answer)),
                Err(error) => Err(Failure::of_error(&error)),
            };
            let asked = asked.map_err(|failure| self.note(failure));
            self.keywords.insert(tid.to_owned(), asked);
        }
        match self.keywords.get(tid) {
            Some(Ok(keywords)) => Ok(keywords),
            Some(Err(failure)) => Err(failure.clone()),
            None => Ok(&[]),
        }
    }

    fn no_such_keyword(&self, tid: &str, kid: u32) -> Failure {
        let known = self.keywords.get(tid).and_then(|keywords| keywords.as_ref().ok());
        let known: Vec<String> = known
            .into_iter()
            .flatten()
            .take(SHOWN_KEYWORDS)
            .map(|keyword| format!("{} {}", keyword.kid, plain_text(&keyword.name)))
            .collect();
        let known = known.join(", ");
        Failure::local(
            200_020,
            Text::new(
                format!("公共模板 {tid} 没有关键词 {kid}，可选：{known}。"),
                format!("The public template {tid} has no keyword {kid}; it has {known}."),
            ),
        )
    }

    /// The title of a public template, if the library tells it in the account's categories.
    fn title_of(&mut self, tid: &str) -> Option<String> {
        if self.stop.is_none()
            && let Err(error) = self.titles.look_up(self.app, tid)
        {
            // A title that cannot be had leaves it to the fields, or to WeChat's 200022.
            self.note(Failure::of_error(&error));
        }
        self.titles.get(tid)
    }
}

fn read_options(options: &Input<'_>) -> Result<bool, Error> {
    let Input::Map(members) = options else { return Ok(false) };
    let mut dry_run = false;
    for (name, value) in members {
        match (name.as_ref(), value) {
            (b"dry_run", Input::Bool(flag)) => dry_run = *flag,
            (b"dry_run", Input::Int(number @ 0..=1)) => dry_run = *number == 1,
            (b"dry_run", Input::Null) => {}
            (other, value) => {
                let shown: String = plain_text(&String::from_utf8_lossy(other)).chars().take(64).collect();
                let kind = value.type_name();
                return Err(Error::value(
                    format!("syncTemplates()：选项“{shown}”（{kind}）不可用；选项：dry_run（bool）"),
                    format!("syncTemplates(): option \"{shown}\" ({kind}) cannot be used; options: dry_run (bool)"),
                ));
            }
        }
    }
    Ok(dry_run)
}
