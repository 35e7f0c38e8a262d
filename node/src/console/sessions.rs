//! Who is signed in, in memory alone: a restart signs everybody out.
//!
//! **Invariant:** a session is found by the digest of its token, so that neither memory nor timing
//! gives tokens away; it ends when it idles, when it is old, and with its user.

use super::notice::Notice;
use crate::state::{Role, StoredUser};
use data_encoding::BASE64URL_NOPAD;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// A session in which nothing is asked for so long is over.
pub(super) const IDLE: Duration = Duration::from_mins(30);
/// No session lasts longer.
pub(super) const LONGEST: Duration = Duration::from_hours(8);
/// Sessions at once, at the most; the one that idles longest gives way.
const OPEN: usize = 64;
const TOKEN: usize = 32;
const DOMAIN: &str = "fellestall/console-session/1";

struct Session {
    user: StoredUser,
    form_key: hmac::Key,
    started: Timestamp,
    seen: Timestamp,
    notice: Option<Notice>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The user's name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The token that every form of this session carries.
    pub form_token: String,
    session: Digest,
}

/// All sessions.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<Digest, Session>>,
}

impl Sessions {
    /// Begins a session and gives its token, for a cookie; `None` without random numbers.
    pub(super) fn begin(&self, user: StoredUser, now: Timestamp) -> Option<Zeroizing<String>> {
        let random = SystemRandom::new();
        let mut token = Zeroizing::new([0_u8; TOKEN]);
        random.fill(token.as_mut_slice()).ok()?;
        let form_key = hmac::Key::generate(hmac::HMAC_SHA256, &random).ok()?;
        let text = Zeroizing::new(BASE64URL_NOPAD.encode(token.as_slice()));
        let session = Session { user, form_key, started: now, seen: now, notice: None };
        let mut open = self.open();
        open.retain(|_, session| session.is_open(now));
        if open.len() >= OPEN {
            let idlest = open.iter().min_by_key(|(_, session)| session.seen).map(|(id, _)| *id);
            idlest.map(|id| open.remove(&id));
        }
        open.insert(id(&text), session);
        Some(text)
    }

    /// Who has this token, if the session is open; it is not idle then.
    pub(super) fn visitor(&self, token: &str, now: Timestamp) -> Option<(Visitor, StoredUser)> {
        let id = id(token);
        let mut open = self.open();
        let session = open.get_mut(&id).filter(|session| session.is_open(now));
        let Some(session) = session else {
            open.remove(&id);
            return None;
        };
        session.seen = now;
        let tag = hmac::sign(&session.form_key, id.as_bytes());
        let visitor = Visitor {
            name: session.user.name.clone(),
            role: session.user.role,
            form_token: BASE64URL_NOPAD.encode(tag.as_ref()),
            session: id,
        };
        Some((visitor, session.user.clone()))
    }

    /// Whether a form's token is that of the visitor's session; compared in constant time.
    pub(super) fn is_own_form(&self, visitor: &Visitor, token: &str) -> bool {
        let tag = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap_or_default();
        self.open().get(&visitor.session).is_some_and(|session| {
            hmac::verify(&session.form_key, visitor.session.as_bytes(), &tag).is_ok()
        })
    }

    /// Ends a session.
    pub(super) fn end(&self, visitor: &Visitor) {
        self.open().remove(&visitor.session);
    }

    /// Leaves a notice for the next page of a session.
    pub(super) fn leave(&self, visitor: &Visitor, notice: Notice) {
        if let Some(session) = self.open().get_mut(&visitor.session) {
            session.notice = Some(notice);
        }
    }

    /// Takes the notice that was left.
    pub(super) fn take_notice(&self, visitor: &Visitor) -> Option<Notice> {
        self.open().get_mut(&visitor.session)?.notice.take()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Digest, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// A clock that was set back ends a session.
    fn is_open(&self, now: Timestamp) -> bool {
        let since = |moment: Timestamp, limit: Duration| moment <= now && now <= moment.plus(limit);
        since(self.seen, IDLE) && since(self.started, LONGEST)
    }
}

fn id(token: &str) -> Digest {
    Digest::of(DOMAIN, token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{IDLE, LONGEST, OPEN, Sessions};
    use crate::state::{Role, StoredUser};
    use fellestall_shared::clock::Timestamp;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_unix(1_000_000);

    fn user(name: &str) -> StoredUser {
        StoredUser {
            name: name.to_owned(),
            role: Role::Officer,
            salt: Vec::new(),
            proof: Vec::new(),
            added_at: START,
        }
    }

    #[test]
    fn a_session_ends_when_it_idles_when_it_is_old_and_when_the_clock_is_set_back() {
        let sessions = Sessions::default();
        let begin = || sessions.begin(user("kari"), START).expect("random numbers");
        let token = begin();
        let second = Duration::from_secs(1);
        assert!(sessions.visitor(&token, START.plus(IDLE)).is_some());
        assert!(sessions.visitor(&token, START.plus(IDLE).plus(IDLE)).is_some());
        assert!(sessions.visitor(&token, START.plus(3 * IDLE + second)).is_none());
        assert!(sessions.visitor(&token, START.plus(IDLE)).is_none(), "ended for good");
        let token = begin();
        let mut now = START;
        while now < START.plus(LONGEST) {
            assert!(sessions.visitor(&token, now).is_some(), "{now}");
            now = now.plus(Duration::from_mins(20));
        }
        assert!(sessions.visitor(&token, START.plus(LONGEST + second)).is_none());
        let token = begin();
        assert!(sessions.visitor(&token, START.minus(second)).is_none());
        for forged in ["", "x", &"A".repeat(43)] {
            assert!(sessions.visitor(forged, START).is_none());
        }
    }

    #[test]
    fn a_form_belongs_to_one_session() {
        let sessions = Sessions::default();
        let visitor = |name| {
            let token = sessions.begin(user(name), START).expect("random numbers");
            sessions.visitor(&token, START).expect("signed in").0
        };
        let (kari, ola) = (visitor("kari"), visitor("ola"));
        assert!(sessions.is_own_form(&kari, &kari.form_token));
        for wrong in [ola.form_token.as_str(), "", "x", kari.form_token.get(1..).expect("a rest")] {
            assert!(!sessions.is_own_form(&kari, wrong));
        }
        sessions.end(&kari);
        assert!(!sessions.is_own_form(&kari, &kari.form_token));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin(user("first"), START).expect("random numbers");
        for second in 1..=60 {
            sessions.begin(user("x"), START.plus(Duration::from_secs(second))).expect("random");
        }
        assert!(sessions.visitor(&first, START.plus(Duration::from_secs(61))).is_some());
        for second in 62..200 {
            sessions.begin(user("x"), START.plus(Duration::from_secs(second))).expect("random");
        }
        assert_eq!(sessions.open().len(), OPEN);
        assert!(sessions.visitor(&first, START.plus(Duration::from_secs(200))).is_none());
    }
}
