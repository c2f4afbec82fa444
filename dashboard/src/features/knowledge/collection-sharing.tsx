import { useConfirm } from "@/components/confirm";
import { type Reach, SharePanel } from "@/components/share-panel";
import { useWords } from "@/lib/words/words";
import { useChangeCollectionShare, useCollectionShares } from "./api/collection-shares";
import type { Collection } from "./api/list-collections";
import { useUpdateCollection } from "./api/update-collection";
import { knowledge } from "./words";

/** Who sees a collection, and how that is changed. */
export function CollectionSharing({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const confirm = useConfirm();
  const update = useUpdateCollection(of.id);
  const shares = useCollectionShares(of.id, of.access === "shared");
  const change = useChangeCollectionShare(of.id);
  const reach = async (access: Reach) => {
    const loses = of.access === "shared" && (shares.data?.length ?? 0) > 0;
    if (loses && !(await confirm(words.ends))) return;
    update.mutate({ access });
  };
  return (
    <SharePanel
      reach={of.access}
      project={of.project_id}
      onReach={(access) => void reach(access)}
      shares={shares}
      onAdd={(level, id) => change.mutate({ level, id, shared: true })}
      onRemove={(level, id) => change.mutate({ level, id, shared: false })}
      pending={update.isPending || change.isPending}
    />
  );
}
