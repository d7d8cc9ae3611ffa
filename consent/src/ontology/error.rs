//! Why a file is not a hierarchy that can be used.

use std::fmt;

/// Why a file is not a hierarchy that can be used. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OntologyError {
    /// More than 64 MB of text, a million terms, or is-a links that multiply beyond measure.
    TooLarge,
    /// The gzip stream is damaged or ends too early.
    Unpack,
    /// Not UTF-8.
    NotText,
    /// Neither OBO nor a table with the columns that are needed.
    UnknownForm,
    /// Not one term.
    Empty,
    /// A line that cannot be read.
    Malformed {
        /// The line.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The same id for two terms.
    Duplicate {
        /// The line of one of them.
        line: usize,
        /// The id.
        id: String,
    },
    /// A parent named by a label that several terms have.
    AmbiguousParent {
        /// The line that names it.
        line: usize,
        /// The label.
        label: String,
    },
    /// A term that is a kind of itself over its parents.
    Cycle {
        /// The line on which the term begins.
        line: usize,
        /// Its id.
        id: String,
    },
}

impl fmt::Display for OntologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the file is larger than a disease hierarchy can be"),
            Self::Unpack => f.write_str("the compressed file is damaged"),
            Self::NotText => f.write_str("the file is not text in UTF-8"),
            Self::UnknownForm => {
                f.write_str("the file is neither OBO nor a table with the columns id, label and subClassOf")
            }
            Self::Empty => f.write_str("the file has no terms"),
            Self::Malformed { line, what } => write!(f, "line {line}: {what}"),
            Self::Duplicate { line, id } => write!(f, "line {line}: {id} is there twice"),
            Self::AmbiguousParent { line, label } => {
                write!(f, "line {line}: several terms are called \"{label}\", so it cannot name a parent")
            }
            Self::Cycle { line, id } => write!(f, "line {line}: {id} is a kind of itself over its parents"),
        }
    }
}

impl std::error::Error for OntologyError {}
