<?php
// Receives messages about jobs, and trusts only those with our signature (Standard Webhooks). Needs PHP 8.
//   MIS_SYNC_CALLBACK_SECRET=whsec_… php -S 127.0.0.1:8000 callback.php
declare(strict_types=1);

/** Whether the message is signed with the secret and not older than five minutes. */
function is_signed(string $secret, string $id, string $timestamp, string $body, string $signatures): bool
{
    if (abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(substr($secret, strlen('whsec_')), true);
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

$secret = getenv('MIS_SYNC_CALLBACK_SECRET') ?: throw new RuntimeException('no secret is set');
// The signature is over the bytes of the body, so check it before you read the JSON.
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
$signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';
if (!is_signed($secret, $id, $timestamp, $body, $signatures)) {
    http_response_code(401);
    exit;
}
$message = json_decode($body, true, flags: JSON_THROW_ON_ERROR);
// A message can come twice: remember its id, and do nothing the second time.
error_log("{$message['type']} {$message['data']['school_id']} $id");
http_response_code(204);
