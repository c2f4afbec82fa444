/** What those are called who did something and are nobody of the organisation. Each stands alone, and before what they did. */
import { words } from "./words";

export const who = words(
  {
    system: "Rowhouse",
    operator: "The installation's operator",
    keyOf: (name: string) => `Key of ${name}`,
    key: "An API key",
    former: "Somebody who is no member",
    somebody: "Somebody",
  },
  {
    de: {
      system: "Rowhouse",
      operator: "Der Betreiber der Installation",
      keyOf: (name) => `Schlüssel von ${name}`,
      key: "Ein API-Schlüssel",
      former: "Jemand, der nicht Mitglied ist",
      somebody: "Jemand",
    },
  },
);
