/** Who may change what, as the API decides it (`server/src/knowledge/sight.rs`); for what is offered. */
import type { Org } from "@/lib/org";
import type { Collection } from "./api/list-collections";

type Made = Pick<Collection, "created_by" | "access" | "within" | "project_id">;

/** Whether the person may change a collection, share it and take it away. One with what a source brought for its own readers is that source's. */
export function mayChange(org: Org, collection: Made): boolean {
  return !collection.within && mayChangeAdded(org, collection, collection.created_by);
}

/** Whether the person may change what somebody added to a collection. */
export function mayChangeAdded(org: Org, collection: Made, by: string): boolean {
  const writes = org.can("knowledge.write", collection.project_id);
  const own = writes && (by === org.person.id || collection.created_by === org.person.id);
  return own || (writes && collection.access !== "private" && org.can("knowledge.manage", collection.project_id));
}
