//! The top of the page: the verdict, the two sides, counts, and one row a drifted subject.

use super::{badge, name, scrolling};
use crate::render::words::{self, visible};
use maud::{Markup, html};
use plumbline_governance::badge::Badge;
use plumbline_governance::report::{ChangeType, Report, Side, Trust, TypeCounts};

/// What was compared, and the last word on it.
pub(super) fn header(report: &Report) -> Markup {
    let (verdict, colour) = words::verdict(report);
    html! {
        header {
            p class="eyebrow" { "Baseline compare" }
            h1 { (visible(&report.current.source)) " " span class="muted" { "held to" } " " (visible(&report.baseline.source)) }
            div class={ "verdict " (colour.colour.name()) } {
                p class="word" { (verdict) }
                p { (badge(words::trust(report.trust))) " " (trust_in_words(report.trust)) }
            }
            dl class="sides" {
                (side("Baseline", &report.baseline))
                (side("Current", &report.current))
            }
        }
    }
}

fn trust_in_words(trust: Trust) -> &'static str {
    match trust {
        Trust::Full => "Everything in scope was read in full on both sides.",
        Trust::PartialSuppressed => {
            "Some subjects have no verdict; what is not listed as drift is not proven equal."
        }
        Trust::UnprovenSuppressed => "Too little was read to prove anything.",
    }
}

fn side(title: &str, side: &Side) -> Markup {
    html! {
        div {
            dt { (title) }
            dd {
                strong { (name(&side.source)) }
                div { (words::count(side.policies, "policy", "policies")) " in scope" }
                div class="muted" {
                    @if side.tenant_facts { "The tenant's own ids and domains were set aside." }
                    @else { "Without facts of the tenant: its ids and domains count as settings." }
                }
            }
        }
    }
}

/// Counts, in all and by type.
pub(super) fn summary(report: &Report) -> Markup {
    let summary = &report.summary;
    let tile = |number: usize, label: &Markup| {
        html! { li { span class="number" { (words::grouped(number)) } (label) } }
    };
    let plain = |label: &str| html! { span class="label" { (label) } };
    let by_type = html! {
        table class="numbers" {
            thead { tr {
                th scope="col" { "Type" }
                th scope="col" { "Baseline" }
                th scope="col" { "Current" }
                @for label in COLUMNS.map(|of| of().label) { th scope="col" { (label) } }
                th scope="col" { "No verdict" }
            } }
            tbody {
                @for (policy_type, counts) in &summary.by_type {
                    (type_row(policy_type, *counts))
                }
            }
        }
    };
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            ul class="tiles" {
                (tile(summary.compared, &plain("Compared")))
                (tile(summary.unchanged, &badge(words::unchanged())))
                (tile(summary.missing_policy, &badge(words::change_type(ChangeType::MissingPolicy))))
                (tile(summary.different_version, &badge(words::change_type(ChangeType::DifferentVersion))))
                (tile(summary.unexpected_policy, &badge(words::change_type(ChangeType::UnexpectedPolicy))))
                (tile(summary.suppressed, &plain("Without a verdict")))
            }
            @if let Some(roles) = summary.rbac_role_definitions {
                p class="roles" {
                    (words::count(roles.total_compared, "role definition", "role definitions")) " compared:"
                    @for (badge, number) in words::roles(roles).into_iter().filter(|(_, number)| *number > 0) {
                        " " span class="pair" { (words::grouped(number)) " " (super::badge(badge)) }
                    }
                }
            }
            @if !summary.by_type.is_empty() { (scrolling("Counts by type", &by_type)) }
        }
    }
}

/// The badges over the counts of a type, in the order of [`type_row`].
const COLUMNS: [fn() -> Badge; 4] = [
    words::unchanged,
    || words::change_type(ChangeType::MissingPolicy),
    || words::change_type(ChangeType::DifferentVersion),
    || words::change_type(ChangeType::UnexpectedPolicy),
];

fn type_row(policy_type: &str, counts: TypeCounts) -> Markup {
    let numbers = [
        counts.baseline,
        counts.current,
        counts.unchanged,
        counts.missing_policy,
        counts.different_version,
        counts.unexpected_policy,
        counts.suppressed,
    ];
    html! {
        tr {
            th scope="row" { (visible(policy_type)) }
            @for number in numbers {
                td class=[(number == 0).then_some("zero")] { (words::grouped(number)) }
            }
        }
    }
}

/// One row a drifted subject, with a link to its evidence.
pub(super) fn drift(report: &Report) -> Markup {
    if report.drift.is_empty() {
        return html! {};
    }
    let rows = html! {
        table {
            thead { tr {
                th scope="col" { "Severity" }
                th scope="col" { "Drift" }
                th scope="col" { "Policy" }
                th scope="col" { "What" }
            } }
            tbody {
                @for (at, drift) in report.drift.iter().enumerate() {
                    tr {
                        td { (badge(words::severity(drift.severity))) }
                        td { (badge(words::change_type(drift.change_type))) }
                        td {
                            a href={ "#drift-" (at + 1) } { (name(&drift.display_name)) }
                            div class="muted" { (visible(&drift.policy_type)) }
                        }
                        td {
                            (words::diff_kind(drift.diff_kind).label)
                            @if let Some(detail) = words::detail(drift) { div { code { (detail) } } }
                            @if let Some(note) = words::match_note(drift) { div class="muted" { (note) } }
                        }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="drift" {
            h2 id="drift" { "Drift" }
            (scrolling("Drift", &rows))
        }
    }
}
