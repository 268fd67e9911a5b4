//! Lists of a school's people, a page at a time.

use chrono::{DateTime, Utc};
use mis_sync_domain::{SchoolId, StaffId, StaffMember, text};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Error;

/// Which people of a school are listed. A missing field does not filter.
#[derive(Clone, Default)]
pub struct StaffFilter {
    /// With this email, in any case, composed or not. Several people can have had it; only one can be
    /// active.
    pub email: Option<String>,
    /// With this Wonde id.
    pub wonde_id: Option<String>,
    /// Only those who can log in, or only those who cannot.
    pub active: Option<bool>,
    /// Changed at this time or later, by a sync or by the app.
    pub updated_since: Option<DateTime<Utc>>,
}

/// A person in a list.
pub struct ListedPerson {
    pub member: StaffMember,
    pub has_photo: bool,
    /// Whether the person has to use *Forgot Password* before the first login.
    pub password_reset_required: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The people of a school who match, in the order of their ids, after `after`. This order does not
/// change while someone reads page after page.
pub async fn search(
    pool: &PgPool,
    school_id: &SchoolId,
    filter: &StaffFilter,
    after: Option<StaffId>,
    limit: i64,
) -> Result<Vec<ListedPerson>, Error> {
    let email = filter.email.as_deref().map(text::composed);
    let rows = sqlx::query!(
        r#"
        SELECT id, wonde_id, upi, email, first_name, surname, initials, job_title, non_teaching,
            line_manager_id, photo_hash IS NOT NULL AS "has_photo!", active,
            password_reset_required, created_at, updated_at
        FROM staff
        WHERE school_id = $1 AND id > $2
            AND ($3::text IS NULL OR email_key = lower($3))
            AND ($4::text IS NULL OR wonde_id = $4)
            AND ($5::bool IS NULL OR active = $5)
            AND ($6::timestamptz IS NULL OR updated_at >= $6)
        ORDER BY id LIMIT $7
        "#,
        school_id.as_str(),
        after.map_or(Uuid::nil(), |after| after.0),
        email.as_deref(),
        filter.wonde_id,
        filter.active,
        filter.updated_since,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let listed = rows.into_iter().map(|row| ListedPerson {
        member: StaffMember {
            id: StaffId(row.id),
            wonde_id: row.wonde_id,
            upi: row.upi,
            email: row.email,
            first_name: row.first_name,
            surname: row.surname,
            initials: row.initials,
            job_title: row.job_title,
            non_teaching: row.non_teaching,
            line_manager_id: row.line_manager_id.map(StaffId),
            active: row.active,
        },
        has_photo: row.has_photo,
        password_reset_required: row.password_reset_required,
        created_at: row.created_at,
        updated_at: row.updated_at,
    });
    Ok(listed.collect())
}

/// A time before which no change can appear any more.
///
/// A change is dated by the start of its transaction, and is seen when that ends. So this is the
/// start of the oldest transaction that is open. Sessions of other database roles may be hidden from
/// ours: a transaction of theirs is covered for a minute.
pub async fn settled_until(pool: &PgPool) -> Result<DateTime<Utc>, Error> {
    let time = sqlx::query_scalar!(
        r#"
        SELECT least(now(), min(xact_start)) - interval '1 minute' AS "time!"
        FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
        "#
    )
    .fetch_one(pool)
    .await?;
    Ok(time)
}
