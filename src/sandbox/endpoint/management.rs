//! `/wxaapi/newtmpl/*`: the private templates of an account.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::library::{self, CATEGORIES, LIBRARY};
use super::super::refusal::Refusal;
use super::super::template::Template;
use super::super::world::World;
use super::{Answer, Call, Outcome};

/// Here a wrong method is 404, not 43001 or 43002.
fn authorise(world: &mut World, call: &Call, method: &Method) -> Result<std::sync::Arc<str>, Refusal> {
    world
        .authorise(call, method)
        .map_err(|refusal| if matches!(refusal.errcode, 43001 | 43002) { Refusal::of(404) } else { refusal })
}

fn ok(members: Value) -> Outcome {
    let mut answer = json!({"errcode": 0, "errmsg": "ok"});
    if let (Some(answer), Value::Object(members)) = (answer.as_object_mut(), members) {
        answer.extend(members);
    }
    Ok(Answer::from(answer.to_string()))
}

/// A JSON object; 40400 (malformed request) for everything else.
fn body(call: &Call) -> Result<serde_json::Map<String, Value>, Refusal> {
    if call.body.is_empty() {
        return Err(Refusal::of(44002));
    }
    serde_json::from_slice(&call.body).map_err(|_| Refusal::of(40400))
}

/// `tid` is documented as a string and often sent as a number.
fn id_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `addtemplate`: a private template of the chosen keywords, in the chosen order.
pub(super) fn add(world: &mut World, call: &Call) -> Outcome {
    let appid = authorise(world, call, &Method::POST)?;
    let body = body(call)?;
    let public = id_text(body.get("tid")).and_then(|tid| library::find(&tid)).ok_or_else(|| Refusal::of(200014))?;
    let kids: Vec<u32> = body
        .get("kidList")
        .and_then(Value::as_array)
        .and_then(|kids| kids.iter().map(|kid| kid.as_u64().and_then(|kid| u32::try_from(kid).ok())).collect())
        .ok_or_else(|| Refusal::of(200020))?;
    let keywords: Option<Vec<_>> =
        kids.iter().map(|kid| public.keywords.iter().find(|keyword| keyword.kid == *kid)).collect();
    let keywords = keywords.filter(|keywords| (2..=5).contains(&keywords.len())).ok_or_else(|| Refusal::of(200020))?;
    if kids.iter().enumerate().any(|(place, kid)| kids.iter().skip(place + 1).any(|other| other == kid)) {
        return Err(Refusal::of(200020));
    }
    let scene = body.get("sceneDesc").and_then(Value::as_str).unwrap_or_default().trim();
    if scene.is_empty() || scene.chars().count() > 15 {
        return Err(Refusal::of(200021));
    }
    let id = world.random.characters(43);
    let account = world.owner(&appid)?;
    let lines =
        keywords.iter().map(|keyword| format!("{}:{{{{{}{}.DATA}}}}\n", keyword.name, keyword.rule, keyword.kid));
    let template = Template::new(&id, public.title, &lines.collect::<String>(), public.kind, Vec::new());
    // The same title and the same keywords, in whatever order and however it came there.
    if let Some(known) =
        account.templates.iter().find(|known| known.title == template.title && known.has_keys_of(&template))
    {
        return Err(Refusal { extra: Some(Box::new(("priTmplId", known.id.clone().into()))), ..Refusal::of(200022) });
    }
    if account.templates.len() >= account.template_limit {
        return Err(Refusal::of(200012));
    }
    account.put_template(template);
    ok(json!({"priTmplId": id}))
}

/// `deltemplate`: the template and with it every grant for it are gone.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let appid = authorise(world, call, &Method::POST)?;
    let body = body(call)?;
    let id = body.get("priTmplId").and_then(Value::as_str).ok_or_else(|| Refusal::of(200002))?;
    let account = world.owner(&appid)?;
    account.template(id).ok_or_else(|| Refusal::of(200014))?;
    account.templates.retain(|template| template.id != id);
    for grants in account.users.values_mut() {
        grants.remove(id);
    }
    ok(json!({}))
}

/// `getcategory`.
pub(super) fn categories(world: &mut World, call: &Call) -> Outcome {
    authorise(world, call, &Method::GET)?;
    let data: Vec<Value> = CATEGORIES.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
    ok(json!({"data": data}))
}

/// `getpubtemplatekeywords`.
pub(super) fn keywords(world: &mut World, call: &Call) -> Outcome {
    authorise(world, call, &Method::GET)?;
    let tid = call.query("tid").filter(|tid| !tid.is_empty()).ok_or_else(|| Refusal::of(200002))?;
    let public = library::find(&tid).ok_or_else(|| Refusal::of(200014))?;
    let data: Vec<Value> = public
        .keywords
        .iter()
        .map(|keyword| json!({"kid": keyword.kid, "name": keyword.name, "example": keyword.example, "rule": keyword.rule}))
        .collect();
    ok(json!({"count": data.len(), "data": data}))
}

/// `getpubtemplatetitles`.
pub(super) fn titles(world: &mut World, call: &Call) -> Outcome {
    authorise(world, call, &Method::GET)?;
    let ids = call.query("ids").filter(|ids| !ids.is_empty()).ok_or_else(|| Refusal::of(200018))?;
    let ids: Option<Vec<u32>> = ids.split(',').map(|id| id.trim().parse().ok()).collect();
    let ids = ids.filter(|ids| ids.iter().all(|id| CATEGORIES.iter().any(|(known, _)| known == id)));
    let ids = ids.ok_or_else(|| Refusal::of(200019))?;
    let start: usize = call.query("start").and_then(|start| start.parse().ok()).ok_or_else(|| Refusal::of(200016))?;
    let limit = call.query("limit").and_then(|limit| limit.parse().ok()).filter(|limit| (1..=30).contains(limit));
    let limit: usize = limit.ok_or_else(|| Refusal::of(200017))?;
    let found: Vec<_> = LIBRARY.iter().filter(|template| ids.contains(&template.category)).collect();
    let data: Vec<Value> = found
        .iter()
        .skip(start)
        .take(limit)
        .map(|template| {
            json!({
                "tid": template.tid, "title": template.title, "type": template.kind,
                "categoryId": template.category.to_string(),
            })
        })
        .collect();
    ok(json!({"count": found.len(), "data": data}))
}

/// `gettemplate`: neither tid nor kidList come back.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let appid = authorise(world, call, &Method::GET)?;
    let data: Vec<Value> = world.owner(&appid)?.templates.iter().map(listed).collect();
    ok(json!({"data": data}))
}

fn listed(template: &Template) -> Value {
    let mut row = json!({
        "priTmplId": template.id, "title": template.title, "content": template.content,
        "example": template.fields.iter().map(|field| format!("{}\n", field.key)).collect::<String>(),
        "type": template.kind,
    });
    if let (false, Some(members)) = (template.values.is_empty(), row.as_object_mut()) {
        let lists: Vec<Value> = template
            .values
            .iter()
            .map(|(key, values)| json!({"keywordCode": format!("{key}.DATA"), "enumValueList": values}))
            .collect();
        members.insert("keywordEnumValueList".to_owned(), lists.into());
    }
    row
}
