/** What addresses carry behind the question mark, read by hand: a library of schemas is too much for the first page's script. */

type Raw = Record<string, unknown>;

/** Those of the parameters that are text. */
export function texts<N extends string>(raw: Raw, ...names: readonly N[]): { [K in N]?: string } {
  return Object.fromEntries(names.filter((name) => typeof raw[name] === "string").map((name) => [name, raw[name]])) as {
    [K in N]?: string;
  };
}

/** A parameter that is one of some words. */
export function choice<N extends string, const V extends readonly string[]>(raw: Raw, name: N, values: V) {
  const value = raw[name];
  return (values.includes(value as string) ? { [name]: value } : {}) as { [K in N]?: V[number] };
}

/** Whether the dialog that makes something new is open. */
export function dialog(raw: Raw): { create?: boolean } {
  return raw.create === true ? { create: true } : {};
}
