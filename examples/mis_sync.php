<?php
// What the other examples share: one request to mis-sync. Needs PHP 8.
declare(strict_types=1);

/** Sends a request; gives the JSON of the answer and how many seconds to wait before the next one. */
function call(string $method, string $path, ?array $body = null, float $timeout = 30): array
{
    $headers = ['Authorization: Bearer ' . getenv('MIS_SYNC_KEY'), 'Content-Type: application/json'];
    $options = [
        'method' => $method,
        'header' => $headers,
        'content' => $body === null ? '' : json_encode($body, JSON_THROW_ON_ERROR),
        'timeout' => $timeout,
        'ignore_errors' => true, // so that the reason of a refusal can be read
    ];
    $url = getenv('MIS_SYNC_URL') . $path;
    $stream = @fopen($url, 'r', false, stream_context_create(['http' => $options]));
    if ($stream === false) {
        throw new RuntimeException("no answer from $url");
    }
    $headers = implode("\n", stream_get_meta_data($stream)['wrapper_data']);
    $json = json_decode(stream_get_contents($stream), true, flags: JSON_THROW_ON_ERROR);
    if (!preg_match('/^HTTP\/\S+ 2/', $headers)) {
        // `type` is the stable code to decide by; `title` and `detail` are for people.
        throw new RuntimeException("{$json['type']}: {$json['title']}. " . ($json['detail'] ?? ''));
    }
    $wait = preg_match('/^retry-after:\s*(\d+)/im', $headers, $found) ? (int) $found[1] : 1;
    return [$json, $wait];
}
