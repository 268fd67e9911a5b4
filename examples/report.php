<?php
// Prints who could not be imported in full at the last sync of a school, and what to do about it.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… php report.php oakfield
declare(strict_types=1);
require __DIR__ . '/mis_sync.php';

$school = $argv[1] ?? exit("usage: report.php SCHOOL\n");
$count = 0;
$query = '';
do {
    [$page] = call('GET', "/v1/schools/$school/issues$query");
    foreach ($page['issues'] as $issue) {
        $who = $issue['name'] ?? $issue['class_or_subject'] ?? $issue['email'] ?? $issue['wonde_id'];
        echo $who ?? 'The whole school', ': ', $issue['sentence'], ' ', $issue['what_to_do'], "\n";
        $count++;
    }
    $query = "?cursor={$page['next_cursor']}";
} while ($page['next_cursor'] !== null);
echo "$count issues\n";
