#!/bin/bash
# Plain technical English: texts, comments and names of tests avoid the words that words.txt lists.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

# The files with words of ours; not samples, frozen migrations, and the list itself.
written() {
	files | grep -E '\.(c|h|sql|py|sh|mjs|ts|tsx|t|md|yaml|in|cmake|ini)$|CMakeLists\.txt$|^tests/[a-z]+/run$|^web/texts/en\.json$' |
		grep -vE '^tests/samples/|^sql/migrations/000[12]_|^tests/lint/words'
}

none_avoided() {
	local found
	found=$(written | xargs -d '\n' /usr/bin/python3 tests/lint/words.py)
	[ -z "$found" ] || {
		echo "$found"
		return 1
	}
}

# The check itself sees words that a line break separates, and allows "room" for bytes.
sees() {
	local file found
	file=$(mktemp --suffix=.c) || return 1
	printf '/* a mail that was set\n * aside */\nint room; /* the room for bytes */\n' >"$file"
	found=$(/usr/bin/python3 tests/lint/words.py "$file" | grep -c .)
	rm "$file"
	[ "$found" = 1 ] || {
		echo "found $found"
		return 1
	}
}

check 'no text, comment or name of a test has an avoided word' none_avoided
check 'the check finds a word across lines' sees
finish
