//! The payment provider as two lists: what was sold, and what happened. It tells the truth when asked and
//! can refuse to be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::intent::instance_name;
use crate::provider::{
    Billing, BillingEvent, CheckoutOrder, CheckoutSession, Invoice, ProviderError, SellingPrice,
    Subscription, SubscriptionStatus, WebhookError,
};

#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) plan: &'static str,
    pub(super) subdomain: &'static str,
}

/// The ids of one purchase.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bought {
    pub(super) subscription: String,
    pub(super) item: String,
}

#[derive(Clone)]
pub(super) struct Books {
    inner: Arc<Mutex<Inner>>,
    clock: Clock,
}

struct Inner {
    seller: String,
    sessions: BTreeMap<String, CheckoutSession>,
    subscriptions: BTreeMap<String, Subscription>,
    invoices: BTreeMap<String, Invoice>,
    events: Vec<BillingEvent>,
    next: u32,
    fail: u32,
}

impl Inner {
    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn happen(&mut self, now: Timestamp, kind: &str, subject: &str) {
        let n = self.number();
        self.events.push(BillingEvent {
            id: format!("evt_{n}"),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            created: now,
            live_mode: false,
        });
    }

    fn invoice(&mut self, subscription: &str, paid: bool) -> String {
        let id = format!("in_{}", self.number());
        let invoice = Invoice {
            id: id.clone(),
            paid,
            subscription: Some(subscription.to_owned()),
        };
        self.invoices.insert(id.clone(), invoice);
        let sold = self.subscriptions.get_mut(subscription).unwrap();
        sold.latest_invoice = Some(id.clone());
        id
    }

    fn asked(&mut self) -> Result<(), ProviderError> {
        if self.fail == 0 {
            return Ok(());
        }
        self.fail -= 1;
        Err(ProviderError::Unreachable("no connection".into()))
    }
}

impl Books {
    pub(super) fn new(clock: Clock) -> Self {
        let inner = Inner {
            seller: "here".into(),
            sessions: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            invoices: BTreeMap::new(),
            events: Vec::new(),
            next: 0,
            fail: 0,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn sold_by(&self, installation: &str) {
        self.lock().seller = installation.to_owned();
    }

    pub(super) fn fail_next(&self, calls: u32) {
        self.lock().fail = calls;
    }

    fn sell(&self, order: Order, status: SubscriptionStatus, paid: bool) -> Bought {
        let now = self.clock.now();
        let mut inner = self.lock();
        let n = inner.number();
        let bought = Bought {
            subscription: format!("sub_{n}"),
            item: format!("si_{n}"),
        };
        let metadata = [
            ("installation", inner.seller.as_str()),
            ("plan", order.plan),
            ("subdomain", order.subdomain),
            ("display_name", "Ada Lovelace"),
        ];
        let subscription = Subscription {
            id: bought.subscription.clone(),
            customer: format!("cus_{n}"),
            status,
            item: bought.item.clone(),
            metadata: metadata.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            latest_invoice: None,
            live_mode: false,
        };
        let session = CheckoutSession {
            id: format!("cs_{n}"),
            paid,
            subscription: Some(bought.subscription.clone()),
        };
        let id = session.id.clone();
        inner.sessions.insert(id.clone(), session);
        let name = &bought.subscription;
        inner.subscriptions.insert(name.clone(), subscription);
        let invoice = inner.invoice(name, paid);
        inner.happen(now, "customer.subscription.created", name);
        inner.happen(now, "checkout.session.completed", &id);
        let kind = if paid {
            "invoice.paid"
        } else {
            "invoice.payment_failed"
        };
        inner.happen(now, kind, &invoice);
        drop(inner);
        bought
    }

    pub(super) fn buy(&self, order: Order) -> Bought {
        self.sell(order, SubscriptionStatus::Active, true)
    }

    pub(super) fn decline(&self, order: Order) -> Bought {
        self.sell(order, SubscriptionStatus::Incomplete, false)
    }

    /// Active at once, paid days later.
    pub(super) fn buy_by_debit(&self, order: Order) -> Bought {
        self.sell(order, SubscriptionStatus::Active, false)
    }

    fn update(&self, bought: &Bought, kind: &str, change: impl FnOnce(&mut Subscription)) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let sold = inner.subscriptions.get_mut(&bought.subscription).unwrap();
        // The end is final, at the payment provider too.
        if sold.status != SubscriptionStatus::Canceled {
            change(sold);
        }
        inner.happen(now, kind, &bought.subscription);
    }

    /// The newest invoice is paid, whatever has become of the subscription.
    pub(super) fn pay(&self, bought: &Bought) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let sold = inner.subscriptions.get_mut(&bought.subscription).unwrap();
        if sold.status != SubscriptionStatus::Canceled {
            sold.status = SubscriptionStatus::Active;
        }
        let id = sold.latest_invoice.clone().unwrap();
        inner.invoices.get_mut(&id).unwrap().paid = true;
        inner.happen(now, "invoice.paid", &id);
    }

