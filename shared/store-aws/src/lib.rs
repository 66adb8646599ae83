//! The stores in the cloud: records on `DynamoDB`, objects on S3, queues on SQS, keys in Secrets Manager.
