use super::*;
use std::collections::BTreeSet;

/// Values no domain knows: other spellings, near misses and what a fuzzer would try.
const FOREIGN: &[&str] = &[
    "",
    " ",
    "null",
    "NULL",
    "0",
    "1",
    "nonsense",
    "partially_succeeded",
    "ok",
    "green",
    "success ",
    "Ünknown",
];

#[test]
fn every_value_of_every_domain_has_its_badge() {
    let mut listed = 0;
    for &domain in Domain::ALL {
        assert!(!domain.values().is_empty(), "{domain}");
        for &value in domain.values() {
            assert!(domain.knows(value), "{domain} {value}");
            let found = badge(domain, Some(value));
            assert!(catalog().any(|row| row == (domain, value, found)), "{domain} {value}");
            assert_eq!(
                visible_badge(domain, Some(value)),
                (!domain.is_quiet(value)).then_some(found)
            );
            listed += 1;
        }
    }
    assert_eq!(catalog().count(), listed);
}

#[test]
fn what_is_unknown_or_null_is_gray_and_never_success() {
    for &domain in Domain::ALL {
        assert_eq!(badge(domain, None), Badge::UNKNOWN, "{domain}");
        assert_eq!(visible_badge(domain, None), Some(Badge::UNKNOWN), "{domain}");
        let elsewhere =
            catalog().map(|(_, value, _)| value).filter(|value| !domain.values().contains(value));
        for value in FOREIGN.iter().copied().chain(elsewhere) {
            assert!(!domain.knows(value), "{domain} {value}");
            assert_eq!(badge(domain, Some(value)), Badge::UNKNOWN, "{domain} {value}");
            assert_eq!(
                visible_badge(domain, Some(value)),
                Some(Badge::UNKNOWN),
                "{domain} {value}"
            );
        }
        for value in domain.values().iter().map(|value| value.to_uppercase()) {
            assert_eq!(badge(domain, Some(&value)), Badge::UNKNOWN, "{domain} {value}");
        }
    }
    let Badge { label, colour, icon, rank } = Badge::UNKNOWN;
    assert_eq!(
        (label, colour, icon.name(), rank),
        ("Unknown", Colour::Gray, "question-mark-circle", 30)
    );
}

#[test]
fn values_named_unknown_look_like_every_unknown_value() {
    for (domain, value, badge) in catalog() {
        assert_eq!(value == "unknown", badge == Badge::UNKNOWN, "{domain} {value}");
    }
}

#[test]
fn spelling_belongs_to_its_domain() {
    for (domain, known, other) in [
        (Domain::InventorySyncRunStatus, "success", "succeeded"),
        (Domain::EntraGroupSyncRunStatus, "succeeded", "success"),
        (Domain::RestoreRunStatus, "completed", "succeeded"),
        (Domain::BackupScheduleRunStatus, "canceled", "cancelled"),
        (Domain::OperationRunOutcome, "cancelled", "canceled"),
        (Domain::FindingStatus, "accepted", "risk_accepted"),
        (Domain::FindingSeverity, "high", "critical"),
    ] {
        assert!(domain.knows(known), "{domain} {known}");
        assert!(!domain.knows(other), "{domain} {other}");
    }
}

/// Green is a promise. Whoever adds one says so here.
#[test]
fn only_proven_good_ends_are_green() {
    let green: Vec<_> = catalog()
        .filter(|(_, _, badge)| badge.colour == Colour::Success)
        .map(|(domain, value, _)| (domain.name(), value))
        .collect();
    assert_eq!(
        green,
        [
            ("baseline_profile.status", "active"),
            ("baseline_snapshot.state", "complete"),
            ("baseline.support", "supported"),
            ("tenant.status", "active"),
            ("operation_run.outcome", "succeeded"),
            ("inventory_sync_run.status", "success"),
            ("backup_schedule_run.status", "success"),
            ("entra_group_sync_run.status", "succeeded"),
            ("restore_run.status", "completed"),
            ("finding.status", "resolved"),
            ("rbac.classification", "unchanged"),
            ("compare.trust", "full"),
            ("coverage.status", "succeeded"),
            ("verification.check.status", "pass"),
            ("verification.overall", "ready"),
            ("boolean.enabled", "enabled"),
        ]
    );
}

