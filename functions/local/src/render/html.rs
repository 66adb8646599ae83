//! One page that stands alone: what a reviewer reads, prints and keeps. No script, nothing from
//! elsewhere; the policy in its head forbids both, should a name ever get past the escaping.

mod evidence;
mod overview;
mod style;

use super::words::{self, visible};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use plumbline_governance::badge::Badge;
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{Gap, Report};

/// Writes the report as a page of its own.
#[must_use]
pub(crate) fn html(report: &Report) -> String {
    let (verdict, _) = words::verdict(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Baseline compare: " (verdict) }
                style { (PreEscaped(style::sheet())) }
            }
            body {
                (overview::header(report))
                main {
                    (overview::summary(report))
                    (overview::drift(report))
                    (evidence::section(report))
                    (pairs(report))
                    (suppressed(report))
                    (gaps("gaps", "Gaps", "What was not read, not understood or not provable, and what to do about it.", &words::gap_groups(report)))
                    (gaps("notes", "Notes", "Files that have no effect on the verdict.", &words::notes(report)))
                }
                footer {
                    p { "Made by plumbline " (env!("CARGO_PKG_VERSION")) " from a report of version " (report.schema_version)
                        ". Baseline digest " code { (visible(&report.baseline.digest)) }
                        ", current digest " code { (visible(&report.current.digest)) } "." }
                    p { "Characters that show nothing, or that turn text around, are written out, such as " code { "\\u{202e}" }
                        ". Long values are cut; the JSON format has all of every value." }
                }
            }
        }
    };
    page.into_string() + "\n"
}

/// A badge: always its text; colour only repeats it.
fn badge(badge: Badge) -> Markup {
    html! { span class={ "badge " (badge.colour.name()) } { (badge.label) } }
}

/// A name or value of a tenant, which may be written in any direction but keeps it to itself.
fn name(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// A wide table scrolls by itself, and can be reached to do so with the keyboard.
fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div class="scroll" role="region" aria-label=(label) tabindex="0" { (table) } }
}

fn pairs(report: &Report) -> Markup {
    if report.pairs.is_empty() {
        return html! {};
    }
    let rows = html! {
        table {
            thead { tr {
                th scope="col" { "Match" }
                th scope="col" { "Baseline" }
                th scope="col" { "Current" }
                th scope="col" { "Why" }
            } }
            tbody {
                @for pair in &report.pairs {
                    tr {
                        td { (badge(words::matched_by(pair.matched_by))) " " span class="muted" { (pair.confidence) " %" } }
                        td { (name(&pair.baseline)) (file(&pair.baseline_file)) }
                        td { (name(&pair.current)) (file(&pair.current_file)) }
                        td { (visible(&pair.reason)) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="pairs" {
            h2 id="pairs" { "Matched by something weaker than the key" }
            p class="lead" { "These were compared as one. Look whether they are." }
            (scrolling("Pairs", &rows))
        }
    }
}

fn suppressed(report: &Report) -> Markup {
    if report.suppressed.is_empty() {
        return html! {};
    }
    let rows = html! {
        table {
            thead { tr {
                th scope="col" { "Why" }
                th scope="col" { "Subject" }
                th scope="col" { "Would be" }
                th scope="col" { "Reason" }
            } }
            tbody {
                @for subject in &report.suppressed {
                    tr {
                        td { (badge(words::gap(subject.gap))) }
                        td { (name(&subject.display_name)) div class="muted" { (visible(&subject.policy_type)) } (file(&subject.source_file)) }
                        td { @if let Some(kind) = subject.change_type { (badge(words::change_type(kind))) } @else { "–" } }
                        td { (visible(&subject.reason)) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="suppressed" {
            h2 id="suppressed" { "Without a verdict" }
            p class="lead" { "Not proven equal, not proven different." }
            (scrolling("Subjects without a verdict", &rows))
        }
    }
}

fn gaps(id: &str, title: &str, lead: &str, groups: &[(GapKind, Vec<&Gap>)]) -> Markup {
    if groups.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            p class="lead" { (lead) }
            @for (kind, gaps) in groups {
                h3 { (badge(words::gap(*kind))) " " span class="muted" { (words::grouped(gaps.len())) } }
                ul class="gaps" {
                    @for gap in gaps {
                        li {
                            (visible(&gap.detail))
                            div class="muted" { (gap.side.unwrap_or("both sides")) ", " (visible(gap.policy_type.as_deref().unwrap_or("type unknown"))) }
                            (file(&gap.source_file))
                        }
                    }
                }
            }
        }
    }
}

fn file(source_file: &str) -> Markup {
    html! { @if !source_file.is_empty() { div class="file" { (visible(source_file)) } } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn names_are_text_and_nothing_else() {
        let page = html(&sample::report());
        assert!(
            !page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;")
        );
        assert!(page.contains("Temp\\u{202e}"));
        let hidden: Vec<char> = page
            .chars()
            .filter(|char| *char != '\n' && plumbline_governance::text::is_hidden(*char))
            .collect();
        assert!(hidden.is_empty(), "{hidden:?}");
    }

    #[test]
    fn every_text_of_a_report_is_escaped() {
        let evil = "\"'><img src=x onerror=alert(1)>&\u{202e}";
        let mut report = sample::report();
        report.baseline.source = evil.to_owned();
        report.current.digest = evil.to_owned();
        let counts = report.summary.by_type["termsAndConditions"];
        report.summary.by_type.insert(evil.to_owned(), counts);
        for drift in &mut report.drift {
            drift.display_name = evil.to_owned();
            drift.policy_type = evil.to_owned();
            drift.possibly_same_as = Some(evil.to_owned());
            for version in [&mut drift.baseline, &mut drift.current].into_iter().flatten() {
                version.source_file = evil.to_owned();
                version.external_id = Some(evil.to_owned());
                version.display_name = Some(evil.to_owned());
            }
            for change in &mut drift.changes {
                change.path = format!("a/{{{evil}}}/{evil}");
                change.before = Some(serde_json::json!({ evil: evil }));
                change.after = Some(serde_json::json!([evil, "line\nline"]));
            }
        }
        report.drift[0].changes[0].before = Some(serde_json::json!(format!("{evil}\n{evil}")));
        report.drift[0].changes[0].after = Some(serde_json::json!(evil));
        report.pairs[0].baseline = evil.to_owned();
        report.pairs[0].current_file = evil.to_owned();
        report.pairs[0].reason = evil.to_owned();
        report.suppressed[0].display_name = evil.to_owned();
        report.suppressed[0].reason = evil.to_owned();
        report.gaps[0].detail = evil.to_owned();
        report.gaps[0].source_file = evil.to_owned();
        report.gaps[4].policy_type = Some(evil.to_owned());
        let page = html(&report);
        assert!(!page.contains("<img") && !page.contains('\u{202e}'));
        assert!(!page.contains("\"'>") && page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    }

    #[test]
    fn the_page_stands_alone() {
        let page = html(&sample::report());
        for foreign in
            ["http:", " src=", "<link", "url(", "@import", " onclick", "<iframe", "<form"]
        {
            assert!(!page.contains(foreign), "{foreign}");
        }
        // The one address in it is the name of a policy, and not a link.
        assert_eq!(page.matches("https:").count(), page.matches("(https://evil.example)").count());
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
        assert_eq!(page, html(&sample::report()));
    }

    #[test]
    fn what_is_urgent_is_open() {
        let report = sample::report();
        let page = html(&report);
        assert_eq!(page.matches("<details").count(), report.drift.len());
        assert_eq!(page.matches("<details open").count(), 3);
    }
}
