//! For tests: servers on the loopback that speak as AWS would, and sessions with them. Nothing here
//! reads the environment of the test process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_types::os_shim_internal::{Env, Fs};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::config::{Options, Surroundings};
use super::guard::GuardedHttpClient;
use super::{Session, WriteToken, http};
use crate::base::{Clock, Generation, Timestamp};
use crate::inventory::ReadError;

/// One request, head and body as they came.
#[derive(Debug, Clone)]
pub(super) struct Request(pub String);

impl Request {
    /// Whether it holds a text, such as `Action=DescribeVpcs` or `TrentService.PutKeyPolicy`.
    pub(super) fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    /// The body.
    pub(super) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// What to answer: a status, a content type and a body.
#[derive(Debug, Clone)]
pub(super) struct Answer(pub u16, pub &'static str, pub String);

impl Answer {
    pub(super) fn json(status: u16, body: &str) -> Self {
        Self(status, "application/x-amz-json-1.1", body.to_owned())
    }

    pub(super) fn xml(status: u16, body: &str) -> Self {
        Self(status, "text/xml", body.to_owned())
    }
}

/// A server on the loopback.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers every request with `answer`; `None` closes the connection without a word.
    pub(super) async fn start(answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, seen: Arc::default(), connections: Arc::default() };
        let (own, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, own.clone(), answer.clone()));
            }
        });
        server
    }

    /// As [`Server::start`]; who the caller is and the account's alias need no answer.
    pub(super) async fn aws(answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
        Self::start(move |request| identity(request).or_else(|| answer(request))).await
    }

    /// Requests so far, without those of [`identity`].
    pub(super) fn seen(&self) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| identity(request).is_none()).cloned().collect()
    }

    /// All requests so far.
    pub(super) fn all(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Connections so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, server: Server, answer: Arc<impl Fn(&Request) -> Option<Answer>>) {
    let (mut got, mut buffer) = (Vec::new(), vec![0; 65_536]);
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
        got.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&got).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let request = Request(String::from_utf8_lossy(&got).into_owned());
    server.seen.lock().unwrap().push(request.clone());
    if let Some(Answer(status, kind, body)) = answer(&request) {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        let _ = stream.write_all((head + &body).as_bytes()).await;
    }
}

/// The answers of STS and IAM that a session begins with.
pub(super) fn identity(request: &Request) -> Option<Answer> {
    if request.has("Action=GetCallerIdentity") {
        return Some(Answer::xml(
            200,
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:sts::123456789012:assumed-role/OnCall/ana</Arn><UserId>AROAX:ana</UserId>\
             <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        ));
    }
    request.has("Action=ListAccountAliases").then(|| {
        Answer::xml(
            200,
            "<ListAccountAliasesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListAccountAliasesResult>\
             <AccountAliases><member>orion-prod</member></AccountAliases><IsTruncated>false</IsTruncated>\
             </ListAccountAliasesResult></ListAccountAliasesResponse>",
        )
    })
}

/// Static keys; one attempt a call, or three without adaptive pauses.
pub(super) const PROFILES: &str = "\
[default]
aws_access_key_id = AKIDEXAMPLE
aws_secret_access_key = secret
max_attempts = 1
retry_mode = standard
[profile patient]
aws_access_key_id = AKIDEXAMPLE
aws_secret_access_key = secret
retry_mode = standard
";

/// Surroundings with these profiles, no environment and no proxy.
pub(super) fn around(profiles: &str) -> Surroundings {
    Surroundings {
        env: Env::from_slice(&[]),
        fs: Fs::real(),
        files: EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, profiles).build(),
        proxies: ProxyConfig::disabled(),
        process: false,
    }
}

/// Options for a server.
pub(super) fn options(server: &Server) -> Options {
    Options { region: Some("us-east-1".to_owned()), endpoint_url: Some(server.url.clone()), ..Options::default() }
}

/// The time in tests.
pub(super) fn now() -> Timestamp {
    Timestamp::from_secs(1_795_000_000)
}

/// A session with these options.
pub(super) async fn connect(options: &Options, profiles: &str) -> Result<Session, ReadError> {
    Session::connect_in(options, Generation(7), Clock::manual(now()), &around(profiles)).await
}

/// A read-only session with a server.
pub(super) async fn session(server: &Server) -> Session {
    connect(&options(server), PROFILES).await.unwrap()
}

/// A session with a server that may write.
pub(super) async fn write_session(server: &Server) -> (Session, WriteToken) {
    let token = WriteToken::for_tests();
    let options = Options { write: Some(token.clone()), ..options(server) };
    (connect(&options, PROFILES).await.unwrap(), token)
}

/// Credentials that count how often they are looked up.
#[derive(Debug, Clone, Default)]
pub(super) struct Counting(pub Arc<AtomicUsize>);

impl ProvideCredentials for Counting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.fetch_add(1, Ordering::SeqCst);
        future::ProvideCredentials::ready(Ok(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")))
    }
}

/// An HTTP client without proxies.
pub(super) fn raw_http() -> SharedHttpClient {
    http::client(TlsContext::default(), ProxyConfig::disabled())
}

/// A configuration as a session would have it, but with credentials that count.
pub(super) fn sdk(server: &Server) -> (SdkConfig, Counting) {
    let counting = Counting::default();
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&server.url)
        .retry_config(RetryConfig::standard())
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .credentials_provider(SharedCredentialsProvider::new(counting.clone()))
        .http_client(GuardedHttpClient::new(raw_http()))
        .build();
    (sdk, counting)
}
