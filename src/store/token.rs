//! The access token in the store: who may fetch, and which token is the newest.

use std::time::Duration;

use super::Owner;
use crate::config::Secret;

/// A caller that needs a token.
#[derive(Debug, Clone)]
pub struct TokenAsk<'a> {
    /// Account, secret and mode, hashed.
    pub account: &'a str,
    /// The same for refusals that hold on this host only (40164: the IP is not whitelisted).
    pub account_here: &'a str,
    /// The caller.
    pub owner: &'a Owner,
    /// The fence of the token that the caller holds; 0 if none.
    pub held: u64,
    /// The token that WeChat refused just now (40001, 40014, 42001).
    pub refused: Option<&'a str>,
    /// The caller wants one from WeChat whatever is stored (`accessToken(true)`).
    pub force: bool,
    /// How long the caller may take to fetch one.
    pub lease: Duration,
    /// A refused token that WeChat has issued again this recently, and a forced one, is not fetched once more.
    pub fresh: Duration,
    /// A former holder of the lease that is known to have ended: its lease is over.
    pub ended: Option<&'a str>,
}

/// A token as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredToken {
    /// The token.
    pub token: Secret,
    /// Grows with every fetch.
    pub fence: u64,
    /// How long ago it was fetched.
    pub age: Duration,
    /// When it is due for renewal, from now; zero if it is.
    pub renew_in: Duration,
    /// How long it still lives.
    pub ends_in: Duration,
}

/// WeChat's refusal to issue a token.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRefusal {
    /// WeChat's errcode.
    pub errcode: i64,
    /// WeChat's errmsg.
    pub errmsg: String,
    /// How long it stands, from the moment of storing (when reading: from now).
    pub stands: Duration,
}

/// What a caller does now. The rules, in this order; a token that has ended counts as none:
///
/// 1. With `refused`: a stored token that differs from it, or whose fence is above `held`, is [`TokenTurn::Token`]; the same
///    one, if WeChat issued it *again* (`put_token` found that very token stored) less than `fresh` ago, is
///    [`TokenTurn::JustFetched`].
/// 2. With `force`: a token fetched less than `fresh` ago is [`TokenTurn::Token`].
/// 3. With neither: a token that is not due is [`TokenTurn::Token`].
/// 4. A refusal that stands (under `account` or `account_here`): a token that lives and is not `refused` is
///    [`TokenTurn::Token`] (not with `force`), else [`TokenTurn::Refused`].
/// 5. A lease that is not over and whose owner is not `ended`: [`TokenTurn::Busy`].
/// 6. Else the caller gets the lease: [`TokenTurn::Fetch`].
#[derive(Debug, Clone, PartialEq)]
pub enum TokenTurn {
    /// Use this one.
    Token(StoredToken),
    /// WeChat has issued the refused token again only just now; asking once more would help nobody.
    JustFetched,
    /// WeChat has refused lately to issue one.
    Refused(StoredRefusal),
    /// It is the caller's turn: fetch, then `put_token`, `refuse_token` or `release_token` with this fence.
    Fetch {
        /// Above every fence before.
        fence: u64,
        /// The stored token, if it still lives and is not the refused one: it serves if the fetch fails.
        current: Option<StoredToken>,
    },
    /// Somebody else is fetching.
    Busy {
        /// Who ([`Owner::as_str`]).
        owner: String,
        /// How long his lease still lasts.
        left: Duration,
        /// The stored token, if it still lives and is not the refused one: it serves meanwhile.
        current: Option<StoredToken>,
    },
}