    /// A new month begins, and is paid.
    pub(super) fn renew(&self, bought: &Bought) {
        self.lock().invoice(&bought.subscription, false);
        self.pay(bought);
    }

    /// A new month begins, and the card is declined.
    pub(super) fn fail_payment(&self, bought: &Bought) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let id = inner.invoice(&bought.subscription, false);
        inner.happen(now, "invoice.payment_failed", &id);
        drop(inner);
        self.update(bought, "customer.subscription.updated", |sold| {
            sold.status = SubscriptionStatus::PastDue;
        });
    }

    pub(super) fn give_up(&self, bought: &Bought) {
        self.update(bought, "customer.subscription.updated", |sold| {
            sold.status = SubscriptionStatus::Unpaid;
        });
    }

    pub(super) fn cancel(&self, bought: &Bought) {
        self.update(bought, "customer.subscription.deleted", |sold| {
            sold.status = SubscriptionStatus::Canceled;
        });
    }

    /// As a person edits the metadata in the provider's own console.
    pub(super) fn rename(&self, bought: &Bought, subdomain: &str) {
        let mut inner = self.lock();
        let sold = inner.subscriptions.get_mut(&bought.subscription).unwrap();
        sold.metadata.insert("subdomain".into(), subdomain.into());
    }

    /// The provider keeps events for 30 days only.
    pub(super) fn forget_events(&self) {
        self.lock().events.clear();
    }

    pub(super) fn all_events(&self) -> Vec<BillingEvent> {
        self.lock().events.clone()
    }

    pub(super) fn all_subscriptions(&self) -> Vec<Subscription> {
        self.lock().subscriptions.values().cloned().collect()
    }

    /// The instances that anything was ever paid for, by name.
    pub(super) fn ever_paid(&self) -> BTreeSet<String> {
        let inner = self.lock();
        let paid = inner.invoices.values().filter(|invoice| invoice.paid);
        paid.filter_map(|invoice| inner.subscriptions.get(invoice.subscription.as_ref()?))
            .map(|sold| instance_name(&sold.item))
            .collect()
    }

    pub(super) fn is_paid(&self, sold: &Subscription) -> bool {
        let inner = self.lock();
        let invoice = sold.latest_invoice.as_ref();
        invoice.is_some_and(|id| inner.invoices[id].paid)
    }
}

#[async_trait]
impl Billing for Books {
    fn open_webhook(&self, _: &[u8], _: &str, _: Timestamp) -> Result<BillingEvent, WebhookError> {
        Err(WebhookError::Unreadable("nothing is sent here".into()))
    }

    async fn start_checkout(&self, _: &CheckoutOrder) -> Result<String, ProviderError> {
        Err(ProviderError::Unreachable("nothing is sold here".into()))
    }

    async fn price(&self, _: &str) -> Result<Option<SellingPrice>, ProviderError> {
        Ok(None)
    }

    async fn session(&self, id: &str) -> Result<Option<CheckoutSession>, ProviderError> {
        let mut inner = self.lock();
        inner.asked()?;
        Ok(inner.sessions.get(id).cloned())
    }

    async fn subscription(&self, id: &str) -> Result<Option<Subscription>, ProviderError> {
        let mut inner = self.lock();
        inner.asked()?;
        Ok(inner.subscriptions.get(id).cloned())
    }

    async fn invoice(&self, id: &str) -> Result<Option<Invoice>, ProviderError> {
        let mut inner = self.lock();
        inner.asked()?;
        Ok(inner.invoices.get(id).cloned())
    }

    async fn subscriptions(&self) -> Result<Vec<Subscription>, ProviderError> {
        let mut inner = self.lock();
        inner.asked()?;
        Ok(inner.subscriptions.values().cloned().collect())
    }

    async fn events_since(
        &self,
        since: Timestamp,
        kinds: &[&str],
    ) -> Result<Vec<BillingEvent>, ProviderError> {
        let mut inner = self.lock();
        inner.asked()?;
        let events = inner.events.iter();
        Ok(events
            .filter(|event| event.created >= since && kinds.contains(&event.kind.as_str()))
            .cloned()
            .collect())
    }
}
