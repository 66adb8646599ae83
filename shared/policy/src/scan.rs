//! Finds credentials in free text: scripts, profiles, command lines, string settings.
//!
//! Names of ordinary settings are full of "password" and "token", so nothing is judged by a word
//! alone: a pattern needs the form of a credential, or a name with a literal assigned to it.

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

/// Tokens that betray themselves by their form. Each has a literal that the quick search looks for.
static TOKENS: [(&str, Pattern); 14] = [
    (
        "PRIVATE KEY-----",
        Pattern::new(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?P<s>[\s\S]*?)(?:-----END|\z)"),
    ),
    ("eyJ", Pattern::new(r"(?P<s>eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)")),
    ("AKIA", Pattern::new(r"(?P<s>AKIA[0-9A-Z]{16})")),
    ("ASIA", Pattern::new(r"(?P<s>ASIA[0-9A-Z]{16})")),
    ("ghp_", Pattern::new(r"(?P<s>ghp_[A-Za-z0-9]{30,})")),
    ("gho_", Pattern::new(r"(?P<s>gho_[A-Za-z0-9]{30,})")),
    ("ghs_", Pattern::new(r"(?P<s>ghs_[A-Za-z0-9]{30,})")),
    ("github_pat_", Pattern::new(r"(?P<s>github_pat_[A-Za-z0-9_]{30,})")),
    ("xox", Pattern::new(r"(?P<s>xox[abeoprs]-[A-Za-z0-9-]{10,})")),
    ("AIza", Pattern::new(r"(?P<s>AIza[0-9A-Za-z_-]{35})")),
    ("sk_live_", Pattern::new(r"(?P<s>sk_live_[0-9A-Za-z]{16,})")),
    ("npm_", Pattern::new(r"(?P<s>npm_[A-Za-z0-9]{30,})")),
    ("pypi-", Pattern::new(r"(?P<s>pypi-[A-Za-z0-9_-]{40,})")),
    ("glpat-", Pattern::new(r"(?P<s>glpat-[A-Za-z0-9_-]{16,})")),
];

