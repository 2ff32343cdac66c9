//! What falls due with a subscription apart from its periods: an unpaid beginning expires, a trial is about to end, a planned
//! end comes, a pause is over.

use super::{Ending, Status};
use crate::stripe::books::Books;
use crate::stripe::event::EventKind;
use crate::stripe::refusal::Refusal;

impl Books<'_> {
    pub(crate) fn expire_incomplete(&mut self, id: &str) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        if subscription.status != Status::Incomplete {
            return Ok(());
        }
        subscription.status = Status::IncompleteExpired;
        subscription.ended_at = Some(self.at);
        if let Some(invoice) = &subscription.latest_invoice {
            self.void(invoice)?;
        }
        self.keep_subscription(&subscription, "incomplete_expired");
        Ok(())
    }

    pub(crate) fn tell_of_trial(&mut self, id: &str) -> Result<(), Refusal> {
        let subscription = self.state.subscription(id, None)?.clone();
        if subscription.status == Status::Trialing {
            self.tell(EventKind::TrialWillEnd, &subscription);
        }
        Ok(())
    }

    pub(crate) fn cancel_as_planned(&mut self, id: &str) -> Result<(), Refusal> {
        let subscription = self.state.subscription(id, None)?;
        if subscription.has_ended() || subscription.cancel_at != Some(self.at) {
            return Ok(());
        }
        self.end_subscription(id, Ending::Requested)
    }

    pub(crate) fn resume_as_planned(&mut self, id: &str) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        let resumes = subscription
            .pausing
            .as_ref()
            .and_then(|pause| pause.resumes_at);
        if resumes != Some(self.at) {
            return Ok(());
        }
        subscription.pausing = None;
        self.keep_subscription(&subscription, "resumed");
        Ok(())
    }
}
