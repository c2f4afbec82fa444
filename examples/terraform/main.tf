# An organisation's teams, roles and people. What the provider needs comes from the environment: ROWHOUSE_ORG, ROWHOUSE_API_KEY,
# and ROWHOUSE_URL unless the server is at http://127.0.0.1:8080.

terraform {
  required_providers {
    rowhouse = {
      source = "terraform.local/rowhouse/rowhouse"
    }
  }
}

provider "rowhouse" {}

variable "colleague" {
  description = "The mail address of a member who audits."
  type        = string
}

variable "newcomer" {
  description = "The mail address of somebody to invite."
  type        = string
}

# What the organisation pays for.
data "rowhouse_organization" "this" {}

# Somebody who is a member already.
data "rowhouse_member" "colleague" {
  email = var.colleague
}

resource "rowhouse_role" "auditor" {
  name        = "Auditor"
  description = "Reads the log of what was done."
  permissions = ["org.read", "members.read", "audit.read"]
}

resource "rowhouse_member_role" "colleague" {
  user_id = data.rowhouse_member.colleague.user_id
  role    = rowhouse_role.auditor.id
}

resource "rowhouse_team" "engineering" {
  name = "Engineering"
}

resource "rowhouse_team" "backend" {
  name      = "Backend"
  parent_id = rowhouse_team.engineering.id
}

resource "rowhouse_project" "site" {
  name        = "Site"
  description = "The public web site."
}

resource "rowhouse_team_member" "colleague" {
  team_id = rowhouse_team.backend.id
  user_id = data.rowhouse_member.colleague.user_id
  role    = "admin"
}

resource "rowhouse_project_member" "colleague" {
  project_id = rowhouse_project.site.id
  user_id    = data.rowhouse_member.colleague.user_id
  role       = "viewer"
}

resource "rowhouse_project_team" "backend" {
  project_id = rowhouse_project.site.id
  team_id    = rowhouse_team.backend.id
  role       = "member"
}

resource "rowhouse_invitation" "newcomer" {
  email    = var.newcomer
  role     = "member"
  teams    = { (rowhouse_team.backend.id) = "member" }
  projects = { (rowhouse_project.site.id) = "viewer" }
}

output "plan" {
  value = data.rowhouse_organization.this.plan
}

output "seats" {
  value = data.rowhouse_organization.this.limits.seats
}

# Whoever has the link and the mailbox can join: `terraform output -raw link` shows it.
output "link" {
  value     = rowhouse_invitation.newcomer.link
  sensitive = true
}
