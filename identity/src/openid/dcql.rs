//! The Digital Credentials Query Language (OpenID4VP 1.0, section 6). Members that are not known are passed over, as it
//! asks for; those that are known have to be of their form.

use super::reading::{list, text, texts};
use super::{Read, Refused};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How many credentials, claims, sets and steps of a path one query may name.
const MAX_ITEMS: usize = 32;

const CHECK: &str = "query";

/// In which form a credential is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A W3C credential with Data Integrity (`ldp_vc`).
    LdpVc,
    /// A W3C credential as a JWT (`jwt_vc_json`).
    JwtVcJson,
    /// An SD-JWT VC (`dc+sd-jwt`).
    SdJwtVc,
    /// One that is not known here: no credential has it.
    Other,
}

/// A step of a path to a claim (section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The member of this name.
    Member(String),
    /// The item at this place, counted from 0.
    Item(usize),
    /// All items.
    All,
}

/// One claim that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimQuery {
    /// The name by which claim sets call it.
    pub id: Option<String>,
    /// Where it is. The first step is a member of the credential.
    pub path: Vec<Step>,
    /// What it must be, one of these; empty if it may be anything.
    pub values: Vec<Value>,
}

/// One credential that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialQuery {
    /// Its name in the answer.
    pub id: String,
    /// In which form.
    pub format: Format,
    /// Whether more than one may be shown.
    pub multiple: bool,
    /// The types, any of these lists whole. For an SD-JWT VC each list holds one `vct`.
    pub types: Vec<Vec<String>>,
    /// The claims; empty if none is asked for in particular.
    pub claims: Vec<ClaimQuery>,
    /// Which of them are enough, the best first, as places in `claims`; empty if all are needed.
    pub claim_sets: Vec<Vec<usize>>,
    /// Whether the holder has to prove that it is theirs. A wallet that always does so may do so.
    pub holder_binding: bool,
    /// Whether only some issuers are trusted. Nobody vouches for donors, so such a query matches nothing here.
    pub trusted_authorities: bool,
}

/// A choice between lists of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSet {
    /// The lists, the best first: names of credential queries.
    pub options: Vec<Vec<String>>,
    /// Whether the verifier can not go on without it.
    pub required: bool,
}

/// What a verifier asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The credentials.
    pub credentials: Vec<CredentialQuery>,
    /// Which of them together; empty if all are needed.
    pub sets: Vec<CredentialSet>,
}

impl Query {
    /// Reads a query.
    pub fn read(value: &Value) -> Read<Self> {
        let query = members(value)?;
        let credentials = needed(list(query, "credentials", MAX_ITEMS, CHECK)?, "credentials")?;
        let credentials = credentials.iter().map(credential).collect::<Read<Vec<_>>>()?;
        unique(credentials.iter().map(|credential| credential.id.as_str()))?;
        let known = |id: &String| credentials.iter().any(|credential| credential.id == *id);
        let mut sets = Vec::new();
        for value in list(query, "credential_sets", MAX_ITEMS, CHECK)?.unwrap_or_default() {
            let set = members(value)?;
            let options = needed(lists(set, "options")?, "options")?;
            if !options.iter().flatten().all(known) {
                return Err(refused("a set names a credential that is not asked for"));
            }
            sets.push(CredentialSet { options, required: flag(set, "required", true)? });
        }
        Ok(Self { credentials, sets })
    }
}

fn refused(detail: impl Into<String>) -> Refused {
    Refused::new(CHECK, detail)
}

fn members(value: &Value) -> Read<&Map<String, Value>> {
    value.as_object().ok_or_else(|| refused("not an object"))
}

fn needed<T>(value: Option<T>, name: &str) -> Read<T> {
    value.ok_or_else(|| refused(format!("{name} is missing")))
}

fn flag(object: &Map<String, Value>, name: &str, otherwise: bool) -> Read<bool> {
    match object.get(name) {
        None => Ok(otherwise),
        Some(Value::Bool(said)) => Ok(*said),
        Some(_) => Err(refused(format!("{name} is neither true nor false"))),
    }
}

