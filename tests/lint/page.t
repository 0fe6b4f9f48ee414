#!/bin/bash
# The page's source passes its own checks (web/package.json: check), and its files do not import each other in a cycle.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

page() {
	sh web/modules.sh || return 1
	npm run --silent check --prefix web
}

check 'npm run check in web/' page
check 'no import cycle in web/src' node web/imports.mjs
finish
