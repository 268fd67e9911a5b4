<?php
// Decides the login of a person whose password your app has checked.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… php login.php oakfield a.person@oakfield.example
declare(strict_types=1);
require __DIR__ . '/mis_sync.php';

/** `in`, `refused` or `forgot_password`. `$person` is the row of `staff` that your app has read. */
function decide_login(array $person): string
{
    try {
        $path = "/v1/schools/{$person['school_id']}/staff/{$person['id']}/refresh?wait_ms=800";
        [$person] = call('POST', $path, timeout: 2);
    } catch (Throwable) {
        // mis-sync is away or too slow. No login waits for it: the row of your app decides.
    }
    if (!$person['active']) {
        return 'refused';
    }
    return $person['password_reset_required'] ? 'forgot_password' : 'in';
}

[, $school, $email] = $argv + [null, null, null];
if ($email === null) {
    exit("usage: login.php SCHOOL EMAIL\n");
}
// Your app reads this row from the database, together with the hash of the password (find_login.sql).
[$found] = call('POST', "/v1/schools/$school/staff/search", ['email' => $email]);
usort($found['staff'], fn($a, $b) => $b['active'] <=> $a['active']);
echo $found['staff'] === [] ? 'refused' : decide_login($found['staff'][0]), "\n";
