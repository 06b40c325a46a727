//! Where Redis is: `redis://`, `redis+sentinel://`, `redis+cluster://` and their `rediss` forms.

use std::fmt;

use crate::config::Secret;

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(formatter, "[{host}]:{port}") } else { write!(formatter, "{host}:{port}") }
    }
}

impl Address {
    /// `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, UrlError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(UrlError::Port)?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let strange =
            |character: char| character.is_whitespace() || character.is_control() || "/?#@[]".contains(character);
        if host.is_empty() || host.contains(strange) {
            return Err(UrlError::Host);
        }
        let port = match port {
            None => default_port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(UrlError::Port)?,
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

/// How the server that has the data is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is the one in the URL.
    Single,
    /// Sentinels know the master of this name.
    Sentinel(String),
    /// Every node of a cluster knows who has a key.
    Cluster,
}

/// What a URL says.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// How the server is found.
    pub kind: Kind,
    /// Servers, sentinels or nodes of the cluster.
    pub addresses: Vec<Address>,
    /// Whether every connection is encrypted.
    pub tls: bool,
    /// ACL user; without one, `default`.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Number of the database.
    pub database: u32,
}

/// What is wrong with a URL. Never shows any of it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Scheme.
    #[error(
        "the address must begin with redis://, rediss://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://"
    )]
    Scheme,
    /// Host.
    #[error("the address has an empty or impossible host name")]
    Host,
    /// Port.
    #[error("the address has an impossible port, 1 to 65535 are possible")]
    Port,
    /// More hosts than one in a plain URL.
    #[error("several hosts need redis+sentinel:// or redis+cluster://")]
    ManyHosts,
    /// Database.
    #[error("the path of the address must be the number of a database, such as /0")]
    Database,
    /// Database in a cluster.
    #[error("a cluster has database 0 only")]
    ClusterDatabase,
    /// Name of the master.
    #[error("redis+sentinel:// needs the name of the master as its path, such as /mymaster or /mymaster/0")]
    Master,
    /// `?` or `#`.
    #[error("the address takes no ?query and no #fragment; write ? and # in a password as %3F and %23")]
    Query,
    /// User or password.
    #[error("user and password must be written user:password@ or :password@, special characters as %XX")]
    Credentials,
}

impl Place {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let (tls, form) = match scheme.strip_prefix("rediss") {
            Some(form) => (true, form),
            None => (false, scheme.strip_prefix("redis").ok_or(UrlError::Scheme)?),
        };
        if rest.contains(['?', '#']) {
            return Err(UrlError::Query);
        }
        // A password with an unescaped slash would be cut by the path: look for the @ first.
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (kind, port, database) = match form {
            "" => (Kind::Single, 6379, path),
            "+cluster" => (Kind::Cluster, 6379, path),
            "+sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                let master = decode(master).filter(|name| !name.is_empty()).ok_or(UrlError::Master)?;
                (Kind::Sentinel(master), 26379, database)
            }
            _ => return Err(UrlError::Scheme),
        };
        let addresses =
            hosts.split(',').map(|host| Address::parse(host.trim(), port)).collect::<Result<Vec<_>, _>>()?;
        if kind == Kind::Single && addresses.len() > 1 {
            return Err(UrlError::ManyHosts);
        }
        let database = match database.trim_end_matches('/') {
            "" => 0,
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().map_err(|_| UrlError::Database)?
            }
            _ => return Err(UrlError::Database),
        };
        if kind == Kind::Cluster && database != 0 {
            return Err(UrlError::ClusterDatabase);
        }
        let (user, password) = credentials.map_or(Ok((None, None)), read_credentials)?;
        Ok(Self { kind, addresses, tls, user, password, database })
    }
}

fn read_credentials(text: &str) -> Result<(Option<String>, Option<Secret>), UrlError> {
    let (user, password) = text.split_once(':').ok_or(UrlError::Credentials)?;
    let user = decode(user).ok_or(UrlError::Credentials)?;
    let password = decode(password).filter(|password| !password.is_empty()).ok_or(UrlError::Credentials)?;
    Ok(((!user.is_empty()).then_some(user), Some(Secret::new(password))))
}

/// `%XX` decoded; `None` if that is not UTF-8 or a % stands alone.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

impl fmt::Display for Place {
    /// Without credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.tls { "rediss" } else { "redis" })?;
        formatter.write_str(match self.kind {
            Kind::Single => "://",
            Kind::Sentinel(_) => "+sentinel://",
            Kind::Cluster => "+cluster://",
        })?;
        for (index, address) in self.addresses.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            address.fmt(formatter)?;
        }
        match &self.kind {
            Kind::Single => write!(formatter, "/{}", self.database),
            Kind::Sentinel(master) => write!(formatter, "/{master}/{}", self.database),
            Kind::Cluster => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_shown_without_credentials() {
        for (url, shown) in [
            ("redis://cache", "redis://cache:6379/0"),
            ("redis://:secret@10.0.0.1:6380/2", "redis://10.0.0.1:6380/2"),
            ("rediss://shop:secret@[::1]/", "rediss://[::1]:6379/0"),
            ("redis://:se/cr@et@cache:1", "redis://cache:1/0"),
            ("redis+sentinel://u:secret@a,b:26380/mymaster", "redis+sentinel://a:26379,b:26380/mymaster/0"),
            ("rediss+sentinel://a/m/3", "rediss+sentinel://a:26379/m/3"),
            ("redis+cluster://a,[fe80::1]:7000", "redis+cluster://a:6379,[fe80::1]:7000"),
        ] {
            assert_eq!(Place::parse(url).unwrap().to_string(), shown, "{url}");
        }
        let place = Place::parse("redis://sh%6Fp:p%40ss%3A%E5%BA%97@cache").unwrap();
        assert_eq!(place.user.as_deref(), Some("shop"));
        assert_eq!(place.password.unwrap().reveal(), "p@ss:店");
    }

    #[test]
    fn a_wrong_url_says_what_is_wrong_and_never_shows_it() {
        for (url, error) in [
            ("http://:hush@cache", UrlError::Scheme),
            ("cache:6379", UrlError::Scheme),
            ("redis+unix://:hush@cache", UrlError::Scheme),
            ("redis://", UrlError::Host),
            ("redis://:hush@", UrlError::Host),
            ("redis+cluster://a,,b", UrlError::Host),
            ("redis://:hush@[::1", UrlError::Host),
            ("redis://:hush@cache:0", UrlError::Port),
            ("redis://:hush@cache:99999", UrlError::Port),
            ("redis://:hush@[::1]x", UrlError::Port),
            ("redis://:hush@a,b", UrlError::ManyHosts),
            ("redis://:hush@cache/zero", UrlError::Database),
            ("redis://:hush@cache/-1", UrlError::Database),
            ("redis+cluster://:hush@a/1", UrlError::ClusterDatabase),
            ("redis+sentinel://:hush@a", UrlError::Master),
            ("redis://:hush@cache?db=1", UrlError::Query),
            ("redis://hush@cache", UrlError::Credentials),
            ("redis://:hush%@cache", UrlError::Credentials),
            ("redis://:%FFhush@cache", UrlError::Credentials),
            ("redis://user:@cache", UrlError::Credentials),
        ] {
            let found = Place::parse(url).unwrap_err();
            assert_eq!(found, error, "{url}");
            assert!(!found.to_string().contains("hush"));
        }
    }
}
