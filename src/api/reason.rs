//! Why something is not (or no longer) what its spec asks for: one closed list of words.
//!
//! The same word appears in conditions, Events, logs, metric labels and `docs/runbooks/`.

macro_rules! reasons {
    ($(#[doc = $sentence:literal] $name:ident),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $(#[doc = $sentence] $name),+ }

        impl Reason {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// What it means, as a sentence for a person.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence.trim_ascii()),+ }
            }
        }
    };
}

reasons! {
    // good
    /// Everything the spec asks for is true.
    Ready,
    /// This part is as it should be.
    AsDesired,
    /// Switched off because the spec says so.
    Stopped,
    // under way
    /// Nothing was looked at yet.
    Pending,
    /// The finalizer is not on yet.
    Unprotected,
    /// The project that sells the server is not written down yet.
    ProjectUnclaimed,
    /// No secrets were issued yet.
    SecretsMissing,
    /// No server exists yet.
    ServerMissing,
    /// A server we had is gone; its loss is recorded before another is bought.
    ServerLost,
    /// A server exists and its identity is being written down.
    ServerUnrecorded,
    /// More than one server carries our label; all but one are returned.
    ServerDuplicated,
    /// The provider is still building or starting the server.
    ServerStarting,
    /// The provider's action failed; the server is returned and bought again.
    ServerFailed,
    /// The server is off and should run.
    ServerOff,
    /// The server runs and should be off.
    ServerStopping,
    /// The provider is busy with the server.
    ServerLocked,
    /// Somebody changed the server's labels by hand.
    ServerRelabelled,
    /// Somebody renamed the server by hand.
    ServerRenamed,
    /// The server's delete protection is not what the spec asks for.
    ServerProtectionDrifted,
    /// The server's type is not the one ordered; it is reported, not changed.
    ServerResized,
    /// No DNS record points at the server yet.
    AddressUnpublished,
    /// The record points elsewhere or lost its mark.
    AddressDrifted,
    /// More than one record of ours has the name.
    AddressDuplicated,
    /// The assistant on the server has not started yet.
    SoftwareStarting,
    /// The object is being deleted.
    Deleting,
    /// Addresses outlived their server and are being returned.
    AddressLeftOver,
    /// Gone as far as one look can tell; a second look decides.
    ConfirmingAbsence,
    // somebody has to act
    /// The spec cannot be understood.
    InvalidSpec,
    /// The Customer named by the spec does not exist.
    CustomerMissing,
    /// The Plan named by the spec does not exist.
    PlanMissing,
    /// Another instance had the subdomain first.
    SubdomainTaken,
    /// A server with our name carries somebody else's labels.
    NameConflict,
    /// A record we do not own has the host name.
    AddressConflict,
    /// `deletionPolicy: Protect` holds the deletion back.
    DeletionProtected,
    /// The customer's standing keeps the instance off.
    CustomerSuspended,
    /// The customer's account is closed.
    CustomerClosed,
    // the provider's side
    /// No placement has capacity now.
    CapacityUnavailable,
    /// Every project has reached its limit.
    ProjectLimitReached,
    /// The provider asked us to slow down, or our own budget did.
    ProviderThrottled,
    /// The provider cannot be reached, or its answer was lost.
    ProviderUnreachable,
    /// The provider refused the request.
    ProviderRefused,
    /// The secret store cannot be reached or refused.
    SecretsUnavailable,
    // customers
    /// The subscription is paid.
    Paid,
    /// A payment failed; the grace period runs.
    PaymentPastDue,
    /// The grace period ended unpaid.
    PaymentSuspended,
    /// The subscription ended.
    SubscriptionEnded,
    /// Some of the customer's instances are not ready.
    InstancesNotReady,
    // payment events
    /// The event's subject was re-read and its effect applied.
    Applied,
    /// An event of a kind that changes nothing here.
    IgnoredKind,
    /// The event's subject does not exist at the payment provider any more.
    SubjectMissing,
    /// The subject was not made by this installation's checkout.
    NotOurs,
    /// The checkout is not paid (yet).
    NotPaid,
    /// Live event in a test installation, or the other way round.
    ModeMismatch,
    /// What was bought names a subdomain or plan that cannot be served.
    OrderInvalid,
    // plans
    /// A price of the plan is not on sale at the payment provider as the plan shows it.
    PriceInvalid,
    // sweep
    /// The brake held a deletion back.
    SweepBraked,
    /// An orphan was seen, and dry-run kept it.
    SweepDryRun,
    /// An orphan was returned.
    OrphanRemoved,
}

impl Reason {
    /// Whether a person should look: the operator cannot go on alone, or money is at stake.
    pub fn needs_attention(self) -> bool {
        matches!(
            self,
            Self::ServerLost
                | Self::ServerDuplicated
                | Self::ServerFailed
                | Self::ServerRelabelled
                | Self::ServerRenamed
                | Self::ServerResized
                | Self::AddressDrifted
                | Self::AddressDuplicated
                | Self::AddressLeftOver
                | Self::InvalidSpec
                | Self::CustomerMissing
                | Self::PlanMissing
                | Self::SubdomainTaken
                | Self::NameConflict
                | Self::AddressConflict
                | Self::DeletionProtected
                | Self::CapacityUnavailable
                | Self::ProjectLimitReached
                | Self::ProviderThrottled
                | Self::ProviderUnreachable
                | Self::ProviderRefused
                | Self::SecretsUnavailable
                | Self::PaymentPastDue
                | Self::PaymentSuspended
                | Self::SubjectMissing
                | Self::ModeMismatch
                | Self::OrderInvalid
                | Self::PriceInvalid
                | Self::SweepBraked
                | Self::SweepDryRun
                | Self::OrphanRemoved
        )
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
