/**
 * Schemas of forms. The library would write programs for them at run time, which the policy of the pages refuses, so it is told not to try;
 * that is why it is imported from here alone.
 */
import { z } from "zod/mini";

z.config({ jitless: true });

export { z };
