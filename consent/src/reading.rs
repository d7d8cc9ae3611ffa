//! Reading documents that may hold more than this version knows.
//!
//! A word that is not understood never fails the document and is never dropped: it is kept as unknown, and whoever
//! decides goes to review for it. Only what has the wrong shape (a number where a list belongs) is an error.

use crate::Date;
use crate::vocabulary::{Answer, Answers, Vocabulary};
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The longest unknown word that is kept, in characters.
const LONGEST: usize = 64;
/// How many unknown words are kept; one is enough for review.
const MOST: usize = 32;
/// How many members an object may have, known or not. Each is compared with those before it.
const MOST_MEMBERS: usize = 128;
/// How long a list may be. Rules compare the lists of a policy with those of a purpose: without a bound, a document of
/// a megabyte keeps a matcher busy for minutes.
pub(crate) const LONGEST_LIST: usize = 1024;

/// Keeps a word that was not understood.
pub(crate) fn keep(unknown: &mut Vec<String>, word: &str) {
    if unknown.len() < MOST {
        unknown.push(word.chars().filter(|c| !c.is_control()).take(LONGEST).collect());
    }
}

/// The object that is being read, at the value of one member.
pub(crate) struct Object<'m, A>(&'m mut A);

impl<'de, A: MapAccess<'de>> Object<'_, A> {
    /// The value as a type.
    pub fn value<T: Deserialize<'de>>(&mut self) -> Result<T, A::Error> {
        self.0.next_value()
    }

    /// The value read by a seed.
    pub fn seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(seed)
    }

    /// Passes over the value.
    pub fn skip(&mut self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(drop)
    }
}

/// Calls `read` at each member of an object. A member that stands twice is an error: two readers could take
/// different ones.
pub(crate) fn members<'de, A: MapAccess<'de>>(
    mut map: A,
    mut read: impl FnMut(&str, &mut Object<'_, A>) -> Result<(), A::Error>,
) -> Result<(), A::Error> {
    let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(12);
    while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
        if seen.contains(&name) {
            return Err(de::Error::custom("a member stands twice"));
        }
        if seen.len() == MOST_MEMBERS {
            return Err(de::Error::custom("too many members"));
        }
        read(&name, &mut Object(&mut map))?;
        seen.push(name);
    }
    Ok(())
}

/// A text, borrowed from the document where that can be done.
pub(crate) struct Name<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Calls `take` with each element of a list; `null` is an empty list.
pub(crate) fn each<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    take: impl FnMut(T),
) -> Result<(), D::Error> {
    struct List<T, F>(F, PhantomData<T>);

    impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for List<T, F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_none<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
            let mut length = 0;
            while let Some(item) = seq.next_element()? {
                if length == LONGEST_LIST {
                    return Err(de::Error::custom("the list is too long"));
                }
                length += 1;
                (self.0)(item);
            }
            Ok(())
        }
    }

    deserializer.deserialize_any(List(take, PhantomData))
}

/// A list of texts; `null` is an empty list.
pub(crate) struct Strings;

impl<'de> DeserializeSeed<'de> for Strings {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut strings = Vec::new();
        each(deserializer, |text: String| strings.push(text))?;
        Ok(strings)
    }
}

/// A list of terms; words that are none go to the list of unknown ones.
pub(crate) struct Words<'a, T>(&'a mut Vec<String>, PhantomData<T>);

impl<'a, T> Words<'a, T> {
    pub fn new(unknown: &'a mut Vec<String>) -> Self {
        Self(unknown, PhantomData)
    }
}

impl<'de, T: Vocabulary + PartialEq> DeserializeSeed<'de> for Words<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut terms = Vec::new();
        each(deserializer, |Name(word): Name<'de>| match T::read(&word) {
            Some(term) => add(&mut terms, term),
            None => keep(self.0, &word),
        })?;
        Ok(terms)
    }
}

/// Adds a term that is not there yet: saying it twice says nothing more.
pub(crate) fn add<T: PartialEq>(terms: &mut Vec<T>, term: T) {
    if !terms.contains(&term) {
        terms.push(term);
    }
}

/// A list of terms, or nothing where the member is `null`.
pub(crate) struct SomeWords<'a, T>(pub Words<'a, T>);

impl<'de, T: Vocabulary + PartialEq> DeserializeSeed<'de> for SomeWords<'_, T> {
    type Value = Option<Vec<T>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct List<'de>(Vec<Name<'de>>);

        impl<'de> Deserialize<'de> for List<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut words = Vec::new();
                each(deserializer, |word| words.push(word))?;
                Ok(Self(words))
            }
        }

        let words: Option<List<'de>> = Option::deserialize(deserializer)?;
        let Some(List(words)) = words else { return Ok(None) };
        let mut terms = Vec::new();
        for Name(word) in words {
            match T::read(&word) {
                Some(term) => add(&mut terms, term),
                None => keep(self.0.0, &word),
            }
        }
        Ok(Some(terms))
    }
}

/// A single term, or nothing.
pub(crate) struct Word<'a, T>(pub &'a mut Vec<String>, pub PhantomData<T>);

impl<'de, T: Vocabulary> DeserializeSeed<'de> for Word<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let word: Option<Name<'de>> = Option::deserialize(deserializer)?;
        Ok(word.and_then(|Name(word)| {
            let term = T::read(&word);
            if term.is_none() {
                keep(self.0, &word);
            }
            term
        }))
    }
}

/// Answers by question; questions and answers that are not known go to the list of unknown words.
pub(crate) struct AnswersSeed<'a, Q>(pub &'a mut Vec<String>, pub PhantomData<Q>);

impl<'de, Q: Vocabulary + PartialEq> DeserializeSeed<'de> for AnswersSeed<'_, Q> {
    type Value = Answers<Q>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct Map<'a, Q>(&'a mut Vec<String>, PhantomData<Q>);

        impl<'de, Q: Vocabulary + PartialEq> Visitor<'de> for Map<'_, Q> {
            type Value = Answers<Q>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("answers by question")
            }

            fn visit_unit<E>(self) -> Result<Answers<Q>, E> {
                Ok(Answers::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Answers<Q>, A::Error> {
                let mut answers = Answers::default();
                members(map, |name, object: &mut Object<'_, A>| {
                    // Not asked is no answer.
                    let Some(Name(word)) = object.value()? else { return Ok(()) };
                    match (Q::read(name), Answer::read(&word)) {
                        // Under two spellings of the question, as bad as a member that stands twice.
                        (Some(question), Some(_)) if answers.get(question).is_some() => {
                            return Err(de::Error::custom("a question is answered twice"));
                        }
                        (Some(question), Some(answer)) => answers.set(question, Some(answer)),
                        _ => keep(self.0, &format!("{name} {word}")),
                    }
                    Ok(())
                })?;
                Ok(answers)
            }
        }

        deserializer.deserialize_any(Map(self.0, self.1))
    }
}

/// A day, or a word that is none.
#[derive(Debug, Clone)]
pub(crate) enum Dated {
    Day(Date),
    Other(String),
}

impl<'de> Deserialize<'de> for Dated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Name(word) = Name::deserialize(deserializer)?;
        Ok(word.parse().map_or_else(|_| Self::Other(word.chars().take(LONGEST).collect()), Self::Day))
    }
}
