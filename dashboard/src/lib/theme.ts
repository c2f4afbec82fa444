/** How Rowhouse looks: one accent, quiet surfaces, and colours that can be read (WCAG 2.2 AA in light and dark). */
import { createTheme, type MantineColorsTuple, type MantineThemeOverride, mergeThemeOverrides } from "@mantine/core";
import { shared } from "@/lib/words/shared";
import type { Language } from "@/lib/words/words";

/** The green of a front door. Shade 8 carries white text at 6:1; shade 4 is read on dark ground at 7:1. */
const door: MantineColorsTuple = [
  "#eaf6f3",
  "#d5ebe6",
  "#a9d8cd",
  "#7ac4b4",
  "#54b3a0",
  "#3aa592",
  "#23907d",
  "#127a69",
  "#0b6b5d",
  "#065247",
];

/** Grey with a little warmth. */
const gray: MantineColorsTuple = [
  "#f8f8f7",
  "#f1f1ef",
  "#e5e5e2",
  "#d5d5d1",
  "#b4b4af",
  "#8b8b86",
  "#666661",
  "#4c4c48",
  "#333330",
  "#1f1f1d",
];

const dark: MantineColorsTuple = [
  "#e4e5e6",
  "#c9cbcd",
  "#a6a9ad",
  "#868a8f",
  "#4a4e54",
  "#33373c",
  "#26292e",
  "#1c1f23",
  "#16181b",
  "#101214",
];

const theme = createTheme({
  primaryColor: "door",
  primaryShade: { light: 8, dark: 7 },
  colors: { door, gray, dark },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: "0.75rem", sm: "0.875rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.55", xl: "1.6" },
  headings: {
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.25" },
      h2: { fontSize: "1.125rem", lineHeight: "1.35" },
      h3: { fontSize: "1rem", lineHeight: "1.4" },
    },
  },
  components: {
    // The ground says which kind it is; the words are as dark as all others.
    // Most tell something; those that break in say `role="alert"`.
    Alert: { defaultProps: { role: "note" }, styles: { label: { color: "var(--mantine-color-text)" } } },
    // Letters as dark as text: the colour around them is only to tell people apart.
    Avatar: { styles: { placeholder: { color: "var(--mantine-color-text)" } } },
    Button: { defaultProps: { size: "sm" } },
    Modal: {
      defaultProps: { centered: true, radius: "lg", overlayProps: { backgroundOpacity: 0.45 } },
      styles: { title: { fontSize: "1.0625rem", fontWeight: 650 } },
    },
    Drawer: { styles: { title: { fontSize: "1.0625rem", fontWeight: 650 } } },
    Menu: { defaultProps: { shadow: "md" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Card: { defaultProps: { withBorder: true, radius: "lg", padding: "lg" } },
    Loader: { defaultProps: { type: "dots" } },
  },
});

/** The theme with names for the buttons that the library draws by itself. */
export function themeFor(language: Language): MantineThemeOverride {
  const closeButtonProps = { "aria-label": shared[language].close };
  const named = { defaultProps: { closeButtonProps } };
  return mergeThemeOverrides(theme, { components: { Modal: named, Drawer: named, Notification: named } });
}
