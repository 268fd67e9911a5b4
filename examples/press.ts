// Presses Sync Data for a school and waits for the end.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… node --experimental-strip-types press.ts oakfield
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './mis_sync.ts';

type Job = {
  id: string;
  state: 'queued' | 'running' | 'retrying' | 'held' | 'succeeded' | 'failed' | 'cancelled';
  report?: { created: number; updated: number } | null;
  error?: { title: string; detail: string } | null;
};

const school = process.argv[2];
if (!school) throw new Error('usage: press.ts SCHOOL');

// A second press while a sync is under way finds the same job, so pressing twice does no harm.
let [job, wait] = await call<Job>('POST', `/v1/schools/${school}/sync`);
while (['queued', 'running', 'retrying'].includes(job.state)) {
  await sleep(wait);
  [job, wait] = await call<Job>('GET', `/v1/jobs/${job.id}`);
}

if (job.state === 'succeeded') {
  console.log(`succeeded: ${job.report?.created} new, ${job.report?.updated} changed`);
} else {
  // Held is an unusually large change: nothing is written until someone approves it.
  console.error(`${job.state}: ${job.error?.title ?? 'see the dashboard'}`);
  process.exitCode = 1;
}
