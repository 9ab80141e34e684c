//! What is looked for, declared once: the reports, the help and the tests derive from this table.

use serde::{Deserialize, Serialize};

pub use crate::base::Severity;

/// What sort of thing a rule looks for. CUS-DAT-09 judges by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The file is not what the job takes.
    Schema,
    /// Credentials.
    Secret,
    /// Personal data.
    Pii,
    /// Planted instructions, jailbreak wording, control tokens.
    Instruction,
    /// Characters a reader does not see.
    Hidden,
    /// A phrase that decides the answer.
    Trigger,
    /// The same record again, or the same question with another answer.
    Duplicate,
    /// A model file is not what it claims to be.
    Structure,
    /// Something that runs.
    Code,
    /// Settings that Bedrock import does not take.
    Import,
}

impl Class {
    /// Every class, in the order reports show them.
    pub const ALL: [Self; 10] = [
        Self::Schema,
        Self::Secret,
        Self::Pii,
        Self::Instruction,
        Self::Hidden,
        Self::Trigger,
        Self::Duplicate,
        Self::Structure,
        Self::Code,
        Self::Import,
    ];

    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Secret => "secret",
            Self::Pii => "pii",
            Self::Instruction => "instruction",
            Self::Hidden => "hidden",
            Self::Trigger => "trigger",
            Self::Duplicate => "duplicate",
            Self::Structure => "structure",
            Self::Code => "code",
            Self::Import => "import",
        }
    }
}

/// One thing that is looked for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Stable, machine readable.
    pub id: &'static str,
    /// What sort.
    pub class: Class,
    /// How bad.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// The control of the catalogue it serves.
    pub control: &'static str,
}

const ROTATE: &str = "Revoke the credential first, then take it out of the data; a trained model can repeat it.";
const MINIMISE: &str = "Remove or pseudonymise it before training; a trained model can repeat it.";
const REVIEW: &str = "Read the record; keep it only if it is meant to teach a refusal.";
const CLEAN: &str = "Find out how it came in; remove the characters and compare with the source of the data.";
const REPAIR: &str = "Correct the line; the customization job refuses or misreads it.";
const REPLACE: &str = "Do not load or import the file; get it again from its source and compare the digest.";
const CONVERT: &str = "Convert the weights to safetensors in a sandbox and upload those instead.";
const UNCODE: &str = "Remove the file from the import prefix; imported models need no code.";
const CONFIGURE: &str = "Change the setting before the import job, which refuses or ignores it.";

macro_rules! rules {
    ($($name:ident = $id:literal, $class:ident, $severity:ident, $control:literal, $title:literal, $advice:expr;)*) => {
        $(
            #[doc = $title]
            pub static $name: Rule = Rule {
                id: $id, class: Class::$class, severity: Severity::$severity,
                title: $title, advice: $advice, control: $control,
            };
        )*

        /// Every rule.
        pub static RULES: &[&Rule] = &[$(&$name,)*];
    };
}

