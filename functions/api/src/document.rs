//! The `OpenAPI` document, made from the table of routes and the shapes of its types.

use crate::once;
use crate::problem::{KINDS, Problem};
use crate::table::{Access, Answer, Route, Shape, table};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where the shapes stand.
const SHAPES: &str = "/components/schemas";

/// Makes the document.
pub(crate) fn document() -> Value {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SHAPES.into();
            settings.meta_schema = None;
        })
    };
    // What is read and what is written differ: a member with a default may be left out by a caller, and
    // is always there in an answer.
    let mut answers = SchemaGenerator::new(settings().for_serialize());
    let mut requests = SchemaGenerator::new(settings().for_deserialize());
    let mut paths = Map::new();
    let problem = answers.subschema_for::<Problem>().to_value();
    for route in table() {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_lowercase();
        if let Value::Object(methods) = entry {
            methods.insert(method, operation(&route, &mut answers, &mut requests, &problem));
        }
    }
    let mut read = requests.take_definitions(true);
    let written = answers.take_definitions(true);
    let mut paths = Value::Object(paths);
    for name in apart(&read, &written) {
        let (from, to) = (reference(&name), reference(&format!("{name}Input")));
        rename(&mut paths, &from, &to);
        for shape in read.values_mut() {
            rename(shape, &from, &to);
        }
        if let Some(shape) = read.remove(&name) {
            read.insert(format!("{name}Input"), shape);
        }
    }
    let mut shapes = written;
    shapes.extend(read);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Plumbline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This server" }],
        "security": [{ "token": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": shapes,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token of a trusted issuer, for this API's audience and scope.",
            } },
        },
    })
}

const ABOUT: &str = "Holds Microsoft Intune tenants to a golden master. \
    Lists are paged: pass `next_cursor` as `cursor` until it is null; a cursor belongs to its list and its \
    filters for a day. A change takes `If-Match` with the `ETag` that was read, so that nobody's change is \
    lost. A POST takes an `Idempotency-Key`: repeated with the same key within a day, it is answered as the \
    first time and not done again. Errors are problems (RFC 9457) with a stable `type` and a next step. What \
    is not there and what is another's are answered alike.";

fn reference(name: &str) -> String {
    format!("#{SHAPES}/{name}")
}

/// The shapes that callers write otherwise than they read them, and all that hold one of those.
fn apart(read: &Map<String, Value>, written: &Map<String, Value>) -> BTreeSet<String> {
    let mut apart: BTreeSet<String> = read
        .iter()
        .filter(|(name, shape)| written.get(*name).is_some_and(|other| other != *shape))
        .map(|(name, _)| name.clone())
        .collect();
    loop {
        let holds = |shape: &Value| {
            let text = shape.to_string();
            apart.iter().any(|name| text.contains(&format!("\"{}\"", reference(name))))
        };
        let more: Vec<String> = read
            .iter()
            .filter(|(name, shape)| !apart.contains(*name) && holds(shape))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return apart;
        }
        apart.extend(more);
    }
}

/// Renames a reference everywhere but in answers.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(map) => map
            .iter_mut()
            .filter(|(key, _)| *key != "responses")
            .for_each(|(_, inner)| rename(inner, from, to)),
        Value::Array(list) => list.iter_mut().for_each(|inner| rename(inner, from, to)),
        Value::String(text) if text == from => to.clone_into(text),
        _ => {}
    }
}

fn tags() -> Vec<Value> {
    let mut seen = Vec::new();
    for route in table() {
        if !seen.contains(&route.tag) {
            seen.push(route.tag);
        }
    }
    seen.into_iter().map(|tag| json!({ "name": tag, "description": about_tag(tag) })).collect()
}

