import { words } from "@/lib/words/words";

export const help = words(
  {
    title: "Help",
    intro: "How things work here, in short. Each page has its own help, too: the question mark beside its title.",
    help: "The guide is part of the program: it needs no connection to anywhere else.",
    search: "Search the guide",
    none: "Nothing in the guide says that. Try fewer or other words.",
    articles: "Articles",
    more: "More",
    api: "API documentation",
    steps: "Show the first steps again",
    stepsShown: "The first steps are on the start page again.",
    feedback: {
      title: "Tell us what you think",
      text: "Goes to those who run this installation, with your name, and nowhere else.",
      score: "Would you recommend Rowhouse?",
      scoreHint: "0: not at all, 10: to everybody",
      words: "In your words",
      send: "Send",
      sent: "Thank you. It is on its way.",
    },
  },
  {
    de: {
      title: "Hilfe",
      intro: "Wie hier alles geht, in Kürze. Jede Seite hat auch ihre eigene Hilfe: das Fragezeichen neben dem Titel.",
      help: "Die Anleitung ist Teil des Programms: sie braucht keine Verbindung nach draußen.",
      search: "Anleitung durchsuchen",
      none: "Dazu steht nichts in der Anleitung. Versuchen Sie weniger oder andere Wörter.",
      articles: "Artikel",
      more: "Mehr",
      api: "API-Dokumentation",
      steps: "Erste Schritte wieder zeigen",
      stepsShown: "Die ersten Schritte stehen wieder auf der Startseite.",
      feedback: {
        title: "Sagen Sie uns Ihre Meinung",
        text: "Geht mit Ihrem Namen an die, die diese Installation betreiben, und nirgends sonst hin.",
        score: "Würden Sie Rowhouse empfehlen?",
        scoreHint: "0: gar nicht, 10: allen",
        words: "In Ihren Worten",
        send: "Senden",
        sent: "Danke. Es ist unterwegs.",
      },
    },
  },
);
