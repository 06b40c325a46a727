//! Faults as they are written in JSON.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::fault::{Fault, FaultKind};
use super::super::random_faults::{FaultChance, RandomFaults};
use super::super::world::Shared;
use super::members::{BadRequest, Members};

/// `POST /__admin/fault`: one that waits for its request.
pub(super) fn queue(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let path = path(&mut members)?.ok_or(BadRequest::Missing("path"))?;
    let times = members.optional::<Option<u64>>("times")?.unwrap_or(Some(1));
    let kind = kind(&mut members)?;
    members.finish()?;
    shared.world.lock().faults.push(Fault { path, times, kind });
    Ok(())
}

/// `POST /__admin/random_faults`: a table of chances in place of the one before.
pub(super) fn chances(shared: &Arc<Shared>, members: Members) -> Result<(), BadRequest> {
    let table = table(members)?;
    shared.world.lock().faults.set_random(table);
    Ok(())
}

/// The table that `--faults` gives as JSON.
pub(in super::super) fn random_faults(text: &str) -> Result<RandomFaults, String> {
    Members::parse(text.as_bytes()).and_then(table).map_err(|error| error.to_string())
}

fn table(mut members: Members) -> Result<RandomFaults, BadRequest> {
    let seed = members.required("seed")?;
    let lines: Vec<Map<String, Value>> = members.required("faults")?;
    members.finish()?;
    let chances = lines.into_iter().enumerate().map(|(place, line)| {
        chance(Members::of(line)).map_err(|error| BadRequest::Setting(format!("faults[{place}]: {error}")))
    });
    RandomFaults::new(seed, chances.collect::<Result<_, _>>()?).map_err(|error| BadRequest::Setting(error.to_string()))
}

fn chance(mut members: Members) -> Result<FaultChance, BadRequest> {
    let path = path(&mut members)?.unwrap_or_else(|| "*".to_owned());
    let per_thousand = members.required("per_thousand")?;
    let kind = kind(&mut members)?;
    members.finish()?;
    Ok(FaultChance { path, per_thousand, kind })
}

fn path(members: &mut Members) -> Result<Option<String>, BadRequest> {
    let path: Option<String> = members.optional("path")?;
    match path {
        Some(path) if path.is_empty() => Err(BadRequest::Invalid { name: "path", reason: "empty".to_owned() }),
        Some(path) if path != "*" && !path.starts_with('/') => {
            Err(BadRequest::Invalid { name: "path", reason: "neither * nor a path".to_owned() })
        }
        path => Ok(path),
    }
}

fn kind(members: &mut Members) -> Result<FaultKind, BadRequest> {
    let kind = match members.text("fault")?.as_str() {
        "latency" => FaultKind::Latency { ms: members.required("ms")? },
        "drop_before" => FaultKind::DropBefore,
        "drop_after" => FaultKind::DropAfter,
        "reset_before" => FaultKind::ResetBefore,
        "reset_after" => FaultKind::ResetAfter,
        "half_answer" => FaultKind::HalfAnswer,
        "http_status" => {
            let status = members.required("status")?;
            if !(200..=999).contains(&status) {
                return Err(BadRequest::Invalid { name: "status", reason: "not within 200 to 999".to_owned() });
            }
            FaultKind::HttpStatus { status }
        }
        "garbage" => FaultKind::Garbage,
        "slow_bytes" => FaultKind::SlowBytes { ms_per_byte: members.required("ms_per_byte")? },
        "hang" => FaultKind::Hang,
        "errcode" => {
            FaultKind::Errcode { errcode: members.required("errcode")?, errmsg: members.optional("errmsg")?.flatten() }
        }
        "huge_answer" => FaultKind::HugeAnswer { bytes: members.required("bytes")? },
        unknown => {
            return Err(BadRequest::Invalid { name: "fault", reason: format!("`{unknown}` is no kind of fault") });
        }
    };
    Ok(kind)
}
