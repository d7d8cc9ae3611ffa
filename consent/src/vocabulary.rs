//! The terms, each with its code, its identifier in the vocabulary that defines it, and the other spellings under
//! which older and foreign documents name it.
//!
//! Identifiers of the Data Use Ontology (DUO) are those of its release 2021-02-23. What DUO lacks stands under
//! [`OWN`]. `WORDS.md` says each term in plain language and names its source.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where the terms live that are this project's own.
pub const OWN: &str = "https://w3id.org/consent-wallet/v1#";

/// A closed list of terms.
pub trait Vocabulary: Copy + Sized + 'static {
    /// All terms, in the order of `WORDS.md`.
    const ALL: &'static [Self];

    /// The code under which this version writes the term, as in `NPU`.
    fn code(self) -> &'static str;

    /// The term's identifier: a DUO id as in `DUO:0000045`, or an URI of our own.
    fn id(self) -> &'static str;

    /// The term of a code, an identifier, or another known spelling. Nothing for a text that is no term: then the
    /// caller has something unknown in hand, and unknown is never yes.
    fn read(text: &str) -> Option<Self>;
}

/// Writes one vocabulary as one table: variant, code, identifier, other spellings.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$term_doc:meta])* $term:ident = $code:literal, $id:expr $(, $other:literal)*;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$term_doc])* $term,)* }

        impl Vocabulary for $name {
            const ALL: &'static [Self] = &[$(Self::$term,)*];

            fn code(self) -> &'static str {
                match self { $(Self::$term => $code,)* }
            }

            fn id(self) -> &'static str {
                match self { $(Self::$term => $id,)* }
            }

            fn read(text: &str) -> Option<Self> {
                match text {
                    $($code $(| $other)* => Some(Self::$term),)*
                    _ => by_id(text),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::read(&text).ok_or_else(|| de::Error::custom(concat!("not a known ", stringify!($name))))
            }
        }
    };
}

/// Finds a term by its identifier: `DUO:0000045`, `DUO_0000045`, or the full IRI of either kind.
pub(crate) fn by_id<T: Vocabulary>(text: &str) -> Option<T> {
    let wanted = duo_number(text);
    // One spelling of a DUO identifier is as good as another.
    if let Some(number) = wanted
        && let canonical = format!("DUO:{number:07}")
        && canonical != text
    {
        return T::read(&canonical);
    }
    T::ALL.iter().copied().find(|term| match (wanted, duo_number(term.id())) {
        (Some(wanted), Some(number)) => wanted == number,
        _ => term.id() == text,
    })
}

