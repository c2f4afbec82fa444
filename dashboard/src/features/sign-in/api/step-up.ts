import { answer, api, type Schemas } from "@/lib/api/client";

/** Shows a factor again. */
export async function stepUp(body: Schemas["StepUp"]) {
  return answer(api.POST("/api/v1/auth/step-up", { body }));
}
