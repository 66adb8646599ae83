//! The catalog of policy types: what each is called, where Graph serves it, who may be compared, and
//! the rules that say what its members mean. All of it is data in `catalog/*.json`.

mod definitions;
mod places;

pub use definitions::{DefinitionRules, Definitions};
pub use places::{Conditions, Encoding, KeyPath, KeyText, Place, PlaceId, Places, SecretForm};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;

/// Whether a type is chosen through `policy_types` or `foundation_types` of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Configuration: settings, compliance, apps, enrolment.
    Policy,
    /// Supporting objects: roles, scope tags, filters, connectors.
    Foundation,
}

/// Whether objects of a type may be captured and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Compared in full.
    Supported,
    /// Compared; references to objects that exist in one tenant only get no verdict.
    Limited,
    /// Rejected everywhere; read as the target of references only.
    Unsupported,
}

impl Support {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Limited => "limited",
            Self::Unsupported => "unsupported",
        }
    }
}

/// How an object of a type is recognised in another tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// By name, platform and template family.
    Name,
    /// By its id in Graph, in every mode (roles).
    ExternalId,
    /// By the part of its id behind the tenant's account id, else by name.
    Suffix,
    /// There is one per tenant.
    Singleton,
}

/// How several types share one Graph collection.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Partition {
    /// By `templateReference.templateFamily`.
    TemplateFamily {
        /// Families that belong to the type.
        #[serde(default)]
        families: Vec<String>,
        /// Prefixes of families that belong to the type.
        #[serde(default)]
        prefixes: Vec<String>,
    },
    /// By the root `@odata.type`.
    OdataType {
        /// The only subtypes of the type.
        #[serde(default)]
        only: Vec<String>,
        /// Subtypes that belong to another type of the collection.
        #[serde(default)]
        except: Vec<String>,
    },
    /// By `appSupportsOemConfig`.
    OemConfig {
        /// The value that makes the object one of this type.
        is: bool,
    },
}

/// One entry of the catalog.
#[derive(Debug, Deserialize, Serialize)]
pub struct PolicyType {
    /// The catalog key, e.g. `settingsCatalogPolicy`.
    pub key: String,
    /// The name a person reads.
    pub label: String,
    /// Policy or foundation.
    pub kind: Kind,
    /// The area of the Intune console.
    pub category: String,
    /// The platforms the type is for, comma separated, or `multi` or `all`.
    pub platform: String,
    /// The Graph collection, e.g. `/deviceManagement/configurationPolicies`.
    pub collection: String,
    /// The Graph version that serves the type in full.
    pub api: String,
    /// Whether a tenant has exactly one.
    pub singleton: bool,
    /// How the type is told from others of its collection.
    pub partition: Option<Partition>,
    /// The least application permission that reads it; `None` where no application may.
    pub permission: Option<String>,
    /// Other permissions that read it too.
    pub also_accepted: Vec<String>,
    /// The member that holds the name.
    pub name_member: Option<String>,
    /// How an object is recognised in another tenant.
    pub identity: Identity,
    /// What an id is unique in.
    pub id_scope: String,
    /// Whether the type may be compared.
    pub support: Support,
    /// Whether a later release may compare it.
    pub candidate: bool,
    /// Why the support is limited or refused.
    pub reason: Option<String>,
    /// Other names that exports use for the type's folder.
    pub aliases: Vec<String>,
    /// Whether objects of the type have several subtypes, so that the root `@odata.type` is content.
    pub polymorphic: bool,
    /// Members without which the content of an object is unknown.
    pub requires: Vec<String>,
    /// Navigation members that a reader may have left out.
    pub expands: Vec<String>,
    /// Names of the shared rule groups.
    #[serde(rename = "use")]
    uses: Vec<String>,
    /// Rules of this type alone.
    rules: Vec<places::RuleLine>,
    #[serde(skip)]
    places: Places,
}

impl PolicyType {
    /// Whether objects of the type may be compared at all.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        self.support != Support::Unsupported
    }

    /// Whether the type holds role definitions, which have a normal form of their own.
    #[must_use]
    pub fn is_role_definition(&self) -> bool {
        self.key == ROLE_DEFINITION
    }

    /// The compiled rules: what each place of a payload means.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }
}

/// The key of the one foundation that baselines may hold.
pub const ROLE_DEFINITION: &str = "intuneRoleDefinition";

impl PartialEq for PolicyType {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for PolicyType {}

/// A key that the catalog does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a policy type; `plumbline policy-types` lists them")]
pub struct UnknownPolicyType(pub String);

/// A subtype that Graph metadata knows.
#[derive(Clone, Debug, Deserialize)]
pub struct Subtype {
    /// The name without namespace, e.g. `windows10CustomConfiguration`.
    pub odata_type: String,
    /// The collection that holds objects of the subtype.
    pub collection: String,
    /// The platform the subtype is for.
    pub platform: String,
}

/// The whole catalog, read once.
pub struct Catalog {
    /// The version of the catalog's data.
    pub version: String,
    types: Vec<PolicyType>,
    by_key: FxHashMap<String, usize>,
    by_folder: FxHashMap<String, Vec<usize>>,
    by_collection: FxHashMap<String, Vec<usize>>,
    /// Collections by their names in lower case, as `@odata.context` writes them.
    collection_names: FxHashMap<String, String>,
    subtypes: FxHashMap<String, Subtype>,
    definitions: Definitions,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Catalog").field("types", &self.types.len()).finish_non_exhaustive()
    }
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::read);

