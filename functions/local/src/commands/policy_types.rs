//! `plumbline policy-types`: the catalog.

use super::{EXIT_EQUAL, style, write_out};
use crate::cli::{PolicyTypesArgs, TableFormat};
use crate::listing::{label, table};
use plumbline_governance::badge::Domain;
use plumbline_policy::catalog::catalog;

pub(super) fn run(args: &PolicyTypesArgs) -> anyhow::Result<u8> {
    let out = match args.format {
        TableFormat::Json => {
            let mut out = serde_json::to_string_pretty(&serde_json::json!({
                "catalog_version": catalog().version,
                "policy_types": catalog().types(),
            }))?;
            out.push('\n');
            out
        }
        TableFormat::Text => {
            let style = style(None);
            let rows = catalog()
                .types()
                .iter()
                .map(|one| {
                    vec![
                        one.key.clone(),
                        label(Domain::BaselineSupport, one.support.as_str()),
                        one.platform.clone(),
                        one.collection.clone(),
                        one.permission.clone().unwrap_or_else(|| "none".to_owned()),
                        one.reason.clone().unwrap_or_default(),
                    ]
                })
                .collect();
            table(
                &["type", "baseline", "platform", "collection", "permission", "why not"],
                rows,
                style,
            )
        }
    };
    write_out(out.as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}
