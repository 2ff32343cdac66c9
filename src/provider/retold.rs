//! One answer told to several callers: how an error is said again. It does not decide who shares what.

use std::sync::Arc;

use super::ProviderError;

/// The same error for one more caller, with the same remedy; the cause is shared.
pub(super) fn retold(error: &Arc<ProviderError>) -> ProviderError {
    let cause = || Box::new(Retold(Arc::clone(error)));
    match &**error {
        ProviderError::Throttled { retry_after } => ProviderError::Throttled {
            retry_after: *retry_after,
        },
        ProviderError::Unreachable(_) => ProviderError::Unreachable(cause()),
        ProviderError::Unknown(_) => ProviderError::Unknown(cause()),
        ProviderError::Refused { why, message } => ProviderError::Refused {
            why: *why,
            message: message.clone(),
        },
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a request shared with other callers failed")]
struct Retold(#[source] Arc<ProviderError>);
