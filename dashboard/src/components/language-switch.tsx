import { NativeSelect } from "@mantine/core";
import { LANGUAGES, speak, useLanguage } from "@/lib/words/words";

/** Chooses the language of the pages; each is named in itself. */
export function LanguageSwitch() {
  return (
    <NativeSelect
      size="xs"
      variant="unstyled"
      aria-label="Language / Sprache"
      value={useLanguage()}
      onChange={(event) => speak(event.currentTarget.value)}
      data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
    />
  );
}
