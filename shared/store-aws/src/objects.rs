//! Objects in a bucket of S3. The key of an object ends with the digest of its bytes, and so does its
//! checksum: S3 refuses bytes that do not have it.

use crate::bill::Meter;
use crate::error::{not_set, port_error};
use crate::settings::BUCKET;
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_types::base64;
use plumbline_policy::digest::Digest;
use plumbline_ports::objects::{Listed, Listing, check_bytes, check_list, check_put};
use plumbline_ports::{ObjectKey, Objects, PortError, PutOutcome};
use std::sync::Arc;
use std::time::Duration;

const GET: &str = "get object";
const PART: &str = "get a part of an object";
const PUT: &str = "put object";
const LIST: &str = "list objects";
const DELETE: &str = "delete object";

/// How often a put looks again at what stands in its way: another writer of the same object.
const TURNS: u32 = 6;
/// The first wait for another writer; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(25);
/// How many objects one answer of a listing holds at most.
const LISTED: usize = 1_000;

/// Objects in a bucket.
pub(crate) struct S3Objects {
    client: Client,
    bucket: Option<String>,
    meter: Arc<Meter>,
}

/// What a put is conditional on.
enum Standing {
    /// There is no object.
    Nothing,
    /// There is one with this entity tag, and its bytes are not those of its key.
    Damaged(String),
}

/// What a put came to at the server.
enum Put {
    Done,
    /// Something stands there, or another writer is at work.
    InTheWay,
    /// Another writer is at work: wait for it.
    Wait,
}

impl S3Objects {
    pub(crate) fn new(client: Client, bucket: Option<String>, meter: Arc<Meter>) -> Self {
        Self { client, bucket, meter }
    }

    /// Proves that the bucket is there, if one is set, by an object of a workspace that nobody has. A role
    /// that may not list is told that it may not see what is not there; that too is the bucket's answer.
    pub(crate) async fn warm(&self, workspace: &str) -> Result<(), PortError> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        self.meter.object_get();
        let key = format!("ws/{workspace}/{}", Digest::of(b""));
        match self.client.get_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "AccessDenied")) => Ok(()),
            Err(error) => Err(port_error(GET, bucket, &error)),
        }
    }

    fn bucket(&self, op: &'static str) -> Result<&str, PortError> {
        self.bucket.as_deref().ok_or_else(|| not_set(op, BUCKET))
    }

    async fn put_once(
        &self,
        bucket: &str,
        key: &ObjectKey,
        bytes: Vec<u8>,
        standing: &Standing,
    ) -> Result<Put, PortError> {
        self.meter.object_put();
        let put = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key.to_string())
            .checksum_sha256(checksum(key))
            .body(ByteStream::from(bytes));
        let put = match standing {
            Standing::Nothing => put.if_none_match("*"),
            Standing::Damaged(tag) => put.if_match(tag),
        };
        match put.send().await {
            Ok(_) => Ok(Put::Done),
            Err(error) => match status(&error) {
                Some(412) => Ok(Put::InTheWay),
                Some(409) => Ok(Put::Wait),
                // What was to be replaced is gone.
                Some(404) if error.code() == Some("NoSuchKey") => Ok(Put::InTheWay),
                _ => Err(port_error(PUT, &name(bucket, key), &error)),
            },
        }
    }

    /// The head of an object; `None` when it is not there.
    async fn head(
        &self,
        op: &'static str,
        bucket: &str,
        key: &ObjectKey,
    ) -> Result<Option<HeadObjectOutput>, PortError> {
        self.meter.object_get();
        let head = self.client.head_object().bucket(bucket).key(key.to_string());
        match head.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => Ok(Some(head)),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) if self.is_unseen(&error, bucket, key).await => Ok(None),
            Err(error) => Err(port_error(op, &name(bucket, key), &error)),
        }
    }

    /// Whether a refusal means that the object is not there. S3 says 404 only to who may list the bucket
    /// without a condition, and a session may list its workspace alone: then only the listing tells.
    async fn is_unseen<E>(&self, error: &SdkError<E>, bucket: &str, key: &ObjectKey) -> bool {
        if status(error) != Some(403) {
            return false;
        }
        self.meter.object_put();
        let (key, list) = (key.to_string(), self.client.list_objects_v2().bucket(bucket));
        let listed = list.prefix(&key).max_keys(1).send().await;
        listed.is_ok_and(|listed| listed.contents().iter().all(|one| one.key() != Some(&key)))
    }

    /// A read of an object, whole or in part; `None` when it is not there.
    async fn read(
        &self,
        op: &'static str,
        key: &ObjectKey,
        range: Option<String>,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let bucket = self.bucket(op)?;
        self.meter.object_get();
        let get = self.client.get_object().bucket(bucket).key(key.to_string());
        let answer = match get.set_range(range).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) if self.is_unseen(&error, bucket, key).await => return Ok(None),
            // The part begins behind the end.
            Err(error) if status(&error) == Some(416) => return Ok(Some(Vec::new())),
            Err(error) => return Err(port_error(op, &name(bucket, key), &error)),
        };
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|error| PortError::unavailable(op, error))?;
        Ok(Some(bytes.to_vec()))
    }
}

