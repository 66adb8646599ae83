//! What a data directory takes, keeps and refuses, with the messages a user reads.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use futures::executor::block_on;
use plumbline_ports::conformance::records::row;
use plumbline_ports::{
    Batch, Clock, Condition, Key, ObjectKey, Objects as _, Outgoing, PortError, PutOutcome,
    Queue as _, QueueName, Records as _, Secrets as _,
};
use plumbline_store_local::{DataDir, OpenError, Stores, SystemClock, SystemIds};
use plumbline_testkit::clock::ManualClock;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const HOUR: Duration = Duration::from_hours(1);

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::default())
}

fn open(path: &Path) -> Result<Stores, OpenError> {
    DataDir::open(path, clock())
}

/// A folder, and the path of a data directory in it that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep/data");
    (folder, path)
}

/// The message of a refusal, with the path cut out.
fn refusal(path: &Path) -> String {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string().replace(&path.display().to_string(), "DATA"),
    }
}

fn message(body: &str) -> Outgoing {
    Outgoing { group: "ws".to_owned(), body: body.to_owned() }
}

/// Writes something into every store.
fn fill(stores: &Stores) -> ObjectKey {
    let key = ObjectKey::of("ws/a", b"object").unwrap();
    block_on(async {
        let batch = Batch::new().put(row("p", "s", 1, "row"), Condition::Absent);
        stores.records.commit(batch).await.unwrap();
        stores.objects.put(&key, b"object".to_vec()).await.unwrap();
        let messages = vec![message("one"), message("two"), message("three")];
        assert_eq!(stores.queue.send(QueueName::Compare, messages).await, Ok(vec![]));
    });
    key
}

fn object_path(data: &Path, key: &ObjectKey) -> PathBuf {
    let digest = key.digest().to_string();
    data.join("objects").join(key.folder()).join(&digest[..2]).join(digest)
}

#[test]
fn closing_and_opening_again_keeps_everything() {
    let (_folder, path) = place();
    let clock = Arc::new(ManualClock::default());
    let stores = DataDir::open(&path, clock.clone()).unwrap();
    let object = fill(&stores);
    let root = block_on(stores.secrets.root_key()).unwrap();
    let first = block_on(stores.queue.receive(QueueName::Compare, 2, HOUR)).unwrap();
    assert_eq!(first.len(), 2);
    block_on(stores.queue.delete(QueueName::Compare, &first[0].receipt)).unwrap();
    drop(stores);

    let stores = DataDir::open(&path, clock.clone()).unwrap();
    assert_eq!(stores.check(), []);
    block_on(async {
        let found = stores.records.get(&Key::new("p", "s")).await.unwrap();
        assert_eq!(found, Some(row("p", "s", 1, "row")));
        assert_eq!(stores.objects.get(&object).await.unwrap().unwrap(), b"object");
        let again = stores.secrets.root_key().await.unwrap();
        assert_eq!((again.id.as_str(), again.expose()), (root.id.as_str(), root.expose()));
        // The first is gone; who had the second is gone too, so it waits again.
        let mut rest = stores.queue.receive(QueueName::Compare, 10, HOUR).await.unwrap();
        rest.sort_by_key(|found| found.body.clone());
        let rest: Vec<_> = rest.iter().map(|found| (found.body.as_str(), found.attempts)).collect();
        assert_eq!(rest, [("three", 1), ("two", 2)]);
    });
}

#[test]
fn an_empty_directory_becomes_a_data_directory() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()).unwrap());
    let format = fs::read_to_string(folder.path().join("FORMAT")).unwrap();
    assert_eq!(format, "plumbline-data 1\n");
    open(folder.path()).unwrap();
}

/// The file the child process of the next test looks at.
const CHILD: &str = "PLUMBLINE_TEST_SECOND_PROCESS";

