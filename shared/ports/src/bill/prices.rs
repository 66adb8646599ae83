//! What a unit costs: the list prices of one region, without free tiers and discounts.
//!
//! Prices change. [`REGION`] and the month of each price say what the table stands for; whoever renews a
//! price renews its month.

use super::Charge;

/// The region of the prices.
pub const REGION: &str = "us-east-1";

/// A list price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Dollars for `per` of them.
    pub dollars: f64,
    /// How many the dollars are for.
    pub per: f64,
    /// The price list.
    pub source: &'static str,
    /// The month in which the list said so.
    pub month: &'static str,
}

impl Price {
    /// Dollars for one.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.dollars / self.per
    }
}

const fn price(dollars: f64, per: f64, source: &'static str, month: &'static str) -> Price {
    Price { dollars, per, source, month }
}

const DYNAMODB: &str = "Amazon DynamoDB, on demand";
const S3: &str = "Amazon S3 Standard";
const SQS: &str = "Amazon SQS, standard queues";
const SECRETS: &str = "AWS Secrets Manager";
const LAMBDA: &str = "AWS Lambda, arm64, first tier";
const SCHEDULER: &str = "Amazon EventBridge Scheduler";
const API: &str = "Amazon API Gateway, HTTP APIs, first tier";
const CLOUDWATCH: &str = "Amazon CloudWatch, first tier";

impl Charge {
    /// What its units cost.
    #[must_use]
    pub const fn price(self) -> Price {
        match self {
            Self::RecordRead => price(0.125, 1e6, DYNAMODB, "2025-07"),
            Self::RecordWrite => price(0.625, 1e6, DYNAMODB, "2025-07"),
            Self::ObjectWrite => price(0.005, 1e3, S3, "2026-11"),
            Self::ObjectRead => price(0.0004, 1e3, S3, "2026-11"),
            Self::QueueRequest => price(0.40, 1e6, SQS, "2026-11"),
            Self::SecretRead => price(0.05, 1e4, SECRETS, "2026-11"),
            Self::FunctionCall => price(0.20, 1e6, LAMBDA, "2026-03"),
            Self::FunctionTime => price(0.000_013_333_4, 1.0, LAMBDA, "2026-03"),
            Self::ScheduleCall => price(1.0, 1e6, SCHEDULER, "2026-03"),
            Self::ApiRequest => price(1.0, 1e6, API, "2026-11"),
            Self::LogIntake => price(0.50, 1.0, CLOUDWATCH, "2026-11"),
        }
    }
}

/// A GB of rows for a month.
pub const RECORD_STORAGE: Price = price(0.25, 1.0, DYNAMODB, "2025-07");
/// A GB of rows that can be restored to any second, for a month; beside the storage itself.
pub const RECORD_RECOVERY: Price = price(0.20, 1.0, DYNAMODB, "2025-07");
/// A GB of objects for a month.
pub const OBJECT_STORAGE: Price = price(0.023, 1.0, S3, "2026-11");
/// A secret for a month.
pub const SECRET: Price = price(0.40, 1.0, SECRETS, "2026-11");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_names_its_list_and_month() {
        let monthly = [RECORD_STORAGE, RECORD_RECOVERY, OBJECT_STORAGE, SECRET];
        for price in Charge::ALL.map(Charge::price).into_iter().chain(monthly) {
            assert!(price.each() > 0.0 && price.each() <= 0.5, "{price:?}");
            assert!(!price.source.is_empty(), "{price:?}");
            assert!(
                format!("{}-01", price.month).parse::<jiff::civil::Date>().is_ok(),
                "{price:?}"
            );
        }
    }
}
