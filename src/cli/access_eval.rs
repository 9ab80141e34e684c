//! `access-eval`: one evaluation case per input line, one verdict per output line, in order, streaming.

use std::io::{self, BufRead, Read as _};

use clap::Args;

use super::{Exit, Trouble};
use crate::access::batch::{MAX_LINE, evaluate_line};

/// How cases come.
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// One JSON case a line on standard input, one JSON verdict a line on standard output
    #[arg(long, required = true)]
    ndjson: bool,
}

/// Runs it.
pub(super) fn run(args: &EvalArgs) -> Result<Exit, Trouble> {
    debug_assert!(args.ndjson, "clap requires it");
    stream(io::BufReader::with_capacity(1 << 16, io::stdin()), &mut io::BufWriter::new(io::stdout().lock()))?;
    Ok(Exit::Clean)
}

/// Line by line. An empty line is no case. A verdict is out before the program waits for more input.
fn stream<R: io::Read>(mut input: io::BufReader<R>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        // why a limit: a line without end must not fill the memory.
        let limit = MAX_LINE as u64 + 2;
        let read = (&mut input).take(limit).read_until(b'\n', &mut line)?;
        if read == 0 {
            return out.flush();
        }
        if read as u64 == limit && line.last() != Some(&b'\n') {
            skip(&mut input)?;
        }
        let case = line.trim_ascii();
        if !case.is_empty() {
            writeln!(out, "{}", evaluate_line(case))?;
        }
        // why look: flushing after each line would cost more than the evaluation, but who waits for a verdict
        // before sending the next case must get it.
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
    }
}

/// Passes over the rest of a line that is too long.
fn skip(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if end {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_come_in_order_and_a_bad_line_stops_nothing() {
        let case = r#"{"id":"a","request":{"principal":"arn:aws:iam::111122223333:user/zoe","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}}"#;
        let mut input = format!("{case}\n\n{{nope\n").into_bytes();
        input.extend(b"{\"id\":7,\"\xff\":1}\n");
        input.extend(vec![b'x'; MAX_LINE + 100]);
        input.extend(format!("\n{case}").into_bytes());
        let mut out = Vec::new();
        stream(io::BufReader::with_capacity(64, &input[..]), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let words: Vec<_> = lines.iter().map(|line| line["decision"].as_str().unwrap()).collect();
        assert_eq!(words, ["ImplicitlyDenied", "Error", "Error", "Error", "ImplicitlyDenied"]);
        assert!(lines[2]["error"].as_str().unwrap().contains("not UTF-8"), "{out}");
        assert!(lines[3]["error"].as_str().unwrap().contains("bytes"), "{out}");
    }
}
