// Decides the login of a person whose password your app has checked.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… \
//     node --experimental-strip-types login.ts oakfield a.person@oakfield.example
import { call } from './mis_sync.ts';

type Account = { active: boolean; password_reset_required: boolean };
type Person = Account & { id: string; school_id: string };

/** `person` is the row of `staff` that your app has read. */
async function decideLogin(person: Person): Promise<'in' | 'refused' | 'forgot_password'> {
  const path = `/v1/schools/${person.school_id}/staff/${person.id}/refresh?wait_ms=800`;
  let account: Account = person;
  try {
    [account] = await call<Account>('POST', path, undefined, 2000);
  } catch {
    // mis-sync is away or too slow. No login waits for it: the row of your app decides.
  }
  if (!account.active) return 'refused';
  return account.password_reset_required ? 'forgot_password' : 'in';
}

const [school, email] = process.argv.slice(2);
if (!email) throw new Error('usage: login.ts SCHOOL EMAIL');

// Your app reads this row from the database, together with the hash of the password (find_login.sql).
const search = `/v1/schools/${school}/staff/search`;
const [found] = await call<{ staff: Person[] }>('POST', search, { email });
const person = found.staff.sort((a, b) => Number(b.active) - Number(a.active))[0];
console.log(person ? await decideLogin(person) : 'refused');
