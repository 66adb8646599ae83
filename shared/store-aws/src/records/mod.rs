//! Records in a table of `DynamoDB`.

mod commit;
mod item;
mod range;

use crate::bill::Meter;
use crate::error::port_error;
use crate::settings::TABLE;
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use item::{Item, PK, SK};
use plumbline_ports::records::{MAX_PAGE_BYTES, check_key};
use plumbline_ports::{
    Batch, CommitError, IndexPosition, IndexQuery, Key, Page, PortError, Query, Record, Records,
};
use range::{Condition, Start, start};
use std::sync::Arc;

const QUERY: &str = "query records";

/// Records in a table.
pub(crate) struct DynamoRecords {
    client: Client,
    table: Option<String>,
    meter: Arc<Meter>,
}

impl DynamoRecords {
    pub(crate) fn new(client: Client, table: Option<String>, meter: Arc<Meter>) -> Self {
        Self { client, table, meter }
    }

    /// Proves that the table is there, if one is set, by a row of a workspace that nobody has.
    pub(crate) async fn warm(&self, workspace: &str) -> Result<(), PortError> {
        match self.table {
            Some(_) => self.get(&Key::new(format!("WS#{workspace}"), "META")).await.map(drop),
            None => Ok(()),
        }
    }

    fn table(&self, op: &'static str) -> Result<&str, PortError> {
        self.table.as_deref().ok_or_else(|| crate::error::not_set(op, TABLE))
    }

    async fn ask(
        &self,
        table: &str,
        question: QueryFluentBuilder,
    ) -> Result<(Vec<Record>, Option<Item>), PortError> {
        self.meter.record_request();
        let answer = question
            .table_name(table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| port_error(QUERY, table, &error))?;
        self.meter.read(answer.consumed_capacity());
        let records: Result<_, _> =
            answer.items.unwrap_or_default().into_iter().map(item::decode).collect();
        Ok((records?, answer.last_evaluated_key))
    }

    fn question(
        &self,
        condition: Condition,
        pk: (&str, &str),
        sk: &str,
        limit: usize,
        descending: bool,
    ) -> QueryFluentBuilder {
        let (expression, values) = condition.expression();
        // The service takes no limit that is larger than a number of 32 bits, nor needs one.
        let limit = i32::try_from(limit).ok();
        let mut question = self
            .client
            .query()
            .key_condition_expression(expression)
            .expression_attribute_names("#pk", pk.0)
            .expression_attribute_values(":pk", item::text(pk.1))
            .set_limit(limit)
            .scan_index_forward(!descending);
        for (name, value) in values {
            question = question
                .expression_attribute_names("#sk", sk)
                .expression_attribute_values(name, item::text(value));
        }
        question
    }
}

/// Cuts an answer off before it passes the limit of a page. `more` says whether the service has more.
fn page<P>(
    mut records: Vec<Record>,
    more: bool,
    position: impl Fn(&Record) -> Option<P>,
) -> Page<P> {
    let mut bytes = 0;
    let fits = records.iter().take_while(|record| {
        bytes += record.size();
        bytes <= MAX_PAGE_BYTES
    });
    let fits = fits.count().max(1);
    let cut = records.len() > fits;
    records.truncate(fits);
    let next = if cut || more { records.last().and_then(position) } else { None };
    Page { records, next }
}

fn empty<P>() -> Page<P> {
    Page { records: Vec::new(), next: None }
}

#[async_trait]
impl Records for DynamoRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        const OP: &str = "get a record";
        check_key(OP, key)?;
        let table = self.table(OP)?;
        self.meter.record_request();
        let answer = self
            .client
            .get_item()
            .table_name(table)
            .set_key(Some(item::key(key)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| port_error(OP, table, &error))?;
        self.meter.read(answer.consumed_capacity());
        answer.item.map(item::decode).transpose()
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        query.check_limits()?;
        let table = self.table(QUERY)?;
        let start = start(&query.range, query.after.as_deref(), query.descending);
        let (Some(condition), true) = (Condition::of(&query.range), start != Start::Nowhere) else {
            return Ok(empty());
        };
        let pk = (PK, query.pk.as_str());
        let mut question =
            self.question(condition, pk, SK, query.limit, query.descending).consistent_read(true);
        if let (Start::Behind, Some(after)) = (start, &query.after) {
            let after = Key::new(query.pk.clone(), after.clone());
            question = question.set_exclusive_start_key(Some(item::key(&after)));
        }
        let (records, last) = self.ask(table, question).await?;
        Ok(page(records, last.is_some(), |record| Some(record.key.sk.clone())))
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        query.check_limits()?;
        let table = self.table(QUERY)?;
        let after = query.after.as_ref();
        let start = start(&query.range, after.map(|after| after.sk.as_str()), query.descending);
        let (Some(condition), true) = (Condition::of(&query.range), start != Start::Nowhere) else {
            return Ok(empty());
        };
        let names = item::names(query.index);
        let pk = (names.pk, query.pk.as_str());
        let mut question = self
            .question(condition.over_places(), pk, names.sk, query.limit, query.descending)
            .index_name(names.index);
        if let (Start::Behind, Some(after)) = (start, after) {
            let after = item::position(query.index, &query.pk, after);
            question = question.set_exclusive_start_key(Some(after));
        }
        let (records, last) = self.ask(table, question).await?;
        Ok(page(records, last.is_some(), |record| {
            let place = record.indexes.iter().find(|place| place.index == query.index)?;
            Some(IndexPosition { sk: place.sk.clone(), key: record.key.clone() })
        }))
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.commit_batch(batch).await
    }
}
