//! One record: which of Bedrock's formats it has, what is wrong with it, and the texts in it.
//!
//! Formats (Amazon Bedrock User Guide: preparing data for fine-tuning text-to-text models, continued pre-training,
//! distillation, reinforcement fine-tuning; Amazon Nova: preference optimization): `prompt`/`completion`; `input`;
//! `schemaVersion: bedrock-conversation-2024` with content blocks; `messages` with plain content (Anthropic,
//! OpenAI); `messages` and `reference_answer`; candidates or pairs with a preference; `image-ref`/`caption`; and
//! invocation-log records, which distillation takes.

use std::fmt;

use crate::content::json::{Broken, Cursor, Kind, Piece};
use crate::content::rules::{FIELD_EMPTY, FIELD_MISSING, FIELD_TWICE, FIELD_TYPE, ROLE_ORDER, Rule, UNKNOWN_SHAPE};

/// The value of `schemaVersion`.
const CONVERSATION: &str = "bedrock-conversation-2024";
/// More texts than this in one record are not told apart.
const MOST_TEXTS: usize = 16_384;

/// A format of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// `{"prompt": …, "completion": …}`
    PromptCompletion,
    /// `{"input": …}`, for continued pre-training
    Input,
    /// `{"schemaVersion": "bedrock-conversation-2024", "messages": …}`
    Conversation,
    /// `{"messages": [{"role": …, "content": "…"}]}`
    Chat,
    /// Messages with candidates, or a prompt with a chosen and a rejected answer
    Preference,
    /// `{"messages": …, "reference_answer": …}`
    Reinforcement,
    /// `{"image-ref": …, "caption": …}`
    ImageCaption,
    /// `{"schemaType": "ModelInvocationLog", …}`
    InvocationLog,
    /// Lines of text.
    Text,
    /// None of these.
    Unknown,
}

impl Shape {
    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::PromptCompletion => "prompt/completion",
            Self::Input => "input (continued pre-training)",
            Self::Conversation => "bedrock-conversation-2024",
            Self::Chat => "messages with plain content",
            Self::Preference => "preference",
            Self::Reinforcement => "reinforcement",
            Self::ImageCaption => "image and caption",
            Self::InvocationLog => "invocation log",
            Self::Text => "text",
            Self::Unknown => "unknown",
        }
    }
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What is asked, with the system prompt.
    Ask,
    /// What should be answered.
    Answer,
    /// Anything else.
    Other,
}

/// Where in a record: a template whose `#` are filled in when somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    template: &'static str,
    numbers: [u32; 3],
}

impl Field {
    pub(super) fn new(template: &'static str, numbers: &[usize]) -> Self {
        let mut field = Self { template, numbers: [0; 3] };
        field.numbers.iter_mut().zip(numbers).for_each(|(to, from)| *to = *from as u32);
        field
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut numbers = self.numbers.iter();
        for (place, part) in self.template.split('#').enumerate() {
            if place > 0 {
                write!(f, "{}", numbers.next().copied().unwrap_or_default())?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// A text of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextAt<'a> {
    pub part: Part,
    pub field: Field,
    pub piece: Piece<'a>,
}

/// Something wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    pub rule: &'static Rule,
    pub at: usize,
    pub field: Field,
    pub what: &'static str,
}

/// A record taken apart.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub shape: Shape,
    pub texts: Vec<TextAt<'a>>,
    pub problems: Vec<Problem>,
}

/// Keys of a record that mean something.
const KEYS: &[&str] = &[
    "prompt",
    "completion",
    "input",
    "schemaVersion",
    "system",
    "messages",
    "reference_answer",
    "chosen",
    "rejected",
    "preferred_output",
    "non_preferred_output",
    "image-ref",
    "image_ref",
    "caption",
    "schemaType",
    "text",
    "output",
];

struct Reader<'a> {
    texts: Vec<TextAt<'a>>,
    problems: Vec<Problem>,
    seen: u32,
    blocks: bool,
    plain: bool,
    candidates: bool,
    roles: Vec<Role>,
    version: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// Takes a line apart.
pub(super) fn read(line: &str) -> Result<Record<'_>, Broken> {
    let mut cursor = Cursor::new(line);
    let mut reader = Reader {
        texts: Vec::with_capacity(8),
        problems: Vec::new(),
        seen: 0,
        blocks: false,
        plain: false,
        candidates: false,
        roles: Vec::new(),
        version: None,
    };
    if cursor.kind()? != Kind::Object {
        return Err(Broken { at: cursor.at(), what: "no JSON object" });
    }
    cursor.object(|cursor, key| reader.member(cursor, key))?;
    cursor.end()?;
    let shape = reader.judge();
    Ok(Record { shape, texts: reader.texts, problems: reader.problems })
}

