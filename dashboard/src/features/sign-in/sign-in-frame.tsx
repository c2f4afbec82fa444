/** What stands around the pages for who is not signed in. */
import { Box, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Brand } from "@/components/brand";
import { LanguageSwitch } from "@/components/language-switch";
import { useTitle } from "@/components/page";
import { useWords } from "@/lib/words/words";
import styles from "./sign-in-frame.module.css";
import { signIn } from "./words";

export function SignInFrame({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  const words = useWords(signIn);
  useTitle(title);
  return (
    <div className={styles.frame}>
      <main className={styles.form}>
        <div className={styles.inner}>
          <Group justify="space-between" mb={40}>
            <Brand />
            <LanguageSwitch />
          </Group>
          <Title order={1}>{title}</Title>
          {text && (
            <Text c="dimmed" size="sm" mt={6}>
              {text}
            </Text>
          )}
          <Stack mt="lg">{children}</Stack>
        </div>
      </main>
      <aside className={styles.street}>
        <Box className={styles.line}>{words.tagline}</Box>
        <Houses />
        <span />
      </aside>
    </div>
  );
}

/** A row of houses, each with its own door. */
function Houses() {
  const houses = [
    { x: 0, roof: 52, door: "#f2c14e" },
    { x: 104, roof: 30, door: "#f7f4ea" },
    { x: 208, roof: 44, door: "#e5735c" },
    { x: 312, roof: 22, door: "#9ad1c4" },
    { x: 416, roof: 48, door: "#f2c14e" },
  ];
  return (
    <svg viewBox="0 0 520 240" className={styles.houses} aria-hidden="true">
      {houses.map(({ x, roof, door }) => (
        <g key={x} transform={`translate(${x} 0)`}>
          <path
            d={`M2 240 V${roof + 42} L52 ${roof} L102 ${roof + 42} V240 Z`}
            fill="rgba(255,255,255,0.10)"
            stroke="rgba(255,255,255,0.5)"
            strokeWidth="2"
            strokeLinejoin="round"
          />
          <rect x="22" y={roof + 62} width="22" height="28" rx="3" fill="rgba(255,255,255,0.22)" />
          <rect x="60" y={roof + 62} width="22" height="28" rx="3" fill="rgba(255,255,255,0.22)" />
          <path d="M36 240 v-58 a16 16 0 0 1 32 0 v58 z" fill={door} />
          <circle cx="61" cy="214" r="2.5" fill="#06423a" />
        </g>
      ))}
      <path d="M0 239 H520" stroke="rgba(255,255,255,0.5)" strokeWidth="2" />
    </svg>
  );
}