#[test]
fn ranks_are_unique_in_a_domain_and_inside_the_band_of_their_colour() {
    for &domain in Domain::ALL {
        let mut taken = BTreeSet::from([Badge::UNKNOWN.rank]);
        for (value, badge) in domain.rows().iter().filter(|(_, badge)| *badge != Badge::UNKNOWN) {
            assert!(badge.colour.ranks().contains(&badge.rank), "{domain} {value}");
            assert!(taken.insert(badge.rank), "{domain} {value}: rank {} is taken", badge.rank);
        }
    }
    assert!(Colour::Warning.ranks().contains(&Badge::UNKNOWN.rank));
}

#[test]
fn labels_and_icons_are_well_formed_and_labels_differ_inside_a_domain() {
    for &domain in Domain::ALL {
        let mut labels = BTreeSet::new();
        for (value, badge) in domain.rows() {
            assert!(
                badge.label.starts_with(|first: char| first.is_ascii_uppercase()),
                "{domain} {value}"
            );
            assert_eq!(badge.label.trim(), badge.label, "{domain} {value}");
            assert!(labels.insert(badge.label), "{domain} {value}: label is taken");
            let name = badge.icon.name();
            assert!(!name.is_empty() && !name.starts_with("heroicon"), "{domain} {value}");
            assert!(
                name.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{name}"
            );
        }
    }
}

#[test]
fn names_are_unique_and_lead_back() {
    let names: BTreeSet<_> = Domain::ALL.iter().map(|domain| domain.name()).collect();
    assert_eq!(names.len(), Domain::ALL.len());
    for &domain in Domain::ALL {
        assert_eq!(Domain::from_name(domain.name()), Some(domain));
        let values: BTreeSet<_> = domain.values().iter().collect();
        assert_eq!(values.len(), domain.values().len(), "{domain}");
    }
    for name in ["", "finding", "Finding.Status", "finding.status "] {
        assert_eq!(Domain::from_name(name), None, "{name}");
    }
    let colours: BTreeSet<_> = Colour::ALL.iter().map(|colour| colour.name()).collect();
    assert_eq!(colours.len(), Colour::ALL.len());
}

#[test]
fn only_booleans_have_quiet_values_and_quiet_is_neutral() {
    let quiet: Vec<_> = catalog().filter(|(domain, value, _)| domain.is_quiet(value)).collect();
    assert_eq!(quiet.len(), 3);
    for (domain, value, badge) in quiet {
        assert_eq!(domain.values(), ["true", "false"], "{domain}");
        assert_eq!((value, badge.colour), ("false", Colour::Gray), "{domain}");
        assert_eq!(visible_badge(domain, Some(value)), None, "{domain}");
    }
}

#[test]
fn contrast_holds_in_both_themes() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    assert!((contrast("#777777", "#ffffff") - 4.478).abs() < 1e-3);
    for &theme in Theme::ALL {
        for &colour in Colour::ALL {
            let Paint { text, fill, border } = colour.paint(theme);
            for behind in [fill, theme.page()] {
                let (of_text, of_border) = (contrast(text, behind), contrast(border, behind));
                assert!(of_text >= 4.5, "{theme:?} {colour}: text on {behind} has {of_text:.2}:1");
                assert!(
                    of_border >= 3.0,
                    "{theme:?} {colour}: border on {behind} has {of_border:.2}:1"
                );
            }
        }
    }
}

#[test]
fn colours_differ_on_a_page_and_in_a_terminal() {
    for &theme in Theme::ALL {
        let texts: BTreeSet<_> =
            Colour::ALL.iter().map(|colour| colour.paint(theme).text).collect();
        assert_eq!(texts.len(), Colour::ALL.len(), "{theme:?}");
    }
    let codes: BTreeSet<_> = Colour::ALL.iter().map(|colour| colour.ansi()).collect();
    assert_eq!(codes.len(), Colour::ALL.len());
    assert!(codes.iter().all(|code| matches!(code, 31..=36 | 39)));
}

/// The contrast ratio of WCAG 2.2, from 1 to 21.
fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The relative luminance of WCAG 2.2, from 0 to 1.
fn luminance(hex: &str) -> f64 {
    let digits = hex.strip_prefix('#').unwrap();
    assert_eq!(digits.len(), 6, "{hex}");
    let channel = |at: usize| {
        let share = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}
