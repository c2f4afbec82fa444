//! `GET /api/v1/teams`: lists the teams that the caller can see.

use domain::access::can;
use domain::authoriser::Object;
use store::org::teams;

use super::TeamView;
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(local: Local<can::TeamsRead>, Query(query): Query<Paging>) -> Result<Found<Page<TeamView>>> {
    let caller = local.each();
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("teams", &());
    let mut after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let mut visible = Vec::new();
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let rows = teams::list(&mut tx, after, limit + 1).await?;
        let last = rows.last().map(|team| team.id);
        let whole = i64::try_from(rows.len()).unwrap_or(0) > limit;
        visible.extend(rows.into_iter().filter(|team| caller.allows(Object::Team(team.id))));
        after = last;
        if !whole || i64::try_from(visible.len()).unwrap_or(0) > limit {
            break;
        }
    }
    Ok(Found(bound.page(visible, limit, |team| team.id).map(TeamView::from)))
}
