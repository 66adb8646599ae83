//! The style sheet: quiet surfaces, and the badge catalog's paint where something is to be said.

use crate::render::words;
use plumbline_governance::badge::{Colour, Paint, Theme};
use plumbline_governance::report::DiffKind;
use std::fmt::Write as _;

/// Writes the sheet. Paper is always light, whatever the reader's screen is.
pub(super) fn sheet() -> String {
    // Writing to a string cannot fail.
    let mut out = String::new();
    let _ = write!(out, ":root{{{}}}", colours(Theme::Light));
    let _ = write!(
        out,
        "@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}",
        colours(Theme::Dark)
    );
    for colour in Colour::ALL {
        let name = colour.name();
        let _ = write!(
            out,
            ".{name}{{--text:var(--{name}-text);--fill:var(--{name}-fill);--edge:var(--{name}-edge)}}"
        );
    }
    // Both sides of a change wear the colours of what is missing and what is unexpected.
    for (selector, kind) in
        [(".before,del", DiffKind::Missing), (".after,ins", DiffKind::Unexpected)]
    {
        let name = words::diff_kind(kind).colour.name();
        let _ = write!(
            out,
            ":is({selector}){{--text:var(--{name}-text);--fill:var(--{name}-fill);--edge:var(--{name}-edge)}}"
        );
    }
    out.push_str(LAYOUT);
    out
}

/// The custom properties of one theme. Surfaces are those on which the catalog promises contrast.
fn colours(theme: Theme) -> String {
    let (ink, line) = match theme {
        Theme::Light => ("#18181b", "#e4e4e7"),
        Theme::Dark => ("#f4f4f5", "#3f3f46"),
    };
    let quiet = Colour::Gray.paint(theme);
    let mut out = format!(
        "--page:{};--ink:{ink};--line:{line};--muted:{};--soft:{};",
        theme.page(),
        quiet.text,
        quiet.fill
    );
    for colour in Colour::ALL {
        let (name, Paint { text, fill, border }) = (colour.name(), colour.paint(theme));
        let _ = write!(out, "--{name}-text:{text};--{name}-fill:{fill};--{name}-edge:{border};");
    }
    out
}

