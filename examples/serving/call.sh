#!/usr/bin/env bash
# Calls a service that runs on this machine (make serve), with the example of its own description.
set -euo pipefail
url=${1:-http://127.0.0.1:8080}
key=${FULLCIRCLE_API_KEY:-none}
example=$(curl -sf -H "Authorization: Bearer $key" "$url/openapi.json" |
  python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]))')
curl -sf -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d "$example" "$url/predict?explain=true"
