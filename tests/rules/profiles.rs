//! Names, scopes, overrides, statuses and the last owner.

use futures::executor::block_on;
use plumbline_governance::access::MemberRole;
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::scope::Scope;
use plumbline_governance::severity::Severity;
use plumbline_operations::{NewProfile, OperationError, Person, ProfileEdit};
use plumbline_policy::tenant::TenantFacts;
use plumbline_tests::policies::{FEATURE, QUALITY, many};
use plumbline_tests::stage::{Stage, must, scope};

fn refused<T: std::fmt::Debug>(answer: Result<T, OperationError>, words: &str) {
    let error = answer.expect_err(words);
    assert!(matches!(error, OperationError::Refused(_) | OperationError::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains(words), "{error} / {words}");
}

#[test]
fn names_are_unique_without_regard_to_case() {
    let stage = Stage::new();
    let profile = stage.profile("Größe", &[FEATURE]);
    let new = |name: &str| {
        let new = NewProfile { name: name.to_owned(), ..NewProfile::default() };
        block_on(stage.system.create_profile(stage.workspace, &stage.actor, new))
    };
    for name in ["Größe", "GRÖSSE", " größe ", "gro\u{308}ße"] {
        refused(new(name), "is called");
    }
    for name in ["", "  ", "a\nb", &"x".repeat(10_000)] {
        assert!(new(name).is_err(), "{name:.20}");
    }
    let other = must(new("Other"));
    let rename = |id, name: &str| {
        let edit = ProfileEdit { name: Some(name.to_owned()), ..ProfileEdit::default() };
        block_on(stage.system.edit_profile(stage.workspace, &stage.actor, id, edit, None))
    };
    refused(rename(other.id, "GRÖSSE"), "is called");
    must(rename(profile, "GRÖSSE"));
    must(rename(profile, "Länge"));
    must(new("Größe"));
    // A name that is free again after its owner was put away.
    let to = ProfileStatus::Archived;
    must(block_on(stage.system.set_profile_status(
        stage.workspace,
        &stage.actor,
        profile,
        to,
        None,
    )));
    must(new("länge"));
    refused(rename(profile, "Neu"), "archived");
    let tenant = stage.tenant("North");
    let add = |name: &str| {
        let facts = TenantFacts::default();
        block_on(stage.system.add_tenant(stage.workspace, &stage.actor, name, facts))
    };
    refused(add("NORTH"), "is called");
    must(block_on(stage.system.archive_tenant(stage.workspace, &stage.actor, tenant, None)));
    must(add("north"));
    refused(
        block_on(stage.system.archive_tenant(stage.workspace, &stage.actor, tenant, None)),
        "archived",
    );
}

#[test]
fn scopes_and_severities_are_checked() {
    let stage = Stage::new();
    let new = |scope: Scope, rule: Option<&str>| {
        let severities = rule.map(|rule| (rule.to_owned(), Severity::Low)).into_iter().collect();
        let new = NewProfile { name: "x".to_owned(), scope, severities, ..NewProfile::default() };
        block_on(stage.system.create_profile(stage.workspace, &stage.actor, new))
    };
    refused(new(scope(&["nonsense"]), None), "`nonsense` is not a policy type");
    refused(new(scope(&["intuneRoleDefinition"]), None), "foundation_types");
    refused(new(scope(&["intuneRoleAssignment"]), None), "intuneRoleAssignment");
    refused(new(scope(&[FEATURE]), Some("no.such.rule")), "no severity rule");
    must(new(scope(&[FEATURE]), Some("policy.missing")));
}

#[test]
fn overrides_only_narrow() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(&[FEATURE], &many(3, 0));
    let assign = |narrow: Option<Scope>| {
        block_on(stage.system.assign(stage.workspace, &stage.actor, tenant, profile, narrow, None))
    };
    refused(assign(Some(scope(&[QUALITY]))), "an override can only narrow it");
    refused(assign(Some(scope(&["nonsense"]))), "not a policy type");
    must(assign(Some(scope(&[FEATURE]))));
    must(assign(None));
    let draft = stage.profile("Draft", &[FEATURE]);
    refused(
        block_on(stage.system.assign(stage.workspace, &stage.actor, tenant, draft, None, None)),
        "is not active but",
    );
    let to = |to| {
        block_on(stage.system.set_profile_status(stage.workspace, &stage.actor, draft, to, None))
    };
    refused(to(ProfileStatus::Active), "no snapshot");
    must(to(ProfileStatus::Archived));
    refused(to(ProfileStatus::Draft), "archived is final");
    let golden = stage.tenant("source");
    refused(stage.start_capture(draft, golden), "archived");
}

#[test]
fn what_is_archived_takes_part_in_nothing() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(&[FEATURE], &many(3, 0));
    must(block_on(stage.system.archive_tenant(stage.workspace, &stage.actor, tenant, None)));
    refused(stage.start_compare(tenant), "archived");
    refused(stage.start_capture(profile, tenant), "archived");
    refused(stage.try_import(tenant, &many(3, 0), &plumbline_tests::stage::complete()), "archived");
    refused(
        block_on(stage.system.assign(stage.workspace, &stage.actor, tenant, profile, None, None)),
        "archived",
    );
}

#[test]
fn the_last_owner_stays() {
    let stage = Stage::new();
    let person = |subject: &str| Person { issuer: "local".to_owned(), subject: subject.to_owned() };
    let set = |subject: &str, role: MemberRole| {
        block_on(stage.system.set_member(
            stage.workspace,
            &stage.actor,
            &person(subject),
            role.into(),
            None,
        ))
    };
    let remove = |subject: &str| {
        block_on(stage.system.remove_member(stage.workspace, &stage.actor, &person(subject), None))
    };
    refused(set("eve", MemberRole::Viewer), "only owner");
    refused(remove("eve"), "only owner");
    must(set("bob", MemberRole::Operator));
    refused(remove("eve"), "only owner");
    must(set("bob", MemberRole::Owner));
    must(remove("eve"));
    refused(remove("bob"), "only owner");
    assert!(remove("eve").is_err(), "she is no member any more");
    assert_eq!(must(block_on(stage.system.members(stage.workspace))).len(), 1);
}
