//! Chat templates (Jinja): constructs that reach for Python, text that is hidden or overrides instructions, and
//! conditions on the words of a message. Read as text; nothing is rendered.

use super::Sink;
use crate::content::find::Finder;
use crate::content::mask::Masks;
use crate::content::rules::{Class, TEMPLATE_CODE, TEMPLATE_TEXT, TEMPLATE_TRIGGER};

/// What has no business in a template. `namespace`, `loop`, `self` as a macro's name are left alone: only their
/// attributes lead out of the sandbox.
static CONSTRUCTS: &[&str] = &[
    "__class__",
    "__mro__",
    "__base__",
    "__bases__",
    "__subclasses__",
    "__globals__",
    "__builtins__",
    "__init__",
    "__import__",
    "__getattribute__",
    "__getitem__",
    "__dict__",
    "__code__",
    "__reduce__",
    "__loader__",
    "_TemplateReference__context",
    "func_globals",
    "gi_frame",
    "gi_code",
    "cr_frame",
    "f_globals",
    "f_builtins",
    "tb_frame",
    "mro()",
    "|attr(",
    "| attr(",
    "|map(attribute='__",
    "cycler.",
    "cycler(",
    "joiner.",
    "lipsum",
    "self._",
    "self.__",
    "get_flashed_messages",
    "url_for.",
    "request.application",
    "config.items",
    "os.popen",
    "os.system",
    "popen(",
    "subprocess",
    "eval(",
    "exec(",
    "importlib",
    "{% import",
    "{%- import",
    "{% include",
    "{%- include",
    "{% from",
    "{%- from",
    "{% extends",
    "{%- extends",
];

/// The suspicious constructs of a template, as they stand in the table.
pub fn suspicious(template: &str) -> Vec<&'static str> {
    // Blanks and string concatenation are how such names are hidden; `\x5f` is an underscore.
    let plain: String = template
        .replace("\\x5f", "_")
        .replace("\\u005f", "_")
        .replace("' ~ '", "")
        .replace("\" ~ \"", "")
        .replace("'+'", "")
        .replace("' + '", "");
    CONSTRUCTS.iter().copied().filter(|construct| plain.contains(construct)).collect()
}

/// Looks at one template.
pub(super) fn check(template: &str, field: &str, sink: &mut Sink<'_>) {
    let found = suspicious(template);
    if !found.is_empty() {
        sink.add(&TEMPLATE_CODE, field, found.join(", "));
    }
    let mut finder = Finder::new(Masks::random());
    let texts = finder.find(template).iter().filter(|found| match found.rule.class {
        // Templates are made of control tokens.
        Class::Instruction => found.rule.id != "instruction-control-token",
        Class::Hidden => true,
        _ => false,
    });
    let mut shown: Vec<String> = texts.map(|found| format!("{}: {}", found.rule.title, found.shown)).collect();
    if template.contains("http://") || template.contains("https://") {
        shown.push("an address of the web".to_owned());
    }
    shown.dedup();
    for text in shown.into_iter().take(8) {
        sink.add(&TEMPLATE_TEXT, field, text);
    }
    if let Some(count) = conditions(template) {
        sink.add(&TEMPLATE_TRIGGER, field, format!("{count} conditions compare a message's words with a fixed text"));
    }
}

/// Conditions of the form `'word' in message['content']`, without those on marks of thinking and tools that common
/// templates have.
fn conditions(template: &str) -> Option<usize> {
    let mut count = 0;
    for statement in template.split("{%").skip(1).filter_map(|rest| rest.split("%}").next()) {
        let words = statement.trim_start_matches('-').trim_start();
        if !(words.starts_with("if") || words.starts_with("elif") || words.starts_with("set")) {
            continue;
        }
        for quote in ['\'', '"'] {
            let mut rest = words;
            while let Some((literal, after)) = quoted(rest, quote) {
                rest = after;
                let mark = literal.contains(['<', '>', '|', '[', ']']) || literal.trim().len() < 3;
                let after = after.trim_start();
                let tests = (after.starts_with("in ") || after.starts_with("not in "))
                    && ["content", ".text", "message"].iter().any(|word| after.contains(word));
                count += usize::from(tests && !mark);
            }
        }
    }
    (count > 0).then_some(count)
}

/// The first text between quotes, and what follows it.
fn quoted(text: &str, quote: char) -> Option<(&str, &str)> {
    text.split_once(quote)?.1.split_once(quote)
}