fn about_tag(tag: &str) -> &'static str {
    match tag {
        "Workspaces" => "Owners of baselines.",
        "Members" => "Who may do what in a workspace.",
        "Tenants" => "Who is governed.",
        "Inventory" => "What a tenant has, as it was imported.",
        "Profiles" => "What tenants are held to.",
        "Snapshots" => "Golden masters, frozen.",
        "Assignments" => "Which tenant is held to which profile.",
        "Compares" => "Compares on demand.",
        "Runs" => "How work goes, and how it ended.",
        "Findings" => "What drifted, and what people decided.",
        "Posture" => "How everything stands.",
        "Exports" => "Findings for other programs.",
        "Audit" => "Who changed what.",
        "Catalogs" => "What is the same for everyone.",
        _ => "The service itself.",
    }
}

/// The name of a route in generated clients: method and the words of the path.
fn operation_id(route: &Route) -> String {
    let words = route
        .path
        .split('/')
        .filter(|part| !part.is_empty() && *part != "v1")
        .map(|part| part.trim_matches(['{', '}']).replace(['-', '.'], "_"));
    std::iter::once(route.method.as_str().to_lowercase()).chain(words).collect::<Vec<_>>().join("_")
}

fn operation(
    route: &Route,
    answers: &mut SchemaGenerator,
    requests: &mut SchemaGenerator,
    problem: &Value,
) -> Value {
    let mut responses = Map::new();
    for answer in &route.answers {
        responses.insert(answer.status.to_string(), success(answer, answers));
    }
    for (status, words) in problems(route) {
        responses.insert(
            status.to_string(),
            json!({
                "description": words.join(" "),
                "content": { "application/problem+json": { "schema": problem } },
            }),
        );
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": parameters(route, requests),
        "responses": responses,
        "x-access": access(route.access),
    });
    if !route.about.is_empty() {
        operation["description"] = route.about.into();
    }
    if route.access == Access::Public {
        operation["security"] = json!([]);
    }
    if !route.body.is_empty() {
        let content: Map<String, Value> = route
            .body
            .iter()
            .map(|shape| (shape.media.to_owned(), content(shape, requests)))
            .collect();
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

fn content(shape: &Shape, generator: &mut SchemaGenerator) -> Value {
    match shape.of {
        Some(of) => json!({ "schema": of(generator).to_value() }),
        // Any JSON that holds something: a log, or documents one after another.
        None if shape.media.ends_with("json") && !shape.media.ends_with("ndjson") => {
            json!({ "schema": { "type": ["object", "array"] } })
        }
        None => json!({ "schema": { "type": "string", "format": "binary" } }),
    }
}

fn success(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    let mut out = json!({ "description": answer.what });
    let content: Map<String, Value> = answer
        .shapes
        .iter()
        .map(|shape| (shape.media.to_owned(), content(shape, generator)))
        .collect();
    if !content.is_empty() {
        out["content"] = content.into();
    }
    let mut headers = Map::new();
    let text = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    if answer.location {
        headers.insert("Location".to_owned(), text("Where it is read."));
    }
    if answer.etag {
        headers.insert("ETag".to_owned(), text("Its revision, for `If-Match`."));
    }
    if !headers.is_empty() {
        out["headers"] = headers.into();
    }
    out
}

/// Which problems a route may answer with, by status.
fn problems(route: &Route) -> std::collections::BTreeMap<u16, Vec<&'static str>> {
    let has_body = !route.body.is_empty();
    let is_change = route.method != axum::http::Method::GET;
    let may = |word: &str| match word {
        "invalid_cursor" => route.query.is_some(),
        "unauthenticated" | "rate_limited" | "forbidden" | "refused" | "conflict" => {
            route.access != Access::Public
        }
        "not_found" => route.path.contains('{') || route.access != Access::Public,
        "method_not_allowed" => false,
        "in_progress" | "idempotency_key_reused" => route.once,
        "stale" => route.if_match,
        "too_large" => has_body || route.once,
        "unsupported_media_type" => has_body || route.path.ends_with("/import"),
        "invalid" => is_change || route.query.is_some(),
        _ => true,
    };
    let mut out = std::collections::BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| may(kind.word)) {
        out.entry(kind.status.as_u16()).or_insert_with(Vec::new).push(kind.title);
    }
    out
}

