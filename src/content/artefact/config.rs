//! Settings beside the weights: what loads code, and what Bedrock's custom model import does not take.
//!
//! Architectures and precisions: Amazon Bedrock User Guide, "Import a customized model" (2026-11).

use serde_json::Value;

use super::{Sink, template};
use crate::content::find::Finder;
use crate::content::mask::Masks;
use crate::content::rules::{ARCHITECTURE, AUTO_MAP, CONFIG_BROKEN, Class, PRECISION, TOKEN_TEXT, TRUST_REMOTE_CODE};

/// A larger settings file is none; tokenizers have some ten megabytes.
pub(super) const LARGEST: u64 = 64 << 20;

/// Beginnings of `architectures` that are documented for import.
static ARCHITECTURES: &[&str] =
    &["Mistral", "Mixtral", "T5", "Llama", "Mllama", "GPTBigCode", "Qwen2", "Qwen3", "GptOss"];

/// Looks at a JSON file by its name.
pub(super) fn check(name: &str, text: &str, sink: &mut Sink<'_>) {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            // why not serde's words: they may quote the file.
            sink.add(&CONFIG_BROKEN, "", format!("no JSON at line {} column {}", error.line(), error.column()));
            return;
        }
    };
    code(&value, "", 0, sink);
    match name {
        "config.json" => model(&value, sink),
        "tokenizer_config.json" | "chat_template.json" | "processor_config.json" => templates(&value, sink),
        _ => {}
    }
    if name.starts_with("tokenizer") || name == "added_tokens.json" || name == "special_tokens_map.json" {
        tokens(&value, name, sink);
    }
}

/// `auto_map` and `trust_remote_code`, anywhere: nested configurations (text, vision) have their own.
fn code(value: &Value, path: &str, depth: u8, sink: &mut Sink<'_>) {
    if depth > 16 {
        return;
    }
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match key.as_str() {
                    "auto_map" | "custom_pipelines" if !is_empty(value) => {
                        let classes: Vec<&str> =
                            value.as_object().into_iter().flatten().map(|(class, _)| class.as_str()).take(8).collect();
                        sink.add(&AUTO_MAP, &place, format!("it names code for {}", classes.join(", ")));
                    }
                    "trust_remote_code" if value != &Value::Bool(false) && !value.is_null() => {
                        sink.add(&TRUST_REMOTE_CODE, &place, "it is switched on");
                    }
                    // Vocabularies are long and hold no settings.
                    "vocab" | "merges" => {}
                    _ => code(value, &place, depth + 1, sink),
                }
            }
        }
        Value::Array(array) => array.iter().take(64).for_each(|value| code(value, path, depth + 1, sink)),
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn model(config: &Value, sink: &mut Sink<'_>) {
    let architectures: Vec<&str> =
        config["architectures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if architectures.is_empty() {
        sink.add(&ARCHITECTURE, "architectures", "none is named");
    }
    for name in architectures.iter().filter(|name| !ARCHITECTURES.iter().any(|known| name.starts_with(known))) {
        sink.add(&ARCHITECTURE, "architectures", name);
    }
    for key in ["torch_dtype", "dtype"] {
        if let Some(dtype) =
            config[key].as_str().filter(|dtype| !["float32", "float16", "bfloat16", "auto"].contains(dtype))
        {
            sink.add(&PRECISION, key, dtype);
        }
    }
    if config["quantization_config"].is_object() {
        let method = config["quantization_config"]["quant_method"].as_str().unwrap_or("an unnamed method");
        sink.add(&PRECISION, "quantization_config", format!("weights are quantized by {method}"));
    }
}

/// `chat_template` is one text, or a list of named ones.
fn templates(config: &Value, sink: &mut Sink<'_>) {
    match &config["chat_template"] {
        Value::String(text) => template::check(text, "chat_template", sink),
        Value::Array(list) => {
            for (number, entry) in list.iter().enumerate() {
                if let Some(text) = entry["template"].as_str() {
                    template::check(text, &format!("chat_template[{number}]"), sink);
                }
            }
        }
        Value::Object(named) => {
            for (number, text) in named.values().filter_map(Value::as_str).enumerate() {
                template::check(text, &format!("chat_template[{number}]"), sink);
            }
        }
        _ => {}
    }
}

/// Added tokens become part of every prompt: what they hold is looked at like a prompt.
fn tokens(config: &Value, name: &str, sink: &mut Sink<'_>) {
    let mut finder = Finder::new(Masks::random());
    let list = config["added_tokens"].as_array().into_iter().flatten();
    let mapped = config["added_tokens_decoder"].as_object().into_iter().flat_map(|map| map.values());
    let mut texts: Vec<&str> = list.chain(mapped).filter_map(|token| token["content"].as_str()).collect();
    if name == "added_tokens.json" {
        texts.extend(config.as_object().into_iter().flatten().map(|(token, _)| token.as_str()));
    }
    for text in texts {
        let blank = text.chars().all(|c| c.is_whitespace() || c == '▁');
        let found = finder.find(text).iter().find(|found| match found.rule.class {
            Class::Instruction => found.rule.id != "instruction-control-token",
            // Byte-level vocabularies add single characters on purpose.
            Class::Hidden => text.chars().count() > 2 && !blank,
            Class::Secret => true,
            _ => false,
        });
        if let Some(found) = found {
            sink.add(&TOKEN_TEXT, "added_tokens", format!("{}: {}", found.rule.title, found.shown));
        }
    }
}