/// A list of lists of texts, none of them empty.
fn lists(object: &Map<String, Value>, name: &str) -> Read<Option<Vec<Vec<String>>>> {
    let Some(items) = list(object, name, MAX_ITEMS, CHECK)? else { return Ok(None) };
    let inner = |item: &Value| {
        let texts = item.as_array().filter(|texts| (1..=MAX_ITEMS).contains(&texts.len()))?;
        texts.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let lists = items.iter().map(inner).collect::<Option<_>>();
    lists.map(Some).ok_or_else(|| refused(format!("{name} is not a list of lists of texts")))
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Read<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > 128 || !name.bytes().all(fits) || !seen.insert(name) {
            return Err(refused("an id is not of letters, digits, - and _, or is there twice"));
        }
    }
    Ok(())
}

fn credential(value: &Value) -> Read<CredentialQuery> {
    let object = members(value)?;
    let format = match text(object, "format", CHECK)? {
        "ldp_vc" => Format::LdpVc,
        "jwt_vc_json" => Format::JwtVcJson,
        "dc+sd-jwt" => Format::SdJwtVc,
        _ => Format::Other,
    };
    let claims = list(object, "claims", MAX_ITEMS, CHECK)?.unwrap_or_default();
    let claims = claims.iter().map(claim).collect::<Read<Vec<_>>>()?;
    unique(claims.iter().filter_map(|claim| claim.id.as_deref()))?;
    let place = |id: &String| {
        let place = claims.iter().position(|claim| claim.id.as_ref() == Some(id));
        place.ok_or_else(|| refused("a claim set names a claim that is not asked for"))
    };
    let sets = lists(object, "claim_sets")?.unwrap_or_default();
    let claim_sets = sets.iter().map(|set| set.iter().map(place).collect()).collect::<Read<_>>()?;
    Ok(CredentialQuery {
        id: text(object, "id", CHECK)?.to_owned(),
        format,
        multiple: flag(object, "multiple", false)?,
        types: types(object, format)?,
        claims,
        claim_sets,
        holder_binding: flag(object, "require_cryptographic_holder_binding", true)?,
        trusted_authorities: list(object, "trusted_authorities", MAX_ITEMS, CHECK)?.is_some(),
    })
}

/// The types that `meta` names (appendix B). What a format that is not known says there is not looked at.
fn types(object: &Map<String, Value>, format: Format) -> Read<Vec<Vec<String>>> {
    let meta = object.get("meta").ok_or_else(|| refused("meta is missing"))?;
    match format {
        Format::LdpVc | Format::JwtVcJson => needed(lists(members(meta)?, "type_values")?, "type_values"),
        Format::SdJwtVc => {
            let types = needed(texts(members(meta)?, "vct_values", MAX_ITEMS, CHECK)?, "vct_values")?;
            Ok(types.into_iter().map(|name| vec![name]).collect())
        }
        Format::Other => Ok(Vec::new()),
    }
}

fn claim(value: &Value) -> Read<ClaimQuery> {
    let object = members(value)?;
    let id = object.get("id").map(|_| text(object, "id", CHECK)).transpose()?;
    let path = needed(list(object, "path", MAX_ITEMS, CHECK)?, "path")?;
    let path = path.iter().map(step).collect::<Read<Vec<_>>>()?;
    if !matches!(path.first(), Some(Step::Member(_))) {
        return Err(refused("a path does not begin with a name"));
    }
    let values = list(object, "values", MAX_ITEMS, CHECK)?.unwrap_or_default();
    if !values.iter().all(|value| value.is_string() || value.is_boolean() || value.is_i64()) {
        return Err(refused("a value is neither a text, a whole number, true nor false"));
    }
    Ok(ClaimQuery { id: id.map(str::to_owned), path, values: values.to_vec() })
}

fn step(value: &Value) -> Read<Step> {
    match value {
        Value::String(name) => Ok(Step::Member(name.clone())),
        Value::Null => Ok(Step::All),
        Value::Number(place) => {
            let place = place.as_u64().and_then(|place| usize::try_from(place).ok());
            place.map(Step::Item).ok_or_else(|| refused("a place in a path is not 0 or more"))
        }
        _ => Err(refused("a step of a path is neither a name, a place nor null")),
    }
}
