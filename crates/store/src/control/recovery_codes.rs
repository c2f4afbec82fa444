//! Recovery codes: for who has lost the second factor. Hashes alone are stored; each code names the place where its hash stands.

use domain::UserId;

use super::ControlTx;
use crate::Result;

/// Puts a new set of codes in the place of the one before; a code's place is its number in the list.
/// # Errors
/// As the database.
pub async fn replace(tx: &mut ControlTx, user: UserId, hashes: &[String]) -> Result<()> {
    remove(tx, user).await?;
    for (place, hash) in (0_i64..).zip(hashes) {
        tx.sql("INSERT INTO recovery_codes (user_id, place, hash) VALUES ($1, $2, $3)")
            .bind(user)
            .bind(place)
            .bind(hash)
            .run()
            .await?;
    }
    Ok(())
}

/// Removes all codes of a person.
/// # Errors
/// As the database.
pub async fn remove(tx: &mut ControlTx, user: UserId) -> Result<()> {
    tx.sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user).run().await?;
    Ok(())
}

/// The hash of the unused code at a place, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, user: UserId, place: i64) -> Result<Option<String>> {
    tx.sql("SELECT hash FROM recovery_codes WHERE user_id = $1 AND place = $2 AND used_at IS NULL")
        .bind(user)
        .bind(place)
        .optional()
        .await
}

/// Uses up the code at a place whose hash is the one given; says whether it was unused.
/// # Errors
/// As the database.
pub async fn take(tx: &mut ControlTx, user: UserId, place: i64, hash: &str) -> Result<bool> {
    let now = tx.now();
    let taken = tx
        .sql("UPDATE recovery_codes SET used_at = $4 WHERE user_id = $1 AND place = $2 AND hash = $3 AND used_at IS NULL")
        .bind(user)
        .bind(place)
        .bind(hash)
        .bind(now)
        .run()
        .await?;
    Ok(taken > 0)
}

/// How many unused codes a person has.
/// # Errors
/// As the database.
pub async fn count(tx: &mut ControlTx, user: UserId) -> Result<i64> {
    tx.sql("SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL").bind(user).one().await
}