/// A literal assigned to a name that says it is a credential.
static ASSIGNMENTS: [Pattern; 11] = [
    // password = "…", "clientSecret": '…', $ApiKey = "…"; a `$` begins a variable unless it is escaped
    Pattern::new(
        r#"(?i)(?:^|[^a-z])(?:[a-z0-9]+[_-])*(?:password|passwd|passphrase|pwd?|client_?secret|clientsecret|shared_?secret|secret|api_?key|access_?key|secret_?access_?key|account_?key|private_?key|shared_?key|pre_?shared_?key|psk|enrollment_?token|access_?token|auth_?token|token)\\?["']?\s*(?:=>|:=|=|:)\s*\\?(?:"(?P<s>(?:\\[^"\r\n]|`.|[^"\\\r\n$(`]){3,})|'(?P<t>[^'\r\n]{3,}))"#,
    ),
    // PASSWORD=…, DB_TOKEN=… without quotes, as shells write them
    Pattern::new(
        r#"(?:^|[^A-Za-z0-9_])[A-Z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY)=(?P<s>[^\s"'$;`]{4,})"#,
    ),
    // Password=…;  AccountKey=…;  SharedAccessKey=…  in connection strings and addresses
    Pattern::new(
        r#"(?i)(?:^|[;?&\s"'])(?:password|pwd?|psk|accountkey|sharedaccesskey|sharedaccesssignature|client_secret|api_key|apikey|access_token|sig)=(?P<s>[^;&"'\s<>$(]{4,})"#,
    ),
    // aws_secret_access_key = …,  X-Api-Key: …
    Pattern::new(
        r#"(?i)(?:secret_access_key\s*=|x-api-key["']?\s*:)\s*["']?(?P<s>[A-Za-z0-9/+._=-]{12,})"#,
    ),
    // /password:…  --enrollment-token …  -Password '…'
    Pattern::new(
        r#"(?i)(?:^|\s)(?:--?|/)(?:[a-z]+-)*(?:password|passwd|pass|pwd|token|secret|client-?secret|api-?key|apikey|key)(?:\s+|[:=])(?:"(?P<s>(?:`.|[^"\r\n$(`]){3,})|'(?P<t>[^'\r\n]{3,})|(?P<u>[^\s"'$(<>-][^\s"'<>]{3,}))"#,
    ),
    // curl -u user:password
    Pattern::new(r#"\bcurl\b[^\r\n]*?\s(?:-u|--user)\s+["']?[^\s:"']+:(?P<s>[^\s"'$]{3,})"#),
    // ConvertTo-SecureString "…"
    Pattern::new(
        r#"(?i)ConvertTo-SecureString(?:\s+-[a-z]+)*\s+(?:"(?P<s>(?:`.|[^"\r\n$`]){3,})|'(?P<t>[^'\r\n]{3,})')"#,
    ),
    // Authorization: Bearer …, Basic …
    Pattern::new(r"(?i)\b(?:bearer|basic)\s+(?P<s>[A-Za-z0-9._~+/-]{12,}=*)"),
    // <keyMaterial>…</keyMaterial>, <Password>…</Password>
    Pattern::new(
        r"(?i)<(?:[a-z]+:)?(?:keymaterial|sharedkey|presharedkey|password|passphrase|sharedsecret|token|secret|clientsecret|apikey)(?:\s[^>]*)?>(?P<s>[^<]{3,})<",
    ),
    // <key>Password</key><string>…</string> of a property list
    Pattern::new(
        r"(?i)<key>[a-z._-]*(?:password|passphrase|sharedsecret|presharedkey|privatekey|token|secret|apikey)</key>\s*<(?:string|data)>(?P<s>[^<]{3,})<",
    ),
    // <data id="Password" value="…"/>
    Pattern::new(
        r#"(?i)<data\s+id="[a-z._-]*(?:password|passphrase|presharedkey|token|secret|apikey)"\s+value="(?P<s>[^"]{3,})""#,
    ),
];

/// user:password@host
static USER_INFO: Pattern = Pattern::new(r"://[^/\s:@]+:(?P<s>[^/\s:@]{3,})@");

/// Words one of which every assignment holds, lower case.
const WORDS: &[&str] = &[
    "pass",
    "pw",
    "secret",
    "key",
    "psk",
    "token",
    "sig=",
    "securestring",
    "sharedaccess",
    "bearer",
    "basic",
    "curl",
];

/// A pattern that is built when a text first needs it: building all of them takes longer than reading a
/// hundred policies, and most tenants need few.
struct Pattern {
    source: &'static str,
    regex: OnceLock<Regex>,
}

impl Pattern {
    const fn new(source: &'static str) -> Self {
        Self { source, regex: OnceLock::new() }
    }

    #[expect(clippy::expect_used, reason = "the patterns are constants; a test builds them")]
    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| Regex::new(self.source).expect("a pattern"))
    }
}

struct Scanner {
    tokens: AhoCorasick,
    words: AhoCorasick,
}

#[expect(clippy::expect_used, reason = "the literals are constants; a test builds them")]
static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner {
    tokens: AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(TOKENS.iter().map(|(literal, _)| literal))
        .expect("literals"),
    words: AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .build(WORDS)
        .expect("literals"),
});

/// What the letters of a text rule out, told in one look at each.
enum Letters {
    /// Shorter than any assignment of a credential, or only the letters of setting ids.
    Plain,
    /// One word: perhaps a token, but nothing is assigned in it.
    Word,
    /// Anything.
    Free,
}

impl Letters {
    fn of(text: &str) -> Self {
        // Without a way out, so that the compiler can look at many letters at once.
        if text.len() < 8 || text.bytes().fold(true, |plain, byte| plain & is_setting_letter(byte))
        {
            return Self::Plain;
        }
        if text.bytes().any(is_assigning) { Self::Free } else { Self::Word }
    }
}

/// The letters of setting ids.
fn is_setting_letter(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'~'
}

/// White space and punctuation that stands around an assignment.
fn is_assigning(byte: u8) -> bool {
    matches!(byte, b'=' | b':' | b' ' | b'<' | b'\n' | b'\r' | b'\t')
}

/// Finds the credentials in a text, in order and not overlapping. Mostly there are none, and then this
/// costs a look at the letters and at most two quick searches.
#[must_use]
pub fn find_secrets(text: &str) -> Vec<Range<usize>> {
    let letters = Letters::of(text);
    if matches!(letters, Letters::Plain) {
        return Vec::new();
    }
    let scanner = &*SCANNER;
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut take = |pattern: &Pattern| {
        for captures in pattern.regex().captures_iter(text) {
            let group = ["s", "t", "u"].into_iter().find_map(|name| captures.name(name));
            if let Some(group) = group {
                found.push(group.range());
            }
        }
    };
    if scanner.tokens.is_match(text) {
        let held = TOKENS.iter().filter(|(literal, _)| text.contains(literal));
        held.for_each(|(_, pattern)| take(pattern));
    }
    if matches!(letters, Letters::Free) {
        if memchr::memchr(b'@', text.as_bytes()).is_some() {
            take(&USER_INFO);
        }
        if scanner.words.is_match(text) {
            ASSIGNMENTS.iter().for_each(take);
        }
    }
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|range| {
        let free = range.start >= end;
        end = end.max(range.end);
        free
    });
    found
}

