#!/usr/bin/env bash
# Loads a service with eight connections for ten seconds: load.sh [URL] [ROWS.json] (Debian: apt-get install hey).
set -euo pipefail
url=${1:-http://127.0.0.1:8080}
rows=${2:-rows.json}
hey -z 10s -c 8 -m POST -T application/json -H "Authorization: Bearer ${FULLCIRCLE_API_KEY:-none}" -D "$rows" "$url/predict"
