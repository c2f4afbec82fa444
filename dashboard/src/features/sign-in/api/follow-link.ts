import { answer, api } from "@/lib/api/client";
import { verifyAddress } from "./verify-address";

/** What the links in mails do, by what they are for. Each is for who holds the mail, signed in or not. */
export const DEEDS = {
  verify: verifyAddress,
  email: (token: string) => answer(api.POST("/api/v1/auth/email/confirm", { body: { token } })),
  undo: (token: string) => answer(api.POST("/api/v1/auth/email/undo", { body: { token } })),
  keep: (token: string) => answer(api.POST("/api/v1/user/profile/restore", { body: { token } })),
  joining: (token: string) => answer(api.POST("/api/v1/invitations/confirm", { body: { token } })),
  domain: (token: string) => answer(api.POST("/api/v1/mail-domains/confirm", { body: { token } })),
} as const;

export type Deed = keyof typeof DEEDS;
