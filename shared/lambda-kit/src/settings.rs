//! The environment of a function, read once when it starts.

/// A setting that a function needs is not there, or not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// It is not set.
    #[error("the function needs the environment variable {0}; set it in the template")]
    Missing(&'static str),
    /// It does not hold what it must.
    #[error("the environment variable {name} {reason}")]
    Form {
        /// The variable.
        name: &'static str,
        /// What is wrong with it, without its value.
        reason: String,
    },
}

/// Where to ask for the value of a variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Checks that everything is set that a function needs.
///
/// # Errors
/// Names the first variable that is missing or empty.
pub fn check(needed: &[&'static str], environment: Environment<'_>) -> Result<(), BadSetting> {
    needed.iter().try_for_each(|name| required(name, environment).map(drop))
}

/// Reads a variable that must be set.
///
/// # Errors
/// It is missing or empty.
pub fn required(name: &'static str, environment: Environment<'_>) -> Result<String, BadSetting> {
    environment(name).filter(|value| !value.is_empty()).ok_or(BadSetting::Missing(name))
}

/// Reads `true` or `false`; what is not set is `false`.
///
/// # Errors
/// It is something else.
pub fn flag(name: &'static str, environment: Environment<'_>) -> Result<bool, BadSetting> {
    match environment(name).as_deref() {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(BadSetting::Form { name, reason: "is neither true nor false".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn what_is_missing_is_named() {
        let environment = with(&[("PLUMBLINE_TABLE", "t"), ("PLUMBLINE_BUCKET", "")]);
        assert_eq!(check(&["PLUMBLINE_TABLE"], &environment), Ok(()));
        let missing = check(&["PLUMBLINE_TABLE", "PLUMBLINE_BUCKET"], &environment).unwrap_err();
        assert_eq!(missing, BadSetting::Missing("PLUMBLINE_BUCKET"));
        assert!(missing.to_string().contains("PLUMBLINE_BUCKET"), "{missing}");
    }

    #[test]
    fn a_flag_is_one_of_two_words() {
        assert_eq!(flag("A", &with(&[])), Ok(false));
        assert_eq!(flag("A", &with(&[("A", "false")])), Ok(false));
        assert_eq!(flag("A", &with(&[("A", "true")])), Ok(true));
        let bad = flag("A", &with(&[("A", "yes, secret")])).unwrap_err().to_string();
        assert!(bad.contains('A') && !bad.contains("secret"), "{bad}");
    }
}
