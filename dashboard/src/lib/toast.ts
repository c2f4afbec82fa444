/** Short news at the edge of the page, read out by screen readers. */
import { notifications } from "@mantine/notifications";
import { errorText } from "@/lib/api/error-text";
import { currentLanguage } from "@/lib/words/words";

/** Something worked, and nothing on the page shows it by itself. */
export function told(message: string) {
  notifications.show({ message, color: "door", role: "status", autoClose: 4000 });
}

/** Something failed that belongs to no form and no list. It stays until it is closed: some read slowly. */
export function failed(error: unknown) {
  notifications.show({ message: errorText(error, currentLanguage()), color: "red", role: "alert", autoClose: false });
}
