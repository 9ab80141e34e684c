//! Reads pickles without running them: opcodes are walked over a stack of what they would leave there, strings as
//! strings, everything else as something. What is imported and what is called is told, also of a pickle that breaks
//! off: what stands before the break has run by then.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::Serialize;

use super::imports::{Rating, rate};
use super::opcodes::{Argument, opcode};

/// Longer strings name nothing that can be imported; they are passed over.
const LONGEST_NAME: u64 = 512;
/// A stack, memo or line beyond this is no model.
const DEEPEST: usize = 1 << 20;
/// Pickles that follow one another in one file (PyTorch's old format has five).
const MOST_PICKLES: u32 = 64;

/// An import of a pickle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Import {
    /// How it is rated.
    pub rating: Rating,
    /// The module.
    pub module: String,
    /// The name in it, dots included.
    pub name: String,
    /// Whether it is called while loading.
    pub called: bool,
}

/// What a pickle does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Pickle {
    /// How often each opcode stands there.
    pub opcodes: BTreeMap<&'static str, u64>,
    /// What it imports, worst first.
    pub imports: Vec<Import>,
    /// How many pickles follow one another.
    pub pickles: u32,
    /// Why reading ended before a `STOP`, and at which byte.
    pub broken: Option<(u64, &'static str)>,
    /// Imports whose name is computed, so that nobody can say what they are.
    pub computed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Mark,
    Text(String),
    /// Number of an import in the list.
    Import(usize),
    Some,
}

struct Machine {
    stack: Vec<Value>,
    memo: BTreeMap<u64, Value>,
    imports: Vec<(String, String, bool)>,
    known: BTreeMap<(String, String), usize>,
    found: Pickle,
}

/// Why the walk ended.
enum End {
    Stop,
    Broken(&'static str),
    Io(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Broken("it ends before its STOP")
        } else {
            Self::Io(error)
        }
    }
}

struct Input<R> {
    input: R,
    at: u64,
}

impl<R: Read> Input<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.at += 1;
        Ok(byte[0])
    }

    /// A little-endian number.
    fn number(&mut self, bytes: u8) -> io::Result<u64> {
        let mut value = 0;
        for place in 0..bytes {
            value |= u64::from(self.byte()?) << (8 * u32::from(place));
        }
        Ok(value)
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.input).take(count), &mut io::sink())?;
        self.at += passed;
        if passed == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Text if it is short enough to be a name; passed over otherwise.
    fn text(&mut self, count: u64) -> io::Result<Option<String>> {
        if count > LONGEST_NAME {
            return self.skip(count).map(|()| None);
        }
        let mut bytes = vec![0; count as usize];
        self.input.read_exact(&mut bytes)?;
        self.at += count;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn line(&mut self) -> Result<String, End> {
        let mut bytes = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                _ if bytes.len() > DEEPEST => return Err(End::Broken("a line without end")),
                byte => bytes.push(byte),
            }
        }
    }
}

/// Reads all pickles of a stream, one after the other, until something else follows. `Err` is the stream's own.
pub fn read(input: impl Read) -> io::Result<Pickle> {
    let mut input = Input { input: io::BufReader::new(input), at: 0 };
    let mut machine = Machine {
        stack: Vec::new(),
        memo: BTreeMap::new(),
        imports: Vec::new(),
        known: BTreeMap::new(),
        found: Pickle::default(),
    };
    loop {
        let first = machine.found.pickles == 0;
        match machine.walk(&mut input, first) {
            End::Stop => {
                machine.found.pickles += 1;
                machine.stack.clear();
                machine.memo.clear();
                if machine.found.pickles >= MOST_PICKLES {
                    break;
                }
            }
            End::Broken(what) => {
                // Bytes after the last STOP are tensors (old PyTorch files) unless they looked like a pickle.
                if !what.is_empty() {
                    machine.found.broken = Some((input.at, what));
                }
                break;
            }
            End::Io(error) => return Err(error),
        }
    }
    Ok(machine.end())
}

