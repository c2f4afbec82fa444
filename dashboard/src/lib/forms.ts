/** Sending a form: what the API says of a field stands at that field, everything else above the buttons. */
import type { UseFormReturnType } from "@mantine/form";
import { useState } from "react";
import { ApiError } from "@/lib/api/error";
import { useErrorText } from "@/lib/api/error-text";

export interface Sending<V> {
  /** For the form's `onSubmit`. */
  submit: (event?: React.FormEvent<HTMLFormElement>) => void;
  pending: boolean;
  /** What is wrong and belongs to no field of the form. */
  error: unknown;
  /** Forgets it. */
  clear: () => void;
  form: UseFormReturnType<V>;
}

/**
 * Sends a form by `send` and goes on with `done`. `params` names fields that the API calls otherwise: `{ "expires_at": "days" }`. An error
 * that `handle` takes care of (it gives back true) is not shown.
 */
export function useSending<V extends Record<string, unknown>, R>(
  form: UseFormReturnType<V>,
  send: (values: V) => Promise<R>,
  done: (result: R, values: V) => void,
  options: { params?: Readonly<Record<string, keyof V & string>>; handle?: (error: unknown) => boolean } = {},
): Sending<V> {
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const text = useErrorText();

  const submit = form.onSubmit(
    async (values) => {
      // A second press of the button while the first is on its way is not a second wish.
      if (pending) return;
      setPending(true);
      setError(null);
      let result: R;
      try {
        result = await send(values);
      } catch (refused) {
        setPending(false);
        if (options.handle?.(refused)) return;
        const field = fieldOf(refused, form.values, options.params);
        if (field === undefined) setError(refused);
        else {
          form.setFieldError(field, text(refused));
          form.getInputNode(field)?.focus();
        }
        return;
      }
      setPending(false);
      done(result, values);
    },
    (errors) => {
      const first = Object.keys(errors)[0];
      if (first) form.getInputNode(first)?.focus();
    },
  );
  return { submit, pending, error, clear: () => setError(null), form };
}

/** The field of a form that a refusal is about. */
function fieldOf<V extends Record<string, unknown>>(
  error: unknown,
  values: V,
  params: Readonly<Record<string, keyof V & string>> | undefined,
): (keyof V & string) | undefined {
  if (!(error instanceof ApiError) || error.param === undefined) return undefined;
  if (error.status !== 422 && error.status !== 409 && error.status !== 400) return undefined;
  const field = params?.[error.param] ?? error.param.split(/[.[]/)[0];
  return field !== undefined && field in values ? field : undefined;
}
