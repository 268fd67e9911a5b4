<?php
// Presses Sync Data for a school and waits for the end.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… php press.php oakfield
declare(strict_types=1);
require __DIR__ . '/mis_sync.php';

$school = $argv[1] ?? exit("usage: press.php SCHOOL\n");

// A second press while a sync is under way finds the same job, so pressing twice does no harm.
[$job, $wait] = call('POST', "/v1/schools/$school/sync");
while (in_array($job['state'], ['queued', 'running', 'retrying'], true)) {
    sleep($wait);
    [$job, $wait] = call('GET', "/v1/jobs/{$job['id']}");
}

if ($job['state'] === 'succeeded') {
    echo "succeeded: {$job['report']['created']} new, {$job['report']['updated']} changed\n";
    exit(0);
}
// Held is an unusually large change: nothing is written until someone approves it.
fwrite(STDERR, $job['state'] . ': ' . ($job['error']['title'] ?? 'see the dashboard') . "\n");
exit(1);
