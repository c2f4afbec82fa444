import type { Schemas } from "@/lib/api/client";

export type Team = Schemas["Team"];

/** A team with those below it. */
export interface Branch {
  team: Team;
  below: Branch[];
}

/** The teams as a tree, by name. One whose upper team cannot be seen stands at the top. */
export function treeOf(teams: readonly Team[]): Branch[] {
  const known = new Set(teams.map(({ id }) => id));
  const under = new Map<string | null, Team[]>();
  for (const team of teams) {
    const parent = team.parent_id && known.has(team.parent_id) ? team.parent_id : null;
    under.set(parent, [...(under.get(parent) ?? []), team]);
  }
  const grow = (parent: string | null): Branch[] =>
    (under.get(parent) ?? [])
      .toSorted((one, other) => one.name.localeCompare(other.name))
      .map((team) => ({ team, below: grow(team.id) }));
  return grow(null);
}

/** The ids of a team and of all below it: where it cannot be moved to. */
export function withBelow(teams: readonly Team[], id: string): Set<string> {
  const found = new Set([id]);
  for (let more = true; more; ) {
    more = false;
    for (const team of teams) {
      if (team.parent_id && found.has(team.parent_id) && !found.has(team.id)) {
        found.add(team.id);
        more = true;
      }
    }
  }
  return found;
}
