//! `GET /api/v1/projects`: lists the projects that the caller can see. The others leave no trace in it.

use domain::access::can;
use domain::authoriser::Object;
use schemars::JsonSchema;
use serde::Deserialize;
use store::org::projects;

use super::ProjectView;
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which projects, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListProjects {
    /// Only archived ones, or only the others; all when left out.
    archived: Option<bool>,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(
    local: Local<can::ProjectsRead>,
    Query(query): Query<ListProjects>,
) -> Result<Found<Page<ProjectView>>> {
    let caller = local.each();
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("projects", &query.archived);
    let mut after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let mut visible = Vec::new();
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let rows = projects::list_all(&mut tx, query.archived, after, limit + 1).await?;
        let last = rows.last().map(|project| project.id);
        let whole = i64::try_from(rows.len()).unwrap_or(0) > limit;
        visible.extend(
            rows.into_iter().filter(|project| caller.allows(Object::Project { id: project.id, open: project.open })),
        );
        after = last;
        if !whole || i64::try_from(visible.len()).unwrap_or(0) > limit {
            break;
        }
    }
    Ok(Found(bound.page(visible, limit, |project| project.id).map(ProjectView::from)))
}