/// The number of a DUO identifier in any of its spellings. DUO's own OWL file spells NPOA with eight digits
/// (`DUO_00000044`), its CSV with seven: both are read.
pub(crate) fn duo_number(text: &str) -> Option<u32> {
    let local = text.strip_prefix("http://purl.obolibrary.org/obo/").unwrap_or(text);
    let local = local.strip_prefix("https://purl.obolibrary.org/obo/").unwrap_or(local);
    let digits = local.strip_prefix("DUO:").or_else(|| local.strip_prefix("DUO_"))?;
    match digits {
        "00000044" => Some(44),
        _ if digits.len() == 7 && digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

vocabulary! {
    /// What a donor allows at all: a data use permission (DUO:0000001).
    Permission {
        /// No restriction.
        Nres = "NRES", "DUO:0000004";
        /// General research use.
        Gru = "GRU", "DUO:0000042";
        /// Health, medical or biomedical research.
        Hmb = "HMB", "DUO:0000006";
        /// Disease specific research; the policy names the diseases.
        Ds = "DS", "DUO:0000007";
        /// Population origins or ancestry research only.
        Poa = "POA", "DUO:0000011";
    }
}

impl Permission {
    /// Whether everything that `other` allows is also allowed by this: NRES >= GRU >= {HMB >= DS, POA}.
    pub fn includes(self, other: Self) -> bool {
        use Permission::{Ds, Gru, Hmb, Nres, Poa};
        self == other
            || match self {
                Nres => true,
                Gru => matches!(other, Hmb | Ds | Poa),
                Hmb => other == Ds,
                Ds | Poa => false,
            }
    }
}

vocabulary! {
    /// What a researcher wants to do: the topics of an investigation (DUO's terms below OBI:0000066, and our own).
    Topic {
        /// General research.
        Gru = "GRU", "DUO:0000042";
        /// Biomedical research.
        Hmb = "HMB", "DUO:0000037", "DUO:0000006";
        /// Disease category research; the purpose names the diseases.
        Ds = "DS", "DUO:0000040", "DUO:0000007";
        /// Ancestry research.
        Poa = "POA", "DUO:0000033", "DUO:0000011";
        /// Method development.
        Methods = "methods", "DUO:0000031", "MDS";
        /// Use as a control set.
        Controls = "controls", "DUO:0000036", "CTRL";
        /// Publication of aggregate data for all (a legacy question of dbGaP).
        Aggregate = "aggregate", "https://w3id.org/consent-wallet/v1#aggregate", "AGR";
        /// Genetic research.
        Genetic = "genetic", "DUO:0000038";
        /// Drug development.
        DrugDevelopment = "drugDevelopment", "DUO:0000039";
        /// Use in the care of patients: what the modifier CC adds.
        ClinicalCare = "clinicalCare", "DUO:0000043", "CC";
        /// Training of models that are used beyond the study.
        AiTraining = "aiTraining", "https://w3id.org/consent-wallet/v1#aiTraining";
        /// Finding out who a donor is.
        Reidentification = "reidentification", "https://w3id.org/consent-wallet/v1#reidentification";
        /// Joining the data with other data about the same donor.
        Relinking = "relinking", "https://w3id.org/consent-wallet/v1#relinking";
        /// Population research (variation between groups of people).
        Population = "population", "DUO:0000032";
        /// Age category research.
        Age = "age", "DUO:0000034";
        /// Gender category research.
        Gender = "gender", "DUO:0000035", "sex";
        /// Research on children.
        Pediatric = "pediatric", "https://w3id.org/consent-wallet/v1#pediatric", "paediatric", "PD";
    }
}

impl Topic {
    /// The group of people or delicate matter that the topic is about, if it is one.
    pub fn flag(self) -> Option<Flag> {
        match self {
            Self::Population => Some(Flag::Population),
            Self::Age => Some(Flag::Age),
            Self::Gender => Some(Flag::Gender),
            Self::Pediatric => Some(Flag::Pediatric),
            _ => None,
        }
    }
}

vocabulary! {
    /// Groups of people and delicate matters that a purpose can be about. The first ten are those on which DUOS
    /// does not decide by machine; a donor can answer each.
    Flag {
        /// The data are compared with those of other people.
        Controls = "controls", "https://w3id.org/consent-wallet/v1#controls", "CTRL";
        /// How groups of people differ.
        Population = "population", "DUO:0000032", "POP", "RS-POP";
        /// One sex or gender, or the difference between them.
        Gender = "gender", "DUO:0000035", "sex";
        /// Children.
        Pediatric = "pediatric", "https://w3id.org/consent-wallet/v1#pediatric", "paediatric", "PD", "RS-PD";
        /// People who need special protection.
        VulnerablePopulations = "vulnerablePopulations", "https://w3id.org/consent-wallet/v1#vulnerablePopulations", "vulnerable";
        /// Illegal behaviour.
        IllegalBehavior = "illegalBehavior", "https://w3id.org/consent-wallet/v1#illegalBehavior", "illegal", "illegalBehaviour";
        /// Sexually transmitted diseases, sexual orientation.
        SexualDiseases = "sexualDiseases", "https://w3id.org/consent-wallet/v1#sexualDiseases", "sexual";
        /// Traits of the mind: intelligence, attention, mood.
        PsychologicalTraits = "psychologicalTraits", "https://w3id.org/consent-wallet/v1#psychologicalTraits", "psychological";
        /// Nothing to do with health.
        NotHealth = "notHealth", "https://w3id.org/consent-wallet/v1#notHealth";
        /// Diseases that people are looked down upon for.
        StigmatizeDiseases = "stigmatizeDiseases", "https://w3id.org/consent-wallet/v1#stigmatizeDiseases", "stigmatized", "stigmatised", "stigmatizedDiseases";
        /// One age group.
        Age = "age", "DUO:0000034";
        /// Women and girls.
        Female = "female", "https://w3id.org/consent-wallet/v1#female", "Female", "F";
        /// Men and boys.
        Male = "male", "https://w3id.org/consent-wallet/v1#male", "Male", "M";
    }
}

impl Flag {
    /// The question that a donor can have answered about this.
    pub fn question(self) -> Question {
        match self {
            Self::Controls => Question::Controls,
            Self::Population => Question::Population,
            Self::Gender | Self::Female | Self::Male => Question::Gender,
            Self::Pediatric => Question::Pediatric,
            Self::VulnerablePopulations => Question::VulnerablePopulations,
            Self::IllegalBehavior => Question::IllegalBehavior,
            Self::SexualDiseases => Question::SexualDiseases,
            Self::PsychologicalTraits => Question::PsychologicalTraits,
            Self::NotHealth => Question::NotHealth,
            Self::StigmatizeDiseases => Question::StigmatizeDiseases,
            Self::Age => Question::Age,
        }
    }

    /// Whether a purpose about `self` may be, but need not be, about `narrower`.
    pub fn may_be(self, narrower: Self) -> bool {
        matches!((self, narrower), (Self::Gender, Self::Female | Self::Male) | (Self::Age, Self::Pediatric))
    }
}

vocabulary! {
    /// Questions that a donor answers with yes, no or "not sure".
    Question {
        /// May studies of other illnesses compare others with you? (legacy NCTRL, turned round)
        Controls = "controls", "https://w3id.org/consent-wallet/v1#controls";
        /// May sums over many people be shown to all? (legacy NAGR, turned round)
        Aggregate = "aggregate", "https://w3id.org/consent-wallet/v1#aggregate";
        /// May the data train computer models?
        AiTraining = "aiTraining", "https://w3id.org/consent-wallet/v1#aiTraining";
        /// Research on how groups of people differ (legacy RS-POP).
        Population = "population", "DUO:0000032";
        /// Research on one sex or gender (legacy RS-G).
        Gender = "gender", "DUO:0000035";
        /// Research on one age group.
        Age = "age", "DUO:0000034";
        /// Research on children (legacy RS-PD).
        Pediatric = "pediatric", "https://w3id.org/consent-wallet/v1#pediatric";
        /// Research on people who need special protection.
        VulnerablePopulations = "vulnerablePopulations", "https://w3id.org/consent-wallet/v1#vulnerablePopulations";
        /// Research on illegal behaviour.
        IllegalBehavior = "illegalBehavior", "https://w3id.org/consent-wallet/v1#illegalBehavior";
        /// Research on sexual diseases and orientation.
        SexualDiseases = "sexualDiseases", "https://w3id.org/consent-wallet/v1#sexualDiseases";
        /// Research on traits of the mind.
        PsychologicalTraits = "psychologicalTraits", "https://w3id.org/consent-wallet/v1#psychologicalTraits";
        /// Research that is not about health.
        NotHealth = "notHealth", "https://w3id.org/consent-wallet/v1#notHealth";
        /// Research on diseases that people are looked down upon for.
        StigmatizeDiseases = "stigmatizeDiseases", "https://w3id.org/consent-wallet/v1#stigmatizeDiseases";
    }
}

vocabulary! {
    /// An answer. "Not sure" is one: it permits nothing and sends the matter to a person.
    Answer {
        /// Yes.
        Yes = "yes", "https://w3id.org/consent-wallet/v1#yes", "allow";
        /// No.
        No = "no", "https://w3id.org/consent-wallet/v1#no", "never";
        /// Not sure.
        Undecided = "undecided", "https://w3id.org/consent-wallet/v1#undecided", "ask", "notSure";
    }
}

vocabulary! {
    /// A kind of data or sample that a donor can share or keep.
    DataKind {
        /// Sequence or genotype data.
        Genome = "genome", "https://w3id.org/consent-wallet/v1#genome";
        /// Entries of the electronic health record.
        HealthRecord = "healthRecord", "https://w3id.org/consent-wallet/v1#healthRecord", "ehr";
        /// Answers to questionnaires.
        Survey = "survey", "https://w3id.org/consent-wallet/v1#survey";
        /// The material itself: blood, saliva, tissue.
        Sample = "sample", "https://w3id.org/consent-wallet/v1#sample";
        /// Pictures such as MRI or CT.
        Imaging = "imaging", "https://w3id.org/consent-wallet/v1#imaging";
        /// Readings of a device that the donor wears or uses.
        Device = "device", "https://w3id.org/consent-wallet/v1#device";
    }
}

vocabulary! {
    /// What kind of organisation asks: the recipient categories.
    OrganisationKind {
        /// A charity or another body that makes no profit.
        NonProfit = "nonProfit", "https://w3id.org/consent-wallet/v1#nonProfit";
        /// A university or a public research hospital.
        Academic = "academic", "https://w3id.org/consent-wallet/v1#academic";
        /// A body of the state.
        Government = "government", "https://w3id.org/consent-wallet/v1#government";
        /// A company.
        Commercial = "commercial", "https://w3id.org/consent-wallet/v1#commercial";
    }
}

impl OrganisationKind {
    /// Whether such an organisation makes profit.
    pub fn makes_profit(self) -> bool {
        self == Self::Commercial
    }
}

vocabulary! {
    /// Results of research that a donor may want to hear of.
    ResultKind {
        /// Results that a doctor can act on.
        Actionable = "actionable", "https://w3id.org/consent-wallet/v1#actionable";
        /// Results that nobody can act on today.
        NonActionable = "nonActionable", "https://w3id.org/consent-wallet/v1#nonActionable";
        /// Being a carrier of something that children could get.
        Carrier = "carrier", "https://w3id.org/consent-wallet/v1#carrier";
        /// The raw data.
        Raw = "raw", "https://w3id.org/consent-wallet/v1#raw";
        /// Findings that nobody was looking for.
        Incidental = "incidental", "https://w3id.org/consent-wallet/v1#incidental";
        /// Telling relatives what concerns them.
        Family = "family", "https://w3id.org/consent-wallet/v1#family";
    }
}

vocabulary! {
    /// Reasons for which a donor may be contacted.
    ContactKind {
        /// Questions about what was given.
        Recontact = "recontact", "https://w3id.org/consent-wallet/v1#recontact";
        /// New studies.
        NewStudies = "newStudies", "https://w3id.org/consent-wallet/v1#newStudies";
        /// Passing the contact on to researchers.
        ShareContact = "shareContact", "https://w3id.org/consent-wallet/v1#shareContact";
        /// A message each time data are used.
        NotifyEachUse = "notifyEachUse", "https://w3id.org/consent-wallet/v1#notifyEachUse";
    }
}

/// Answers to the questions of one vocabulary, without an allocation. A question that was not answered has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers<Q: Vocabulary> {
    /// Two bits a question: 0 is no answer.
    bits: u64,
    of: std::marker::PhantomData<Q>,
}

impl<Q: Vocabulary> Default for Answers<Q> {
    fn default() -> Self {
        Self { bits: 0, of: std::marker::PhantomData }
    }
}

impl<Q: Vocabulary + PartialEq> Answers<Q> {
    /// The answer to a question.
    pub fn get(self, question: Q) -> Option<Answer> {
        match self.bits >> Self::shift(question) & 3 {
            1 => Some(Answer::Yes),
            2 => Some(Answer::No),
            3 => Some(Answer::Undecided),
            _ => None,
        }
    }

    /// Sets or takes back the answer to a question.
    pub fn set(&mut self, question: Q, answer: Option<Answer>) {
        let bits = match answer {
            None => 0,
            Some(Answer::Yes) => 1,
            Some(Answer::No) => 2,
            Some(Answer::Undecided) => 3,
        };
        let shift = Self::shift(question);
        self.bits = self.bits & !(3 << shift) | bits << shift;
    }

    /// The same answers with one more.
    #[must_use]
    pub fn with(mut self, question: Q, answer: Answer) -> Self {
        self.set(question, Some(answer));
        self
    }

    /// The questions that are answered, in the vocabulary's order.
    pub fn iter(self) -> impl Iterator<Item = (Q, Answer)> {
        Q::ALL.iter().filter_map(move |question| Some((*question, self.get(*question)?)))
    }

    /// Whether nothing is answered.
    pub fn is_empty(&self) -> bool {
        self.bits == 0
    }

    fn shift(question: Q) -> u32 {
        // The vocabularies of questions have at most 32 terms; a test holds that.
        Q::ALL.iter().position(|other| *other == question).map_or(62, |place| place as u32 * 2)
    }
}

impl<Q: Vocabulary + PartialEq> FromIterator<(Q, Answer)> for Answers<Q> {
    fn from_iter<I: IntoIterator<Item = (Q, Answer)>>(answers: I) -> Self {
        answers.into_iter().fold(Self::default(), |all, (question, answer)| all.with(question, answer))
    }
}

impl<Q: Vocabulary + PartialEq> Serialize for Answers<Q> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(question, answer)| (question.code(), answer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npoa_and_others_are_read_in_all_their_spellings() {
        for text in ["DUO:0000044", "DUO_0000044", "http://purl.obolibrary.org/obo/DUO_00000044"] {
            assert_eq!(duo_number(text), Some(44), "{text}");
        }
        for text in ["DUO:00000045", "DUO:44", "0000044", "http://purl.obolibrary.org/obo/MONDO_0000044", ""] {
            assert_eq!(duo_number(text), None, "{text}");
        }
        assert_eq!(Permission::read("http://purl.obolibrary.org/obo/DUO_0000042"), Some(Permission::Gru));
        assert_eq!(Topic::read("DUO:0000037"), Some(Topic::Hmb));
        assert_eq!(Permission::read("gru"), None);
    }

    #[test]
    fn codes_and_ids_read_back_as_the_same_term_and_stand_once() {
        fn hold<T: Vocabulary + PartialEq + std::fmt::Debug>() {
            for term in T::ALL {
                assert_eq!(T::read(term.code()), Some(*term));
                assert_eq!(T::read(term.id()), Some(*term));
            }
            assert!(T::ALL.len() <= 31);
        }
        hold::<Permission>();
        hold::<Topic>();
        hold::<Flag>();
        hold::<Question>();
        hold::<Answer>();
        hold::<DataKind>();
        hold::<OrganisationKind>();
        hold::<ResultKind>();
        hold::<ContactKind>();
    }

    #[test]
    fn answers_are_kept_apart_and_can_be_taken_back() {
        let mut answers: Answers<Question> = Answers::default();
        for (place, question) in Question::ALL.iter().enumerate() {
            answers.set(*question, Some(Answer::ALL[place % 3]));
        }
        for (place, question) in Question::ALL.iter().enumerate() {
            assert_eq!(answers.get(*question), Some(Answer::ALL[place % 3]));
        }
        answers.set(Question::Gender, None);
        assert_eq!(answers.get(Question::Gender), None);
        assert_eq!(answers.iter().count(), Question::ALL.len() - 1);
    }
}
