/** Usage by day as bars. Loaded by the pages that show it: the charts are large. */
import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import type { Group } from "./api/summary";
import { amountOf, type Measure, say } from "./measures";
import { usage } from "./words";

export function Bars({
  days,
  measure,
  label,
  height = 220,
}: {
  days: readonly Group[];
  measure: Measure;
  label: string;
  /** In pixels. */
  height?: number;
}) {
  const words = useWords(usage);
  const format = useFormat();
  const data = days.map((day) => ({
    day: format.dayOf(day.key ?? ""),
    amount: measure === "cost" ? day.cost_micros / 1e6 : amountOf(measure, day),
  }));
  return (
    <div role="img" aria-label={label}>
      <BarChart
        h={height}
        data={data}
        dataKey="day"
        series={[{ name: "amount", color: "door.6", label: words.measures[measure] }]}
        tickLine="none"
        gridAxis="x"
        barProps={{ radius: 3, isAnimationActive: false }}
        maxBarWidth={36}
        valueFormatter={(value) => say(measure, measure === "cost" ? value * 1e6 : value, format)}
        yAxisProps={{
          width: "auto",
          tickFormatter: (value: number) =>
            measure === "cost" ? format.money(value * 1e6, "USD") : format.compact(value),
        }}
        xAxisProps={{ minTickGap: 24 }}
        tooltipAnimationDuration={0}
      />
    </div>
  );
}
