//! The one place that decides who may do what, and says why.
//!
//! A person's rights in an organisation are what their role there allows, plus what they hold at teams and projects; an API key
//! has its maker's rights, cut down to its scopes. Handlers ask here and compare no roles themselves.

use std::collections::BTreeMap;
use std::fmt;

use crate::access::{Level, Permission, PermissionSet};
use crate::id::{ProjectId, TeamId};
use crate::role::{Role, held_at};
use crate::status::OrgStatus;

/// What somebody holds at a team or a project, and how they came by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The role's name, for explanations.
    pub role: Role,
    /// What the role allows, before it is cut down to the level.
    pub permissions: PermissionSet,
    /// The team through which it is held; `None` when it is held directly.
    pub through: Option<TeamId>,
}

/// All that somebody holds in one organisation, read in one moment.
#[derive(Clone, Debug)]
pub struct Grants {
    /// The state of the organisation.
    pub status: OrgStatus,
    /// The role at the organisation.
    pub role: Role,
    /// What that role allows.
    pub organisation: PermissionSet,
    /// What is held at teams; what is held at a team holds for the teams below it, and is listed there too.
    pub teams: BTreeMap<TeamId, Vec<Held>>,
    /// What is held at projects, directly or through a team.
    pub projects: BTreeMap<ProjectId, Vec<Held>>,
    /// An API key's scopes; `None` for a person.
    pub ceiling: Option<PermissionSet>,
    /// The one project that an API key is for.
    pub only_project: Option<ProjectId>,
}

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The organisation itself.
    Organisation,
    /// A team of it.
    Team(TeamId),
    /// A project of it; an open one can be reached by all members with their organisation role.
    Project {
        /// Which.
        id: ProjectId,
        /// Whether it is open to all members.
        open: bool,
    },
}

impl Object {
    /// The level at which its permissions are held, and its name in explanations.
    const fn level(self) -> (Level, &'static str) {
        match self {
            Self::Organisation => (Level::Organization, "an organisation"),
            Self::Team(_) => (Level::Team, "a team"),
            Self::Project { .. } => (Level::Project, "a project"),
        }
    }
}

/// An answer of the authoriser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// Why, in words, the deciding reason last.
    pub because: Vec<String>,
}

