import { SubNav, SubNavItem } from "@/components/sub-nav";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { usage } from "./words";

/** The way between the pages about usage and money. */
export function UsageParts() {
  const words = useWords(usage);
  const org = useOrg();
  const params = { org: org.address };
  const active = { activeOptions: { exact: true, includeSearch: false } };
  const seesUsage = org.canSomewhere("usage.read") || org.canSomewhere("usage.all");
  return (
    <SubNav label={words.parts}>
      {seesUsage && (
        <>
          <SubNavItem to="/o/$org/usage" params={params} {...active}>
            {words.overview}
          </SubNavItem>
          <SubNavItem to="/o/$org/usage/log" params={params} {...active}>
            {words.log}
          </SubNavItem>
        </>
      )}
      {org.canSomewhere("budgets.read") && (
        <SubNavItem to="/o/$org/usage/budgets" params={params} {...active}>
          {words.budgets}
        </SubNavItem>
      )}
      {org.can("limits.read") && (
        <SubNavItem to="/o/$org/usage/limits" params={params} {...active}>
          {words.limits}
        </SubNavItem>
      )}
      {org.canSomewhere("usage.read") && (
        <SubNavItem to="/o/$org/usage/quota" params={params} {...active}>
          {words.quota}
        </SubNavItem>
      )}
    </SubNav>
  );
}

/** What all these pages say when they are asked for help. */
export function UsageHelp() {
  const words = useWords(usage);
  return (
    <>
      <p>{words.help}</p>
      <p>{words.helpBudgets}</p>
    </>
  );
}
