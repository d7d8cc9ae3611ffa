//! The names of code systems and extensions.

pub const URI: &str = "urn:ietf:rfc:3986";
pub const DUO: &str = "http://purl.obolibrary.org/obo/duo.owl";
pub const OBO: &str = "http://purl.obolibrary.org/obo/";
pub const OWN_SYSTEM: &str = "https://w3id.org/consent-wallet/v1";
pub const GDPR: &str = "https://w3id.org/dpv/legal/eu/gdpr";
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
/// The type of a provision, as R4 has it.
pub const PROVISION_TYPE: &str = "http://hl7.org/fhir/4.0/StructureDefinition/extension-Consent.provision.type";
