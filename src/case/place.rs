//! Where the case of a session lies when nobody named a path.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::error::CaseError;
use crate::inventory::SessionInfo;

/// The case of a session: `$XDG_STATE_HOME/bedwatch/<account>-<region>.case`. Its folder is made,
/// closed to others. Account and region come from a session that STS verified, and are checked
/// here again, because they become a path.
pub fn default_path(session: &SessionInfo) -> Result<PathBuf, CaseError> {
    let place = etcetera::choose_base_strategy().map_err(|error| CaseError::NoPlace(error.to_string()))?;
    let state = place.state_dir().unwrap_or_else(|| place.data_dir());
    path_in(&state, session)
}

/// The same below another folder than the user's.
pub fn path_in(state: &Path, session: &SessionInfo) -> Result<PathBuf, CaseError> {
    let (account, region) = (session.account.as_str(), session.region.as_str());
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CaseError::NoPlace(format!("'{account}' is no account id")));
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(plain) {
        return Err(CaseError::NoPlace(format!("'{region}' is no region")));
    }
    let folder = state.join("bedwatch");
    private_folder(&folder).map_err(|source| CaseError::Io { path: folder.clone(), source })?;
    Ok(folder.join(format!("{account}-{region}.case")))
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_private_folder_and_a_name_from_account_and_region() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let path = path_in(&state, &sample::session()).unwrap();
        assert_eq!(path, state.join("bedwatch/123456789012-us-east-1.case"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            for folder in [&state, &state.join("bedwatch")] {
                assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
            }
        }
        assert!(path_in(&state, &sample::session()).is_ok(), "a folder that is there is fine");
    }

    #[test]
    fn nothing_else_becomes_a_path() {
        let dir = tempfile::tempdir().unwrap();
        for (account, region) in
            [("../../etc/x", "us-east-1"), ("123456789012", "../x"), ("123456789012", ""), ("12345678901", "us-east-1")]
        {
            let session = SessionInfo { account: account.into(), region: region.into(), ..sample::session() };
            assert!(matches!(path_in(dir.path(), &session), Err(CaseError::NoPlace(_))), "{account} {region}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
