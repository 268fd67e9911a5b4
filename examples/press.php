<?php
// Presses Sync Data for a school and waits for the end. Needs PHP 8 with curl.
//   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… php press.php oakfield
declare(strict_types=1);

/** Sends a request; gives the JSON of the answer and how many seconds to wait before the next one. */
function call(string $method, string $path): array
{
    $wait = 1;
    $request = curl_init(getenv('MIS_SYNC_URL') . $path);
    curl_setopt_array($request, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . getenv('MIS_SYNC_KEY')],
        CURLOPT_HEADERFUNCTION => function ($request, string $line) use (&$wait): int {
            if (preg_match('/^retry-after:\s*(\d+)/i', $line, $found)) {
                $wait = (int) $found[1];
            }
            return strlen($line);
        },
    ]);
    $body = curl_exec($request);
    if ($body === false) {
        throw new RuntimeException(curl_error($request));
    }
    $json = json_decode($body, true, flags: JSON_THROW_ON_ERROR);
    if (curl_getinfo($request, CURLINFO_RESPONSE_CODE) >= 400) {
        throw new RuntimeException($json['title'] . '. ' . ($json['detail'] ?? ''));
    }
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