impl<'a> Reader<'a> {
    fn problem(&mut self, rule: &'static Rule, at: usize, field: Field, what: &'static str) {
        if self.problems.len() < 64 {
            self.problems.push(Problem { rule, at, field, what });
        }
    }

    fn text(&mut self, part: Part, field: Field, piece: Piece<'a>) {
        if self.texts.len() < MOST_TEXTS {
            self.texts.push(TextAt { part, field, piece });
        }
    }

    fn has(&self, key: &str) -> bool {
        KEYS.iter().position(|known| *known == key).is_some_and(|n| self.seen & (1 << n) != 0)
    }

    fn member(&mut self, cursor: &mut Cursor<'a>, key: Piece<'a>) -> Result<(), Broken> {
        let known = KEYS.iter().position(|known| *known == key.raw);
        let name = known.map_or("another field", |n| KEYS[n]);
        if let Some(number) = known {
            if self.seen & (1 << number) != 0 {
                self.problem(&FIELD_TWICE, key.at, Field::new(name, &[]), "the field stands twice");
            }
            self.seen |= 1 << number;
        }
        match name {
            "prompt" | "input" | "text" | "caption" if cursor.kind()? == Kind::String => {
                let part = if matches!(name, "prompt" | "input") { Part::Ask } else { Part::Answer };
                self.trained(cursor, part, Field::new(name, &[]))
            }
            "completion" | "chosen" | "rejected" | "output" if cursor.kind()? == Kind::String => {
                self.trained(cursor, Part::Answer, Field::new(name, &[]))
            }
            "prompt" | "chosen" | "rejected" | "preferred_output" | "non_preferred_output"
                if cursor.kind()? == Kind::Array =>
            {
                // Pairs with conversations inside: the texts count, the roles are not those of the record.
                let template = match name {
                    "prompt" => "prompt[#]",
                    "chosen" | "preferred_output" => "chosen[#]",
                    _ => "rejected[#]",
                };
                let part = if name == "prompt" { Part::Ask } else { Part::Answer };
                cursor.array(|cursor, n| self.others(cursor, part, Field::new(template, &[n])))
            }
            "prompt" | "completion" | "caption" | "chosen" | "rejected" => {
                self.wrong_type(cursor, Field::new(name, &[]), "a string is needed here")
            }
            "schemaVersion" => {
                let at = cursor.at();
                if cursor.kind()? != Kind::String {
                    return self.wrong_type(cursor, Field::new(name, &[]), "a string is needed here");
                }
                let good = cursor.string()?.raw == CONVERSATION;
                self.version = Some(good);
                if !good {
                    self.problem(
                        &FIELD_TYPE,
                        at,
                        Field::new(name, &[]),
                        "the schema version is not bedrock-conversation-2024",
                    );
                }
                Ok(())
            }
            "system" => self.system(cursor),
            "messages" if cursor.kind()? == Kind::Array => cursor.array(|cursor, n| self.message(cursor, n)),
            "messages" => self.wrong_type(cursor, Field::new(name, &[]), "an array is needed here"),
            "reference_answer" => self.others(cursor, Part::Answer, Field::new(name, &[])),
            _ => {
                if known.is_none() {
                    self.text(Part::Other, Field::new("name of a field", &[]), key);
                }
                self.others(cursor, Part::Other, Field::new(name, &[]))
            }
        }
    }

