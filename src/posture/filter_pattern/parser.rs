//! Takes a filter pattern apart.

use super::{Kind, NoFilter, Node, Operand, Operator, Step, Term, Test};

/// Parentheses in parentheses that are followed. why: a pattern has at most 1,024 characters, and a parser
/// that calls itself must not be led further down by a broken case.
const DEPTH: usize = 64;

/// Where in the pattern we are.
pub(super) struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    pub(super) fn new(pattern: &str) -> Self {
        Self { chars: pattern.chars().collect(), at: 0 }
    }

    /// All of it.
    pub(super) fn pattern(&mut self) -> Result<Kind, NoFilter> {
        self.blanks();
        match self.peek() {
            Some('{') => {
                self.at += 1;
                let node = self.any(0)?;
                self.blanks();
                self.take('}', "'}'")?;
                self.blanks();
                if self.peek().is_some() { Err(self.wrong("the end")) } else { Ok(Kind::Json(node)) }
            }
            Some('[') => Ok(Kind::Columns),
            _ => self.terms(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn wrong(&self, what: &'static str) -> NoFilter {
        NoFilter::Malformed { at: self.at + 1, what }
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: char, what: &'static str) -> Result<(), NoFilter> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether this stands here; if so, it is passed.
    fn passes(&mut self, word: &str) -> bool {
        let here = self.chars.get(self.at..).unwrap_or_default();
        let found = word.chars().count() <= here.len() && word.chars().zip(here).all(|(a, b)| a == *b);
        if found {
            self.at += word.chars().count();
        }
        found
    }

    /// `&&` binds closer than `||`.
    fn any(&mut self, depth: usize) -> Result<Node, NoFilter> {
        let mut parts = vec![self.all(depth)?];
        loop {
            self.blanks();
            if !self.passes("||") {
                break;
            }
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Node, NoFilter> {
        let mut parts = vec![self.unit(depth)?];
        loop {
            self.blanks();
            if !self.passes("&&") {
                break;
            }
            parts.push(self.unit(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::All(parts) })
    }

    fn unit(&mut self, depth: usize) -> Result<Node, NoFilter> {
        self.blanks();
        if self.peek() != Some('(') {
            return self.test();
        }
        if depth == DEPTH {
            return Err(NoFilter::Open("what so many parentheses mean"));
        }
        self.at += 1;
        let inner = self.any(depth + 1)?;
        self.blanks();
        self.take(')', "')'")?;
        Ok(inner)
    }

    fn test(&mut self) -> Result<Node, NoFilter> {
        self.take('$', "'$' or '('")?;
        let mut path = Vec::new();
        while let Some(step) = self.step()? {
            path.push(step);
        }
        self.blanks();
        let test = match self.word().as_str() {
            "IS" => {
                self.blanks();
                match self.word().as_str() {
                    "NULL" => Test::IsNull,
                    "TRUE" => Test::Is(true),
                    "FALSE" => Test::Is(false),
                    _ => return Err(self.wrong("NULL, TRUE or FALSE")),
                }
            }
            "NOT" => {
                self.blanks();
                match self.word().as_str() {
                    "EXISTS" => Test::Missing,
                    _ => return Err(self.wrong("EXISTS")),
                }
            }
            "EXISTS" => Test::Present,
            "" => {
                let operator = self.operator()?;
                self.blanks();
                Test::Compare(operator, self.operand()?)
            }
            _ => return Err(self.wrong("an operator")),
        };
        Ok(Node::Test(path, test))
    }

    /// Letters, in upper case.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(letter) = self.peek().filter(char::is_ascii_alphabetic) {
            word.push(letter.to_ascii_uppercase());
            self.at += 1;
        }
        word
    }

    fn operator(&mut self) -> Result<Operator, NoFilter> {
        for (word, operator) in [
            ("!=", Operator::Differs),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::More),
        ] {
            if self.passes(word) {
                return Ok(operator);
            }
        }
        Err(self.wrong("an operator"))
    }

    fn step(&mut self) -> Result<Option<Step>, NoFilter> {
        match self.peek() {
            Some('.') => {
                self.at += 1;
                if self.peek() == Some('[') {
                    return self.step();
                }
                let mut name = String::new();
                while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && !".[]=!<>()&|{}\"'%".contains(*c)) {
                    name.push(c);
                    self.at += 1;
                }
                if name.is_empty() { Err(self.wrong("the name of a field")) } else { Ok(Some(Step::Name(name))) }
            }
            Some('[') => {
                self.at += 1;
                let step = match self.peek() {
                    Some(quote @ ('"' | '\'')) => Step::Name(self.quoted(quote)?),
                    Some('*') => {
                        self.at += 1;
                        Step::Every
                    }
                    _ => {
                        let mut digits = String::new();
                        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
                            digits.push(digit);
                            self.at += 1;
                        }
                        Step::Item(digits.parse().map_err(|_| self.wrong("a place in a list"))?)
                    }
                };
                self.take(']', "']'")?;
                Ok(Some(step))
            }
            _ => Ok(None),
        }
    }

    fn operand(&mut self) -> Result<Operand, NoFilter> {
        match self.peek() {
            Some('"') => Ok(Operand::Text(self.quoted('"')?, false)),
            Some('%') => Ok(Operand::Regex(self.quoted('%')?)),
            _ => {
                let mut text = String::new();
                while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && !"()&|{}\"".contains(*c)) {
                    text.push(c);
                    self.at += 1;
                }
                if text.is_empty() { Err(self.wrong("a value")) } else { Ok(Operand::Text(text, true)) }
            }
        }
    }

    /// From one mark to the next; `\"` is the mark itself. A regular expression keeps its backslashes.
    fn quoted(&mut self, mark: char) -> Result<String, NoFilter> {
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                c if c == mark => return Ok(text),
                '\\' if mark != '%' && self.peek() == Some(mark) => {
                    text.push(mark);
                    self.at += 1;
                }
                c => text.push(c),
            }
        }
        Err(self.wrong("the end of a quotation"))
    }

    fn terms(&mut self) -> Result<Kind, NoFilter> {
        let (mut all, mut none, mut any) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.blanks();
            let Some(first) = self.peek() else { break };
            let list = match first {
                '-' => &mut none,
                '?' => &mut any,
                _ => &mut all,
            };
            if matches!(first, '-' | '?') {
                self.at += 1;
            }
            list.push(match self.peek() {
                Some('"') => Term::Text(self.quoted('"')?),
                Some('%') => Term::Regex(self.quoted('%')?),
                _ => {
                    let mut text = String::new();
                    while let Some(c) = self.peek().filter(|c| !c.is_whitespace()) {
                        text.push(c);
                        self.at += 1;
                    }
                    if text.is_empty() {
                        return Err(self.wrong("a term"));
                    }
                    Term::Text(text)
                }
            });
        }
        Ok(Kind::Terms { all, none, any })
    }
}
