//! Policies of roles and resources.

use crate::template::{Resource, Template, list, refers, texts};
use serde_json::Value;

/// A statement of a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'t>(pub(crate) &'t Value);

impl<'t> Statement<'t> {
    pub(crate) fn allows(self) -> bool {
        self.0["Effect"] != "Deny"
    }

    pub(crate) fn actions(self) -> impl Iterator<Item = &'t str> {
        texts(&self.0["Action"])
    }

    pub(crate) fn resources(self) -> &'t [Value] {
        list(&self.0["Resource"])
    }
}

/// The statements of a document.
pub(crate) fn document_statements(document: &Value) -> impl Iterator<Item = Statement<'_>> {
    list(&document["Statement"]).iter().map(Statement)
}

/// The roles.
pub(crate) fn roles(template: &Template) -> impl Iterator<Item = Resource<'_>> {
    template.of("AWS::IAM::Role")
}

/// What a role may do: its own policies, and those that name it.
pub(crate) fn grants<'t>(template: &'t Template, role: &str) -> Vec<Statement<'t>> {
    let own = template.get(role).into_iter().flat_map(|role| list(role.at("/Policies")));
    let own = own.map(|policy| &policy["PolicyDocument"]);
    let others = template.of("AWS::IAM::Policy");
    let others = others.filter(|policy| refers(policy.at("/Roles")).contains(role));
    let others = others.map(|policy| policy.at("/PolicyDocument"));
    own.chain(others).flat_map(document_statements).filter(|statement| statement.allows()).collect()
}

/// Who may take a role on.
pub(crate) fn trusts(role: Resource<'_>) -> impl Iterator<Item = Statement<'_>> {
    document_statements(role.at("/AssumeRolePolicyDocument")).filter(|statement| statement.allows())
}