    /// A text that is trained on.
    fn trained(&mut self, cursor: &mut Cursor<'a>, part: Part, field: Field) -> Result<(), Broken> {
        let piece = cursor.string()?;
        if piece.raw.trim_ascii().is_empty() {
            self.problem(&FIELD_EMPTY, piece.at, field, "the text is empty");
        }
        self.text(part, field, piece);
        Ok(())
    }

    fn wrong_type(&mut self, cursor: &mut Cursor<'a>, field: Field, what: &'static str) -> Result<(), Broken> {
        self.problem(&FIELD_TYPE, cursor.at(), field, what);
        self.others(cursor, Part::Other, field)
    }

    /// Every string of a value, keys too.
    fn others(&mut self, cursor: &mut Cursor<'a>, part: Part, field: Field) -> Result<(), Broken> {
        cursor.strings(&mut |piece| self.text(part, field, piece))
    }

    fn system(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Broken> {
        match cursor.kind()? {
            Kind::String => self.trained(cursor, Part::Ask, Field::new("system", &[])),
            Kind::Array => cursor.array(|cursor, n| self.others(cursor, Part::Ask, Field::new("system[#].text", &[n]))),
            _ => self.wrong_type(cursor, Field::new("system", &[]), "a string or an array of texts is needed here"),
        }
    }

    fn message(&mut self, cursor: &mut Cursor<'a>, n: usize) -> Result<(), Broken> {
        let place = Field::new("messages[#]", &[n]);
        if cursor.kind()? != Kind::Object {
            return self.wrong_type(cursor, place, "a message is an object");
        }
        let (at, first) = (cursor.at(), self.texts.len());
        let (mut role, mut content) = (None, false);
        cursor.object(|cursor, key| match key.raw {
            "role" if cursor.kind()? == Kind::String => {
                let word = cursor.string()?;
                let found = match word.raw {
                    "user" => Role::User,
                    "assistant" => Role::Assistant,
                    "system" | "developer" => Role::System,
                    "tool" => Role::Tool,
                    _ => {
                        self.problem(&ROLE_ORDER, word.at, place, "the role is not system, user, assistant or tool");
                        self.text(Part::Other, place, word);
                        return Ok(());
                    }
                };
                if role.replace(found).is_some() {
                    self.problem(&FIELD_TWICE, key.at, place, "the field stands twice");
                }
                Ok(())
            }
            "content" => {
                content = true;
                self.content(cursor, n)
            }
            "candidates" => {
                (self.candidates, content) = (true, true);
                self.others(cursor, Part::Answer, Field::new("messages[#].candidates", &[n]))
            }
            _ => self.others(cursor, Part::Other, Field::new("messages[#].another field", &[n])),
        })?;
        if role.is_none() {
            self.problem(&FIELD_MISSING, at, place, "the role is missing");
        }
        if !content && role != Some(Role::Assistant) {
            self.problem(&FIELD_MISSING, at, place, "the content is missing");
        }
        let part = if role == Some(Role::Assistant) { Part::Answer } else { Part::Ask };
        // The role may stand behind the content.
        self.texts[first..].iter_mut().filter(|text| text.part != Part::Other).for_each(|text| text.part = part);
        self.roles.push(role.unwrap_or(Role::User));
        Ok(())
    }

    fn content(&mut self, cursor: &mut Cursor<'a>, n: usize) -> Result<(), Broken> {
        match cursor.kind()? {
            Kind::String => {
                self.plain = true;
                self.trained(cursor, Part::Ask, Field::new("messages[#].content", &[n]))
            }
            Kind::Array => {
                self.blocks = true;
                cursor.array(|cursor, block| {
                    let place = Field::new("messages[#].content[#]", &[n, block]);
                    if cursor.kind()? != Kind::Object {
                        return self.wrong_type(cursor, place, "a content block is an object");
                    }
                    cursor.object(|cursor, key| match key.raw {
                        "text" if cursor.kind()? == Kind::String => {
                            self.trained(cursor, Part::Ask, Field::new("messages[#].content[#].text", &[n, block]))
                        }
                        "text" => self.wrong_type(cursor, place, "a string is needed here"),
                        "type" => cursor.skip(),
                        _ => self.others(cursor, Part::Other, place),
                    })
                })
            }
            // An assistant that only calls tools has no content.
            Kind::Null => cursor.skip(),
            _ => self.wrong_type(
                cursor,
                Field::new("messages[#].content", &[n]),
                "a string or an array of blocks is needed here",
            ),
        }
    }

    fn missing(&mut self, field: &'static str, what: &'static str) {
        self.problem(&FIELD_MISSING, 0, Field::new(field, &[]), what);
    }

    fn judge(&mut self) -> Shape {
        let pair = self.has("chosen")
            || self.has("rejected")
            || self.has("preferred_output")
            || self.has("non_preferred_output");
        if self.has("messages") {
            return self.conversation(pair);
        }
        if pair {
            if !(self.has("prompt") || self.has("input")) {
                self.missing("prompt", "the prompt is missing");
            }
            if !(self.has("chosen") || self.has("preferred_output")) {
                self.missing("chosen", "the chosen answer is missing");
            }
            if !(self.has("rejected") || self.has("non_preferred_output")) {
                self.missing("rejected", "the rejected answer is missing");
            }
            return Shape::Preference;
        }
        if self.has("prompt") || self.has("completion") {
            for (field, what) in [("prompt", "the prompt is missing"), ("completion", "the completion is missing")] {
                if !self.has(field) {
                    self.missing(field, what);
                }
            }
            return Shape::PromptCompletion;
        }
        if self.has("schemaType") {
            return Shape::InvocationLog;
        }
        if self.has("image-ref") || self.has("image_ref") {
            return Shape::ImageCaption;
        }
        if self.has("input") {
            return Shape::Input;
        }
        self.problem(
            &UNKNOWN_SHAPE,
            0,
            Field::new("record", &[]),
            "none of the fields that Bedrock's formats need is there",
        );
        Shape::Unknown
    }

    fn conversation(&mut self, pair: bool) -> Shape {
        let shape = if self.candidates || pair {
            Shape::Preference
        } else if self.has("reference_answer") {
            Shape::Reinforcement
        } else if self.version.is_some() || (self.blocks && !self.plain) {
            Shape::Conversation
        } else {
            Shape::Chat
        };
        let messages = Field::new("messages", &[]);
        if shape == Shape::Conversation {
            if self.version.is_none() {
                self.missing("schemaVersion", "the schema version is missing");
            }
            if self.plain {
                self.problem(&FIELD_TYPE, 0, messages, "content must be an array of blocks in this format");
            }
        }
        let talk: Vec<Role> =
            self.roles.iter().copied().filter(|role| matches!(role, Role::User | Role::Assistant)).collect();
        let tools = self.roles.contains(&Role::Tool);
        let late = self.roles.iter().skip(1).any(|role| *role == Role::System);
        match talk.as_slice() {
            [] => self.missing("messages", "there is no message of a user"),
            [Role::Assistant, ..] => self.problem(&ROLE_ORDER, 0, messages, "the first message is not the user's"),
            _ if !tools && talk.windows(2).any(|two| two[0] == two[1]) => {
                self.problem(&ROLE_ORDER, 0, messages, "two messages of the same role follow each other");
            }
            // Distillation and reinforcement take prompts without an answer.
            [.., Role::User] if talk.len() > 1 && shape != Shape::Reinforcement => {
                self.problem(&ROLE_ORDER, 0, messages, "the last message is not the assistant's");
            }
            _ => {}
        }
        if late {
            self.problem(&ROLE_ORDER, 0, messages, "a system message stands behind another");
        }
        shape
    }
}

#[cfg(test)]
mod tests;
