//! What the API refused, as one sentence.

use super::Answer;
use axum::http::StatusCode;
use plumbline_api::problem::{KINDS, Problem};
use std::fmt;

/// A problem that the API answered with.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The problem.
    pub problem: Problem,
}

impl Refusal {
    /// Reads the problem of an answer that is no success.
    pub(super) fn of(answer: &Answer) -> Self {
        let problem = serde_json::from_slice(&answer.body).unwrap_or_else(|_| {
            // Something between us and the API answered.
            Problem {
                kind: "".into(),
                title: "".into(),
                status: answer.status.as_u16(),
                detail: format!("the server answered {}, and not as plumbline does", answer.status)
                    .into(),
                next_step: "Check the address and what stands between here and there.".into(),
                retry_after: None,
                run: None,
                allow: None,
            }
        });
        Self { problem }
    }

    /// The refusal that an error is.
    pub(crate) fn in_error(error: &anyhow::Error) -> Option<&Problem> {
        error.downcast_ref::<Self>().map(|refusal| &refusal.problem)
    }
}

/// What is wrong, and what to do where the words before do not say it.
pub(crate) fn sentence(problem: &Problem) -> String {
    let Problem { detail, next_step, .. } = problem;
    if problem.status == StatusCode::UNAUTHORIZED {
        return format!(
            "the server takes no such token: {detail}; set PLUMBLINE_TOKEN to a new one (beside \
             `plumbline serve`: export PLUMBLINE_TOKEN=\"$(plumbline token)\")"
        );
    }
    // Of these kinds the operation itself says what to do; the usual step says it in general.
    let says_it = matches!(problem.status, 404 | 409 | 422);
    let usual =
        KINDS.iter().any(|kind| kind.word == problem.word() && kind.next_step == &**next_step);
    if says_it && usual {
        return detail.to_string();
    }
    format!("{detail}; {}", part(next_step))
}

/// A sentence as a part of one.
fn part(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&sentence(&self.problem))
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_api::problem::{FORBIDDEN, REFUSED};

    #[test]
    fn the_next_step_is_told_where_it_helps() {
        assert_eq!(sentence(&REFUSED.because("it is so; do this")), "it is so; do this");
        assert_eq!(sentence(&REFUSED.because("it is so").next("Do that.")), "it is so; do that");
        assert_eq!(
            sentence(&FORBIDDEN.because("no")),
            "no; ask an owner of the workspace for a role that does"
        );
    }
}
