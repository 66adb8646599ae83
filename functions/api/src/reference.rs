//! The reference as a page for people: the document, laid out. It loads nothing and runs nothing.

use crate::problem::{KINDS, TYPE_PREFIX};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1d2433;--dim:#56607a;--line:#d8dde8;--page:#fff;--soft:#f4f6fa;--link:#1c57c4}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f2;--dim:#a3acc2;--line:#343c50;--page:#12161f;--soft:#1b2130;--link:#8ab4ff}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page)}
a{color:var(--link)}nav{position:sticky;top:0;background:var(--page);border-bottom:1px solid var(--line);padding:.6rem 1.2rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem}nav a{white-space:nowrap}main{max-width:64rem;margin:0 auto;padding:1.2rem}
h1{font-size:1.7rem;margin:.6rem 0}h2{margin:2.2rem 0 .3rem;border-bottom:1px solid var(--line);padding-bottom:.2rem;scroll-margin-top:4rem}
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;background:var(--soft)}
summary{cursor:pointer;padding:.5rem .8rem;display:flex;gap:.8rem;align-items:baseline;flex-wrap:wrap}
details>div{padding:0 .8rem .8rem}code{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}
.method{font-weight:700;min-width:4.2rem}.dim{color:var(--dim)}table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-top:1px solid var(--line)}th{font-weight:600}
.scroll{overflow-x:auto}
";

/// Lays the document out.
pub(crate) fn page(document: &Value) -> String {
    let empty = Vec::new();
    let tags = document["tags"].as_array().unwrap_or(&empty);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Plumbline API reference" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav aria-label="Chapters" {
                    @for tag in tags { a href={ "#" (slug(word(tag, "name"))) } { (word(tag, "name")) } }
                    a href="#problems" { "Problems" }
                    a href="#shapes" { "Shapes" }
                }
                main {
                    h1 { "Plumbline API" }
                    p class="dim" { "Version " (word(&document["info"], "version")) " · " a href="/openapi.json" { "OpenAPI 3.1 document" } }
                    p { (prose(word(&document["info"], "description"))) }
                    @for tag in tags { (chapter(document, tag)) }
                    (problems())
                    (shapes(document))
                }
            }
        }
    }
    .into_string()
}

fn word<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// Text with what stands between backticks as code.
fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn chapter(document: &Value, tag: &Value) -> Markup {
    let name = word(tag, "name");
    let routes = document["paths"].as_object().into_iter().flatten().flat_map(|(path, methods)| {
        let of_tag = move |(method, operation): (&'static str, &'_ Value)| {
            (operation["tags"][0] == name).then_some((path, method))
        };
        ["get", "post", "put", "patch", "delete"]
            .into_iter()
            .filter_map(move |method| methods.get(method).map(|operation| (method, operation)))
            .filter_map(of_tag)
    });
    html! {
        h2 id=(slug(name)) { (name) }
        p class="dim" { (word(tag, "description")) }
        @for (path, method) in routes { (route(path, method, &document["paths"][path][method])) }
    }
}

fn route(path: &str, method: &str, operation: &Value) -> Markup {
    let empty = Vec::new();
    let parameters = operation["parameters"].as_array().unwrap_or(&empty);
    let access = &operation["x-access"];
    html! {
        details id=(word(operation, "operationId")) {
            summary {
                span class="method" { (method.to_uppercase()) }
                code { (path) }
                span class="dim" { (word(operation, "summary")) }
            }
            div {
                @if let Some(about) = operation["description"].as_str() { p { (prose(about)) } }
                p class="dim" {
                    "Needs: " (word(access, "who"))
                    @if let Some(capability) = access["capability"].as_str() { ", capability " code { (capability) } }
                }
                @if !parameters.is_empty() {
                    div class="scroll" tabindex="0" { table {
                        thead { tr { th { "Parameter" } th { "In" } th { "Form" } th { "Meaning" } } }
                        tbody { @for one in parameters { tr {
                            td { code { (word(one, "name")) } }
                            td { (word(one, "in")) }
                            td { (form(&one["schema"])) }
                            td { (prose(word(one, "description"))) }
                        } } }
                    } }
                }
                @if let Some(content) = operation["requestBody"]["content"].as_object() {
                    p { "Body: " @for (media, shape) in content { code { (media) } " " (form(&shape["schema"])) " " } }
                }
                div class="scroll" tabindex="0" { table {
                    thead { tr { th { "Status" } th { "Body" } th { "Meaning" } } }
                    tbody { @for (status, answer) in operation["responses"].as_object().into_iter().flatten() { tr {
                        td { (status) }
                        td { @for (_, shape) in answer["content"].as_object().into_iter().flatten() { (form(&shape["schema"])) " " } }
                        td { (word(answer, "description")) }
                    } } }
                } }
            }
        }
    }
}

/// The form of a value in a few words, with a link where it has a name.
fn form(schema: &Value) -> Markup {
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#shape-" (name) } { (name) } };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return html! { (words.join(" · ")) };
    }
    if let Some(choices) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        return html! { @for (at, choice) in choices.iter().enumerate() { @if at > 0 { " or " } (form(choice)) } };
    }
    if let Some(only) = schema.get("const") {
        return html! { code { (only.to_string()) } };
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    };
    html! {
        (kind)
        @if kind == "array" { " of " (form(&schema["items"])) }
        @if let Some(format) = schema["format"].as_str() { " (" (format) ")" }
        @if let Some(pattern) = schema["pattern"].as_str() { " " code { (pattern) } }
    }
}

fn problems() -> Markup {
    html! {
        h2 id="problems" { "Problems" }
        p class="dim" { "What is no success is a problem; its type is " code { (TYPE_PREFIX) } " and one of these words." }
        div class="scroll" tabindex="0" { table {
            thead { tr { th { "Status" } th { "Word" } th { "Meaning" } th { "Next step" } } }
            tbody { @for kind in KINDS { tr {
                td { (kind.status.as_u16()) } td { code { (kind.word) } } td { (kind.title) } td { (prose(kind.next_step)) }
            } } }
        } }
    }
}

fn shapes(document: &Value) -> Markup {
    html! {
        h2 id="shapes" { "Shapes" }
        @for (name, shape) in document["components"]["schemas"].as_object().into_iter().flatten() {
            details id={ "shape-" (name) } {
                summary { code { (name) } span class="dim" { (word(shape, "description").lines().next().unwrap_or_default()) } }
                div {
                    @let choices = shape["oneOf"].as_array().or_else(|| shape["anyOf"].as_array());
                    @if let Some(choices) = choices {
                        @for choice in choices { p { (form(choice)) " " span class="dim" { (word(choice, "description")) } } (members(choice)) }
                    }
                    @if shape["enum"].is_array() { p { (form(shape)) } }
                    (members(shape))
                }
            }
        }
    }
}

fn members(shape: &Value) -> Markup {
    let required = shape["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    html! {
        @if let Some(members) = shape["properties"].as_object() {
            div class="scroll" tabindex="0" { table {
                thead { tr { th { "Member" } th { "Form" } th { "Meaning" } } }
                tbody { @for (name, member) in members { tr {
                    td { code { (name) } @if !is_required(name) { " " span class="dim" { "optional" } } }
                    td { (form(member)) }
                    td { (prose(word(member, "description"))) }
                } } }
            } }
        }
    }
}
