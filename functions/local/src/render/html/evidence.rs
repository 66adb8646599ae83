//! The evidence of each drifted subject, to be unfolded; on paper it is always unfolded.

use super::{badge, file, name};
use crate::render::words::{self, ActionLine, Evidence, Limits, Line, What, visible};
use maud::{Markup, html};
use plumbline_governance::report::{Drift, MatchedBy, Report, Version};
use plumbline_governance::severity::Severity;

/// Changes of one subject that are shown; a page with more is for a program, not for a person.
const MAX_CHANGES: usize = 200;
/// Characters of a value, lines of a script.
const LIMITS: Limits = Limits { value: 600, lines: 400 };

/// One `details` a subject, the urgent ones open.
pub(super) fn section(report: &Report) -> Markup {
    if report.drift.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="evidence" {
            h2 id="evidence" { "Evidence" }
            @for (at, drift) in report.drift.iter().enumerate() {
                details open[drift.severity == Severity::High] {
                    summary {
                        (badge(words::severity(drift.severity)))
                        " " (badge(words::change_type(drift.change_type)))
                        h3 { (name(&drift.display_name)) }
                        span class="muted" { (visible(&drift.policy_type)) }
                    }
                    // A link to something inside a closed `details` opens it.
                    div class="body" id={ "drift-" (at + 1) } { (subject(drift)) }
                }
            }
        }
    }
}

fn subject(drift: &Drift) -> Markup {
    let actions = drift.role.as_ref().map(words::role_actions).unwrap_or_default();
    let changes: Vec<_> = drift.changes_beside_actions().collect();
    let all = actions.len() + changes.len();
    let shown = all.min(MAX_CHANGES);
    html! {
        p class="rule" { (words::rule(drift.severity_rule)) " " code { (drift.severity_rule) } }
        dl class="facts" {
            @for (title, version) in [("Baseline", &drift.baseline), ("Current", &drift.current)] {
                div { dt { (title) } dd { (one_side(version.as_ref(), &drift.display_name)) } }
            }
            div { dt { "What" } dd { (badge(words::diff_kind(drift.diff_kind))) } }
            @if let Some(by) = drift.matched_by.filter(|by| *by != MatchedBy::Key) {
                div { dt { "Match" } dd {
                    (badge(words::matched_by(by)))
                    @if let Some(confidence) = drift.confidence { " " span class="muted" { (confidence) " %" } }
                } }
            }
            @if let Some(role) = &drift.role {
                div { dt { "Role" } dd {
                    (words::role_sides(role))
                    @if let Some(description) = words::lone_description(role) { div { (description) } }
                } }
            }
            @if let Some(direction) = drift.direction {
                div { dt { "Permissions" } dd { (words::direction(direction)) } }
            }
            @if let Some(other) = &drift.possibly_same_as {
                div { dt { "Possibly the same role" } dd { (name(other)) } }
            }
        }
        @if shown > 0 {
            table class="changes" {
                thead { tr {
                    th scope="col" { "Change" }
                    th scope="col" { "Setting" }
                    th scope="col" { "Baseline" }
                    th scope="col" { "Current" }
                } }
                tbody {
                    @for one in actions.iter().take(shown) { (action(one)) }
                    @for change in changes.iter().take(shown.saturating_sub(actions.len())) {
                        (row(&Evidence::of(change, LIMITS)))
                    }
                }
            }
        }
        @if all > shown {
            p class="muted" {
                (words::count(all - shown, "more change", "more changes")) "; the JSON format has all."
            }
        }
    }
}

fn one_side(version: Option<&Version>, display_name: &str) -> Markup {
    let Some(version) = version else {
        return html! { span class="muted" { "not there" } };
    };
    html! {
        @if let Some(own) = version.display_name.as_deref().filter(|own| *own != display_name) {
            div { (name(own)) }
        }
        (file(&version.source_file))
        @if let Some(id) = &version.external_id { div class="file" { (visible(id)) } }
    }
}

fn action(one: &ActionLine) -> Markup {
    use plumbline_policy::diff::ChangeKind::Added;
    let none = html! { td class="muted" { "–" } };
    html! {
        tr {
            td { (badge(words::kind_badge(one.kind))) }
            th scope="row" {
                code { span class="way" { (one.resource) " › " } (one.action) }
                @if one.privileged { div class="muted" { "privileged" } }
            }
            @if one.kind == Added { (none) td class="after" { "granted" } }
            @else { td class="before" { "granted" } (none) }
        }
    }
}

fn row(found: &Evidence) -> Markup {
    use plumbline_policy::diff::ChangeKind::{Added, Reordered};
    let none = html! { td class="muted" { "–" } };
    html! {
        tr {
            td {
                (badge(words::kind_badge(found.kind)))
                @if found.kind == Reordered { div class="muted" { "another order" } }
            }
            th scope="row" {
                @let (way, setting) = found.path.rsplit_once(" › ").unwrap_or(("", &found.path));
                code {
                    @if !way.is_empty() { span class="way" { (way) " › " } }
                    (setting)
                }
                @if let Some(facet) = found.facet { div class="muted" { (facet) } }
            }
            @match &found.what {
                What::One(value) if found.kind == Added => { (none) td class="after" { code { (value) } } }
                What::One(value) => { td class="before" { code { (value) } } (none) }
                What::Two(before, after) => {
                    td class="before" { code { (before) } }
                    td class="after" { code { (after) } }
                }
                What::Secret => { td colspan="2" { "secret changed" } }
                What::Lines(lines, more) => { td colspan="2" { (diff(lines, *more)) } }
            }
        }
    }
}

fn diff(lines: &[Line], more: usize) -> Markup {
    html! {
        pre class="diff" {
            @for Line { sign, text } in lines {
                @match sign {
                    '-' => { del { "- " (text) } }
                    '+' => { ins { "+ " (text) } }
                    '@' => { span class="at" { (text) } }
                    _ => { span { "  " (text) } }
                }
            }
        }
        @if more > 0 {
            p class="muted" { (words::count(more, "more line", "more lines")) "; the JSON format has all." }
        }
    }
}
