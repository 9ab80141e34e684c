//! A second opinion: which text is sent to another recognizer, in what pieces and at what cost, and how the answer
//! compares with what was found here. Knows no AWS: who asks hands in the two questions.
//!
//! The samples are the only place outside the scan of a line where text is held; they are never printed or stored.

use std::collections::BTreeSet;
use std::fmt;

use super::mask::Masks;
use crate::base::Text;
use crate::inventory::ReadError;
use crate::inventory::objects::ContentHit;
use crate::inventory::opinion::Opinion;

/// One request's text, in bytes. The service takes 100 KB (Amazon Comprehend, guidelines and quotas); smaller pieces
/// make it rarer that clean text is asked about twice.
const PIECE: usize = 20_000;
/// Characters of a unit, and the fewest units of a request (Amazon Comprehend pricing).
const UNIT: usize = 100;
const FEWEST: u64 = 3;
/// Millionths of a US dollar a unit. An estimate: list prices of us-east-1 as of [`PRICED`], first tier.
const WHETHER: u64 = 2;
const WHERE: u64 = 100;
/// As of when these prices are known; they were not checked against the price list since.
const PRICED: &str = "January 2025";
/// Bytes of text that are sent unless told otherwise.
pub const BYTES: u64 = 1_000_000;
/// Less sure than this is not counted.
const SURE: f64 = 0.8;
/// Hits of one kind that are kept.
const KEEP: usize = 20;

/// Kinds of the service that one of our rules looks for too.
const SAME: &[(&str, &[&str])] = &[
    ("AWS_ACCESS_KEY", &["secret-aws-access-key-id"]),
    ("AWS_SECRET_KEY", &["secret-aws-secret-access-key"]),
    ("CREDIT_DEBIT_NUMBER", &["pii-card"]),
    ("EMAIL", &["pii-email", "pii-email-example"]),
    ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", &["pii-iban"]),
    ("PASSWORD", &["secret-assigned", "secret-url-password"]),
    ("PHONE", &["pii-phone"]),
    ("SSN", &["pii-us-ssn"]),
    ("UK_NATIONAL_INSURANCE_NUMBER", &["pii-uk-nino"]),
];

/// Kinds that by themselves name a person or open a door: those that a control takes seriously.
pub const GRAVE: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "BANK_ACCOUNT_NUMBER",
    "CA_HEALTH_NUMBER",
    "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CVV",
    "CREDIT_DEBIT_NUMBER",
    "DRIVER_ID",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "IN_AADHAAR",
    "IN_PERMANENT_ACCOUNT_NUMBER",
    "PASSPORT_NUMBER",
    "PASSWORD",
    "PIN",
    "SSN",
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
];

/// A kind of personal data somewhere in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// As the service names it.
    pub kind: Text,
    /// How sure it is, from 0 to 1.
    pub score: f64,
}

/// A kind of personal data at a place: characters, not bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// As the service names it.
    pub kind: Text,
    /// How sure it is, from 0 to 1.
    pub score: f64,
    /// First character.
    pub begin: usize,
    /// The one after the last.
    pub end: usize,
}

/// Where a part of a piece comes from.
#[derive(Clone, PartialEq, Eq)]
struct Origin {
    /// Its first character in the piece.
    at: usize,
    uri: Text,
    line: u64,
    field: Text,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Piece {
    text: String,
    characters: usize,
    from: Vec<Origin>,
}

impl Piece {
    fn units(&self) -> u64 {
        (self.characters.div_ceil(UNIT) as u64).max(FEWEST)
    }
}

/// Text that is to be sent, up to a budget of bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Samples {
    pieces: Vec<Piece>,
    left: u64,
    bytes: u64,
    left_over: u64,
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Samples")
            .field("bytes", &self.bytes)
            .field("left_over", &self.left_over)
            .finish_non_exhaustive()
    }
}

impl Samples {
    /// At most so many bytes.
    pub fn up_to(bytes: u64) -> Self {
        Self { pieces: Vec::new(), left: bytes, bytes: 0, left_over: 0 }
    }

    /// Takes a text, if there is room for it.
    pub fn take(&mut self, uri: &Text, line: u64, field: impl fmt::Display, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if text.len() as u64 > self.left {
            self.left_over += 1;
            return;
        }
        self.left -= text.len() as u64;
        self.bytes += text.len() as u64;
        let field = Text::new(field.to_string());
        let mut rest = text;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.floor_char_boundary(PIECE));
            rest = after;
            let full = self.pieces.last().is_none_or(|piece| piece.text.len() + part.len() >= PIECE);
            if full {
                self.pieces.push(Piece::default());
            }
            let Some(piece) = self.pieces.last_mut() else { return };
            if !piece.text.is_empty() {
                piece.text.push('\n');
                piece.characters += 1;
            }
            piece.from.push(Origin { at: piece.characters, uri: uri.clone(), line, field: field.clone() });
            piece.text.push_str(part);
            piece.characters += part.chars().count();
        }
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it costs at most to ask about all of it.
    pub fn cost(&self) -> String {
        let units: u64 = self.pieces.iter().map(Piece::units).sum();
        cost(units, units)
    }
}

