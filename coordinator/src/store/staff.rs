//! Who may use the administration pages.
//!
//! **Invariant:** nobody gets in who was not added; of a password only its hash is stored; a name
//! stands for one person, in whatever case it is written.

use super::audit::{self, Event};
use super::{Store, StoreError, moment, parsed};
use fellestall_shared::clock::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;
use sqlx::error::DatabaseError;
use std::fmt;
use std::str::FromStr;

/// Characters of a name, at the most.
const NAME: usize = 64;

/// What a member of staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything: staff, invitations and nodes too.
    Administrator,
    /// Studies, rounds and publications.
    Coordinator,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Coordinator, Self::Auditor];

    /// The role by name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Coordinator => "coordinator",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(())
    }
}

/// How somebody proves who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// By a password, of which this is the Argon2id hash.
    Password(String),
    /// By a provider of `OpenID` Connect.
    Subject {
        /// The provider.
        issuer: String,
        /// Who it is there.
        subject: String,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password",
            Self::Subject { .. } => "Subject",
        })
    }
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// The row: somebody who is removed and added again is another.
    pub id: i64,
    /// The name, as the log shows it.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// How the person signs in.
    pub credential: Credential,
    /// When the person was added.
    pub added: Timestamp,
}

/// Why somebody was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddStaffError {
    /// A name that the log could not show as it is.
    #[error("a name has 1 to {NAME} letters, digits, spaces or - _ . @ and is not \"unknown\"")]
    Name,
    /// The name, or the subject, is taken.
    #[error(
        "somebody of that name, or with that subject, is among the staff; see `staff list`, and remove that one first"
    )]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whom a failure is written on whose name is not among the staff.
pub const UNKNOWN: &str = "unknown";

fn is_name(name: &str) -> bool {
    let is_fit = |letter: char| letter.is_alphanumeric() || " -_.@".contains(letter);
    let length = name.chars().count();
    (1..=NAME).contains(&length)
        && name.trim() == name
        && name.chars().all(is_fit)
        && key(name) != UNKNOWN
}

/// The name in one case, so that two people are never told apart by capitals alone.
fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A member of staff as it is stored.
pub(super) fn staff(row: &AnyRow) -> Result<Staff, StoreError> {
    let password: Option<String> = row.try_get("password")?;
    let issuer: Option<String> = row.try_get("issuer")?;
    let subject: Option<String> = row.try_get("subject")?;
    let credential = match (password, issuer, subject) {
        (Some(hash), None, None) => Credential::Password(hash),
        (None, Some(issuer), Some(subject)) => Credential::Subject { issuer, subject },
        _ => return Err(StoreError::Damaged { column: "staff.password" }),
    };
    Ok(Staff {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        role: parsed(row, "role")?,
        credential,
        added: moment(row, "added")?,
    })
}

impl Store {
    /// Adds a member of staff; `actor` is who does it, empty for the command line.
    ///
    /// # Errors
    /// [`AddStaffError`]: nobody was added.
    pub async fn add_staff(
        &self,
        name: &str,
        role: Role,
        credential: &Credential,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), AddStaffError> {
        if !is_name(name) {
            return Err(AddStaffError::Name);
        }
        let (password, issuer, subject) = match credential {
            Credential::Password(hash) => (Some(hash.as_str()), None, None),
            Credential::Subject { issuer, subject } => {
                (None, Some(issuer.as_str()), Some(subject.as_str()))
            }
        };
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO staff (name, key, role, password, issuer, subject, added)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(name)
        .bind(key(name))
        .bind(role.name())
        .bind(password)
        .bind(issuer)
        .bind(subject)
        .bind(now.unix())
        .execute(&mut *transaction)
        .await;
        match inserted {
            Ok(_) => {}
            Err(error)
                if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) =>
            {
                return Err(AddStaffError::Taken);
            }
            Err(error) => return Err(StoreError::from(error).into()),
        }
        let subject = format!("{name}, {role}");
        audit::append_by(&mut transaction, now, Event::StaffAdded, &subject, actor).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Removes a member of staff, who is signed out at once; whether there was one of that name.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn remove_staff(
        &self,
        name: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query("DELETE FROM staff WHERE key = $1 RETURNING name")
            .bind(key(name))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(false) };
        let name: String = row.try_get("name")?;
        audit::append_by(&mut transaction, now, Event::StaffRemoved, &name, actor).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// All members of staff, by name.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn staff(&self) -> Result<Vec<Staff>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, role, password, issuer, subject, added FROM staff ORDER BY key",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(staff).collect()
    }

    /// Who has this name, in whatever case.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn staff_by_name(&self, name: &str) -> Result<Option<Staff>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, role, password, issuer, subject, added FROM staff WHERE key = $1",
        )
        .bind(key(name))
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(staff).transpose()
    }

    /// Whom this provider knows under this subject.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn staff_by_subject(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Staff>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, role, password, issuer, subject, added FROM staff
             WHERE issuer = $1 AND subject = $2",
        )
        .bind(issuer)
        .bind(subject)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(staff).transpose()
    }
}
