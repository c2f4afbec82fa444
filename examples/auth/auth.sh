#!/usr/bin/env bash
# Accounts and keys with curl. Needs ROWHOUSE_URL.
set -euo pipefail
url=${ROWHOUSE_URL:-http://127.0.0.1:8080}/api/v1
json='content-type: application/json'
field() { sed -nE "s/.*\"$1\":\"([^\"]+)\".*/\1/p" | head -n 1; } # enough for flat answers; use jq where there is one

curl -fsS "$url/auth/signup" -H "$json" -d '{"email":"curl@example.com","password":"wet paint on the porch","name":"Curl"}' >/dev/null
answer=$(curl -fsS "$url/auth/login" -H "$json" -d '{"email":"curl@example.com","password":"wet paint on the porch"}')
refresh=$(field refresh_token <<<"$answer")
answer=$(curl -fsS "$url/auth/refresh" -H "$json" -d "{\"refresh_token\":\"$refresh\"}")
token=$(field access_token <<<"$answer")
curl -fsS "$url/auth/me" -H "authorization: Bearer $token" | grep -q '"role":"owner"'
key=$(curl -fsS "$url/auth/api-keys" -H "authorization: Bearer $token" -H "$json" -d '{"name":"curl example"}' | field key)
curl -fsS "$url/auth/me" -H "authorization: Bearer $key" | grep -q 'curl@example.com'
curl -fsS -X POST "$url/auth/logout" -H "authorization: Bearer $token" -o /dev/null
status=$(curl -s -o /dev/null -w '%{http_code}' "$url/auth/me" -H "authorization: Bearer $token")
[ "$status" = 401 ] || { echo "after logout the token still works: $status" >&2; exit 1; }
echo "curl: signed up, refreshed, made a key, signed out"
