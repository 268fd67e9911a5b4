use mis_sync_domain::{IssueCode, Lease};
use sqlx::PgConnection;

use crate::Error;

/// Problems that the comparison finds, column by column.
#[derive(Default)]
pub(super) struct Issues {
    codes: Vec<String>,
    wonde_ids: Vec<Option<String>>,
}

impl Issues {
    /// About the record of this Wonde id.
    pub(super) fn push(&mut self, code: IssueCode, wonde_id: &str) {
        self.codes.push(code.as_str().to_owned());
        self.wonde_ids.push(Some(wonde_id.to_owned()));
    }

    /// About the whole school.
    pub(super) fn push_of_school(&mut self, code: IssueCode) {
        self.codes.push(code.as_str().to_owned());
        self.wonde_ids.push(None);
    }

    #[cfg(test)]
    pub(super) fn codes(&self) -> &[String] {
        &self.codes
    }

    pub(super) async fn record(&self, db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
        if self.codes.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            r#"
            INSERT INTO job_issue (job_id, code, wonde_id)
            SELECT $1, code, wonde_id FROM UNNEST($2::text[], $3::text[]) AS i (code, wonde_id)
            -- What is about the whole school is said once, by the fetch or by the comparison.
            WHERE wonde_id IS NOT NULL OR NOT EXISTS (
                SELECT FROM job_issue said
                WHERE said.job_id = $1 AND said.wonde_id IS NULL AND said.code = i.code)
            "#,
            lease.job_id.0,
            &self.codes,
            &self.wonde_ids as &[Option<String>],
        )
        .execute(db)
        .await?;
        Ok(())
    }
}
