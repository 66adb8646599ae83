//! `plumbline token`: a token for the API of one's own data directory. Whoever may read the directory's
//! root key may make one.

use super::EXIT_EQUAL;
use crate::cli::data::DataArgs;
use crate::cli::work::TokenArgs;
use crate::data::{path_of, user};
use jiff::SignedDuration;
use plumbline_api::token::Development;
use plumbline_ports::Clock as _;
use plumbline_store_local::{DataDir, SystemClock};

pub(super) fn run(args: &DataArgs, token: &TokenArgs) -> anyhow::Result<u8> {
    let root = DataDir::root_key(&path_of(args)?)?;
    let subject = token.subject.clone().or_else(|| args.act_as.clone()).unwrap_or_else(user);
    let good_for = SignedDuration::from_hours(token.hours.into());
    let text = Development::new(&root)?.mint(&subject, SystemClock.now(), good_for)?;
    super::write_out(format!("{text}\n").as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}
