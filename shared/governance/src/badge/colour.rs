//! The colours a badge may have, and how each is painted on a page and in a terminal.

use serde::Serialize;
use std::fmt;
use std::ops::RangeInclusive;

/// The meaning of a badge as a colour, in the words of the design's component set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Neutral: nothing to do, or nothing known.
    Gray,
    /// Under way, or worth knowing.
    Info,
    /// Good, finished and proven.
    Success,
    /// Incomplete, waiting for a person, or not proven.
    Warning,
    /// Failed, blocked or lost.
    Danger,
    /// Set apart from its peers without being better or worse.
    Primary,
}

/// The two themes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark text on a light page.
    Light,
    /// Light text on a dark page.
    Dark,
}

/// The hex colours (`#rrggbb`) a badge is painted with in one theme.
///
/// Text and icon hold 4.5:1 against the fill and against the page, the border 3:1 against both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Paint {
    /// The text and the icon.
    pub text: &'static str,
    /// The area behind the text.
    pub fill: &'static str,
    /// The line around the area.
    pub border: &'static str,
}

impl Theme {
    /// Both themes.
    pub const ALL: &'static [Self] = &[Self::Light, Self::Dark];

    /// Returns the colour of the page on which the contrast of the badges is guaranteed.
    #[must_use]
    pub const fn page(self) -> &'static str {
        match self {
            Self::Light => "#ffffff",
            Self::Dark => "#18181b",
        }
    }
}

impl Colour {
    /// Every colour.
    pub const ALL: &'static [Self] =
        &[Self::Gray, Self::Info, Self::Success, Self::Warning, Self::Danger, Self::Primary];

    /// Returns the word used in JSON and in class names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
            Self::Primary => "primary",
        }
    }

    /// Returns the ranks a badge of this colour may have; primary shares those of info.
    #[must_use]
    pub const fn ranks(self) -> RangeInclusive<u8> {
        match self {
            Self::Danger => 0..=19,
            Self::Warning => 20..=39,
            Self::Info | Self::Primary => 40..=59,
            Self::Gray => 60..=79,
            Self::Success => 80..=99,
        }
    }

    /// Returns the hex colours for a page of that theme.
    #[must_use]
    pub const fn paint(self, theme: Theme) -> Paint {
        let (text, fill, border) = match (theme, self) {
            (Theme::Light, Self::Gray) => ("#3f3f46", "#fafafa", "#71717a"),
            (Theme::Light, Self::Info) => ("#1d4ed8", "#eff6ff", "#2563eb"),
            (Theme::Light, Self::Success) => ("#166534", "#f0fdf4", "#15803d"),
            (Theme::Light, Self::Warning) => ("#92400e", "#fffbeb", "#b45309"),
            (Theme::Light, Self::Danger) => ("#b91c1c", "#fef2f2", "#dc2626"),
            (Theme::Light, Self::Primary) => ("#6d28d9", "#f5f3ff", "#7c3aed"),
            (Theme::Dark, Self::Gray) => ("#d4d4d8", "#27272a", "#a1a1aa"),
            (Theme::Dark, Self::Info) => ("#93c5fd", "#172554", "#60a5fa"),
            (Theme::Dark, Self::Success) => ("#86efac", "#052e16", "#22c55e"),
            (Theme::Dark, Self::Warning) => ("#fcd34d", "#451a03", "#f59e0b"),
            (Theme::Dark, Self::Danger) => ("#fca5a5", "#450a0a", "#f87171"),
            (Theme::Dark, Self::Primary) => ("#c4b5fd", "#2e1065", "#a78bfa"),
        };
        Paint { text, fill, border }
    }

    /// Returns the SGR parameter that sets this foreground in a terminal: `\x1b[<n>m`.
    ///
    /// One of the eight basic colours, which the reader's own theme keeps legible; gray is 39, the
    /// terminal's default, because "bright black" vanishes on the background of common themes.
    #[must_use]
    pub const fn ansi(self) -> u8 {
        match self {
            Self::Danger => 31,
            Self::Success => 32,
            Self::Warning => 33,
            Self::Primary => 35,
            Self::Info => 36,
            Self::Gray => 39,
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
