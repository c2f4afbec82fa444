//! Where a collection or a conversation is: in a project, or in the organisation as a whole. What is held there decides.

use domain::ProjectId;
use domain::access::{Permission, Requires};
use domain::authoriser::{Grants, Object};
use store::org::projects;
use store::{Scope, Tx};

use crate::http::caller::{Caller, Local};
use crate::http::error::{Problem, Result};

/// A place, as it is now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) object: Object,
    /// Whether nothing in it changes, for its project is archived.
    pub(crate) archived: bool,
}

impl Place {
    /// Looks at a place.
    /// # Errors
    /// [`store::Error::NotFound`] when there is no such project.
    pub(crate) async fn of(tx: &mut Tx, project: Option<ProjectId>) -> store::Result<Self> {
        let Some(id) = project else { return Ok(Self { object: Object::Organisation, archived: false }) };
        let project = projects::get(tx, id).await?;
        Ok(Self { object: Object::Project { id, open: project.open }, archived: project.archived_at.is_some() })
    }

    /// Refuses who may not do a thing at this very place. What spends a project's money, by its names of models and its providers' keys,
    /// asks here: that something of one's own reaches one there gives no right to that.
    pub(crate) async fn require<P: Requires>(&self, caller: &Caller<P>, permission: Permission) -> Result<()> {
        if caller.scope().grants().allow(permission, self.object) {
            return Ok(());
        }
        let name = match self.object {
            Object::Project { id, .. } => id.to_string(),
            Object::Organisation | Object::Team(_) => "organisation".to_owned(),
        };
        Err(caller.deny(permission, &name).await)
    }

    /// Refuses what would change something in an archived project.
    pub(crate) fn require_changeable(&self) -> Result<()> {
        if self.archived {
            return Err(Problem::new("conflict", "The project is archived; restore it first."));
        }
        Ok(())
    }
}

/// Whether a permission is held at a place, or at the organisation: what is somebody's own, or is shared with them, reaches them in a
/// project that they do not reach, but gives them nothing that they may nowhere do. A key for one project holds nothing elsewhere.
pub(crate) fn holds(scope: &Scope, permission: Permission, place: Object) -> bool {
    held(scope.grants(), permission, place)
}

/// As [`holds`], for somebody who is not the caller.
pub(super) fn held(grants: &Grants, permission: Permission, place: Object) -> bool {
    grants.allow(permission, place) || grants.allow(permission, Object::Organisation)
}

/// Whether a request, by the project that it or its key selects, leaves something in this place out.
pub(crate) fn is_left_out(selected: Option<ProjectId>, project: Option<ProjectId>) -> bool {
    selected.is_some_and(|selected| project != Some(selected))
}

/// The place for something new: the project that was asked for, else the one that the request selects, else the organisation.
pub(crate) async fn choose<P: Requires>(
    local: Local<P>,
    asked: Option<ProjectId>,
) -> Result<(Caller<P>, Option<ProjectId>)> {
    let Some(id) = asked.or(local.selected_project()) else { return Ok((local.organisation().await?, None)) };
    let (caller, project) = local.project(id).await?;
    if project.archived_at.is_some() {
        return Err(Problem::new("conflict", "The project is archived; restore it first."));
    }
    Ok((caller, Some(id)))
}
