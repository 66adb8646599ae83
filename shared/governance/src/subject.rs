//! Subjects: what a compare needs to know of one policy without holding its payload.

use plumbline_policy::catalog::{Identity, PolicyType};
use plumbline_policy::digest::Digest;
use plumbline_policy::name;
use plumbline_policy::policy::{Facets, Identification, Payload};
use plumbline_policy::reference::{Facet, Reference, find_guid};
use plumbline_policy::role::{RoleAnomaly, is_privileged};
use plumbline_policy::secret::SecretAt;
use plumbline_policy::tenant::Localiser;
use serde::{Deserialize, Serialize};

/// Where a subject's payload stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The file, relative to what was read, with `/`.
    pub file: String,
    /// The place among the payloads of the file, from 0.
    pub index: usize,
}

/// One policy or foundation object of one side.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its type.
    pub policy_type: &'static PolicyType,
    /// The canonical array of type, platform, template family and folded name (role id, id suffix);
    /// `None` without an identity.
    pub key: Option<String>,
    /// The same without a version at the end of the name: what names the subject over time.
    pub base_key: Option<String>,
    /// Its id in Graph, as sent.
    pub external_id: Option<String>,
    /// What its id is compared as across sides whose ids are not comparable as such: a keyed hash
    /// (contracts 5.8). `None`: the id itself.
    pub identity_ref: Option<String>,
    /// The id by which references of its own side name it, where `external_id` does not hold it.
    pub named_as: Option<String>,
    /// Its name, as sent.
    pub display_name: Option<String>,
    /// Digests of its facets.
    pub facets: Facets,
    /// References of all facets.
    pub references: Vec<Reference>,
    /// Secrets of all facets.
    pub secrets: Vec<SecretAt>,
    /// Members without which its content is unknown.
    pub missing_detail: Vec<&'static str>,
    /// Navigation members that the export does not hold.
    pub not_expanded: Vec<&'static str>,
    /// For roles.
    pub role: Option<RoleTraits>,
    /// Where its payload stands.
    pub source: Source,
}

/// What the rules for roles need to know of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RoleTraits {
    /// Microsoft's own role.
    pub built_in: bool,
    /// It grants an action that does more than read.
    pub privileged: bool,
    /// Its body gives no verdict.
    pub anomaly: Option<RoleAnomaly>,
}

/// Writes the canonical array that is a subject key.
#[must_use]
pub fn subject_key(policy_type: &str, platform: &str, family: &str, name: &str) -> String {
    serde_json::to_string(&[policy_type, platform, family, name]).unwrap_or_default()
}

impl Subject {
    /// Reads a payload.
    #[must_use]
    pub fn read(payload: &Payload<'_>, localiser: &Localiser, source: Source) -> Self {
        let definition = payload.role();
        let normalised = payload.read_as(definition.as_ref(), localiser);
        let facets = Facets::of(&normalised);
        let Identification { external_id, display_name, platform, template_family, key_name } =
            payload.identify(localiser);
        let policy_type = payload.policy_type;
        let key_of = |name: &str| {
            if policy_type.identity == Identity::ExternalId {
                subject_key(&policy_type.key, "", "", name)
            } else {
                subject_key(&policy_type.key, &platform, &template_family, name)
            }
        };
        let base_key = key_name.as_deref().map(|name| match policy_type.identity {
            Identity::ExternalId | Identity::Singleton => key_of(name),
            Identity::Name | Identity::Suffix => key_of(name::base(name)),
        });
        let role = definition.as_ref().map(|role| RoleTraits {
            built_in: role.built_in,
            privileged: role.effective().iter().any(|action| is_privileged(action.canonical)),
            anomaly: role.anomaly,
        });
        Self {
            policy_type,
            key: key_name.as_deref().map(key_of),
            base_key,
            external_id,
            identity_ref: None,
            named_as: None,
            display_name,
            facets,
            references: normalised.references,
            secrets: normalised.secrets,
            missing_detail: payload.missing_detail(),
            not_expanded: payload.not_expanded(),
            role,
            source,
        }
    }

    /// The name a person reads; the id or the file where there is none.
    #[must_use]
    pub fn title(&self) -> &str {
        self.display_name.as_deref().or(self.external_id.as_deref()).unwrap_or(&self.source.file)
    }

    /// The id as it is compared.
    #[must_use]
    pub fn folded_id(&self) -> Option<String> {
        self.identity_ref.as_ref().or(self.external_id.as_ref()).map(|id| id.to_ascii_lowercase())
    }

    /// The id by which references of its own side name it: an id such as `T_<guid>` by its GUID.
    #[must_use]
    pub fn reference_id(&self) -> Option<String> {
        let id = self.named_as.as_ref().or(self.external_id.as_ref())?;
        let id = find_guid(id).map_or(id.as_str(), |range| &id[range]);
        Some(id.to_ascii_lowercase())
    }

    /// The digest of one facet.
    #[must_use]
    pub fn facet(&self, facet: Facet) -> Digest {
        match facet {
            Facet::Content => self.facets.content,
            Facet::Label => self.facets.label,
            Facet::Assignments => self.facets.assignments,
        }
    }

    /// The hash that a fingerprint holds: the compared facets and the references they make, so that a
    /// policy that points to another group is another version. With `secrets`, their MACs too: that is
    /// right where the key lasts (a workspace's), and wrong where it does not (two folders).
    #[must_use]
    pub fn version_hash(&self, facets: &[Facet], secrets: bool) -> Digest {
        let digests: Vec<Digest> = facets.iter().map(|facet| self.facet(*facet)).collect();
        let references: Vec<_> = self
            .references
            .iter()
            .filter(|reference| facets.contains(&reference.facet))
            .map(|reference| (&reference.path, reference.kind, &reference.external_id))
            .collect();
        let macs: Vec<_> = self
            .secrets
            .iter()
            .filter(|secret| secrets && facets.contains(&secret.facet) && secret.mac.is_some())
            .map(|secret| (&secret.path, &secret.key_id, secret.mac))
            .collect();
        // Without secrets the form stays the one of folders, so that their fingerprints stay too.
        if macs.is_empty() {
            Digest::of(&serde_json::to_vec(&(digests, references)).unwrap_or_default())
        } else {
            Digest::of(&serde_json::to_vec(&(digests, references, macs)).unwrap_or_default())
        }
    }
}
