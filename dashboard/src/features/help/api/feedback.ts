import { useMutation, useQuery } from "@tanstack/react-query";
import { answer, api, type Schemas } from "@/lib/api/client";

/** What everybody may know of the installation; it changes with a start alone. */
export function useAbout() {
  return useQuery({
    queryKey: ["about"],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/about", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Tells the operators what somebody thinks. */
export function useGiveFeedback() {
  return useMutation({
    mutationFn: (body: Schemas["GiveFeedback"]) => answer(api.POST("/api/v1/feedback", { body })),
    meta: { quiet: true },
  });
}