/// What a budget of bytes costs at most, to be told before anything is sent.
pub fn announced(bytes: u64) -> String {
    let units = bytes.div_ceil(UNIT as u64).max(FEWEST);
    format!(
        "text of training and validation data, at most {bytes} bytes, is sent to Amazon Comprehend in the session's \
         region: {units} units of {UNIT} characters (at least {FEWEST} a request), at most {}",
        cost(units, units)
    )
}

/// What was asked costs about so much.
pub fn spent(opinion: &Opinion) -> String {
    cost(opinion.asked_whether, opinion.asked_where)
}

fn cost(whether: u64, and_where: u64) -> String {
    let millionths = whether * WHETHER + and_where * WHERE;
    // Rounded up: an estimate must not flatter.
    let hundredths = millionths.div_ceil(10_000);
    format!("{}.{:02} USD (estimate, list prices of us-east-1, {PRICED})", hundredths / 100, hundredths % 100)
}

/// Asks, piece by piece: first whether there is something, and only then where. Stops where everything would be
/// refused; what is left is not looked at.
pub async fn ask<C, CF, D, DF>(samples: Samples, masks: &Masks, contains: C, detect: D) -> Opinion
where
    C: Fn(String) -> CF,
    CF: Future<Output = Result<Vec<Label>, ReadError>>,
    D: Fn(String) -> DF,
    DF: Future<Output = Result<Vec<Entity>, ReadError>>,
{
    let mut opinion = Opinion { left_over: samples.left_over, ..Opinion::default() };
    let mut pieces = samples.pieces.into_iter();
    for piece in pieces.by_ref() {
        let failed = match contains(piece.text.clone()).await {
            Ok(labels) => {
                opinion.bytes += piece.text.len() as u64;
                opinion.asked_whether += piece.units();
                if !labels.iter().any(|label| label.score >= SURE) {
                    continue;
                }
                match detect(piece.text.clone()).await {
                    Ok(entities) => {
                        opinion.asked_where += piece.units();
                        for entity in &entities {
                            note(&mut opinion, &piece, entity, masks);
                        }
                        continue;
                    }
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        opinion.left_over += piece.from.len() as u64;
        opinion.error = Some(failed);
        break;
    }
    opinion.left_over += pieces.map(|piece| piece.from.len() as u64).sum::<u64>();
    opinion
}

fn note(opinion: &mut Opinion, piece: &Piece, entity: &Entity, masks: &Masks) {
    if entity.score < SURE || entity.end <= entity.begin {
        return;
    }
    *opinion.entities.entry(entity.kind.clone()).or_default() += 1;
    let from = piece.from.iter().rev().find(|from| from.at <= entity.begin);
    let Some(from) = from else { return };
    let of_object = opinion.objects.entry(from.uri.clone()).or_default();
    *of_object.entry(entity.kind.clone()).or_default() += 1;
    if opinion.hits.iter().filter(|hit| hit.rule == entity.kind).count() >= KEEP {
        return;
    }
    let value: String = piece.text.chars().skip(entity.begin).take(entity.end - entity.begin).collect();
    opinion.hits.push(ContentHit {
        rule: entity.kind.clone(),
        object: from.uri.clone(),
        line: Some(from.line),
        field: from.field.clone(),
        // why nothing of the value: a recognizer by meaning has no part that is public.
        shown: Text::new(format!("… ({} characters), {:.0}% sure", value.chars().count(), entity.score * 100.0)),
        digest: Text::new(masks.keyed_digest(&value)),
    });
}

/// Compares with our own counts, by rule.
pub fn compare(opinion: &mut Opinion, ours: impl Fn(&str) -> u64) {
    let (mut agreed, mut only_theirs, mut only_ours) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let theirs = |kind: &str| opinion.entities.keys().any(|held| held.as_str() == kind);
    for (kind, rules) in SAME {
        let found: Vec<&str> = rules.iter().copied().filter(|rule| ours(rule) > 0).collect();
        match (theirs(kind), found.is_empty()) {
            (true, false) => agreed.extend([Text::new(*kind)]),
            (true, true) => only_theirs.extend([Text::new(*kind)]),
            (false, false) => only_ours.extend(found.into_iter().map(Text::new)),
            (false, true) => {}
        }
    }
    (opinion.agreed, opinion.only_theirs, opinion.only_ours) = (agreed, only_theirs, only_ours);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::content::RULES;
    use crate::inventory::ErrorKind;
    use std::cell::Cell;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        futures::executor::block_on(future)
    }

    fn taken(texts: &[&str]) -> Samples {
        let mut samples = Samples::up_to(1000);
        for (at, text) in texts.iter().enumerate() {
            samples.take(&"a.jsonl".into(), at as u64 + 1, "prompt", text);
        }
        samples
    }

    #[test]
    fn every_rule_of_the_table_exists() {
        for rule in SAME.iter().flat_map(|(_, rules)| *rules) {
            assert!(RULES.iter().any(|known| known.id == *rule), "{rule}");
        }
        assert!(GRAVE.is_sorted());
    }

    #[test]
    fn places_are_found_again_and_nothing_is_shown() {
        let samples = taken(&["Grüße an Ana", "her number is 123-45-6789"]);
        assert!(!format!("{samples:?}").contains("123-45"));
        let label = |_: String| async { Ok::<_, ReadError>(vec![Label { kind: "SSN".into(), score: 0.99 }]) };
        let begin = "Grüße an Ana\nher number is ".chars().count();
        let entity = move |_: String| async move {
            let sure = Entity { kind: "SSN".into(), score: 0.97, begin, end: begin + 11 };
            Ok::<_, ReadError>(vec![Entity { score: 0.3, ..sure.clone() }, sure])
        };
        let masks = Masks::keyed(b"test");
        let mut opinion = block_on(ask(samples, &masks, label, entity));
        assert_eq!((opinion.counted().as_str(), opinion.bytes, opinion.left_over), ("SSN 1", 40, 0));
        let hit = &opinion.hits[0];
        assert_eq!(
            (hit.place().as_str(), hit.shown.as_str()),
            ("a.jsonl line 2 prompt", "… (11 characters), 97% sure")
        );
        assert_eq!(hit.digest.as_str(), masks.keyed_digest("123-45-6789"));
        compare(&mut opinion, |rule| u64::from(rule == "pii-card"));
        assert_eq!(
            opinion.compared(),
            "both: none; only Comprehend: SSN; only bedwatch: pii-card; not looked for by bedwatch: none"
        );
        compare(&mut opinion, |rule| u64::from(rule == "pii-us-ssn"));
        assert!(opinion.compared().starts_with("both: SSN; only Comprehend: none"));
    }

    #[test]
    fn where_is_asked_only_where_there_is_something_and_a_refusal_ends_it() {
        let error = ReadError {
            operation: "comprehend:ContainsPiiEntities".into(),
            kind: ErrorKind::Denied,
            message: "no".into(),
            at: Timestamp::from_secs(1),
        };
        let asked = Cell::new(0);
        let nothing = |_: String| async { Ok::<Vec<Label>, ReadError>(Vec::new()) };
        let count = |_: String| {
            asked.set(asked.get() + 1);
            async { Ok::<_, ReadError>(Vec::<Entity>::new()) }
        };
        let opinion = block_on(ask(taken(&["a", "b"]), &Masks::random(), nothing, count));
        assert_eq!((asked.get(), opinion.asked_whether, opinion.asked_where, opinion.is_whole()), (0, 3, 0, true));
        let refused = |_: String| {
            let error = error.clone();
            async move { Err::<Vec<Label>, _>(error) }
        };
        let opinion = block_on(ask(taken(&["a", "b"]), &Masks::random(), refused, count));
        assert_eq!((opinion.left_over, opinion.bytes, opinion.is_whole()), (2, 0, false));
    }

    #[test]
    fn pieces_stay_small_and_the_budget_holds() {
        let mut samples = Samples::up_to(50_000);
        let long = "ü".repeat(20_001);
        samples.take(&"a".into(), 1, "", &long);
        samples.take(&"a".into(), 2, "", &long);
        assert_eq!((samples.bytes(), samples.left_over), (40_002, 1));
        assert!(samples.pieces.iter().all(|piece| piece.text.len() <= PIECE));
        assert_eq!(samples.pieces.iter().map(|piece| piece.characters).sum::<usize>(), 20_001);
        assert!(announced(1_000_000).contains("10000 units") && announced(1_000_000).contains("at most 1.02 USD"));
        assert!(samples.cost().starts_with("0.03 USD"), "{}", samples.cost());
    }
}