#[test]
fn a_second_process_is_refused_and_told_the_first() {
    // The same test is the second process when the variable names the directory.
    #[expect(clippy::disallowed_methods, reason = "how a test hands a path to itself")]
    let told = std::env::var(CHILD);
    if let Ok(path) = told {
        match open(Path::new(&path)) {
            Ok(_) => println!("opened"),
            Err(error) => println!("refused: {error}"),
        }
        return;
    }
    let (_folder, path) = place();
    let stores = open(&path).unwrap();
    let second = || {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_second_process_is_refused_and_told_the_first", "--nocapture"])
            .env(CHILD, &path)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let expected = format!(
        "refused: `{}` is in use by another plumbline process (pid {}); stop it or use another --data \
         directory",
        path.display(),
        std::process::id()
    );
    let said = second();
    assert!(said.contains(&expected), "{said}");
    // One store alone keeps the lock.
    let records = Arc::clone(&stores.records);
    drop(stores);
    assert!(second().contains("refused"));
    drop(records);
    assert!(second().contains("opened"));
}

#[test]
fn a_second_handle_in_one_process_is_refused() {
    let (_folder, path) = place();
    let _stores = open(&path).unwrap();
    assert!(refusal(&path).starts_with("`DATA` is in use by another plumbline process"));
}

#[test]
fn a_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "x").unwrap();
    assert_eq!(refusal(&path), "`DATA` is a file, not a directory; name a directory with --data");
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("thesis.doc"), "x").unwrap();
    assert_eq!(
        refusal(folder.path()),
        "`DATA` holds other files and is no data directory of plumbline; name a new or empty directory \
         with --data"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was added");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    for format in ["plumbline-data 2\n", "plumbline-data 17 being made\n"] {
        fs::write(path.join("FORMAT"), format).unwrap();
        let number = format.split_ascii_whitespace().nth(1).unwrap();
        assert_eq!(
            refusal(&path),
            format!(
                "`DATA` has the data format {number}, but this program knows formats up to 1; update \
                 plumbline, or use another --data directory"
            )
        );
        assert_eq!(fs::read_to_string(path.join("FORMAT")).unwrap(), format);
    }
}

#[test]
fn a_format_that_is_none_is_refused() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    for format in
        ["something else\n", "plumbline-data one\n", "plumbline-data 1\nmore", "\u{0}\u{0}"]
    {
        fs::write(path.join("FORMAT"), format).unwrap();
        assert_eq!(
            refusal(&path),
            "`DATA/FORMAT` is damaged: it does not name a data format; restore the data directory from a \
             backup"
        );
    }
}

#[test]
fn a_directory_that_was_never_finished_is_finished() {
    for written in ["", "plumbline-d", "plumbline-data 1", "plumbline-data 1 being made\n"] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("FORMAT"), written).unwrap();
        let stores = open(folder.path()).unwrap();
        fill(&stores);
        assert_eq!(stores.check(), [], "after `{written}`");
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("LOCK"), "1\n").unwrap();
    open(folder.path()).unwrap();
}

#[test]
fn a_missing_part_is_refused() {
    for part in ["records.redb", "queue.redb", "objects", "root.key"] {
        let (_folder, path) = place();
        drop(open(&path).unwrap());
        let gone = path.join(part);
        if gone.is_dir() {
            fs::remove_dir_all(gone).unwrap();
        } else {
            fs::remove_file(gone).unwrap();
        }
        let expected =
            format!("`DATA/{part}` is missing; restore the data directory from a backup");
        assert_eq!(refusal(&path), expected);
        assert!(!path.join(part).exists(), "nothing is made in its place");
    }
}

#[test]
fn a_damaged_database_is_refused() {
    for part in ["records.redb", "queue.redb"] {
        let (_folder, path) = place();
        drop(open(&path).unwrap());
        for bytes in [b"not a database".repeat(1_000), vec![0; 8_192], vec![]] {
            let empty = bytes.is_empty();
            fs::write(path.join(part), bytes).unwrap();
            let said = refusal(&path);
            let expected = format!("`DATA/{part}` is damaged: ");
            assert!(said.starts_with(&expected), "empty: {empty}: {said}");
            assert!(said.ends_with("; restore the data directory from a backup"), "{said}");
        }
    }
}

