//! The client's address behind trusted proxies.

use std::net::IpAddr;

use axum::http::HeaderMap;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The trusted proxies.
pub struct Proxies(pub Vec<IpAddr>);

impl Proxies {
    /// The client of a connection from `peer`: as a trusted proxy says, or the peer itself.
    ///
    /// Each proxy appends the address that called it, so everything before the last address that is not a
    /// trusted proxy's may be made up.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let all = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = all.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer;
        while self.0.contains(&client.to_canonical()) {
            match hops.next().map(|hop| hop.trim().parse()) {
                Some(Ok(hop)) => client = hop,
                _ => break,
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        let proxies = Proxies(["10.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().unwrap()).to_vec());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_client_is_known_by_what_the_last_trusted_proxy_says() {
        assert_eq!(client("10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.7, 10.0.0.2"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.7", "10.0.0.2"]), "203.0.113.7");
        assert_eq!(client("::ffff:10.0.0.1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn what_a_client_says_of_itself_does_not_count() {
        assert_eq!(client("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