/// Returns the catalog.
#[must_use]
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

#[derive(Deserialize)]
struct TypesFile {
    catalog_version: String,
    types: Vec<PolicyType>,
}

#[derive(Deserialize)]
struct SubtypesFile {
    subtypes: Vec<Subtype>,
}

impl Catalog {
    #[expect(clippy::expect_used, reason = "the data is compiled in; a test reads all of it")]
    fn read() -> Self {
        let file: TypesFile = serde_json::from_str(include_str!("../../catalog/types.json"))
            .expect("types.json is well formed");
        let subtypes: SubtypesFile =
            serde_json::from_str(include_str!("../../catalog/subtypes.json"))
                .expect("subtypes.json is well formed");
        let rules: places::RulesFile =
            serde_json::from_str(include_str!("../../catalog/rules.json"))
                .expect("rules.json is well formed");
        let definitions = Definitions::read(include_str!("../../catalog/definitions.json"))
            .expect("definitions.json is well formed");

        let mut types = file.types;
        let mut by_key = FxHashMap::default();
        let mut by_folder: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let mut by_collection: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (index, policy_type) in types.iter_mut().enumerate() {
            policy_type.places = Places::compile(&rules, &policy_type.uses, &policy_type.rules)
                .expect("every rule names groups and shapes that exist");
            by_key.insert(policy_type.key.clone(), index);
            by_folder.insert(policy_type.key.to_ascii_lowercase(), vec![index]);
            by_collection.entry(policy_type.collection.clone()).or_default().push(index);
        }
        for (index, policy_type) in types.iter().enumerate() {
            for alias in &policy_type.aliases {
                let folder = alias.to_ascii_lowercase();
                if !types.iter().any(|other| other.key.eq_ignore_ascii_case(&folder)) {
                    let entry = by_folder.entry(folder).or_default();
                    if !entry.contains(&index) {
                        entry.push(index);
                    }
                }
            }
        }
        let subtypes = subtypes
            .subtypes
            .into_iter()
            .map(|subtype| (subtype.odata_type.to_ascii_lowercase(), subtype))
            .collect();
        let collection_names = by_collection
            .keys()
            // An id stands in the path of a collection below another object; contexts leave it out.
            .map(|name| (name.replace("/{depId}", "").to_ascii_lowercase(), name.clone()))
            .chain([(
                "/deviceappmanagement/windowsinformationprotectionpolicies".to_owned(),
                "/deviceAppManagement/mdmWindowsInformationProtectionPolicies".to_owned(),
            )])
            .collect();
        Self {
            version: file.catalog_version,
            types,
            by_key,
            by_folder,
            by_collection,
            collection_names,
            subtypes,
            definitions,
        }
    }

    /// All types in the order of the catalog.
    #[must_use]
    pub fn types(&self) -> &[PolicyType] {
        &self.types
    }

    /// Finds a type by its key.
    ///
    /// # Errors
    /// Returns the key when the catalog does not hold it.
    pub fn get(&self, key: &str) -> Result<&PolicyType, UnknownPolicyType> {
        self.by_key
            .get(key)
            .map(|index| &self.types[*index])
            .ok_or_else(|| UnknownPolicyType(key.to_owned()))
    }

    /// Finds the types that a folder of this name holds: one for a catalog key, perhaps several for
    /// another name of a shared collection.
    pub fn in_folder(&self, folder: &str) -> impl Iterator<Item = &PolicyType> {
        self.pick(self.by_folder.get(&folder.to_ascii_lowercase()))
    }

    /// Finds the types that one Graph collection holds.
    pub fn in_collection(&self, collection: &str) -> impl Iterator<Item = &PolicyType> {
        self.pick(self.by_collection.get(collection))
    }

    fn pick<'c>(&'c self, indices: Option<&'c Vec<usize>>) -> impl Iterator<Item = &'c PolicyType> {
        indices.into_iter().flatten().map(|index| &self.types[*index])
    }

    /// Finds a Graph collection by its path, in any case.
    #[must_use]
    pub fn collection(&self, path: &str) -> Option<&str> {
        self.collection_names
            .get(path)
            .or_else(|| self.collection_names.get(&path.to_ascii_lowercase()))
            .map(String::as_str)
    }

    /// Finds what Graph metadata says of an `@odata.type`; the namespace and `#` may stand before it.
    #[must_use]
    pub fn subtype(&self, odata_type: &str) -> Option<&Subtype> {
        self.subtypes.get(&plain_type(odata_type).to_ascii_lowercase())
    }

    /// The rules by settings catalog definition id.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }
}

/// Strips `#` and the `microsoft.graph.` namespace from an `@odata.type`.
#[must_use]
pub fn plain_type(odata_type: &str) -> &str {
    let name = odata_type.trim_start_matches('#');
    name.strip_prefix("microsoft.graph.").unwrap_or(name)
}