/// Whatever bytes of a database change, nothing panics; a row that is read is the one that was written, and
/// the check sees when one is gone.
#[test]
fn changed_bytes_of_a_database_are_never_believed() {
    let (_folder, path) = place();
    let stores = open(&path).unwrap();
    let rows: Vec<_> =
        (0..40).map(|number| row("p", &format!("{number:02}"), number, vec![b'x'; 300])).collect();
    for row in &rows {
        let batch = Batch::new().put(row.clone(), Condition::Absent);
        block_on(stores.records.commit(batch)).unwrap();
    }
    drop(stores);
    let file = path.join("records.redb");
    let good = fs::read(&file).unwrap();
    let (mut seen, mut used) = (0, 0);
    for at in (0..good.len()).step_by(good.len() / 150) {
        // Most of the file is empty; changes there are seen by nobody and change nothing.
        let mut bad = good.clone();
        bad[at..].iter_mut().take(700).for_each(|byte| *byte ^= 0x41);
        used += usize::from(good[at..].iter().take(700).any(|byte| *byte != 0));
        fs::write(&file, &bad).unwrap();
        let Ok(stores) = open(&path) else {
            seen += 1;
            continue;
        };
        let (mut wrong, mut gone) = (false, false);
        for row in &rows {
            match block_on(stores.records.get(&row.key)) {
                Ok(None) => gone = true,
                Ok(Some(found)) => assert_eq!(found, *row, "byte {at}"),
                Err(error) => wrong |= matches!(error, PortError::Corrupt { .. }),
            }
        }
        let found = !stores.check().is_empty();
        assert!(found || !gone, "byte {at}: a row is gone, and the check is content");
        seen += usize::from(wrong || found);
    }
    assert!(seen > 0 && seen <= used, "{seen} of {used}");
}

#[test]
fn a_damaged_object_is_refused_named_and_replaced() {
    let (_folder, path) = place();
    let stores = open(&path).unwrap();
    let key = fill(&stores);
    let file = object_path(&path, &key);
    for bytes in [b"objecT".as_slice(), b"obj", b"", b"object and more"] {
        fs::write(&file, bytes).unwrap();
        let told = block_on(stores.objects.get(&key));
        let said = told.unwrap_err().to_string();
        assert!(
            said.starts_with(&format!("the object {key} is damaged: its bytes have")),
            "{said}"
        );
        assert!(said.ends_with("run `plumbline verify`, then restore it from a backup"), "{said}");
        let problems = stores.check();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].place, file.display().to_string());
        let put = block_on(stores.objects.put(&key, b"object".to_vec()));
        assert_eq!(put, Ok(PutOutcome::Created), "a good put replaces it");
        assert_eq!(stores.check(), []);
    }
}

#[test]
fn what_a_crash_left_half_written_is_cleaned() {
    let (_folder, path) = place();
    let stores = open(&path).unwrap();
    let key = fill(&stores);
    drop(stores);
    fs::write(path.join("tmp/.tmpAbC123"), "half an obj").unwrap();
    fs::create_dir(path.join("tmp/folder")).unwrap();
    let stores = open(&path).unwrap();
    assert_eq!(fs::read_dir(path.join("tmp")).unwrap().count(), 0);
    assert_eq!(block_on(stores.objects.get(&key)), Ok(Some(b"object".to_vec())));
    assert_eq!(stores.check(), []);
}

#[test]
fn strange_files_are_named() {
    let (_folder, path) = place();
    let stores = open(&path).unwrap();
    let key = fill(&stores);
    let good = object_path(&path, &key);
    let elsewhere = path.join("objects/ws/a/00").join(good.file_name().unwrap());
    fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    fs::copy(&good, &elsewhere).unwrap();
    let note = path.join("objects/ws/note.txt");
    fs::write(&note, "x").unwrap();
    let copy = path.join("records.redb.copy");
    fs::write(&copy, "x").unwrap();
    let said: Vec<String> = stores.check().iter().map(ToString::to_string).collect();
    let expected = [copy, note, elsewhere].map(|path| {
        format!("{}: it does not belong in a data directory; move it away", path.display())
    });
    assert_eq!(said, expected);
    let listed = block_on(stores.objects.list("ws", None, 10)).unwrap();
    assert_eq!(listed.objects.len(), 1, "strangers are no objects");
}

#[cfg(unix)]
mod rights {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_the_owner_reads_the_root_key_and_the_directory() {
        let (_folder, path) = place();
        drop(open(&path).unwrap());
        assert_eq!((mode(&path), mode(&path.join("root.key"))), (0o700, 0o600));
        let empty = TempDir::new().unwrap();
        set_mode(empty.path(), 0o755);
        drop(open(empty.path()).unwrap());
        assert_eq!(mode(empty.path()), 0o700);
    }

    #[test]
    fn a_root_key_that_others_may_read_is_refused() {
        let (_folder, path) = place();
        drop(open(&path).unwrap());
        for wrong in [0o644, 0o640, 0o604, 0o660, 0o610] {
            set_mode(&path.join("root.key"), wrong);
            assert_eq!(
                refusal(&path),
                format!(
                    "`DATA/root.key` can be read by other users (mode {wrong:04o}); run `chmod 600` on \
                     it, and if somebody may have read it, start over in a new --data directory"
                )
            );
        }
        set_mode(&path.join("root.key"), 0o400);
        open(&path).unwrap();
    }

