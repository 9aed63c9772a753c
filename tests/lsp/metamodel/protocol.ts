// Parameters and results by method, read off the definitions of the protocol.
import type * as lsp from "vscode-languageserver-protocol";

type Protocol = typeof lsp;

type Types = {
  [K in keyof Protocol as Protocol[K] extends { method: infer M extends string; type: unknown }
    ? M
    : never]: Protocol[K] extends { type: infer T } ? T : never;
};

type Progress = lsp.WorkDoneProgressBegin | lsp.WorkDoneProgressReport | lsp.WorkDoneProgressEnd;

// These stand in a lower layer, without a name of their method.
type Lower = {
  "$/cancelRequest": lsp.NotificationType<{ id: number | string }>;
  "$/progress": lsp.NotificationType<{ token: number | string; value: Progress }>;
  "$/setTrace": lsp.NotificationType<lsp.SetTraceParams>;
};

type Messages = Types & Lower;

// What is marked in the types: [params, result, error] or [result, error], [params] or nothing.
type Mark<M extends keyof Messages> = Messages[M] extends { _: infer T } ? NonNullable<T> : never;

type IsAny<T> = 0 extends 1 & T ? true : false;

// A method that returns nothing answers null.
type Answer<R> = IsAny<R> extends true ? unknown : [R] extends [void] ? null : R;

export type Params<M extends keyof Messages> =
  Mark<M> extends [infer P, unknown, unknown, unknown]
    ? P
    : Mark<M> extends [unknown, unknown, unknown]
      ? undefined
      : Mark<M> extends [infer P, unknown]
        ? P
        : undefined;

export type Result<M extends keyof Messages> =
  Mark<M> extends [unknown, infer R, unknown, unknown]
    ? Answer<R>
    : Mark<M> extends [infer R, unknown, unknown]
      ? Answer<R>
      : never;
