#!/bin/sh
# modules.sh - npm ci, when web/node_modules is missing or older than the lock file.
set -eu
cd "$(dirname "$0")"
mark=node_modules/.package-lock.json
# shellcheck disable=SC3013 # dash knows -nt
if [ -f "$mark" ] && ! [ package-lock.json -nt "$mark" ]; then
	exit 0
fi
"${RUAD_NPM:-npm}" ci --no-audit --no-fund --loglevel=error || {
	echo "npm ci failed in $(pwd): the page's build needs the npm registry once (see the lines above)" >&2
	exit 1
}
touch "$mark"
