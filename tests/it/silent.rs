//! Endpoints that are there and say nothing, or something else than AWS: one sentence, in bounded time.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::pty::{Console, Start, bed_env};
use crate::scan::{bedwatch, err};

/// A server that lets everybody in and does this with them; it ends with the test process.
fn server(scheme: &str, serve: fn(TcpStream)) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    (format!("{scheme}://{place}"), place)
}

fn silent(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

fn web_page(mut stream: TcpStream) {
    let _ = stream.read(&mut vec![0; 65_536]);
    let page = "<html>Please sign in</html>";
    let length = page.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n");
    let _ = stream.write_all((head + page).as_bytes());
}

#[test]
fn a_scan_of_an_endpoint_that_is_no_aws_says_so() {
    for (what, scheme, serve, words) in [
        ("never answers", "http", silent as fn(TcpStream), "took the connection but did not answer in time"),
        ("never shakes hands", "https", silent, "did not accept the connection in time"),
        ("speaks no TLS", "https", web_page, "speaks no TLS"),
        ("is a web page", "http", web_page, "a web page came"),
    ] {
        let (url, place) = server(scheme, serve);
        let began = Instant::now();
        let output = bedwatch(&["scan", "--endpoint-url", &url], &bed_env("testing"));
        let text = err(&output);
        assert_eq!(output.status.code(), Some(1), "{what}: {text}");
        assert!(text.contains(words) && text.contains("sts:GetCallerIdentity"), "{what}: {text}");
        assert!(words.contains("web page") || text.contains(&place), "{what}: {text}");
        assert!(text.contains("run it again") && !text.contains("press"), "{what}: {text}");
        // A bound, not a measurement: without one it would hang for ever.
        assert!(began.elapsed() < Duration::from_secs(45), "{what}: {:?}", began.elapsed());
    }
}

#[test]
fn a_console_on_an_endpoint_that_never_answers_is_drawn_and_can_be_left() {
    let (url, _) = server("http", silent);
    let mut console =
        Console::start(&Start { args: &["--endpoint-url", &url], env: &bed_env("testing"), ..Start::default() });
    console.wait_for("asking AWS who we are");
    console.send("5");
    console.wait_for("[5 Keys]");
    console.send("q");
    assert!(console.wait_exit().success());
    console.is_given_back().unwrap();
}
