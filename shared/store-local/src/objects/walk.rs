//! Walks the folders of the objects.
//!
//! A directory of two hexadecimal digits may be both: digits of the objects of the folder above, and a
//! folder of its own. Files tell which: an object lies in the directory of its own first digits.

use plumbline_policy::digest::Digest;
use plumbline_ports::ObjectKey;
use plumbline_ports::objects::{Listed, Listing};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Lists the objects of a folder and of the folders in it in the order of their keys.
pub(super) fn list(
    root: &Path,
    folder: &str,
    after: Option<&ObjectKey>,
    limit: usize,
) -> io::Result<Listing> {
    let after = after.map_or_else(String::new, ToString::to_string);
    let mut walk = Walk { root, after, limit, listed: Vec::new(), more: false };
    walk.folder(folder)?;
    let next = walk.listed.last().filter(|_| walk.more).map(|last| last.key.clone());
    Ok(Listing { objects: walk.listed, next })
}

struct Walk<'w> {
    root: &'w Path,
    after: String,
    limit: usize,
    listed: Vec<Listed>,
    more: bool,
}

/// What stands in a folder, by the text of its key behind the folder's.
enum Item {
    Folder(String),
    Object(Listed),
}

impl Walk<'_> {
    fn folder(&mut self, folder: &str) -> io::Result<()> {
        let path = self.root.join(folder);
        // Everything whose key begins with the same two letters is sorted together: those objects lie in
        // one directory, and folders may stand between them.
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, is_dir) in names(&path)? {
            if is_dir {
                let start = format!("{name}/").chars().take(2).collect();
                groups.entry(start).or_default().push(name);
            }
        }
        for (start, folders) in groups {
            if self.more {
                return Ok(());
            }
            // The whole group lies before the place to go on.
            let end = format!("{folder}/{start}\u{7f}");
            if end <= self.after {
                continue;
            }
            let mut items = BTreeMap::new();
            if folders.contains(&start) {
                for listed in objects(&path.join(&start), folder)? {
                    items.insert(listed.key.digest().to_string(), Item::Object(listed));
                }
            }
            for name in folders {
                items.insert(format!("{name}/"), Item::Folder(format!("{folder}/{name}")));
            }
            for item in items.into_values() {
                match item {
                    _ if self.more => return Ok(()),
                    Item::Folder(inner) => self.folder(&inner)?,
                    Item::Object(listed) if listed.key.to_string() <= self.after => {}
                    Item::Object(_) if self.listed.len() == self.limit => self.more = true,
                    Item::Object(listed) => self.listed.push(listed),
                }
            }
        }
        Ok(())
    }
}

/// The objects of a folder that lie in one directory.
fn objects(directory: &Path, folder: &str) -> io::Result<Vec<Listed>> {
    let mut out = Vec::new();
    for (name, is_dir) in names(directory)? {
        let path = directory.join(&name);
        if !is_dir && let Some(key) = key(&path, folder) {
            match fs::metadata(&path) {
                Ok(metadata) => out.push(Listed { key, bytes: metadata.len() }),
                // Deleted in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(out)
}

/// The key of a file in a folder; `None` when it is no object or lies in the wrong directory.
fn key(path: &Path, folder: &str) -> Option<ObjectKey> {
    let name = path.file_name()?.to_str()?;
    let digest: Digest = name.parse().ok()?;
    let directory = path.parent()?.file_name()?.to_str()?;
    if !name.starts_with(directory) || directory.len() != 2 {
        return None;
    }
    ObjectKey::new(folder, digest).ok()
}

/// The names in a directory, and which are directories; none when it is not there.
fn names(directory: &Path) -> io::Result<Vec<(String, bool)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A name that is no text is no object.
        if let Ok(name) = entry.file_name().into_string() {
            out.push((name, entry.file_type()?.is_dir()));
        }
    }
    Ok(out)
}

/// What a walk over every file finds: the key of an object, `None` for another file, or that it cannot be
/// read.
type Found = io::Result<Option<ObjectKey>>;

/// Visits every file, in order.
pub(super) fn every_file(root: &Path, visit: &mut impl FnMut(&Path, Found)) {
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        let mut paths = Vec::new();
        match fs::read_dir(&directory) {
            Ok(entries) => paths.extend(entries.flatten().map(|entry| entry.path())),
            Err(error) => visit(&directory, Err(error)),
        }
        paths.sort();
        let (directories, files): (Vec<_>, Vec<_>) = paths
            .into_iter()
            .partition(|path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()));
        for path in files {
            let key = folder_of(root, &path).and_then(|folder| key(&path, &folder));
            visit(&path, Ok(key));
        }
        open.extend(directories.into_iter().rev());
    }
}

/// The folder whose objects lie beside a file.
fn folder_of(root: &Path, path: &Path) -> Option<String> {
    let folder = path.parent()?.parent()?.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = folder.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