    #[test]
    fn a_place_without_rights_is_refused() {
        let folder = TempDir::new().unwrap();
        set_mode(folder.path(), 0o500);
        let path = folder.path().join("data");
        // The superuser may write everywhere.
        if fs::create_dir(folder.path().join("probe")).is_ok() {
            return;
        }
        let said = refusal(&path);
        assert!(said.starts_with("cannot make `DATA`: Permission denied"), "{said}");
        assert!(
            said.ends_with(
                "; give this user the right to write there, or use another --data directory"
            ),
            "{said}"
        );
        set_mode(folder.path(), 0o700);
    }
}

#[test]
fn a_malformed_root_key_is_refused_and_kept() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    let file = path.join("root.key");
    let good = fs::read_to_string(&file).unwrap();
    for bad in [
        String::new(),
        good.trim_end().to_owned(),
        good.replace("key 1", "key 2"),
        good.to_uppercase(),
        good[..good.len() - 2].to_owned() + "\n",
        good.clone() + "\n",
    ] {
        fs::write(&file, &bad).unwrap();
        assert_eq!(
            refusal(&path),
            "`DATA/root.key` is damaged: it does not hold a root key; restore the data directory from a \
             backup"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), bad, "it is not written over");
    }
    fs::write(&file, good).unwrap();
    open(&path).unwrap();
}

#[test]
fn a_sweep_takes_what_expired_an_hour_ago() {
    let (_folder, path) = place();
    let clock = ManualClock::default();
    let stores = open(&path).unwrap();
    let now = clock.now().as_second();
    let times = [None, Some(now - 100_000), Some(now - 3_601), Some(now - 3_599), Some(now + 1)];
    for (number, expires_at) in times.into_iter().enumerate() {
        let record = plumbline_ports::Record {
            expires_at,
            indexes: vec![plumbline_ports::IndexKey {
                index: plumbline_ports::Index::Tenants,
                pk: "i".to_owned(),
                sk: "s".to_owned(),
            }],
            ..row("p", &number.to_string(), 1, "x")
        };
        let batch = Batch::new().put(record, Condition::Absent);
        block_on(stores.records.commit(batch)).unwrap();
    }
    assert_eq!(stores.sweep(clock.now()), Ok(2));
    assert_eq!(stores.sweep(clock.now()), Ok(0));
    let left = block_on(stores.records.get(&Key::new("p", "3"))).unwrap();
    assert!(left.is_some());
    assert_eq!(stores.check(), [], "the index entries went with their rows");
    // A row that was renewed is not taken for its old time.
    let renewed = Batch::new().put(row("p", "3", 2, "x"), Condition::Revision(1));
    block_on(stores.records.commit(renewed)).unwrap();
    clock.advance_seconds(7_200);
    assert_eq!(stores.sweep(clock.now()), Ok(1));
    assert!(block_on(stores.records.get(&Key::new("p", "3"))).unwrap().is_some());
}

#[test]
fn a_message_hidden_by_a_clock_that_ran_ahead_comes_back() {
    let (_folder, path) = place();
    let clock = Arc::new(ManualClock::default());
    let stores = DataDir::open(&path, clock.clone()).unwrap();
    block_on(stores.queue.send(QueueName::Compare, vec![message("x")])).unwrap();
    clock.advance_seconds(365 * 24 * 3_600);
    let receive = || block_on(stores.queue.receive(QueueName::Compare, 10, HOUR)).unwrap().len();
    assert_eq!(receive(), 1);
    clock.jump_back_seconds(365 * 24 * 3_600);
    assert_eq!(receive(), 1, "a year is longer than anything is hidden");
    clock.jump_back_seconds(3_600);
    assert_eq!(receive(), 0, "an hour back is not");
}

#[test]
fn the_systems_clock_and_ids_work_with_a_directory() {
    let (_folder, path) = place();
    let stores = DataDir::open(&path, Arc::new(SystemClock)).unwrap();
    let ports = stores.ports(Arc::new(SystemIds::new().unwrap()));
    assert!(ports.clock.now().as_second() > 1_700_000_000);
    assert_ne!(ports.ids.mint(ports.clock.now()), ports.ids.mint(ports.clock.now()));
}
