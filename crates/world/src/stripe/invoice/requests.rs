//! What requests do to an invoice: pay it, finalize it, void it, give it up, change its metadata.

use serde_json::Value;

use super::{Invoice, Standing};
use crate::history::Change;
use crate::stripe::books::Books;
use crate::stripe::event::EventKind;
use crate::stripe::form::{Params, merge_metadata};
use crate::stripe::list::Object;
use crate::stripe::refusal::Refusal;

impl Books<'_> {
    /// `POST /v1/invoices/{id}/pay`: an attempt with what the subscription is paid with, or another payment method.
    pub(crate) fn pay_invoice(&mut self, id: &str, mut params: Params) -> Result<Value, Refusal> {
        let method = params.text("payment_method")?;
        params.flag("off_session")?;
        params.finish()?;
        let invoice = self.live_invoice(id)?;
        if invoice.standing == Standing::Draft {
            self.finalize(id)?;
        } else if !invoice.standing.is_payable() {
            let why = format!("Invoice is already {}", invoice.standing.word());
            return Err(Refusal::State(why));
        }
        let outcome = match method {
            None => self.collect(id)?,
            Some(method) => {
                let method = self.attached(&method, &invoice.customer, Some("payment_method"))?;
                let instrument = self.state.method(&method, None)?.instrument.clone();
                self.collect_with(id, Some(&instrument))?
            }
        };
        let invoice = self.state.invoice(id, None)?;
        let payment = invoice
            .payment
            .as_ref()
            .and_then(|id| self.state.payments.get(id))
            .map(|payment| payment.shown(self.state));
        match outcome.refusal(payment) {
            None => Ok(invoice.shown(self.state)),
            Some(refusal) => Err(refusal),
        }
    }

    /// `POST /v1/invoices/{id}/finalize`.
    pub(crate) fn finalize_invoice(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let advance = params.flag("auto_advance")?;
        params.finish()?;
        let invoice = self.live_invoice(id)?;
        if invoice.standing != Standing::Draft {
            let why =
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.";
            return Err(Refusal::Coded {
                code: "invoice_not_editable",
                message: why.to_owned(),
            });
        }
        self.finalize(id)?;
        if advance != Some(false) {
            self.collect(id)?;
        }
        Ok(self.state.invoice(id, None)?.shown(self.state))
    }

    /// `POST /v1/invoices/{id}/void`.
    pub(crate) fn void_invoice(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let invoice = self.live_invoice(id)?;
        if !invoice.standing.is_payable() {
            return Err(Refusal::State(format!(
                "You can only pass in open or uncollectible invoices. This invoice isn't open or uncollectible; it is {}.",
                invoice.standing.word()
            )));
        }
        Ok(self.void(id)?.shown(self.state))
    }

    /// `POST /v1/invoices/{id}/mark_uncollectible`.
    pub(crate) fn mark_uncollectible(
        &mut self,
        id: &str,
        params: Params,
    ) -> Result<Value, Refusal> {
        params.finish()?;
        let invoice = self.live_invoice(id)?;
        if invoice.standing != Standing::Open {
            return Err(Refusal::State(format!(
                "You can only pass in open invoices. This invoice isn't open; it is {}.",
                invoice.standing.word()
            )));
        }
        Ok(self.give_up(id)?.shown(self.state))
    }

    /// `POST /v1/invoices/{id}`: metadata, and whether a draft finalizes by itself.
    pub(crate) fn update_invoice(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let mut invoice = self.live_invoice(id)?;
        merge_metadata(&mut invoice.own_metadata, params.metadata()?)?;
        params.finish()?;
        self.keep_invoice(&invoice, Change::Changed("updated".to_owned()));
        self.tell(EventKind::InvoiceUpdated, &invoice);
        Ok(invoice.shown(self.state))
    }

    /// An invoice whose customer's time stands still, as it is now.
    fn live_invoice(&mut self, id: &str) -> Result<Invoice, Refusal> {
        let invoice = self.state.invoice(id, None)?.clone();
        self.check_still(&invoice.customer)?;
        self.live_by(&invoice.customer);
        Ok(invoice)
    }

    pub(crate) fn void(&mut self, id: &str) -> Result<Invoice, Refusal> {
        let mut invoice = self.state.invoice(id, None)?.clone();
        invoice.standing = Standing::Void;
        invoice.voided_at = Some(self.at);
        invoice.next_attempt = None;
        self.keep_invoice(&invoice, Change::Changed("voided".to_owned()));
        self.tell(EventKind::InvoiceVoided, &invoice);
        Ok(invoice)
    }

    pub(crate) fn give_up(&mut self, id: &str) -> Result<Invoice, Refusal> {
        let mut invoice = self.state.invoice(id, None)?.clone();
        invoice.standing = Standing::Uncollectible;
        invoice.given_up_at = Some(self.at);
        invoice.next_attempt = None;
        self.keep_invoice(&invoice, Change::Changed("uncollectible".to_owned()));
        self.tell(EventKind::InvoiceUncollectible, &invoice);
        Ok(invoice)
    }
}
