// Presses Sync Data for a school and waits for the end. Needs Node 22.6 or later.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… node --experimental-strip-types press.ts oakfield
import { setTimeout as sleep } from 'node:timers/promises';

type Job = {
  id: string;
  state: 'queued' | 'running' | 'retrying' | 'held' | 'succeeded' | 'failed' | 'cancelled';
  report?: { created: number; updated: number } | null;
  error?: { title: string; detail: string } | null;
};

/** Sends a request; gives the job of the answer and how long to wait before the next one. */
async function call(method: 'GET' | 'POST', path: string): Promise<[Job, number]> {
  const answer = await fetch(`${process.env.MIS_SYNC_URL}${path}`, {
    method,
    headers: { authorization: `Bearer ${process.env.MIS_SYNC_KEY}` },
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${body.title}. ${body.detail ?? ''}`);
  return [body, Number(answer.headers.get('retry-after') ?? 1) * 1000];
}

const school = process.argv[2];
if (!school) throw new Error('usage: press.ts SCHOOL');

// A second press while a sync is under way finds the same job, so pressing twice does no harm.
let [job, wait] = await call('POST', `/v1/schools/${school}/sync`);
while (['queued', 'running', 'retrying'].includes(job.state)) {
  await sleep(wait);
  [job, wait] = await call('GET', `/v1/jobs/${job.id}`);
}

if (job.state === 'succeeded') {
  console.log(`succeeded: ${job.report?.created} new, ${job.report?.updated} changed`);
} else {
  // Held is an unusually large change: nothing is written until someone approves it in the dashboard.
  console.error(`${job.state}: ${job.error?.title ?? 'see the dashboard'}`);
  process.exitCode = 1;
}