/// Hears the reasons. Most who ask want none of them, and then none is put into words.
type Because<'a> = &'a mut dyn FnMut(fmt::Arguments<'_>);

impl Grants {
    /// Decides whether a permission holds at an object.
    #[must_use]
    pub fn decide(&self, permission: Permission, object: Object) -> Decision {
        let mut because = Vec::new();
        let allowed = self.judge(permission, object, &mut |reason| because.push(reason.to_string()));
        Decision { allowed, because }
    }

    /// Whether a permission holds at an object.
    #[must_use]
    pub fn allow(&self, permission: Permission, object: Object) -> bool {
        self.judge(permission, object, &mut |_| {})
    }

    /// Whether a permission holds at the organisation, or at any team or project in it: what a route asks before the object is
    /// known.
    #[must_use]
    pub fn allow_anywhere(&self, permission: Permission) -> bool {
        self.allow(permission, Object::Organisation)
            || self.teams.keys().any(|team| self.allow(permission, Object::Team(*team)))
            || self.projects.keys().any(|project| self.allow(permission, Object::Project { id: *project, open: false }))
            || self.only_project.is_some_and(|id| self.allow(permission, Object::Project { id, open: true }))
    }

    /// Everything held at an object, after all limits.
    #[must_use]
    pub fn at(&self, object: Object) -> PermissionSet {
        Permission::ALL.iter().copied().filter(|p| self.allow(*p, object)).collect()
    }

    /// What is held at single teams beyond what is held at the organisation, where that is anything.
    pub fn more_at_teams(&self) -> impl Iterator<Item = (TeamId, PermissionSet)> {
        let teams = self.teams.keys().map(|id| (*id, Object::Team(*id)));
        self.beyond(teams)
    }

    /// What is held at single projects beyond what is held at the organisation, where that is anything.
    pub fn more_at_projects(&self) -> impl Iterator<Item = (ProjectId, PermissionSet)> {
        let projects = self.projects.keys().map(|id| (*id, Object::Project { id: *id, open: false }));
        self.beyond(projects)
    }

    fn beyond<I>(&self, places: impl Iterator<Item = (I, Object)>) -> impl Iterator<Item = (I, PermissionSet)> {
        let everywhere = self.at(Object::Organisation);
        places.map(move |(id, place)| (id, self.at(place).without(everywhere))).filter(|(_, more)| !more.is_empty())
    }

    /// Whether the state of the organisation keeps its holder out, whatever they hold.
    #[must_use]
    pub fn shut_out(&self) -> bool {
        !self.status.admits_members() && self.role != Role::OWNER
    }

    fn judge(&self, permission: Permission, object: Object, because: Because<'_>) -> bool {
        if self.shut_out() {
            because(format_args!("The organisation is {}; only its owners can enter.", self.status.as_str()));
            return false;
        }
        let undoes_closing = self.status == OrgStatus::Closing && permission == Permission::OrgClose;
        if permission.changes() && !self.status.admits_writes() && !undoes_closing {
            because(format_args!("The organisation is {}; nothing can be changed in it.", self.status.as_str()));
            return false;
        }
        if let Some(ceiling) = self.ceiling
            && !ceiling.contains(permission)
        {
            because(format_args!("The API key's scopes do not hold {permission}."));
            return false;
        }
        if let Some(only) = self.only_project
            && !matches!(object, Object::Project { id, .. } if id == only)
        {
            because(format_args!("The API key is for the project {only} alone."));
            return false;
        }
        let (level, place) = object.level();
        if !permission.levels().contains(&level) {
            because(format_args!("{permission} is not held at {place}, whatever the role."));
            return false;
        }
        let held = match object {
            Object::Organisation => self.by_organisation(permission, Level::Organization, because),
            Object::Team(team) => {
                self.by_organisation(permission, Level::Team, because)
                    | by_grants(permission, Level::Team, self.teams.get(&team), "the team", because)
            }
            Object::Project { id, open } => {
                let reaches = open || self.organisation.contains(Permission::ProjectsAll);
                if !reaches {
                    because(format_args!("The project is private, so a role at the organisation does not reach it."));
                }
                (reaches && self.by_organisation(permission, Level::Project, because))
                    | by_grants(permission, Level::Project, self.projects.get(&id), "the project", because)
            }
        };
        if held {
            because(format_args!("So it is allowed to {}.", permission.description()));
        } else {
            because(format_args!(
                "Nothing that is held gives {permission}, so it is not allowed to {}.",
                permission.description()
            ));
        }
        held
    }

    fn by_organisation(&self, permission: Permission, level: Level, because: Because<'_>) -> bool {
        let gives = held_at(level, self.organisation).contains(permission);
        let verb = if gives { "gives" } else { "does not give" };
        because(format_args!("The role {} at the organisation {verb} {permission}.", self.role));
        gives
    }
}

fn by_grants(
    permission: Permission,
    level: Level,
    held: Option<&Vec<Held>>,
    place: &str,
    because: Because<'_>,
) -> bool {
    let mut gives = false;
    for grant in held.into_iter().flatten() {
        let this = held_at(level, grant.permissions).contains(permission);
        let verb = if this { "gives" } else { "does not give" };
        match grant.through {
            None => because(format_args!("The role {} at {place} {verb} {permission}.", grant.role)),
            Some(team) => because(format_args!(
                "The role {} at {place}, held through the team {team}, {verb} {permission}.",
                grant.role
            )),
        }
        gives |= this;
    }
    gives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::role::Builtin;

    fn person(role: Builtin) -> Grants {
        Grants {
            status: OrgStatus::Active,
            role: Role::Builtin(role),
            organisation: role.permissions(),
            teams: BTreeMap::new(),
            projects: BTreeMap::new(),
            ceiling: None,
            only_project: None,
        }
    }

    fn project(n: u128) -> ProjectId {
        ProjectId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_private_project_is_reached_by_a_grant_or_by_those_who_reach_all() {
        let private = Object::Project { id: project(1), open: false };
        let mut max = person(Builtin::Member);
        assert!(!max.allow(Permission::ProjectsRead, private));
        assert!(max.allow(Permission::ProjectsRead, Object::Project { id: project(1), open: true }));
        assert!(person(Builtin::Admin).allow(Permission::ProjectsRead, private));
        let held = Held { role: Role::VIEWER, permissions: Builtin::Viewer.permissions(), through: None };
        max.projects.insert(project(1), vec![held]);
        assert!(max.allow(Permission::ProjectsRead, private));
        assert!(!max.allow(Permission::ProjectsUpdate, private));
        assert!(!max.allow(Permission::ProjectsRead, Object::Project { id: project(2), open: false }));
    }

    #[test]
    fn a_role_at_a_project_gives_nothing_at_the_organisation() {
        let mut max = person(Builtin::Viewer);
        let held = Held { role: Role::OWNER, permissions: Builtin::Owner.permissions(), through: None };
        max.projects.insert(project(1), vec![held]);
        assert!(max.allow(Permission::ProjectsDelete, Object::Project { id: project(1), open: false }));
        assert!(!max.allow(Permission::ProjectsDelete, Object::Organisation));
        assert!(!max.allow(Permission::OrgClose, Object::Project { id: project(1), open: false }));
        max.projects.insert(
            project(2),
            vec![Held { role: Role::VIEWER, permissions: Builtin::Viewer.permissions(), through: None }],
        );
        let more: Vec<_> = max.more_at_projects().collect();
        let [(id, more)] = more[..] else { panic!("a viewer there is no more than here: {more:?}") };
        assert_eq!(id, project(1));
        assert!(more.contains(Permission::ProjectsDelete));
        assert!(!more.contains(Permission::ProjectsRead), "which is held everywhere");
        max.status = OrgStatus::Suspended;
        assert_eq!(max.more_at_projects().count(), 0);
    }

    #[test]
    fn a_key_has_its_scopes_and_its_project_only() {
        let mut key = person(Builtin::Owner);
        key.ceiling = Some([Permission::ProjectsRead, Permission::AuditRead].into_iter().collect());
        assert!(key.allow(Permission::AuditRead, Object::Organisation));
        assert!(!key.allow(Permission::OrgClose, Object::Organisation));
        key.only_project = Some(project(1));
        assert!(!key.allow(Permission::AuditRead, Object::Organisation));
        assert!(key.allow(Permission::ProjectsRead, Object::Project { id: project(1), open: false }));
        assert!(!key.allow(Permission::ProjectsRead, Object::Project { id: project(2), open: true }));
    }

    #[test]
    fn a_suspended_organisation_lets_its_owner_read_and_nobody_else_in() {
        let mut owner = person(Builtin::Owner);
        owner.status = OrgStatus::Suspended;
        assert!(owner.allow(Permission::AuditExport, Object::Organisation));
        assert!(!owner.allow(Permission::TeamsCreate, Object::Organisation));
        let mut admin = person(Builtin::Admin);
        admin.status = OrgStatus::Suspended;
        let decision = admin.decide(Permission::OrgRead, Object::Organisation);
        assert!(!decision.allowed);
        assert_eq!(decision.because, ["The organisation is suspended; only its owners can enter."]);
        assert!(!owner.allow(Permission::OrgClose, Object::Organisation), "closing is no way out of a suspension");
        owner.status = OrgStatus::Closing;
        assert!(owner.allow(Permission::OrgClose, Object::Organisation), "an owner can undo the closing");
    }
}
