import { words } from "@/lib/words/words";

export const settings = words(
  {
    title: "Settings",
    help: "What stands under “You” holds for you alone. What stands under the organisation's name holds for everybody in it.",
    helpFactor: "Some changes ask for your password or a code once more, when you have not shown one for ten minutes.",
    navigation: "Settings",
    you: "You",
    pages: {
      profile: "Profile",
      security: "Password and sign-in",
      preferences: "Preferences",
      general: "Organisation",
      access: "Sign-in rules",
      webhooks: "Webhooks",
    },
  },
  {
    de: {
      title: "Einstellungen",
      help: "Was unter „Sie“ steht, gilt nur für Sie. Was unter dem Namen der Organisation steht, gilt für alle darin.",
      helpFactor:
        "Manche Änderungen fragen noch einmal nach Passwort oder Code, wenn das letzte Mal zehn Minuten her ist.",
      navigation: "Einstellungen",
      you: "Sie",
      pages: {
        profile: "Profil",
        security: "Passwort und Anmeldung",
        preferences: "Vorlieben",
        general: "Organisation",
        access: "Anmelderegeln",
        webhooks: "Webhooks",
      },
    },
  },
);
