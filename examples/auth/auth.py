"""Accounts and keys with Python's standard library. Needs ROWHOUSE_URL."""

import json
import os
import urllib.error
import urllib.request

URL = os.environ.get("ROWHOUSE_URL", "http://127.0.0.1:8080") + "/api/v1"


def call(method, path, body=None, token=None):
    request = urllib.request.Request(URL + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response) if response.status != 204 else None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


account = {"email": "python@example.com", "password": "wet paint on the porch"}
status, _ = call("POST", "/auth/signup", account | {"name": "Python"})
assert status == 201, status
_, tokens = call("POST", "/auth/login", account)
_, tokens = call("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
token = tokens["access_token"]
_, me = call("GET", "/auth/me", token=token)
assert me["role"] == "owner", me
_, key = call("POST", "/auth/api-keys", {"name": "python example"}, token)
_, by_key = call("GET", "/auth/me", token=key["key"])
assert by_key["user"] == me["user"], by_key
call("POST", "/auth/logout", token=token)
status, refusal = call("GET", "/auth/me", token=token)
assert (status, refusal["error"]["code"]) == (401, "unauthenticated"), refusal
print("python: signed up, refreshed, made a key, signed out")