impl Machine {
    fn walk(&mut self, input: &mut Input<impl Read>, first: bool) -> End {
        let mut begun = first;
        loop {
            let code = match input.byte() {
                Ok(code) => code,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return End::Broken(if begun { "it ends before its STOP" } else { "" });
                }
                Err(error) => return End::Io(error),
            };
            // Another pickle begins with its protocol; anything else is not for us.
            if !begun && code != 0x80 {
                return End::Broken("");
            }
            begun = true;
            let Some((name, argument)) = opcode(code) else { return End::Broken("an unknown opcode") };
            *self.found.opcodes.entry(name).or_default() += 1;
            if name == "STOP" {
                return End::Stop;
            }
            if let Err(end) = self.step(name, argument, input) {
                return end;
            }
            if self.stack.len() > DEEPEST || self.memo.len() > DEEPEST || self.imports.len() > DEEPEST {
                return End::Broken("it grows without bound");
            }
        }
    }

    fn step(&mut self, name: &'static str, argument: Argument, input: &mut Input<impl Read>) -> Result<(), End> {
        let (mut number, mut text, mut second) = (0, None, String::new());
        match argument {
            Argument::None => {}
            Argument::Bytes(count) => number = input.number(count)?,
            Argument::Counted(width) => {
                let count = input.number(width)?;
                text = input.text(count)?;
            }
            Argument::Line => text = Some(input.line()?),
            Argument::Lines => {
                text = Some(input.line()?);
                second = input.line()?;
            }
        }
        let memo =
            |text: &Option<String>| text.as_deref().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
        match name {
            "PROTO" | "FRAME" => {}
            "MARK" => self.stack.push(Value::Mark),
            "POP" => {
                self.stack.pop();
            }
            "POP_MARK" => self.unwind(),
            "DUP" => {
                let top = self.stack.last().cloned().unwrap_or(Value::Some);
                self.stack.push(top);
            }
            "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8" | "BINSTRING" | "SHORT_BINSTRING" => {
                self.stack.push(text.map_or(Value::Some, Value::Text));
            }
            "STRING" => {
                let text = text.unwrap_or_default();
                self.stack.push(Value::Text(text.trim_matches(['\'', '"']).to_owned()));
            }
            "PUT" => self.put(memo(&text)),
            "BINPUT" | "LONG_BINPUT" => self.put(number),
            "MEMOIZE" => self.put(self.memo.len() as u64),
            "GET" => self.get(memo(&text)),
            "BINGET" | "LONG_BINGET" => self.get(number),
            "GLOBAL" => {
                let value = self.import(text.unwrap_or_default(), second);
                self.stack.push(value);
            }
            "INST" => {
                if let Value::Import(number) = self.import(text.unwrap_or_default(), second) {
                    self.called(number);
                }
                self.unwind();
                self.stack.push(Value::Some);
            }
            "STACK_GLOBAL" => {
                let (name, module) = (self.stack.pop(), self.stack.pop());
                let value = match (module, name) {
                    (Some(Value::Text(module)), Some(Value::Text(name))) => self.import(module, name),
                    _ => {
                        self.found.computed += 1;
                        Value::Some
                    }
                };
                self.stack.push(value);
            }
            "EXT1" | "EXT2" | "EXT4" => {
                // The extension registry of whoever loads it decides what this is.
                self.found.computed += 1;
                self.stack.push(Value::Some);
            }
            "REDUCE" | "NEWOBJ" | "NEWOBJ_EX" => {
                let arguments = if name == "NEWOBJ_EX" { 2 } else { 1 };
                for _ in 0..arguments {
                    self.stack.pop();
                }
                if let Some(Value::Import(number)) = self.stack.pop() {
                    self.called(number);
                }
                self.stack.push(Value::Some);
            }
            "OBJ" => {
                let mark = self.stack.iter().rposition(|value| *value == Value::Mark);
                if let Some(Value::Import(number)) = mark.and_then(|at| self.stack.get(at + 1)).cloned() {
                    self.called(number);
                }
                self.unwind();
                self.stack.push(Value::Some);
            }
            "BUILD" | "APPEND" => {
                self.stack.pop();
            }
            "SETITEM" => {
                self.stack.pop();
                self.stack.pop();
            }
            "APPENDS" | "SETITEMS" | "ADDITEMS" => self.unwind(),
            "TUPLE" | "LIST" | "DICT" | "FROZENSET" => {
                self.unwind();
                self.stack.push(Value::Some);
            }
            "TUPLE1" | "TUPLE2" | "TUPLE3" => {
                let count = usize::from(name.as_bytes()[5] - b'0');
                self.stack.truncate(self.stack.len().saturating_sub(count));
                self.stack.push(Value::Some);
            }
            "BINPERSID" => {
                self.stack.pop();
                self.stack.push(Value::Some);
            }
            "READONLY_BUFFER" => {}
            _ => self.stack.push(Value::Some),
        }
        Ok(())
    }

    /// Down to the last mark, and the mark.
    fn unwind(&mut self) {
        let mark = self.stack.iter().rposition(|value| *value == Value::Mark).unwrap_or(0);
        self.stack.truncate(mark);
    }

    fn put(&mut self, key: u64) {
        let top = self.stack.last().cloned().unwrap_or(Value::Some);
        self.memo.insert(key, top);
    }

    fn get(&mut self, key: u64) {
        let value = self.memo.get(&key).cloned().unwrap_or(Value::Some);
        self.stack.push(value);
    }

    fn import(&mut self, module: String, name: String) -> Value {
        let key = (module, name);
        if let Some(number) = self.known.get(&key) {
            return Value::Import(*number);
        }
        let number = self.imports.len();
        self.imports.push((key.0.clone(), key.1.clone(), false));
        self.known.insert(key, number);
        Value::Import(number)
    }

    fn called(&mut self, number: usize) {
        if let Some(import) = self.imports.get_mut(number) {
            import.2 = true;
        }
    }

    fn end(self) -> Pickle {
        let imports: BTreeSet<Import> = self
            .imports
            .into_iter()
            .map(|(module, name, called)| Import { rating: rate(&module, &name), module, name, called })
            .collect();
        Pickle { imports: imports.into_iter().collect(), ..self.found }
    }
}
