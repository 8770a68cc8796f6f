# SPDX-License-Identifier: BSD-2-Clause
"""A little server that leaks: it remembers each request for ever."""
import time

sessions = {}


class Session:
    def __init__(self, user):
        self.user = user
        self.history = bytearray(20_000)    # never trimmed


def render(user):
    page = "<p>%s</p>" % user * 500         # garbage after each request
    return page.encode()


def handle(request):
    user = "user%d" % request
    sessions[user] = Session(user)          # and never dropped
    return render(user)


def serve():
    request = 0
    while True:
        handle(request)
        request += 1
        time.sleep(0.005)


serve()
