import { SubNav, SubNavItem } from "@/components/sub-nav";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { models } from "./words";

/** The way between the pages about models. */
export function ModelParts() {
  const words = useWords(models);
  const org = useOrg();
  const params = { org: org.address };
  const active = { activeOptions: { exact: true, includeSearch: false } };
  return (
    <SubNav label={words.parts}>
      {org.canSomewhere("models.use") && (
        <SubNavItem to="/o/$org/models" params={params} {...active}>
          {words.models}
        </SubNavItem>
      )}
      {org.canSomewhere("providers.read") && (
        <>
          <SubNavItem to="/o/$org/models/providers" params={params} {...active}>
            {words.providers}
          </SubNavItem>
          <SubNavItem to="/o/$org/models/names" params={params} {...active}>
            {words.names}
          </SubNavItem>
        </>
      )}
    </SubNav>
  );
}

/** What these pages say when they are asked for help. */
export function ModelHelp() {
  const words = useWords(models);
  return (
    <>
      <p>{words.help}</p>
      <p>{words.helpNames}</p>
    </>
  );
}
