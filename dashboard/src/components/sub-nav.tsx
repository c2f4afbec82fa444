/** The parts of an area, as links in a line below the title. */
import { createLink, useLocation } from "@tanstack/react-router";
import { type AnchorHTMLAttributes, type ReactNode, type Ref, useEffect, useRef } from "react";
import styles from "./sub-nav.module.css";

export function SubNav({ label, children }: { label: string; children: ReactNode }) {
  const { pathname } = useLocation();
  const line = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is another part
  useEffect(() => {
    const shown = line.current?.querySelector<HTMLElement>('[aria-current="page"]');
    // On a phone the line is longer than the screen.
    if (line.current && shown)
      line.current.scrollLeft = shown.offsetLeft - (line.current.clientWidth - shown.offsetWidth) / 2;
  }, [pathname]);
  return (
    <nav aria-label={label} className={styles.nav} ref={line}>
      {children}
    </nav>
  );
}

type Plain = AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

/** A part; the one that is shown says so to those who listen, too. */
export const SubNavItem = createLink((props: Plain) => <a {...props} className={styles.item} />);
