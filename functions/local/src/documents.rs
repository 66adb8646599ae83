//! What an import reads: folders, files and streams, one document at a time, so that memory does not grow
//! with what comes in.

use crate::folder::{Folder, ephemeral_key};
use anyhow::{Context as _, anyhow, bail};
use plumbline_operations::Values;
use plumbline_operations::{NamedBytes, OperationError};
use plumbline_policy::json::{parse_payload, to_text};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The name of standard input on the command line.
const STDIN: &str = "-";

/// The documents of some paths, in order. An error ends them: nothing is imported then.
pub(crate) struct Documents {
    sources: std::vec::IntoIter<Source>,
    now: Option<Reading>,
    /// The document that was read to see that there is one.
    first: Option<NamedBytes>,
    /// Files of folders that are no exports.
    left_aside: usize,
}

/// Something to read.
enum Source {
    /// A file that holds one document, a list or a list page.
    Whole { name: String, path: PathBuf },
    /// Values one after another.
    Stream { name: String, path: PathBuf },
}

/// A stream that is being read.
struct Reading {
    name: String,
    values: Values<Box<dyn BufRead + Send>>,
}

impl Documents {
    /// Opens all paths and reads the first document.
    ///
    /// # Errors
    /// Names the path that is not there, that is no export or that holds nothing.
    pub(crate) fn open(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut sources = Vec::new();
        let mut left_aside = 0;
        let mut taken = BTreeSet::new();
        for path in paths {
            // Names of several paths are kept apart by the path they stand in.
            let prefix = if paths.len() > 1 { prefix(path, &mut taken) } else { String::new() };
            if path == Path::new(STDIN) {
                let name = format!("{prefix}standard input");
                sources.push(Source::Stream { name, path: path.clone() });
                continue;
            }
            let is_file = path.is_file();
            if path.exists() && !is_file && !path.is_dir() {
                // A pipe, such as a shell makes of `<(command)`.
                let name = format!("{prefix}{}", path.display());
                sources.push(Source::Stream { name, path: path.clone() });
                continue;
            }
            let folder = Folder::open(path, None, ephemeral_key()?)?;
            let before = sources.len();
            for file in folder.files() {
                let name = format!("{prefix}{file}");
                let at = folder.path(file);
                match ending(file).as_deref() {
                    Some("json") => {
                        if is_file {
                            check(path)?;
                        }
                        sources.push(Source::Whole { name, path: at });
                    }
                    Some("ndjson" | "jsonl") => sources.push(Source::Stream { name, path: at }),
                    _ if is_file => bail!(
                        "{} ends neither in .json nor in .ndjson or .jsonl; rename it, or pipe it in and \
                         name - as the path",
                        path.display()
                    ),
                    _ => left_aside += 1,
                }
            }
            if sources.len() == before {
                bail!(
                    "{} holds no .json, .ndjson or .jsonl file; name the folder that an export wrote",
                    path.display()
                );
            }
        }
        let sources = sources.into_iter();
        let mut out = Self { sources, now: None, first: None, left_aside };
        match out.next() {
            Some(first) => out.first = Some(first?),
            None => bail!(
                "{} holds no policy; nothing was imported and the tenant's state is as it was",
                match paths {
                    [one] if one == Path::new(STDIN) => "standard input".to_owned(),
                    [one] => one.display().to_string(),
                    _ => "none of the paths".to_owned(),
                }
            ),
        }
        Ok(out)
    }

    /// How many files of folders are no exports and were left aside.
    #[must_use]
    pub(crate) fn left_aside(&self) -> usize {
        self.left_aside
    }

    fn read(&mut self) -> Result<Option<NamedBytes>, OperationError> {
        loop {
            if let Some(reading) = &mut self.now {
                match reading.values.next() {
                    Ok(Some(value)) => {
                        return Ok(Some((
                            format!("{}:{}", reading.name, value.place),
                            value.bytes,
                        )));
                    }
                    Ok(None) => self.now = None,
                    Err(error) => {
                        return Err(OperationError::Invalid(format!("{}, {error}", reading.name)));
                    }
                }
                continue;
            }
            match self.sources.next() {
                None => return Ok(None),
                Some(Source::Whole { name, path }) => {
                    let bytes = std::fs::read(&path).map_err(|error| cannot_read(&path, &error))?;
                    return Ok(Some((name, bytes)));
                }
                Some(Source::Stream { name, path }) => {
                    let source: Box<dyn BufRead + Send> = if path == Path::new(STDIN) {
                        Box::new(BufReader::new(std::io::stdin()))
                    } else {
                        let file = File::open(&path).map_err(|error| cannot_read(&path, &error))?;
                        Box::new(BufReader::with_capacity(256 * 1024, file))
                    };
                    self.now = Some(Reading { name, values: Values::new(source) });
                }
            }
        }
    }
}

impl Iterator for Documents {
    type Item = Result<NamedBytes, OperationError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        self.read().transpose()
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> OperationError {
    OperationError::Invalid(format!(
        "cannot read {}: {error}; nothing was imported",
        path.display()
    ))
}

/// A file that is named alone must be readable. Among many, one that is not is a gap.
fn check(path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let wrong = |error: &dyn std::fmt::Display| {
        anyhow!("{} is no JSON: {error}; nothing was imported", path.display())
    };
    let text = to_text(&bytes).map_err(|error| wrong(&error))?;
    parse_payload(&text).map_err(|error| wrong(&error))?;
    Ok(())
}

fn ending(file: &str) -> Option<String> {
    Path::new(file).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase())
}

/// A folder of its own in the names of documents for one of several paths.
fn prefix(path: &Path, taken: &mut BTreeSet<String>) -> String {
    let name = path
        .file_name()
        .map_or_else(|| "export".to_owned(), |name| name.to_string_lossy().replace('/', "_"));
    let mut prefix = name.clone();
    let mut number = 2;
    while !taken.insert(prefix.clone()) {
        prefix = format!("{name} ({number})");
        number += 1;
    }
    format!("{prefix}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_several_paths_never_collide() {
        let mut taken = BTreeSet::new();
        let mut of = |path: &str| prefix(Path::new(path), &mut taken);
        assert_eq!(of("a/export"), "export/");
        assert_eq!(of("b/export"), "export (2)/");
        assert_eq!(of("c/export"), "export (3)/");
        assert_eq!(of(".."), "export (4)/");
        assert_eq!(of("-"), "-/");
    }
}
