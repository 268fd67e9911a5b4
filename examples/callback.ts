// Receives messages about jobs, and trusts only those with our signature (Standard Webhooks). Needs Node 22.6.
//   MIS_SYNC_CALLBACK_SECRET=whsec_… node --experimental-strip-types callback.ts 8000
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';

type Message = { type: string; timestamp: string; data: { job_id: string; school_id: string } };

/** Whether the message is signed with the secret and not older than five minutes. */
function isSigned(secret: string, headers: IncomingHttpHeaders, body: string): boolean {
  const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`);
  const expected = Buffer.from(`v1,${hmac.digest('base64')}`);
  return String(headers['webhook-signature'] ?? '').split(' ').some((signature) => {
    const found = Buffer.from(signature);
    return found.length === expected.length && timingSafeEqual(found, expected);
  });
}

const secret = process.env.MIS_SYNC_CALLBACK_SECRET;
if (!secret) throw new Error('no secret is set');

createServer(async (request, answer) => {
  // The signature is over the bytes of the body, so check it before you read the JSON.
  const body = Buffer.concat(await request.toArray()).toString();
  if (!isSigned(secret, request.headers, body)) {
    answer.writeHead(401).end();
    return;
  }
  const message: Message = JSON.parse(body);
  // A message can come twice: remember its id, and do nothing the second time.
  console.log(message.type, message.data.school_id, request.headers['webhook-id']);
  answer.writeHead(204).end();
}).listen(Number(process.argv[2] ?? 8000), '127.0.0.1');
