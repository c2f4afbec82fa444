import type { Same } from "@/lib/words/words";
import type { knowledge } from "./words";

type Words = (typeof knowledge)["en"];

/** What a kind of file is called; its own name where there is no other. */
export function kindName(words: Pick<Same<Words>, "kinds">, kind: string): string {
  return kind in words.kinds ? words.kinds[kind as keyof typeof words.kinds] : kind;
}

/** How a document came, in words. */
export function originName(words: Pick<Same<Words>, "origins">, source: string): string {
  return source in words.origins ? words.origins[source as keyof typeof words.origins] : source;
}
