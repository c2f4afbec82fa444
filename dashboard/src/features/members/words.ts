import { words } from "@/lib/words/words";

export const members = words(
  {
    title: "Members",
    intro: "Who belongs to this organisation, and what they are here.",
    help: "A member's role says what they may do in the whole organisation. Teams and projects can give them more, there alone.",
    list: "Members",
    columns: { name: "Name", role: "Role", joined: "Joined", seen: "Last seen", state: "State" },
    states: { active: "Active", suspended: "Suspended" },
    you: "you",
    emptyTitle: "Nobody here",
    emptyText: "Members appear here when they have accepted an invitation.",
  },
  {
    de: {
      title: "Mitglieder",
      intro: "Wer zu dieser Organisation gehört, und als was.",
      help: "Die Rolle sagt, was jemand in der ganzen Organisation darf. Teams und Projekte können dort mehr geben.",
      list: "Mitglieder",
      columns: { name: "Name", role: "Rolle", joined: "Dabei seit", seen: "Zuletzt gesehen", state: "Zustand" },
      states: { active: "Aktiv", suspended: "Gesperrt" },
      you: "Sie",
      emptyTitle: "Niemand da",
      emptyText: "Mitglieder erscheinen hier, wenn sie eine Einladung angenommen haben.",
    },
  },
);
