import { words } from "@/lib/words/words";

export const organisations = words(
  {
    title: "A new organisation",
    text: "It has its own members, documents, keys and books. Nobody from another organisation sees any of it.",
    name: "Name of the organisation",
    deed: "Create organisation",
    back: "Back",
  },
  {
    de: {
      title: "Eine neue Organisation",
      text: "Sie hat eigene Mitglieder, Dokumente, Schlüssel und Bücher. Niemand aus einer anderen Organisation sieht davon etwas.",
      name: "Name der Organisation",
      deed: "Organisation anlegen",
      back: "Zurück",
    },
  },
);
