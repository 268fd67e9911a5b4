<?php
// Presses Sync Data for a school and waits for the end. Needs PHP 8.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… php press.php oakfield
declare(strict_types=1);

/** Sends a request; gives the JSON of the answer and how many seconds to wait before the next one. */
function call(string $method, string $path): array
{
    $options = [
        'method' => $method,
        'header' => 'Authorization: Bearer ' . getenv('MIS_SYNC_KEY'),
        'ignore_errors' => true, // so that the reason of a refusal can be read
    ];
    $url = getenv('MIS_SYNC_URL') . $path;
    $stream = fopen($url, 'r', false, stream_context_create(['http' => $options]));
    if ($stream === false) {
        throw new RuntimeException("no answer from $url");
    }
    $headers = implode("\n", stream_get_meta_data($stream)['wrapper_data']);
    $json = json_decode(stream_get_contents($stream), true, flags: JSON_THROW_ON_ERROR);
    if (!preg_match('/^HTTP\/\S+ 2/', $headers)) {
        throw new RuntimeException($json['title'] . '. ' . ($json['detail'] ?? ''));
    }
    $wait = preg_match('/^retry-after:\s*(\d+)/im', $headers, $found) ? (int) $found[1] : 1;
    return [$json, $wait];
}

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
// Held is an unusually large change: nothing is written until someone approves it in the dashboard.
fwrite(STDERR, $job['state'] . ': ' . ($job['error']['title'] ?? 'see the dashboard') . "\n");
exit(1);
