"""Receives one message of a webhook and checks its signature with the official library of Standard Webhooks.

Needs `pip install standardwebhooks`, WEBHOOK_SECRET (`whsec_...`, as it was shown when the webhook was made) and the port to listen on.
"""

import http.server
import os
import sys

from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            # Refuses messages of others, changed ones, and those that are older than five minutes. It stays the same message
            # however often it comes: `webhook-id` tells those that came before.
            message = WEBHOOK.verify(body, dict(self.headers))
        except WebhookVerificationError as error:
            print("refused:", error, flush=True)
            self.send_response(401)
            self.end_headers()
            return
        print(message["type"], self.headers["webhook-id"], flush=True)
        self.send_response(204)
        self.end_headers()
        self.server.received = True

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
server.received = False
print("listening", flush=True)
while not server.received:
    server.handle_request()
