/** Short news at the edge of the page, read out by screen readers. */
import type { NotificationData } from "@mantine/notifications";
import { errorText } from "@/lib/api/error-text";
import { currentLanguage } from "@/lib/words/words";

/** The part of the library that shows them is not in the first page's script. */
function show(news: NotificationData) {
  void import("@mantine/notifications").then(({ notifications }) => notifications.show(news));
}

/** Something worked, and nothing on the page shows it by itself. */
export function told(message: string) {
  show({ message, color: "door", role: "status", autoClose: 4000 });
}

/** Something failed that belongs to no form and no list. It stays until it is closed: some read slowly. */
export function failed(error: unknown) {
  show({ message: errorText(error, currentLanguage()), color: "red", role: "alert", autoClose: false });
}
