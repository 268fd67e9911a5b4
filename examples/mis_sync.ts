// What the other examples share: one request to mis-sync. Needs Node 22.6 or later.

/** Sends a request; gives the JSON of the answer and how many milliseconds to wait before the next one. */
export async function call<T>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  timeout = 30_000,
): Promise<[T, number]> {
  const answer = await fetch(`${process.env.MIS_SYNC_URL}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${process.env.MIS_SYNC_KEY}`,
      'content-type': 'application/json',
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(timeout),
  });
  const json = await answer.json();
  // `type` is the stable code to decide by; `title` and `detail` are for people.
  if (!answer.ok) throw new Error(`${json.type}: ${json.title}. ${json.detail ?? ''}`);
  return [json, Number(answer.headers.get('retry-after') ?? 1) * 1000];
}