/// The checksum that the object of a key has, as S3 writes it.
fn checksum(key: &ObjectKey) -> String {
    base64::encode(key.digest().as_bytes())
}

fn name(bucket: &str, key: &ObjectKey) -> String {
    format!("{bucket}/{key}")
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

#[async_trait]
impl Objects for S3Objects {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        check_put(key, &bytes)?;
        let bucket = self.bucket(PUT)?;
        let (mut standing, mut wait) = (Standing::Nothing, FIRST_WAIT);
        for _ in 0..TURNS {
            match self.put_once(bucket, key, bytes.clone(), &standing).await? {
                Put::Done => return Ok(PutOutcome::Created),
                Put::Wait => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Put::InTheWay => {
                    standing = match self.head(PUT, bucket, key).await? {
                        None => Standing::Nothing,
                        Some(head) if head.checksum_sha256() == Some(&checksum(key)) => {
                            return Ok(PutOutcome::AlreadyThere);
                        }
                        Some(head) => {
                            Standing::Damaged(head.e_tag().unwrap_or_default().to_owned())
                        }
                    };
                }
            }
        }
        Err(PortError::unavailable(PUT, format!("others write {} all the time", name(bucket, key))))
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        let Some(bytes) = self.read(GET, key, None).await? else { return Ok(None) };
        check_bytes(key, &bytes)?;
        Ok(Some(bytes))
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let short = |bytes: usize| {
            PortError::corrupt(
                format!("the object {key}"),
                format!("{bytes} bytes, but {length} from {offset} were asked for"),
            )
        };
        // The last byte of the part; a part of nothing has none.
        let last = offset.checked_add(length).and_then(|end| end.checked_sub(1));
        let Some(last) = last.filter(|last| *last >= offset) else {
            let head = self.head(PART, self.bucket(PART)?, key).await?;
            let Some(head) = head else { return Ok(None) };
            let bytes =
                u64::try_from(head.content_length().unwrap_or_default()).unwrap_or_default();
            let fits = length == 0 && offset <= bytes;
            return if fits { Ok(Some(Vec::new())) } else { Err(short(0)) };
        };
        let range = Some(format!("bytes={offset}-{last}"));
        let Some(part) = self.read(PART, key, range).await? else { return Ok(None) };
        if part.len() as u64 == length { Ok(Some(part)) } else { Err(short(part.len())) }
    }

    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError> {
        check_list(folder, limit)?;
        let bucket = self.bucket(LIST)?;
        let (mut objects, mut behind) = (Vec::new(), after.map(ToString::to_string));
        loop {
            self.meter.object_put();
            let wanted = (limit - objects.len()).min(LISTED);
            let answer = self
                .client
                .list_objects_v2()
                .bucket(bucket)
                .prefix(format!("{folder}/"))
                .set_start_after(behind)
                .max_keys(i32::try_from(wanted).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| port_error(LIST, &format!("{bucket}/{folder}"), &error))?;
            objects.extend(answer.contents().iter().filter_map(listed));
            behind = answer.contents().last().and_then(|last| last.key()).map(str::to_owned);
            let more = answer.is_truncated().unwrap_or_default() && behind.is_some();
            if !more || objects.len() >= limit {
                let next = objects.last().filter(|_| more).map(|last: &Listed| last.key.clone());
                return Ok(Listing { objects, next });
            }
        }
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        let bucket = self.bucket(DELETE)?;
        self.meter.object_delete();
        let delete = self.client.delete_object().bucket(bucket).key(key.to_string());
        delete.send().await.map_err(|error| port_error(DELETE, &name(bucket, key), &error))?;
        Ok(())
    }
}

/// An object of a listing; `None` for what is none of ours.
fn listed(object: &aws_sdk_s3::types::Object) -> Option<Listed> {
    let (folder, digest) = object.key()?.rsplit_once('/')?;
    let key = ObjectKey::new(folder, digest.parse().ok()?).ok()?;
    Some(Listed { key, bytes: u64::try_from(object.size()?).ok()? })
}
