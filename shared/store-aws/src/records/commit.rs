//! Commits: one change is one conditional write, several are one transaction, which is billed double.

use super::DynamoRecords;
use super::item;
use crate::error::{is_later, port_error};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
    TransactWriteItem,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::error::operation::BuildError;
use plumbline_ports::{Action, Batch, CommitError, Condition, Key, PortError, Record};
use std::collections::HashMap;
use std::error::Error;

const OP: &str = "commit records";

/// A condition as an expression over the row as it stands, and the value it compares.
fn expression(condition: Condition) -> Option<(&'static str, Option<Values>)> {
    match condition {
        Condition::Always => None,
        Condition::Absent => Some(("attribute_not_exists(pk)", None)),
        Condition::Revision(expected) => {
            let values = HashMap::from([(":rev".to_owned(), item::number(&expected))]);
            Some(("rev = :rev", Some(values)))
        }
    }
}

type Values = HashMap<String, AttributeValue>;

/// The expression and its values apart, as the requests take them.
fn parts(condition: Condition) -> (Option<String>, Option<Values>) {
    let (expression, values) = expression(condition).unzip();
    (expression.map(str::to_owned), values.flatten())
}

impl DynamoRecords {
    pub(super) async fn commit_batch(&self, batch: Batch) -> Result<(), CommitError> {
        batch.check_limits()?;
        let table = self.table(OP)?;
        let mut actions = batch.actions;
        if actions.len() == 1 {
            match actions.pop() {
                Some(Action::Put(record, condition)) => {
                    return self.put(table, record, condition).await;
                }
                Some(Action::Delete(key, condition)) => {
                    return self.delete(table, &key, condition).await;
                }
                Some(check) => actions.push(check),
                None => {}
            }
        }
        self.transact(table, actions).await
    }

    async fn put(
        &self,
        table: &str,
        record: Record,
        condition: Condition,
    ) -> Result<(), CommitError> {
        let (expression, values) = parts(condition);
        self.meter.record_request();
        let done = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item::encode(record)))
            .set_condition_expression(expression)
            .set_expression_attribute_values(values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| of_one(table, &error))?;
        self.meter.written(done.consumed_capacity());
        Ok(())
    }

    async fn delete(
        &self,
        table: &str,
        key: &Key,
        condition: Condition,
    ) -> Result<(), CommitError> {
        let (expression, values) = parts(condition);
        self.meter.record_request();
        let done = self
            .client
            .delete_item()
            .table_name(table)
            .set_key(Some(item::key(key)))
            .set_condition_expression(expression)
            .set_expression_attribute_values(values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| of_one(table, &error))?;
        self.meter.written(done.consumed_capacity());
        Ok(())
    }

    /// The SDK gives each transaction a token, so that one sent again after a lost reply is not taken
    /// twice.
    async fn transact(&self, table: &str, actions: Vec<Action>) -> Result<(), CommitError> {
        // A check of nothing is no part of a transaction; the others keep their places.
        let (mut places, mut items) = (Vec::new(), Vec::new());
        for (place, action) in actions.into_iter().enumerate() {
            if let Some(item) = write_item(table, action).map_err(|error| not_built(&error))? {
                places.push(place);
                items.push(item);
            }
        }
        if items.is_empty() {
            return Ok(());
        }
        self.meter.record_request();
        let told = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match told {
            Ok(done) => {
                self.meter.written(done.consumed_capacity());
                Ok(())
            }
            Err(error) => {
                Err(cancelled(&error, &places)
                    .unwrap_or_else(|| port_error(OP, table, &error).into()))
            }
        }
    }
}

/// What became of a single write.
fn of_one<E>(table: &str, error: &SdkError<E>) -> CommitError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    match error.code() {
        Some("ConditionalCheckFailedException") => CommitError::Condition { failed: vec![0] },
        _ => port_error(OP, table, error).into(),
    }
}

