//! Carries the steps of a play out against a running server.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;
use url::Url;

use super::step::{Expect, Step, filled, filled_value};
use crate::base::Secret;
use crate::identity::Directory;
use crate::outbound::{Call, Exchanged, Http, Reply};

/// The server as a provisioning service sees it.
pub struct Stage<'a> {
    pub http: Http,
    /// `https://host/usergroup/scim/v2`.
    pub base: Url,
    /// The issuer's host, if the server is asked beside its public name.
    pub host: Option<String>,
    pub authorization: Secret,
    pub directory: &'a Directory,
}

/// What is known while a play runs: its facts, and what answers brought.
#[derive(Default)]
pub struct Known {
    pub names: BTreeMap<String, String>,
    /// Whole answers.
    pub wholes: BTreeMap<String, Value>,
}

/// What a real one would see of one step.
#[derive(Debug, serde::Serialize)]
pub struct Seen {
    pub step: &'static str,
    /// `ok`, `wrong` or `left_out`.
    pub outcome: &'static str,
    pub method: &'static str,
    /// As it was asked, with the ids of this play.
    pub path: String,
    pub status: Option<u16>,
    pub expected: Vec<u16>,
    /// What is wrong, or why it was left out.
    pub why: Option<String>,
    pub mend: Option<&'static str>,
    /// Whether every answer was one of SCIM, whatever it said.
    #[serde(skip)]
    pub heard: bool,
}

const UNREACHED: &str = "The server must run (`vestibule serve`), be reached at this address and show a certificate that is \
                         trusted here. `--url https://host:port` asks it at another one; `[outbound] ca_files` names \
                         authorities that are trusted besides the system's.";
const FOREIGN: &str = "Something answers in the server's place: a proxy, a bot filter, another program. What begins with \
                       /usergroup/scim/v2/ must come through as it is, requests without User-Agent too.";

/// One step, whole.
pub async fn carry_out(stage: &Stage<'_>, step: &Step, known: &mut Known) -> Seen {
    let mut seen = Seen {
        step: step.says,
        outcome: "ok",
        method: step.method,
        path: filled(step.path, &known.names),
        status: None,
        expected: step.gives.to_vec(),
        why: None,
        mend: None,
        heard: true,
    };
    let missing = step.needs.iter().find(|attribute| !stage.directory.confirms(attribute));
    if let Some(attribute) = missing {
        return Seen { outcome: "left_out", why: Some(format!("`{attribute}` is not confirmed here")), ..seen };
    }
    let each: &[&str] = if step.each.is_empty() { &[""] } else { step.each };
    let asked: Option<Vec<Asked<'_>>> = each.iter().map(|each| Asked::of(step, known, each)).collect();
    let Some(asked) = asked else {
        return Seen { outcome: "left_out", why: Some("a step before it failed".to_owned()), ..seen };
    };
    let answers = join_all(asked.iter().map(|asked| asked.send(stage))).await;
    let mut faults = Vec::new();
    let mut mend = (!step.mend.is_empty()).then_some(step.mend);
    for (asked, answer) in asked.iter().zip(answers) {
        match answer {
            Err(fault) => {
                (seen.heard, mend) = (false, Some(UNREACHED));
                faults.push(fault);
            }
            Ok(answer) if is_foreign(&answer.reply) => {
                (seen.status, seen.heard, mend) = (Some(answer.reply.status), false, Some(FOREIGN));
                faults.push(format!("answered {} with what is no SCIM", answer.reply.status));
            }
            Ok(answer) => {
                seen.status = Some(answer.reply.status);
                faults.extend(asked.judge(stage, answer, known));
            }
        }
        if !faults.is_empty() {
            break;
        }
    }
    if !faults.is_empty() {
        return Seen { outcome: "wrong", why: Some(faults.join("; ")), mend, ..seen };
    }
    seen
}

/// Each answer of ours has a body of a SCIM schema, but 204.
fn is_foreign(reply: &Reply) -> bool {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    reply.status != 204 && body.and_then(|body| body.get("schemas").map(Value::is_array)) != Some(true)
}

/// A step with everything filled in.
struct Asked<'s> {
    step: &'s Step,
    each: &'s str,
    target: String,
    body: Option<Value>,
    expects: Vec<Expect>,
}

