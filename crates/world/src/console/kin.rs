//! What belongs to the same life: a payment, the server it bought, the name it got. Found by what things have in common,
//! since no API says it: one id, address or name that both mention. It decides; it reads nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::call::Api;
use crate::history::{Entry, Kind};

/// What more things than this have in common tells nothing about any of them.
const MOST_SHARING: usize = 24;
/// Letters of what counts as an id by its form alone.
const SHORTEST_ID: usize = 12;

/// What two things may have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// An id, an address, a UUID.
    Id(String),
    /// A word that only counts once it is the first label of a DNS name.
    Word(String),
    /// One call to an API whose calls are about one thing.
    Call(String),
}

/// Things and what they mention, as one picture.
#[derive(Default)]
pub(super) struct Kin {
    ties: BTreeMap<String, BTreeSet<Tie>>,
    names: BTreeSet<String>,
}

impl Kin {
    /// Takes in one change.
    pub(super) fn mention(&mut self, entry: &Entry) {
        let subject = &entry.subject;
        let ties = self.ties.entry(subject.id.clone()).or_default();
        ties.insert(Tie::Id(subject.id.clone()));
        ties.extend(ids_in(&subject.name));
        if entry.api == Api::Hetzner {
            ties.insert(Tie::Call(entry.request_id.clone()));
        }
        if subject.kind == Kind::Record {
            let label = subject.name.split('.').next().unwrap_or_default();
            ties.insert(Tie::Word(label.to_owned()));
            self.names.insert(label.to_owned());
        }
        for value in entry.labels.values() {
            ties.extend(ids_in(value));
            if subject.kind != Kind::Record {
                ties.insert(Tie::Word(value.clone()));
            }
        }
    }

    /// Takes in that a thing names others.
    pub(super) fn names(&mut self, id: &str, others: impl IntoIterator<Item = String>) {
        let ties = self.ties.entry(id.to_owned()).or_default();
        ties.insert(Tie::Id(id.to_owned()));
        ties.extend(others.into_iter().map(Tie::Id));
    }

    /// The ids of everything in the same life as `id`, itself too.
    pub(super) fn of(&self, id: &str) -> BTreeSet<String> {
        let sharing = self.sharing();
        let mut found = BTreeSet::from([id.to_owned()]);
        let mut next = VecDeque::from([id]);
        while let Some(one) = next.pop_front() {
            let ties = self.ties.get(one).into_iter().flatten();
            for other in ties.filter_map(|tie| sharing.get(tie)).flatten() {
                if found.insert((*other).to_owned()) {
                    next.push_back(other);
                }
            }
        }
        found
    }

    /// For each tie that tells something, who has it.
    fn sharing(&self) -> BTreeMap<&Tie, Vec<&str>> {
        let mut sharing: BTreeMap<&Tie, Vec<&str>> = BTreeMap::new();
        for (id, ties) in &self.ties {
            for tie in ties {
                sharing.entry(tie).or_default().push(id);
            }
        }
        sharing.retain(|tie, things| {
            let tells = match tie {
                Tie::Word(word) => self.names.contains(word),
                Tie::Id(_) | Tie::Call(_) => true,
            };
            tells && things.len() <= MOST_SHARING
        });
        sharing
    }
}

/// Everything in a text that has the form of an id or an address.
fn ids_in(text: &str) -> impl Iterator<Item = Tie> + '_ {
    let outside = |letter: char| !(letter.is_ascii_alphanumeric() || "-_.:".contains(letter));
    let words = text.split(outside).filter(|word| !word.is_empty());
    words.flat_map(ids_of_word)
}

fn ids_of_word(word: &str) -> Vec<Tie> {
    if word.parse::<std::net::IpAddr>().is_ok() {
        return vec![Tie::Id(word.to_owned())];
    }
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let mut ties = Vec::new();
    if word.len() >= SHORTEST_ID && has_digit {
        ties.push(Tie::Id(word.to_owned()));
    }
    // A name that ends in a UUID is tied to the UUID too.
    if let Some(at) = word.len().checked_sub(36)
        && word.is_char_boundary(at)
        && is_uuid(&word[at..])
    {
        ties.push(Tie::Id(word[at..].to_owned()));
    }
    ties
}

fn is_uuid(text: &str) -> bool {
    let fits = |(place, byte): (usize, u8)| {
        if [8, 13, 18, 23].contains(&place) {
            byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        }
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;

    use super::Kin;
    use crate::call::Api;
    use crate::history::{Change, Entry, Kind, Outcome, Subject};

    const ADA: &str = "8156247d-4d62-42d8-85f5-c0e113c4aa87";

    fn entry(kind: Kind, id: &str, name: &str, labels: &[(&str, &str)]) -> Entry {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Entry {
            sequence: 0,
            at: Timestamp::UNIX_EPOCH,
            effective: Timestamp::UNIX_EPOCH,
            api: Api::Cloudflare,
            endpoint: String::new(),
            caller: String::new(),
            request_id: format!("call of {id}"),
            outcome: Outcome::Answered(200),
            subject: Subject {
                kind,
                id: id.to_owned(),
                name: name.to_owned(),
            },
            change: Change::Created,
            labels: labels.collect::<BTreeMap<_, _>>(),
        }
    }

    fn kin(entries: &[Entry]) -> Kin {
        let mut kin = Kin::default();
        for entry in entries {
            kin.mention(entry);
        }
        kin
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_payment_a_server_and_a_name_are_one_life_and_another_customers_are_not() {
        let comment = format!("owner instance={ADA}");
        let plan = ("plan", "basic");
        let mut kin = kin(&[
            entry(
                Kind::Subscription,
                "sub_1",
                "sub_1",
                &[("subdomain", "ada"), plan],
            ),
            entry(
                Kind::Subscription,
                "sub_2",
                "sub_2",
                &[("subdomain", "eve"), plan],
            ),
            entry(
                Kind::Server,
                "41",
                &format!("dev-{ADA}"),
                &[("uid", ADA), ("of", "dev")],
            ),
            entry(Kind::Server, "42", "dev-2", &[("of", "dev")]),
            entry(
                Kind::Record,
                "rec1",
                "ada.zone.example",
                &[("comment", &comment)],
            ),
            entry(
                Kind::Record,
                "rec2",
                "eve.zone.example",
                &[("content", "127.64.0.9")],
            ),
        ]);
        kin.names("evt_1", ["sub_1".to_owned(), "cus_1".to_owned()]);
        let life = set(&["sub_1", "evt_1", "41", "rec1"]);
        for id in ["sub_1", "41", "rec1", "evt_1"] {
            assert_eq!(kin.of(id), life, "{id}");
        }
        assert_eq!(kin.of("sub_2"), set(&["sub_2", "rec2"]));
    }

    #[test]
    fn an_address_ties_a_record_to_its_server() {
        let mut kin = kin(&[
            entry(Kind::Server, "41", "one", &[]),
            entry(
                Kind::Record,
                "rec1",
                "x.zone.example",
                &[("content", "127.64.0.2")],
            ),
        ]);
        kin.names("41", ["127.64.0.2".to_owned()]);
        assert_eq!(kin.of("rec1"), set(&["41", "rec1"]));
    }

    #[test]
    fn what_everybody_has_in_common_ties_nobody() {
        let everybody: Vec<Entry> = (0..40)
            .map(|n| {
                entry(
                    Kind::Server,
                    &n.to_string(),
                    "x",
                    &[("of", "installation-1234567890")],
                )
            })
            .collect();
        assert_eq!(kin(&everybody).of("7"), set(&["7"]));
    }
}