fn write_item(table: &str, action: Action) -> Result<Option<TransactWriteItem>, BuildError> {
    let item = TransactWriteItem::builder();
    Ok(Some(match action {
        Action::Put(record, condition) => {
            let (expression, values) = parts(condition);
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(item::encode(record)))
                .set_condition_expression(expression)
                .set_expression_attribute_values(values);
            item.put(put.build()?).build()
        }
        Action::Delete(key, condition) => {
            let (expression, values) = parts(condition);
            let delete = Delete::builder()
                .table_name(table)
                .set_key(Some(item::key(&key)))
                .set_condition_expression(expression)
                .set_expression_attribute_values(values);
            item.delete(delete.build()?).build()
        }
        Action::Check(_, Condition::Always) => return Ok(None),
        Action::Check(key, condition) => {
            let (expression, values) = parts(condition);
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(item::key(&key)))
                .set_condition_expression(expression)
                .set_expression_attribute_values(values);
            item.condition_check(check.build()?).build()
        }
    }))
}

fn not_built(error: &BuildError) -> PortError {
    PortError::refused(OP, error.to_string())
}

/// What became of a cancelled transaction, by the reasons it gives for each of its items.
fn cancelled(error: &SdkError<TransactWriteItemsError>, places: &[usize]) -> Option<CommitError> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) =
        error.as_service_error()?
    else {
        return None;
    };
    Some(judge(cancelled.cancellation_reasons(), places))
}

const CONDITION: &str = "ConditionalCheckFailed";

/// Failed conditions are told only when nothing else kept the transaction back: the list is whole.
fn judge(reasons: &[CancellationReason], places: &[usize]) -> CommitError {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let other = reasons.iter().find(|reason| !["None", CONDITION].contains(&code(reason).as_str()));
    if let Some(other) = other {
        let told = match other.message() {
            Some(message) => format!("{}: {message}", code(other)),
            None => code(other),
        };
        return if is_later(&code(other)) {
            PortError::unavailable(OP, told).into()
        } else {
            PortError::refused(OP, told).into()
        };
    }
    let failed: Vec<usize> = reasons
        .iter()
        .zip(places)
        .filter(|(reason, _)| code(reason) == CONDITION)
        .map(|(_, place)| *place)
        .collect();
    if failed.is_empty() {
        return PortError::unavailable(OP, "the transaction was cancelled without a reason").into();
    }
    CommitError::Condition { failed }
}

/// One write under a condition has no token. When its reply is lost, a second sending would find its own
/// first and call that a failed condition; so it is sent again only after an answer that nothing was done.
fn once() -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::Config::builder().retry_classifier(OnlyWhatWasNotDone)
}

/// Forbids another try after anything but an answer below 500.
#[derive(Debug)]
struct OnlyWhatWasNotDone;

impl ClassifyRetry for OnlyWhatWasNotDone {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refused = context.response().is_some_and(|answer| answer.status().as_u16() < 500);
        let failed = context.output_or_error().is_some_and(|told| {
            told.is_err_and(|error| {
                OrchestratorError::as_operation_error(error).is_none() || !refused
            })
        });
        if failed { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "only what was not done"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn failed_places_are_those_of_the_batch() {
        let told = judge(&reasons(&["None", CONDITION, "None", CONDITION]), &[0, 2, 3, 5]);
        assert_eq!(told, CommitError::Condition { failed: vec![2, 5] });
    }

    #[test]
    fn a_conflict_is_tried_again_and_a_bad_item_is_not() {
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            let told = judge(&reasons(&[CONDITION, code]), &[0, 1]);
            let retryable = matches!(&told, CommitError::Port(error) if error.is_retryable());
            assert!(retryable, "{told:?}");
        }
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded"] {
            let told = judge(&reasons(&["None", code]), &[0, 1]);
            assert!(matches!(told, CommitError::Port(PortError::Refused { .. })), "{told:?}");
        }
    }
}
