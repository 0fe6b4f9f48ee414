#!/bin/bash
# The page's source passes its own checks (web/package.json: check).
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

page() {
	sh web/modules.sh || return 1
	npm run --silent check --prefix web
}

check 'npm run check in web/' page
finish
