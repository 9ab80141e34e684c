//! Times in JSON: seconds since 1970 in some services, RFC 3339 in others.

use serde::{Deserialize, Deserializer};

use crate::base::Timestamp;

/// A time in either form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When(pub Timestamp);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Seconds(f64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Seconds(seconds) if seconds.is_finite() => {
                Ok(Self(Timestamp::from_millis((seconds * 1000.0) as i64)))
            }
            Form::Seconds(_) => Err(serde::de::Error::custom("a time that is no number")),
            Form::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// The time, if there is one.
pub fn time(when: Option<When>) -> Option<Timestamp> {
    when.map(|when| when.0)
}

/// The time, or 1970 where AWS leaves out what its API reference calls required.
pub fn time_or_zero(when: Option<When>) -> Timestamp {
    time(when).unwrap_or(Timestamp::from_millis(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time() {
        for (json, millis) in [
            ("1795250467.123", 1_795_250_467_123),
            ("1795250467", 1_795_250_467_000),
            ("\"2026-11-21T08:41:07Z\"", 1_795_250_467_000),
            ("\"2026-11-21T08:41:07.123Z\"", 1_795_250_467_123),
        ] {
            assert_eq!(serde_json::from_str::<When>(json).unwrap().0.millis(), millis, "{json}");
        }
        assert!(serde_json::from_str::<When>("\"yesterday\"").is_err());
    }
}