/// How the slot begins that stands in a text where a credential stood; the number of the secret and
/// `}}` follow.
pub(crate) const TEXT_SLOT: &str = "{{secret:";

/// Replaces the credentials of a text by numbered slots; `None` when there are none. Each one found is
/// handed to `keep`, which returns its number.
pub(crate) fn redact_text(text: &str, mut keep: impl FnMut(&str) -> usize) -> Option<String> {
    let found: Vec<_> = find_secrets(text)
        .into_iter()
        .filter(|range| !text[range.clone()].starts_with(TEXT_SLOT))
        .collect();
    if found.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in found {
        out.push_str(&text[from..range.start]);
        out.push_str(TEXT_SLOT);
        out.push_str(&keep(&text[range.clone()]).to_string());
        out.push_str("}}");
        from = range.end;
    }
    out.push_str(&text[from..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Vec<&str> {
        find_secrets(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn credentials_are_found_by_form_and_by_assignment() {
        for (text, secret) in [
            ("$Password = \"Autumn!2031\"", "Autumn!2031"),
            ("net use z: /user:svc /password:Autumn!2031 /y", "Autumn!2031"),
            ("Server=db;User Id=sa;Password=Autumn2031;", "Autumn2031"),
            ("ConvertTo-SecureString 'Autumn!2031' -AsPlainText", "Autumn!2031"),
            ("<keyMaterial>autumn-wifi</keyMaterial>", "autumn-wifi"),
            ("<key>Password</key>\n<string>autumn</string>", "autumn"),
            ("curl -H 'Authorization: Bearer abcdef0123456789'", "abcdef0123456789"),
            ("https://svc:autumn@host/x", "autumn"),
            ("{\"clientSecret\": \"autumn-secret\"}", "autumn-secret"),
            ("{\\\"apiKey\\\":\\\"autumn-key\\\"}", "autumn-key"),
            ("Join-Lan -Password 'Autumn 2031' -Force", "Autumn 2031"),
            ("$Password = \"Aut`$umn!2031\"", "Aut`$umn!2031"),
            ("{\"password\": \"Autumn\\u00212031\"}", "Autumn\\u00212031"),
            ("export DB_PASSWORD=autumn2031", "autumn2031"),
            ("aws_secret_access_key = abcdefghij0123456789", "abcdefghij0123456789"),
            ("agent --enrollment-token=autumn2031", "autumn2031"),
            ("ConvertTo-SecureString -AsPlainText -String \"autumn 2031\"", "autumn 2031"),
            ("curl -s -u svc:autumn2031 https://host", "autumn2031"),
            ("psk='ab1'", "ab1"),
            ("$pw = 'Autumn!2031'", "Autumn!2031"),
            ("Server=db;Pw=Autumn2031;", "Autumn2031"),
        ] {
            assert_eq!(secrets(text), [secret], "{text}");
        }
    }

    #[test]
    fn false_friends_are_left_alone() {
        for text in [
            "device_vendor_msft_policy_config_devicelock_devicepasswordenabled",
            "user_impersonation",
            "Set the password length to 14 or more",
            "$passwordLength = 14",
            "$token = Get-Token -Resource $uri",
            "Password = \"$env:SECRET\"",
            "https://example.com/path?x=1",
            "enrollment token expires: see the console",
            "pwsh -File setup.ps1 -Key: none",
        ] {
            assert_eq!(secrets(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn every_pattern_can_be_built() {
        let tokens = TOKENS.iter().map(|(_, pattern)| pattern);
        assert!(
            tokens.chain(&ASSIGNMENTS).chain([&USER_INFO]).all(|p| p.regex().captures_len() > 1)
        );
    }

    #[test]
    fn redaction_is_stable() {
        let once = redact_text("pwd=\"abcdef\"; x", |_| 7).unwrap();
        assert_eq!(once, "pwd=\"{{secret:7}}\"; x");
        assert_eq!(redact_text(&once, |_| 8), None);
    }
}
