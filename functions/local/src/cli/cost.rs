//! Arguments of `cost`.

use super::data::Show;
use clap::Args;

/// The largest fleet and the largest tenant that are worked out.
const MOST_TENANTS: u32 = 1_000_000;
const MOST_POLICIES: u32 = 20_000;

/// Options of `cost`.
#[derive(Args, Debug)]
pub(crate) struct CostArgs {
    /// How many tenants are compared each night
    #[arg(long, value_name = "N", default_value = "1000", value_parser = tenants)]
    pub tenants: u32,
    /// How many policies each of them has
    #[arg(long, value_name = "P", default_value = "1000", value_parser = policies)]
    pub policies: u32,
    /// How many percent of its policies drifted since the night before
    #[arg(long, value_name = "PERCENT", default_value = "1", value_parser = percent)]
    pub drift: f64,
    #[command(flatten)]
    pub show: Show,
}

fn tenants(text: &str) -> Result<u32, String> {
    counted(text, "tenants", MOST_TENANTS)
}

fn policies(text: &str) -> Result<u32, String> {
    counted(text, "policies", MOST_POLICIES)
}

fn counted(text: &str, what: &str, most: u32) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| format!("write a whole number of {what}, 1 to {most}"))
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "write percent, 0 to 100, such as 1 or 0.5".to_owned())
}
