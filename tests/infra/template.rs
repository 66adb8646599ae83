//! The template as `CloudFormation` sees it, after the translation of the functions.

use plumbline_tests::deploy;
use plumbline_tests::ministack::REGION;
use plumbline_tests::python::{Packages, Python};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A translated template.
#[derive(Clone, Debug)]
pub(crate) struct Template(pub(crate) Value);

/// A resource of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource<'t> {
    /// Its logical id.
    pub(crate) name: &'t str,
    whole: &'t Value,
}

impl Template {
    /// `infra/template.yaml`.
    pub(crate) fn ours() -> &'static Self {
        static OURS: OnceLock<Template> = OnceLock::new();
        OURS.get_or_init(|| {
            let mut translate = Python::ready(Packages::Cloud).interpreter();
            let done = translate
                .arg(here("translate.py"))
                .arg(deploy::template())
                .env("AWS_DEFAULT_REGION", REGION)
                .output()
                .unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            Self(serde_json::from_slice(&done.stdout).unwrap())
        })
    }

    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        all.map(|(name, whole)| Resource { name, whole })
    }

    /// The resources of a kind, such as `AWS::SQS::Queue`.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = Resource<'_>> {
        self.resources().filter(move |resource| resource.kind() == kind)
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = Resource<'_>> {
        self.of("AWS::Lambda::Function")
    }

    pub(crate) fn get(&self, name: &str) -> Option<Resource<'_>> {
        self.resources().find(|resource| resource.name == name)
    }
}

impl<'t> Resource<'t> {
    pub(crate) fn kind(&self) -> &'t str {
        self.whole["Type"].as_str().unwrap_or_default()
    }

    /// What stands at a pointer below its properties; null if nothing does.
    pub(crate) fn at(&self, pointer: &str) -> &'t Value {
        self.whole["Properties"].pointer(pointer).unwrap_or(&Value::Null)
    }

    /// What stands beside its properties, such as `DeletionPolicy`.
    pub(crate) fn beside(&self, name: &str) -> &'t Value {
        &self.whole[name]
    }

    /// The name of a function in the program: `ApiFunction` is `api`.
    pub(crate) fn function(&self) -> String {
        self.name.trim_end_matches("Function").to_lowercase()
    }
}

/// A list, or the one element where a template may leave the list out.
pub(crate) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(all) => all,
        one => std::slice::from_ref(one),
    }
}

/// The texts of a list, or the one text.
pub(crate) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

/// The logical ids and parameters that a value refers to, however deep.
pub(crate) fn refers(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(refers).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(name, inner)| referred(name, inner)).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn referred(function: &str, argument: &Value) -> BTreeSet<String> {
    let first = |text: &str| text.split('.').next().unwrap_or_default().to_owned();
    match (function, argument) {
        ("Ref", Value::String(name)) => BTreeSet::from([name.clone()]),
        ("Fn::GetAtt", named) => {
            list(named).first().and_then(Value::as_str).map(first).into_iter().collect()
        }
        ("Fn::Sub", Value::String(text)) => {
            let holes = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
            holes.map(first).filter(|name| !name.starts_with("AWS::")).collect()
        }
        (_, inner) => refers(inner),
    }
}

/// The one resource that a value refers to.
pub(crate) fn target<'t>(template: &'t Template, value: &Value) -> Option<Resource<'t>> {
    refers(value).iter().find_map(|name| template.get(name))
}

/// A file of this suite.
pub(crate) fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("infra").join(file)
}
