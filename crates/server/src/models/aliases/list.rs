//! `GET /api/v1/models/aliases`: the names that the organisation and its projects give to models.

use std::collections::BTreeMap;

use domain::ProjectId;
use domain::access::can;
use domain::authoriser::Object;
use store::org::{aliases, projects};

use super::AliasView;
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    local: Local<can::ProvidersRead>,
    Query(query): Query<Paging>,
) -> Result<Found<Page<AliasView>>> {
    let caller = local.each();
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("aliases", &());
    let mut after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let mut places: BTreeMap<Option<ProjectId>, bool> = BTreeMap::from([(None, caller.allows(Object::Organisation))]);
    let mut visible = Vec::new();
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let rows = aliases::list(&mut tx, after, limit + 1).await?;
        after = rows.last().map(|alias| alias.id);
        let whole = i64::try_from(rows.len()).unwrap_or(0) > limit;
        for alias in rows {
            if let (Some(id), false) = (alias.project_id, places.contains_key(&alias.project_id)) {
                let project = projects::find(&mut tx, id).await?;
                let seen = project.is_some_and(|project| caller.allows(Object::Project { id, open: project.open }));
                places.insert(Some(id), seen);
            }
            if places.get(&alias.project_id) == Some(&true) {
                visible.push(alias);
            }
        }
        if !whole || i64::try_from(visible.len()).unwrap_or(0) > limit {
            break;
        }
    }
    Ok(Found(bound.page(visible, limit, |alias| alias.id).map(AliasView::from)))
}
