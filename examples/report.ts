// Prints who could not be imported in full at the last sync of a school, and what to do about it.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… node --experimental-strip-types report.ts oakfield
import { call } from './mis_sync.ts';

type Issue = {
  sentence: string;
  what_to_do: string;
  name: string | null;
  class_or_subject: string | null;
  email: string | null;
  wonde_id: string | null;
};
type Page = { issues: Issue[]; next_cursor: string | null };

const school = process.argv[2];
if (!school) throw new Error('usage: report.ts SCHOOL');

let count = 0;
let query = '';
while (true) {
  const [page] = await call<Page>('GET', `/v1/schools/${school}/issues${query}`);
  for (const issue of page.issues) {
    const who = issue.name ?? issue.class_or_subject ?? issue.email ?? issue.wonde_id;
    console.log(`${who ?? 'The whole school'}: ${issue.sentence} ${issue.what_to_do}`);
    count += 1;
  }
  if (page.next_cursor === null) break;
  query = `?cursor=${page.next_cursor}`;
}
console.log(`${count} issues`);
