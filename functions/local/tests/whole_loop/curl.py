#!/usr/bin/env python3
"""As much of curl as the README's script uses, for machines without it."""
import sys
import urllib.error
import urllib.request

method, url, headers, body, fails = None, None, {}, None, False
words = iter(sys.argv[1:])
for word in words:
    if word == "-X":
        method = next(words)
    elif word == "-H":
        name, value = next(words).split(": ", 1)
        headers[name] = value
    elif word == "-d":
        body = next(words).encode()
    elif word == "--data-binary":
        assert next(words) == "@-"
        body = sys.stdin.buffer.read()
    elif word.startswith("-"):
        fails = fails or "f" in word
    else:
        url = word
try:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
        sys.stdout.buffer.write(answer.read())
except urllib.error.HTTPError as error:
    if fails:
        sys.exit(22)
    sys.stdout.buffer.write(error.read())
except OSError:
    sys.exit(7)