const LAYOUT: &str = "
*{box-sizing:border-box}
:root{color-scheme:light dark}
html{font-size:100%;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem 1.5rem 4rem;max-width:72rem;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif;overflow-wrap:anywhere}
h1,h2,h3,p,dl,dd,ul{margin:0;padding:0}
h1{font-size:1.75rem;line-height:1.25;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.25rem;line-height:1.3;font-weight:650;margin:3rem 0 .75rem}
h3{font-size:1rem;font-weight:600}
code,pre,.file{font-family:ui-monospace,SFMono-Regular,'Cascadia Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.8125rem}
code{white-space:pre-wrap}
a{color:inherit;text-decoration-color:var(--muted);text-underline-offset:.2em}
a:hover{text-decoration-thickness:.12em}
:focus-visible{outline:.15rem solid var(--info-edge);outline-offset:.15rem;border-radius:.25rem}
.muted,.file,.lead,.eyebrow,.rule,footer{color:var(--muted)}
.muted{font-weight:400;font-size:.875rem}
h1 .muted{font-size:1.25rem}
.eyebrow{font-size:.875rem;letter-spacing:.04em;margin-bottom:.25rem}
.lead{margin-bottom:.75rem}
.badge{display:inline-block;padding:.05rem .6rem;border:1px solid var(--edge);border-radius:1rem;background:var(--fill);color:var(--text);font-size:.8125rem;font-weight:550;line-height:1.5;white-space:nowrap}
.verdict{margin:1.5rem 0;padding:1rem 1.25rem;border:1px solid var(--line);border-left:.375rem solid var(--edge);border-radius:.5rem;background:var(--soft)}
.verdict .word{font-size:1.25rem;font-weight:650;margin-bottom:.375rem}
.sides,.facts{display:grid;gap:1rem 2rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,16rem),1fr))}
dt{font-size:.8125rem;color:var(--muted)}
.tiles{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,10rem),1fr));list-style:none;margin-bottom:1.25rem}
.tiles li{display:flex;flex-direction:column;align-items:flex-start;gap:.375rem;padding:.875rem 1rem;border:1px solid var(--line);border-radius:.5rem}
.tiles .number{font-size:1.75rem;line-height:1.1;font-weight:600;font-variant-numeric:tabular-nums}
.tiles .label{font-size:.875rem;color:var(--muted);line-height:1.7}
.roles{margin-bottom:1.25rem}
.pair{display:inline-block;margin-left:.5rem}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
th,td{padding:.6rem .875rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;background:var(--soft);font-size:.8125rem;font-weight:600;color:var(--muted)}
tbody th{font-weight:400}
.scroll table{min-width:46rem}
.scroll td:first-child{white-space:nowrap}
thead th,.file{overflow-wrap:break-word}
.numbers tbody th{white-space:nowrap}
.numbers td,.numbers thead th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
.zero{color:var(--muted)}
details{margin-bottom:.75rem;border:1px solid var(--line);border-radius:.5rem}
summary{display:flex;flex-wrap:wrap;gap:.375rem .625rem;align-items:baseline;padding:.75rem 1rem;cursor:pointer;border-radius:.5rem;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:'';align-self:center;border:.3rem solid transparent;border-left:.4rem solid var(--muted);border-right:0}
details[open]>summary::before{transform:rotate(90deg)}
summary:hover{background:var(--soft)}
.body{padding:.25rem 1rem 1rem;scroll-margin-top:4rem}
.rule{margin-bottom:.875rem}
.facts{font-size:.9375rem}
.changes{margin-top:1rem;table-layout:fixed;font-size:.8125rem}
.changes .badge{line-height:1.3}
.way{color:var(--muted)}
.changes thead th:nth-child(1){width:8.5rem}
.changes thead th:nth-child(2){width:36%}
:is(.before,.after) code{display:inline-block;padding:.05rem .4rem;border-radius:.25rem;background:var(--fill);color:var(--text)}
.diff{margin:0;padding:.5rem 0;border:1px solid var(--line);border-radius:.375rem;white-space:pre-wrap;line-height:1.5;tab-size:4}
.diff>*{display:block;padding:0 .75rem;min-height:1.5em;text-decoration:none}
.diff .at{color:var(--muted);font-style:italic}
.diff :is(del,ins){background:var(--fill);color:var(--text);box-shadow:inset .1875rem 0 var(--edge)}
#gaps~h3,#notes~h3{margin:1rem 0 .375rem}
.gaps{padding-left:1.25rem}
.gaps li{margin-bottom:.625rem}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.8125rem}
footer p{margin-bottom:.375rem}
@media (max-width:40rem){
body{padding:1.5rem 1rem 3rem}
.changes,.changes tbody,.changes tr,.changes th,.changes td{display:block;width:auto}
.changes thead{display:none}
.changes tr{border-top:1px solid var(--line);padding:.5rem 0}
.changes th,.changes td{border:0;padding:.25rem 0}
}
@media print{
@page{margin:16mm 14mm}
:root{color-scheme:light}
html{font-size:10pt}
body{max-width:none;padding:0}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.scroll{overflow:visible}
.scroll table{min-width:0}
.tiles{grid-template-columns:repeat(3,1fr)}
.sides,.facts{grid-template-columns:repeat(3,1fr)}
th,td{padding:.4rem .6rem}
h2{margin-top:2rem}
.before code,.after code{display:inline}
details{border-color:var(--edge,var(--line))}
details::details-content{content-visibility:visible!important;display:block!important;block-size:auto!important;height:auto!important;overflow:visible!important}
summary::before{display:none}
h2,h3,.lead,summary,thead{break-after:avoid}
tr,li,.verdict,.tiles li{break-inside:avoid}
.changes tr{break-inside:auto}
thead{display:table-header-group}
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_of_the_catalog_is_painted_in_both_themes() {
        let sheet = sheet();
        for &theme in Theme::ALL {
            for &colour in Colour::ALL {
                let (name, paint) = (colour.name(), colour.paint(theme));
                for (part, value) in
                    [("text", paint.text), ("fill", paint.fill), ("edge", paint.border)]
                {
                    assert!(sheet.contains(&format!("--{name}-{part}:{value};")), "{name} {part}");
                }
            }
        }
    }
}
