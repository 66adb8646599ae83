//! `plumbline cost`: what a fleet's night costs in the cloud, counted on a sample that is really compared.

mod assumed;
mod policies;
mod sample;
mod sheet;

use super::show::{count, show};
use crate::cli::cost::CostArgs;
use crate::listing::table;
use crate::render::Style;
use anyhow::{Context as _, bail};
use plumbline_ports::bill::{Charge, prices};
use serde_json::{Value, json};
use sheet::{NIGHTS, Part, Use};
use std::fmt::Write as _;

/// The tenants of the larger sample: one more than a batch of messages, so that the line through it and one
/// tenant tells what a batch costs.
const SAMPLE: u32 = 11;

/// What was worked out.
struct Sheet<'a> {
    args: &'a CostArgs,
    drifted: u32,
    parts: Vec<Part>,
    idle: Part,
}

pub(super) fn run(args: &CostArgs) -> anyhow::Result<u8> {
    let drifted = drifted(args.policies, args.drift)?;
    // One thread, so that the time it takes is the time it computes.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.context("cannot start a thread; close other programs and try again")?;
    let (one, many) = alone.install(|| -> anyhow::Result<_> {
        let night = |tenants| sample::night(tenants, args.policies, drifted);
        Ok((night(1)?, night(SAMPLE)?))
    })?;
    let parts = sheet::parts(&one, &many, SAMPLE.into(), args.tenants.into());
    let sheet = Sheet { args, drifted, parts, idle: sheet::idle(&one) };
    show(args.show, &sheet.json(), |style| sheet.text(style))
}

/// How many policies so many percent are.
fn drifted(policies: u32, percent: f64) -> anyhow::Result<u32> {
    let drifted = (f64::from(policies) * percent / 100.0).round();
    if percent > 0.0 && drifted < 1.0 {
        bail!(
            "{percent} % of {} is less than one policy; give a higher --drift, or 0",
            count(policies.into(), "policy", "policies")
        );
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a number of 32 bits"
    )]
    Ok(drifted as u32)
}

impl Sheet<'_> {
    fn tenants(&self) -> f64 {
        self.args.tenants.into()
    }

    /// Dollars of one tenant's night.
    fn of_tenant(&self, part: &Part) -> f64 {
        part.dollars() / self.tenants()
    }

    /// Dollars of a month in which nothing is done.
    fn idle_dollars(&self) -> f64 {
        self.idle.dollars() + assumed::monthly()
    }

    fn text(&self, style: Style) -> String {
        let CostArgs { tenants, policies, .. } = self.args;
        let whole = sheet::together(&self.parts);
        let night = sheet::night(&self.parts);
        let rows = self.parts.iter().chain([&night, &whole]).map(|part| self.row(part)).collect();
        let mut out = format!(
            "A night of {} with {} each, {} of them with new drift\n\n",
            count((*tenants).into(), "tenant", "tenants"),
            count((*policies).into(), "policy", "policies"),
            self.drifted
        );
        let head = [
            "one tenant's part of",
            "read units",
            "write units",
            "S3 PUT",
            "S3 GET",
            "SQS",
            "Lambda GB-s",
            "$ per 1,000 tenant-nights",
        ];
        out += &table(&head, rows, style);
        let night = self.of_tenant(&whole);
        let month = night * self.tenants() * NIGHTS;
        let _ = write!(
            out,
            "\n  One tenant-night     ${night:.8}\n  1,000 tenant-nights  ${:.5}\n  A month of {NIGHTS} \
             nights of all tenants  ${month:.2}\n  A month without work  ${:.2}, beside it\n\nCounted  \
             Units and requests: each call of real nights of 1 and of {} tenants, made here on embedded \
             stores. {} tenants lie on the line through both.\n",
            night * 1e3,
            self.idle_dollars(),
            SAMPLE,
            self.args.tenants
        );
        for line in assumed::told() {
            let _ = writeln!(out, "Assumed  {line}");
        }
        let _ =
            writeln!(out, "Prices   {}, list prices; --format json names each.", prices::REGION);
        out
    }

    fn row(&self, part: &Part) -> Vec<String> {
        let each = |uses: &Use, charge| {
            let units = uses.units.get(&charge).copied().unwrap_or(0.0) / self.tenants();
            if units == 0.0 { "0".to_owned() } else { format!("{units:.3}") }
        };
        let counted = [
            Charge::RecordRead,
            Charge::RecordWrite,
            Charge::ObjectWrite,
            Charge::ObjectRead,
            Charge::QueueRequest,
        ];
        let mut row = vec![part.name.to_owned()];
        row.extend(counted.map(|charge| each(&part.counted, charge)));
        row.push(each(&part.assumed, Charge::FunctionTime));
        row.push(format!("{:.5}", self.of_tenant(part) * 1e3));
        row
    }

    fn json(&self) -> Value {
        let of = |uses: &Use, tenants: f64| -> Value {
            let units = uses.units.iter();
            units
                .map(|(charge, units)| (charge.as_str().to_owned(), json!(units / tenants)))
                .collect()
        };
        let part = |part: &Part, tenants: f64| {
            json!({
                "part": part.name,
                "counted": of(&part.counted, tenants),
                "assumed": of(&part.assumed, tenants),
                "dollars": part.dollars() / tenants,
            })
        };
        let whole = sheet::together(&self.parts);
        let price = |charge: Charge| {
            let price = charge.price();
            json!({
                "of": charge.as_str(), "dollars": price.dollars, "per": price.per,
                "source": price.source, "month": price.month,
            })
        };
        json!({
            "tenants": self.args.tenants,
            "policies": self.args.policies,
            "drifted_policies": self.drifted,
            "sample_tenants": [1, SAMPLE],
            "per_tenant_night": self.parts.iter().map(|one| part(one, self.tenants())).collect::<Vec<_>>(),
            "dollars": {
                "per_tenant_night": self.of_tenant(&whole),
                "per_1000_tenant_nights": self.of_tenant(&whole) * 1e3,
                "per_month": whole.dollars() * NIGHTS,
                "per_month_without_work": self.idle_dollars(),
            },
            "month_without_work": part(&self.idle, 1.0),
            "assumptions": assumed::told(),
            "region": prices::REGION,
            "prices": Charge::ALL.map(price),
        })
    }
}
