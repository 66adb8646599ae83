//! Role definitions, governed end to end: the oracle of the compare, the gates before assignments of
//! roles, built-in roles in every tenant, and the life of a finding of a role.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod built_in;
mod coverage;
mod gates;
mod life;
mod mapping;
mod oracle;
mod table;
mod view;

use plumbline_governance::scope::Scope;
use plumbline_policy::catalog::ROLE_DEFINITION;
use plumbline_tests::policies::role;

/// The type that no baseline holds.
const ASSIGNMENT: &str = "intuneRoleAssignment";

const READ: &str = "Microsoft.Intune_ManagedDevices_Read";
const UPDATE: &str = "Microsoft.Intune_ManagedDevices_Update";
const WIPE: &str = "Microsoft.Intune_RemoteTasks_Wipe";

/// A scope of one policy type and some foundations.
fn scope(policy: &str, foundations: &[&str]) -> Scope {
    Scope {
        policy_types: vec![policy.to_owned()],
        foundation_types: foundations.iter().map(|one| (*one).to_owned()).collect(),
    }
}

/// A scope that holds role definitions.
fn roles_and(policy: &str) -> Scope {
    scope(policy, &[ROLE_DEFINITION])
}
