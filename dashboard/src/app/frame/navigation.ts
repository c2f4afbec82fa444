/** What the navigation and the command palette offer. What somebody may not see is not offered to them. */
import {
  type Icon,
  IconBooks,
  IconBriefcase,
  IconChartBar,
  IconCpu,
  IconHelp,
  IconHistory,
  IconHome,
  IconKey,
  IconMessageQuestion,
  IconSettings,
  IconShieldCheck,
  IconUsers,
  IconUsersGroup,
} from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { Permission } from "@/lib/api/client";
import type { frame } from "./words";

export interface Entry {
  area: keyof (typeof frame)["en"]["areas"];
  to: Extract<LinkProps["to"], `/o/$org${string}`>;
  icon: Icon;
  section: keyof (typeof frame)["en"]["sections"];
  /** Any of these is enough; none: for every member. */
  needs: readonly Permission[];
}

export const NAVIGATION = [
  { area: "home", to: "/o/$org", icon: IconHome, section: "work", needs: [] },
  { area: "ask", to: "/o/$org/ask", icon: IconMessageQuestion, section: "work", needs: ["answers.use"] },
  { area: "knowledge", to: "/o/$org/knowledge", icon: IconBooks, section: "work", needs: ["knowledge.read"] },
  { area: "members", to: "/o/$org/members", icon: IconUsers, section: "people", needs: ["members.read"] },
  { area: "teams", to: "/o/$org/teams", icon: IconUsersGroup, section: "people", needs: ["teams.read"] },
  { area: "projects", to: "/o/$org/projects", icon: IconBriefcase, section: "people", needs: ["projects.read"] },
  { area: "roles", to: "/o/$org/roles", icon: IconShieldCheck, section: "people", needs: ["roles.read"] },
  { area: "keys", to: "/o/$org/keys", icon: IconKey, section: "people", needs: ["keys.create", "keys.manage"] },
  { area: "audit", to: "/o/$org/audit", icon: IconHistory, section: "people", needs: ["audit.read"] },
  { area: "usage", to: "/o/$org/usage", icon: IconChartBar, section: "money", needs: ["usage.read", "usage.all"] },
  { area: "models", to: "/o/$org/models", icon: IconCpu, section: "money", needs: ["providers.read"] },
  { area: "help", to: "/o/$org/help", icon: IconHelp, section: "money", needs: [] },
  { area: "settings", to: "/o/$org/settings", icon: IconSettings, section: "money", needs: [] },
] as const satisfies readonly Entry[];
