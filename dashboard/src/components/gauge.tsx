import { Progress, type ProgressProps } from "@mantine/core";

/** From here on a gauge warns. */
const NEAR = 0.8;

/** How much of something is used: a share of one, or more than that. */
export function Gauge({ share, label, ...props }: { share: number; label: string } & Omit<ProgressProps, "value">) {
  return (
    <Progress
      {...props}
      // To a tenth of a percent: smaller numbers are written in a way that those who hear the page are not told.
      value={Math.min(100, Math.round(share * 1000) / 10)}
      color={share >= 1 ? "red" : share >= NEAR ? "yellow" : undefined}
      aria-label={label}
    />
  );
}
