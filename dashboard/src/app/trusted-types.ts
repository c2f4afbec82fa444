/**
 * The policy of the pages lets no text become markup (`require-trusted-types-for`). The library writes the style rules that it computes by
 * the same way that markup would take, so text without a `<` is let through: it cannot be markup. Everything else is an error.
 */
interface Factory {
  createPolicy: (name: "default", rules: { createHTML: (text: string) => string }) => unknown;
}

export function refuseMarkup() {
  const factory = (window as { trustedTypes?: Factory }).trustedTypes;
  factory?.createPolicy("default", {
    createHTML: (text) => {
      if (text.includes("<")) throw new TypeError("text must not become markup");
      return text;
    },
  });
}
