//! The lines of a terminal page, with or without colour.

use super::Style;
use crate::render::words::{self, Line};
use anstyle::{Ansi256Color, Color};
use plumbline_governance::badge::Colour;
use plumbline_policy::diff::ChangeKind;

/// A narrower terminal gets lines of this width and wraps them itself.
pub(super) const MIN_WIDTH: usize = 60;

/// The text so far.
pub(super) struct Page {
    out: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self { out: String::new(), style }
    }

    pub(super) fn into_text(self) -> String {
        self.out
    }

    pub(super) fn width(&self) -> usize {
        self.style.width.max(MIN_WIDTH)
    }

    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Writes a line of the head: what, and how it is.
    pub(super) fn fact(&mut self, title: &str, fact: &str) {
        for (at, line) in wrapped(fact, self.width().saturating_sub(12)).iter().enumerate() {
            let title = if at == 0 { title } else { "" };
            self.line(&format!("  {title:<8}  {line}"));
        }
    }

    /// Writes a sentence, wrapped at the width of the terminal.
    pub(super) fn sentence(&mut self, indent: usize, sentence: &str) {
        for line in wrapped(sentence, self.width().saturating_sub(indent)) {
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// Writes a quiet sentence below a line, wrapped at the width of the terminal.
    pub(super) fn below(&mut self, indent: usize, sentence: &str) {
        for line in wrapped(sentence, self.width().saturating_sub(indent)) {
            self.line(&format!("{:indent$}{}", "", self.dim(&line)));
        }
    }

    pub(super) fn raw(&mut self, lines: &str) {
        self.out.push_str(lines);
    }

    /// Leaves one empty line, never two.
    pub(super) fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    pub(super) fn heading(&mut self, title: &str) {
        self.blank();
        self.line(&self.strong(title));
    }

    /// Says how many rows of a long list are not shown.
    pub(super) fn more(&mut self, all: usize, shown: usize, one: &str, many: &str) {
        if all > shown {
            let rest = words::count(all - shown, &format!("more {one}"), &format!("more {many}"));
            self.line(&self.dim(&format!("    … {rest}; --format json has all")));
        }
    }

    pub(super) fn strong(&self, text: &str) -> String {
        self.styled(anstyle::Style::new().bold(), text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.styled(anstyle::Style::new().dimmed(), text)
    }

    pub(super) fn paint(&self, colour: Colour, text: &str) -> String {
        self.styled(ansi(colour), text)
    }

    pub(super) fn bold(&self, colour: Colour, text: &str) -> String {
        self.styled(ansi(colour).bold(), text)
    }

    pub(super) fn before_after(&self, before: &str, after: &str) -> (String, String) {
        let side = |kind, value| self.paint(words::kind_badge(kind).colour, value);
        (side(ChangeKind::Removed, before), side(ChangeKind::Added, after))
    }

    pub(super) fn diff_line(&mut self, line: &Line) {
        let Line { sign, text } = line;
        let shown = format!("{sign} {text}");
        let shown = match sign {
            '-' => self.paint(words::kind_badge(ChangeKind::Removed).colour, &shown),
            '+' => self.paint(words::kind_badge(ChangeKind::Added).colour, &shown),
            '@' => self.dim(&shown),
            _ => shown,
        };
        self.line(format!("      {shown}").trim_end());
    }

    fn styled(&self, style: anstyle::Style, text: &str) -> String {
        if self.style.colour && style != anstyle::Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks a sentence between words; a word that is longer than a line keeps it to itself.
pub(super) fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The terminal's own colour of that meaning; the catalog gives it as the number of the escape code,
/// of which 30 to 37 are the eight colours and 39 is none.
pub(super) fn ansi(colour: Colour) -> anstyle::Style {
    let number = colour.ansi().checked_sub(30).and_then(|number| Ansi256Color(number).into_ansi());
    let number = number.filter(|_| colour.ansi() < 38);
    anstyle::Style::new().fg_color(number.map(Color::Ansi))
}

/// The sign before a change.
pub(super) fn sign(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "+",
        ChangeKind::Removed => "-",
        ChangeKind::Changed => "~",
        ChangeKind::Reordered => "↕",
    }
}
