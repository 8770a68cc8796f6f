# SPDX-License-Identifier: BSD-2-Clause
"""A web server whose handler leaks."""
import http.server
import threading
import urllib.request

from books import EXTRA, begin, finish, hold

cache = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = b"<html>" + b"x" * 5000
        cache[self.path] = self.remember(8000)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page)

    def remember(self, size):
        page = bytearray(size); hold(id(page), size + EXTRA)
        return page

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
begin()
for i in range(100):
    urllib.request.urlopen("http://127.0.0.1:%d/%d" % (server.server_port, i)).read()
finish()