fn access(access: Access) -> Value {
    let (who, capability) = match access {
        Access::Public => ("everyone", None),
        Access::Token => ("token", None),
        Access::Member(capability) => ("member", Some(capability.as_str())),
        Access::WholeWorkspace(capability) => {
            ("member of the whole workspace", Some(capability.as_str()))
        }
    };
    json!({ "who": who, "capability": capability })
}

fn parameters(route: &Route, requests: &mut SchemaGenerator) -> Vec<Value> {
    let mut out: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "description": about_part(name), "schema": part_shape(name),
            })
        })
        .collect();
    if let Some(of) = route.query {
        out.extend(query(&of(requests).to_value()));
    }
    let header = |name: &str, about: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": about, "schema": schema });
    if route.if_match {
        out.push(header(
            "If-Match",
            "The `ETag` that was read; the change is made only if it still holds.",
            json!({ "type": "string", "pattern": "^(\\*|\"r[0-9]{1,19}\")$" }),
        ));
    }
    if route.once {
        out.push(header(
            once::HEADER,
            "Names this request, so that it is done once however often it is sent.",
            json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" }),
        ));
    }
    out
}

/// Members of a query's shape as parameters. A member that is a list is one text with commas.
fn query(shape: &Value) -> Vec<Value> {
    let Some(Value::Object(members)) = shape.get("properties") else { return Vec::new() };
    members
        .iter()
        .map(|(name, member)| {
            let mut schema = member.clone();
            let about = schema.as_object_mut().and_then(|map| map.remove("description"));
            strip_null(&mut schema);
            let is_list = schema.get("type") == Some(&json!("array"));
            let mut out =
                json!({ "name": name, "in": "query", "required": false, "schema": schema });
            if let Some(about) = about {
                out["description"] = about;
            }
            if is_list {
                out["style"] = "form".into();
                out["explode"] = false.into();
            }
            out
        })
        .collect()
}

/// A query has no null: what is not given is left out.
fn strip_null(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("default");
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
        choices.retain(|one| one.get("type") != Some(&json!("null")));
        if let [only] = choices.as_slice() {
            let only = only.clone();
            *schema = only;
        }
    }
}

/// An id as Graph gives it.
const GUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

fn about_part(name: &str) -> &'static str {
    match name {
        "workspace" => "The workspace.",
        "tenant" => "The tenant.",
        "profile" => "The profile.",
        "snapshot" => "The snapshot.",
        "run" => "The run.",
        "finding" => "The finding.",
        "member" => "The member: its `member_id`.",
        "role" => "The id of a role of the baseline, as Graph gives it.",
        "item" => "The subject: its `item_id`.",
        "upload" => "The upload.",
        "number" => "The number of the part, from 1 to 1000.",
        _ => "Its id.",
    }
}

fn part_shape(name: &str) -> Value {
    let prefix = match name {
        "workspace" => "wsp",
        "tenant" => "ten",
        "profile" => "prf",
        "snapshot" => "snp",
        "run" => "run",
        "finding" => "fnd",
        "upload" => "upl",
        "number" => return json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
        "role" => return json!({ "type": "string", "format": "uuid", "pattern": GUID }),
        _ => return json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
    };
    json!({ "type": "string", "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_has_its_shape_and_every_operation_a_name_of_its_own() {
        let document = document();
        let shapes = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"").skip(1) {
            let target = part.split('"').next().unwrap();
            let name =
                target.strip_prefix("#/components/schemas/").unwrap_or_else(|| panic!("{target}"));
            assert!(shapes.contains_key(name), "{name}");
        }
        let mut names = BTreeSet::new();
        for route in table() {
            assert!(names.insert(operation_id(&route)), "{}", operation_id(&route));
            assert!(!route.summary.is_empty() && !route.tag.is_empty(), "{}", route.path);
            assert!(!route.answers.is_empty(), "{}", route.path);
        }
    }
}
