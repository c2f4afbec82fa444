/** The pages for who is not signed in, and those that links in mails lead to (`tenancy/src/letters.rs`). */
import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { LoginPage } from "@/features/sign-in/pages/login";
import { ensure } from "@/lib/session/session";
import { rootRoute } from "../root-route";

/** What the address says besides: where to go on, and whether a session ended. Plain, since the first page should be small. */
function search(raw: Record<string, unknown>): { next?: string; expired?: boolean } {
  return {
    ...(typeof raw.next === "string" ? { next: raw.next } : {}),
    ...(raw.expired === true ? { expired: true } : {}),
  };
}

/** Who is signed in already has nothing to do there. */
async function onlyStrangers() {
  if (await ensure().catch(() => null)) throw redirect({ to: "/" });
}

const login = createRoute({
  getParentRoute: () => rootRoute,
  path: "login",
  validateSearch: search,
  beforeLoad: onlyStrangers,
  component: LoginPage,
});

const signUp = createRoute({
  getParentRoute: () => rootRoute,
  path: "signup",
  validateSearch: search,
  beforeLoad: onlyStrangers,
  component: lazyRouteComponent(() => import("@/features/sign-in/pages/sign-up"), "SignUpPage"),
});

const forgotPassword = createRoute({
  getParentRoute: () => rootRoute,
  path: "forgot-password",
  component: lazyRouteComponent(() => import("@/features/sign-in/pages/forgot-password"), "ForgotPasswordPage"),
});

const resetPassword = createRoute({
  getParentRoute: () => rootRoute,
  path: "reset-password",
  component: lazyRouteComponent(() => import("@/features/sign-in/pages/reset-password"), "ResetPasswordPage"),
});

const mailedLink = () => import("@/features/sign-in/pages/mailed-link");

const verifyEmail = createRoute({
  getParentRoute: () => rootRoute,
  path: "verify-email",
  component: lazyRouteComponent(mailedLink, "VerifyEmailPage"),
});

const confirmEmail = createRoute({
  getParentRoute: () => rootRoute,
  path: "confirm-email",
  component: lazyRouteComponent(mailedLink, "ConfirmEmailPage"),
});

const undoEmail = createRoute({
  getParentRoute: () => rootRoute,
  path: "undo-email",
  component: lazyRouteComponent(mailedLink, "UndoEmailPage"),
});

const keepAccount = createRoute({
  getParentRoute: () => rootRoute,
  path: "keep-account",
  component: lazyRouteComponent(mailedLink, "KeepAccountPage"),
});

const confirmJoining = createRoute({
  getParentRoute: () => rootRoute,
  path: "invitations/confirm",
  component: lazyRouteComponent(mailedLink, "ConfirmJoiningPage"),
});

const confirmDomain = createRoute({
  getParentRoute: () => rootRoute,
  path: "mail-domains/confirm",
  component: lazyRouteComponent(mailedLink, "ConfirmDomainPage"),
});

const acceptInvitation = createRoute({
  getParentRoute: () => rootRoute,
  path: "invitations/accept",
  beforeLoad: () => ensure().catch(() => null),
  component: lazyRouteComponent(() => import("@/features/sign-in/pages/accept-invitation"), "AcceptInvitationPage"),
});

export const signInRoutes = [
  login,
  signUp,
  forgotPassword,
  resetPassword,
  verifyEmail,
  confirmEmail,
  undoEmail,
  keepAccount,
  confirmJoining,
  confirmDomain,
  acceptInvitation,
];
