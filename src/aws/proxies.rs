//! Which proxy the environment names for a host: for the words of errors only. The HTTP client decides for
//! itself which one it uses.

use aws_types::os_shim_internal::Env;

/// The proxy variables, without the credentials that may stand in them.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    direct: Vec<String>,
}

impl Proxies {
    /// From `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in small letters too.
    pub fn of_env(env: &Env) -> Self {
        let get = |name: &str| {
            env.get(&name.to_lowercase()).or_else(|_| env.get(name)).ok().filter(|value| !value.is_empty())
        };
        let all = || get("ALL_PROXY");
        Self {
            http: get("HTTP_PROXY").or_else(all).map(|url| place(&url)),
            https: get("HTTPS_PROXY").or_else(all).map(|url| place(&url)),
            direct: get("NO_PROXY").unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect(),
        }
    }

    /// The proxy for a host.
    pub fn of(&self, scheme: Option<&str>, host: &str) -> Option<String> {
        let covers = |name: &String| {
            let name = name.trim_start_matches('*').trim_start_matches('.');
            name == host || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
        };
        if self.direct.iter().any(|name| name == "*" || (!name.is_empty() && covers(name))) {
            return None;
        }
        if scheme == Some("http") { self.http.clone() } else { self.https.clone() }
    }
}

/// Host and port of a proxy's URL.
fn place(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or_default();
    rest.rsplit_once('@').map_or(rest, |(_, place)| place).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_of_a_host() {
        let env = Env::from_slice(&[
            ("HTTPS_PROXY", "http://ana:secret@proxy.local:3128/"),
            ("http_proxy", "plain.local:8080"),
            ("NO_PROXY", "127.0.0.1, .vpce.amazonaws.com"),
        ]);
        let proxies = Proxies::of_env(&env);
        for (scheme, host, proxy) in [
            ("https", "sts.us-east-1.amazonaws.com", Some("proxy.local:3128")),
            ("http", "minio.local", Some("plain.local:8080")),
            ("http", "127.0.0.1", None),
            ("https", "x.kms.us-east-1.vpce.amazonaws.com", None),
            ("https", "vpce.amazonaws.com", None),
            ("https", "notvpce.amazonaws.com", Some("proxy.local:3128")),
        ] {
            assert_eq!(proxies.of(Some(scheme), host).as_deref(), proxy, "{scheme} {host}");
        }
        assert_eq!(Proxies::of_env(&Env::from_slice(&[])).of(Some("https"), "x"), None);
        let none = Env::from_slice(&[("ALL_PROXY", "socks5://p:1080"), ("NO_PROXY", "*")]);
        assert_eq!(Proxies::of_env(&none).of(Some("https"), "x"), None);
    }
}
