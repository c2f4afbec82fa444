//! Organisations: the tenants. A person may belong to many.

mod close;
mod create;
mod entitlements;
mod get;
mod leave;
mod lifetimes;
mod list;
mod restore;
mod transfer;
mod update;

use domain::plan::PlanName;
use domain::status::OrgStatus;
use domain::text::OrgName;
use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::organisations::Organisation;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/orgs", "Lists the organisations of the person who is signed in.", list::list)
        .post("/api/v1/orgs", "Makes a further organisation, which the caller owns.", create::create)
        .get("/api/v1/orgs/{org_id}", "Shows an organisation.", get::get)
        .patch("/api/v1/orgs/{org_id}", "Changes an organisation's name or time zone.", update::update)
        .delete("/api/v1/orgs/{org_id}", "Closes an organisation; it is erased 30 days later.", close::close)
        .get("/api/v1/orgs/{org_id}/lifetimes", "Tells how long sign-ins count in it.", lifetimes::get)
        .patch("/api/v1/orgs/{org_id}/lifetimes", "Sets how long sign-ins count in it.", lifetimes::update)
        .post("/api/v1/orgs/{org_id}/restore", "Undoes the closing of an organisation.", restore::restore)
        .post("/api/v1/orgs/{org_id}/transfer", "Hands an organisation to another member.", transfer::transfer)
        .post("/api/v1/orgs/{org_id}/leave", "Leaves an organisation; to come back takes an invitation.", leave::leave)
        .get(
            "/api/v1/orgs/{org_id}/entitlements",
            "Tells what the plan includes, and how much of it is taken.",
            entitlements::entitlements,
        )
}

/// An organisation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Organization")]
pub(crate) struct OrgView {
    id: OrgId,
    name: OrgName,
    /// A short label made out of the name; not unique.
    slug: String,
    plan: PlanName,
    status: OrgStatus,
    /// Whether it was made for one person at their sign-up.
    personal: bool,
    /// An IANA name; months and days of budgets and quotas begin there.
    time_zone: String,
    /// When a closing organisation will be erased.
    closes_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl From<Organisation> for OrgView {
    fn from(organisation: Organisation) -> Self {
        Self {
            id: organisation.id,
            name: organisation.name,
            slug: organisation.slug,
            plan: organisation.plan,
            status: organisation.status,
            personal: organisation.personal,
            time_zone: organisation.time_zone,
            closes_at: organisation.closes_at,
            created_at: organisation.created_at,
            updated_at: organisation.updated_at,
        }
    }
}
