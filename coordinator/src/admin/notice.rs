//! What is said at the top of the next page after something was done.
//!
//! **Invariant:** a closed list, kept in the session: an address cannot make a page say it.

use super::words::Words;

macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident = $code:ident),+ $(,)?) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Notice { $($(#[$doc])* $name),+ }

        impl Notice {
            /// As it is kept.
            pub(super) fn code(self) -> &'static str {
                match self { $(Self::$name => stringify!($code)),+ }
            }

            /// In words, if it is one.
            pub(super) fn text(code: &str, words: &Words) -> Option<String> {
                match code {
                    $(stringify!($code) => Some(words.notice.$code.clone()),)+
                    _ => None,
                }
            }
        }
    };
}

notices! {
    /// A node was enrolled.
    Approved = approved,
    /// An application was refused.
    Refused = refused,
    /// A node was shut out.
    Denied = denied,
    /// A study was published.
    StudyPublished = study_published,
    /// A study was published before, with the same content.
    StudyStood = study_stood,
    /// A round was opened.
    RoundOpened = round_opened,
    /// A round was opened before.
    RoundStood = round_stood,
    /// Figures were published.
    Published = published,
    /// Somebody was added.
    StaffAdded = staff_added,
    /// Somebody was removed.
    StaffRemoved = staff_removed,
}
