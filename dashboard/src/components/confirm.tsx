/** Asks before something is done that cannot be taken back. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { createContext, type ReactNode, use, useCallback, useRef, useState } from "react";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

export interface Question {
  title: string;
  /** What will happen, and to whom. */
  text: ReactNode;
  /** What the button says: the deed, not “OK”. */
  deed: string;
  /** What must be typed first; for what takes much with it. */
  typed?: string;
}

const Asking = createContext<((question: Question) => Promise<boolean>) | null>(null);

/** Gives `confirm(question)`, which is true when the person means it. */
export function useConfirm() {
  const ask = use(Asking);
  if (!ask) throw new Error("useConfirm needs a ConfirmProvider");
  return ask;
}

export function ConfirmProvider({ children }: { children: ReactNode }) {
  const words = useWords(shared);
  const [question, setQuestion] = useState<Question | null>(null);
  const [opened, setOpened] = useState(false);
  const [typed, setTyped] = useState("");
  const settle = useRef<(meant: boolean) => void>(() => {});

  const ask = useCallback((next: Question) => {
    settle.current(false);
    setTyped("");
    setQuestion(next);
    setOpened(true);
    return new Promise<boolean>((resolve) => {
      settle.current = resolve;
    });
  }, []);

  const close = (meant: boolean) => {
    setOpened(false);
    settle.current(meant);
  };
  const ready = !question?.typed || typed.trim() === question.typed;

  return (
    <Asking value={ask}>
      {children}
      <Modal
        opened={opened}
        onClose={() => close(false)}
        title={question?.title}
        // Above the dialog that it may be asked from.
        zIndex={300}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (ready) close(true);
          }}
        >
          <Stack>
            <Text size="sm">{question?.text}</Text>
            {question?.typed && (
              <TextInput
                label={words.confirmType(question.typed)}
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
                autoComplete="off"
                data-autofocus
              />
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={() => close(false)}>
                {words.cancel}
              </Button>
              <Button type="submit" color="red" disabled={!ready}>
                {question?.deed}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Asking>
  );
}