impl<'s> Asked<'s> {
    /// `None`: something that an earlier step should have brought is missing.
    fn of(step: &'s Step, known: &Known, each: &'s str) -> Option<Self> {
        let mut names = known.names.clone();
        names.insert("each".to_owned(), each.to_owned());
        let member = known.names.get(&format!("m{each}")).cloned();
        names.extend(member.map(|id| ("m".to_owned(), id)));
        let target = filled(step.path, &names);
        let mut body = step.body.as_ref().map(|body| filled_value(body, &names));
        if let Some(name) = step.echo {
            body = Some(laid_over(known.wholes.get(name)?.clone(), body.unwrap_or_default()));
        }
        let complete = !target.contains("${") && body.as_ref().is_none_or(|body| !body.to_string().contains("${"));
        let expects = step.expects.iter().map(|expect| expect.filled(&names)).collect();
        complete.then_some(Self { step, each, target, body, expects })
    }

    async fn send(&self, stage: &Stage<'_>) -> Result<Exchanged, String> {
        let url = address(&stage.base, &self.target);
        let body = self.body.as_ref().map(Value::to_string);
        let call = Call {
            method: self.step.method,
            url: &url,
            host: stage.host.as_deref(),
            content_type: body.is_some().then_some("application/scim+json; charset=utf-8"),
            body: body.as_deref(),
            authorization: &stage.authorization,
        };
        stage.http.exchange(&call).await.map_err(|fault| fault.to_string())
    }

    /// The faults of an answer; keeps what is to be kept of a right one.
    fn judge(&self, stage: &Stage<'_>, answer: Exchanged, known: &mut Known) -> Vec<String> {
        let status = answer.reply.status;
        let body: Value = serde_json::from_slice(&answer.reply.body).unwrap_or_default();
        if !self.step.gives.contains(&status) {
            let wanted: Vec<String> = self.step.gives.iter().map(u16::to_string).collect();
            let detail =
                body.get("detail").and_then(Value::as_str).map(|detail| format!(": {}", crate::outbound::cut(detail)));
            return vec![format!(
                "answered {status} in place of {}{}",
                wanted.join(" or "),
                detail.unwrap_or_default()
            )];
        }
        let expects = self.expects.iter().filter(|expect| self.applies(expect, stage.directory));
        let faults: Vec<String> =
            expects.filter_map(|expect| expect.fault(&body, answer.location.as_deref())).collect();
        if faults.is_empty() {
            for (name, pointer) in &self.step.keeps {
                let name = name.replace("${each}", self.each);
                match body.pointer(pointer) {
                    Some(Value::String(text)) => drop(known.names.insert(name, text.clone())),
                    Some(whole) => drop(known.wholes.insert(name, whole.clone())),
                    None => return vec![format!("{pointer} is missing")],
                }
            }
        }
        faults
    }

    /// Whether an expectation is about an attribute that the directory confirms, or about none.
    fn applies(&self, expect: &Expect, directory: &Directory) -> bool {
        let (Expect::Is(pointer, _) | Expect::Nothing(pointer)) = expect else { return true };
        if !self.target.starts_with("/Users") {
            return true;
        }
        let optional = match pointer.trim_start_matches('/').split_once('/') {
            Some(("name", part)) => format!("name.{part}"),
            Some(("emails", _)) => "emails".to_owned(),
            None if *pointer == "/displayName" => "displayName".to_owned(),
            _ => return true,
        };
        directory.confirms(&optional)
    }
}

/// With these fields in place of its own; null takes one away.
fn laid_over(mut whole: Value, changed: Value) -> Value {
    if let (Value::Object(fields), Value::Object(changed)) = (&mut whole, changed) {
        for (key, value) in changed {
            if value.is_null() {
                fields.remove(&key);
            } else {
                fields.insert(key, value);
            }
        }
    }
    whole
}

/// The address below the base; parameters encoded as these services do, spaces as `+`.
fn address(base: &Url, target: &str) -> Url {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    if !query.is_empty() {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_keeps_the_base_and_encodes_its_parameters() {
        let base = Url::parse("https://id.example.com/usergroup/scim/v2").unwrap();
        let url = address(&base, "/Users?filter=userName eq \"a+b\"&count=2");
        assert_eq!(
            url.as_str(),
            "https://id.example.com/usergroup/scim/v2/Users?filter=userName+eq+%22a%2Bb%22&count=2"
        );
    }

    #[test]
    fn an_echo_has_the_changed_fields_and_lacks_the_removed_ones() {
        assert_eq!(laid_over(json!({"a": 1, "b": 2, "c": 3}), json!({"b": null, "c": 4})), json!({"a": 1, "c": 4}));
    }
}
