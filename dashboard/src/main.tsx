import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@fontsource-variable/inter/wght.css";
import "./app/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { refuseMarkup } from "./app/trusted-types";
import { ApiError } from "./lib/api/error";
import { takeMailedToken } from "./lib/session/mailed-token";
import { tellStyleNonce } from "./lib/style-nonce";
import { currentLanguage } from "./lib/words/words";

takeMailedToken();
tellStyleNonce();
refuseMarkup();
document.documentElement.lang = currentLanguage();

const root = document.getElementById("root");
if (root) {
  createRoot(root, {
    // What the API refused is shown on the page; everything else that a page throws is a mistake of ours.
    onCaughtError: (error) => {
      if (!(error instanceof ApiError)) window.reportError(error);
    },
  }).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