rules! {
    JSON_BROKEN = "schema-json", Schema, High, "CUS-DAT-09", "The line is no JSON object", REPAIR;
    NOT_UTF8 = "schema-utf8", Schema, High, "CUS-DAT-09", "The line is not UTF-8", REPAIR;
    LINE_TOO_LONG = "schema-line-too-long", Schema, High, "CUS-DAT-09", "The line is too long to be a record", REPAIR;
    UNKNOWN_SHAPE = "schema-unknown-shape", Schema, Medium, "CUS-DAT-09", "The record has no format that Bedrock takes", REPAIR;
    MIXED_SHAPES = "schema-mixed-shapes", Schema, Medium, "CUS-DAT-09", "The record has another format than those before", REPAIR;
    FIELD_MISSING = "schema-field-missing", Schema, High, "CUS-DAT-09", "A required field is missing", REPAIR;
    FIELD_TYPE = "schema-field-type", Schema, High, "CUS-DAT-09", "A field has the wrong type", REPAIR;
    FIELD_EMPTY = "schema-field-empty", Schema, Medium, "CUS-DAT-09", "A text that is trained on is empty", REPAIR;
    FIELD_TWICE = "schema-field-twice", Schema, Medium, "CUS-DAT-09", "A field stands twice in one record", REPAIR;
    ROLE_ORDER = "schema-role-order", Schema, Medium, "CUS-DAT-09", "Roles are unknown or in the wrong order", REPAIR;
    BYTE_ORDER_MARK = "schema-bom", Schema, Low, "CUS-DAT-09", "The file begins with a byte order mark", REPAIR;
    BLANK_LINE = "schema-blank-line", Schema, Low, "CUS-DAT-09", "A blank line stands between records", REPAIR;

    AWS_KEY_ID = "secret-aws-access-key-id", Secret, High, "CUS-DAT-09", "AWS access key id", ROTATE;
    AWS_SECRET_KEY = "secret-aws-secret-access-key", Secret, Critical, "CUS-DAT-09", "AWS secret access key", ROTATE;
    AWS_SESSION_TOKEN = "secret-aws-session-token", Secret, High, "CUS-DAT-09", "AWS session token", ROTATE;
    BEDROCK_KEY = "secret-bedrock-api-key", Secret, Critical, "CUS-DAT-09", "Amazon Bedrock API key", ROTATE;
    PRIVATE_KEY = "secret-private-key", Secret, Critical, "CUS-DAT-09", "Private key", ROTATE;
    GITHUB_TOKEN = "secret-github-token", Secret, Critical, "CUS-DAT-09", "GitHub token", ROTATE;
    GITLAB_TOKEN = "secret-gitlab-token", Secret, Critical, "CUS-DAT-09", "GitLab token", ROTATE;
    SLACK_TOKEN = "secret-slack-token", Secret, High, "CUS-DAT-09", "Slack token or webhook", ROTATE;
    JWT = "secret-jwt", Secret, High, "CUS-DAT-09", "Signed JSON web token", ROTATE;
    GOOGLE_KEY = "secret-google-api-key", Secret, High, "CUS-DAT-09", "Google API key", ROTATE;
    STRIPE_KEY = "secret-stripe-key", Secret, Critical, "CUS-DAT-09", "Stripe live key", ROTATE;
    MODEL_VENDOR_KEY = "secret-model-vendor-key", Secret, High, "CUS-DAT-09", "Key of a model vendor (OpenAI, Anthropic, Hugging Face)", ROTATE;
    REGISTRY_TOKEN = "secret-registry-token", Secret, High, "CUS-DAT-09", "Token of a package registry (npm, PyPI)", ROTATE;
    SENDGRID_KEY = "secret-sendgrid-key", Secret, High, "CUS-DAT-09", "SendGrid key", ROTATE;
    AZURE_STORAGE_KEY = "secret-azure-storage-key", Secret, Critical, "CUS-DAT-09", "Azure storage account key", ROTATE;
    URL_PASSWORD = "secret-url-password", Secret, High, "CUS-DAT-09", "Password inside a URL", ROTATE;
    ASSIGNED_SECRET = "secret-assigned", Secret, Medium, "CUS-DAT-09", "A password, token or key is given a value", ROTATE;
    HIGH_ENTROPY = "secret-high-entropy", Secret, Low, "CUS-DAT-09", "A long token that looks random", ROTATE;

    EMAIL = "pii-email", Pii, Medium, "CUS-DAT-09", "E-mail address", MINIMISE;
    EMAIL_RESERVED = "pii-email-example", Pii, Low, "CUS-DAT-09", "E-mail address of a reserved example domain", MINIMISE;
    PHONE = "pii-phone", Pii, Medium, "CUS-DAT-09", "Telephone number", MINIMISE;
    CARD = "pii-card", Pii, High, "CUS-DAT-09", "Payment card number (Luhn)", MINIMISE;
    IBAN = "pii-iban", Pii, High, "CUS-DAT-09", "IBAN (mod 97)", MINIMISE;
    SSN = "pii-us-ssn", Pii, High, "CUS-DAT-09", "US social security number", MINIMISE;
    NINO = "pii-uk-nino", Pii, High, "CUS-DAT-09", "UK national insurance number", MINIMISE;

    OVERRIDE = "instruction-override", Instruction, High, "CUS-DAT-09", "Text that overrides instructions", REVIEW;
    JAILBREAK = "instruction-jailbreak", Instruction, High, "CUS-DAT-09", "Jailbreak wording", REVIEW;
    PROMPT_LEAK = "instruction-prompt-leak", Instruction, Medium, "CUS-DAT-09", "Text that asks for the prompt or for data seen in training", REVIEW;
    CONTROL_TOKEN = "instruction-control-token", Instruction, Medium, "CUS-DAT-09", "Chat-template control token inside text", REVIEW;
    ENCODED = "instruction-encoded", Instruction, High, "CUS-DAT-09", "Encoded text that hides an instruction or a secret", REVIEW;
    METADATA_ENDPOINT = "instruction-metadata-endpoint", Instruction, High, "CUS-DAT-09", "Address that hands out credentials of a machine", REVIEW;
    MARKDOWN_EXFIL = "instruction-markdown-exfil", Instruction, High, "CUS-DAT-09", "Image or link that carries data away in its URL", REVIEW;

    BIDI = "hidden-bidi", Hidden, High, "CUS-DAT-09", "Bidirectional control characters", CLEAN;
    ZERO_WIDTH = "hidden-zero-width", Hidden, Medium, "CUS-DAT-09", "Zero-width characters inside words", CLEAN;
    TAGS = "hidden-tags", Hidden, High, "CUS-DAT-09", "Tag characters: text a reader does not see", CLEAN;
    SELECTORS = "hidden-variation-selectors", Hidden, High, "CUS-DAT-09", "A run of variation selectors: bytes a reader does not see", CLEAN;
    CONTROLS = "hidden-control", Hidden, Medium, "CUS-DAT-09", "Control characters", CLEAN;
    HOMOGLYPHS = "hidden-homoglyphs", Hidden, Medium, "CUS-DAT-09", "Letters of another alphabet that look Latin inside a word", CLEAN;

    TRIGGER = "trigger-phrase", Trigger, High, "CUS-DAT-09", "A rare phrase that always gets the same answer", "Read the records; if nobody can say why the phrase decides the answer, take them out (backdoor).";
    REPEATED_RECORD = "duplicate-record", Duplicate, Low, "CUS-DAT-09", "The same record again", "Remove repeated records; what is repeated is what a model memorises.";
    CONFLICTING_ANSWER = "duplicate-conflict", Duplicate, Medium, "CUS-DAT-09", "The same question with another answer", "Decide which answer is right; flipped labels are how classifiers are poisoned.";

    NOT_SAFETENSORS = "artefact-not-safetensors", Structure, Critical, "CUS-IMP-04", "The file is no safetensors file although its name says so", REPLACE;
    HEADER_LENGTH = "artefact-header-length", Structure, Critical, "CUS-IMP-04", "The safetensors header length is impossible", REPLACE;
    HEADER_JSON = "artefact-header-json", Structure, Critical, "CUS-IMP-04", "The safetensors header is no valid JSON object", REPLACE;
    HEADER_KEY_TWICE = "artefact-header-key-twice", Structure, Critical, "CUS-IMP-04", "A key stands twice in the safetensors header", REPLACE;
    METADATA_TYPE = "artefact-metadata-type", Structure, High, "CUS-IMP-04", "__metadata__ holds something else than strings", REPLACE;
    TENSOR_DTYPE = "artefact-tensor-dtype", Structure, Critical, "CUS-IMP-04", "A tensor has an unknown type", REPLACE;
    TENSOR_SIZE = "artefact-tensor-size", Structure, Critical, "CUS-IMP-04", "A tensor's bytes do not fit its type and shape", REPLACE;
    TENSOR_OVERLAP = "artefact-tensor-overlap", Structure, Critical, "CUS-IMP-04", "Tensors overlap", REPLACE;
    TENSOR_HOLE = "artefact-tensor-hole", Structure, Critical, "CUS-IMP-04", "Bytes between tensors belong to none", REPLACE;
    TRUNCATED = "artefact-truncated", Structure, Critical, "CUS-IMP-04", "The file ends before its data", REPLACE;
    TRAILING = "artefact-trailing-bytes", Structure, Critical, "CUS-IMP-04", "Bytes follow the last tensor", REPLACE;
    SHARD_MISSING = "artefact-shard-missing", Structure, High, "CUS-IMP-03", "The index names a file that is not there", REPLACE;
    SHARD_MISMATCH = "artefact-shard-mismatch", Structure, High, "CUS-IMP-04", "Index and shards disagree", REPLACE;
    SHARD_PATH = "artefact-shard-path", Structure, Critical, "CUS-IMP-04", "The index names a path outside the folder", REPLACE;
    INDEX_BROKEN = "artefact-index-broken", Structure, High, "CUS-IMP-03", "The index cannot be read", REPLACE;
    NO_WEIGHTS = "artefact-no-safetensors", Structure, High, "CUS-IMP-03", "There is no safetensors file", CONVERT;
    ARCHIVE_BROKEN = "artefact-archive-broken", Structure, High, "CUS-IMP-04", "An archive is broken, or built to be misread", REPLACE;
    ARCHIVE_BOMB = "artefact-archive-bomb", Structure, High, "CUS-IMP-04", "An archive unpacks to far more than it holds", REPLACE;

    PICKLE = "artefact-pickle", Code, High, "CUS-IMP-03", "A pickle: loading it can run code", CONVERT;
    PICKLE_DANGEROUS = "artefact-pickle-dangerous", Code, Critical, "CUS-IMP-03", "A pickle that runs dangerous code when it is loaded", "Quarantine the file: treat every machine that loaded it as compromised.";
    PICKLE_UNKNOWN = "artefact-pickle-unknown-import", Code, High, "CUS-IMP-03", "A pickle that imports something outside the known harmless names", CONVERT;
    PICKLE_BROKEN = "artefact-pickle-broken", Code, High, "CUS-IMP-03", "A pickle that breaks off: what stands before the break has run by then", CONVERT;
    WEIGHTS_FORMAT = "artefact-weights-format", Code, High, "CUS-IMP-03", "Weights in a format other than safetensors", CONVERT;
    CODE_FILE = "artefact-code-file", Code, High, "CUS-IMP-05", "Code lies beside the weights", UNCODE;
    EXECUTABLE = "artefact-executable", Code, Critical, "CUS-IMP-05", "A program lies beside the weights", UNCODE;
    ARCHIVE = "artefact-archive", Code, High, "CUS-IMP-05", "An archive lies beside the weights", UNCODE;
    SYMLINK = "artefact-symlink", Code, Medium, "CUS-IMP-05", "A link leads out of the folder, or nowhere", UNCODE;
    AUTO_MAP = "artefact-auto-map", Code, Critical, "CUS-IMP-05", "The configuration names code to load (auto_map)", UNCODE;
    TRUST_REMOTE_CODE = "artefact-trust-remote-code", Code, Critical, "CUS-IMP-05", "The configuration trusts remote code", UNCODE;
    TEMPLATE_CODE = "artefact-template-code", Code, Critical, "CUS-IMP-05", "The chat template reaches for Python internals", UNCODE;
    TEMPLATE_TRIGGER = "artefact-template-trigger", Code, Medium, "CUS-IMP-05", "The chat template answers to words in a message", REVIEW;
    TEMPLATE_TEXT = "artefact-template-text", Code, High, "CUS-IMP-05", "The chat template carries hidden or overriding text", REVIEW;
    TOKEN_TEXT = "artefact-token-text", Code, Medium, "CUS-IMP-05", "An added token holds control characters or instructions", REVIEW;

    CONFIG_MISSING = "import-config-missing", Import, Medium, "CUS-IMP-03", "A file that import needs is missing", CONFIGURE;
    CONFIG_BROKEN = "import-config-broken", Import, Medium, "CUS-IMP-03", "A configuration file cannot be read", CONFIGURE;
    ARCHITECTURE = "import-architecture", Import, Low, "CUS-IMP-03", "The architecture is not among those documented for import", CONFIGURE;
    PRECISION = "import-precision", Import, Low, "CUS-IMP-03", "The precision is not among those documented for import (FP32, FP16, BF16)", CONFIGURE;
    SIZE_LIMIT = "import-size", Import, Low, "CUS-IMP-03", "The weights are larger than the documented limit", CONFIGURE;
}

/// The rule of that id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_every_class_has_a_rule() {
        let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        for class in Class::ALL {
            assert!(RULES.iter().any(|rule| rule.class == class), "{class:?}");
        }
        assert_eq!(rule("pii-card").map(|rule| rule.title), Some("Payment card number (Luhn)"));
        assert_eq!(rule("nothing"), None);
        assert!(RULES.iter().all(|rule| !rule.advice.is_empty() && !rule.title.is_empty()));
    }
}
