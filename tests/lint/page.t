#!/bin/bash
# The page's source passes its own checks (web/package.json: check), its files do not import each other in a cycle, and
# its texts have the same keys in each language.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

page() {
	sh web/modules.sh || return 1
	npm run --silent check --prefix web
}

# The check notices that a sed script changed the German texts.
notices() {
	local folder
	folder=$(mktemp -d)
	sed "$1" web/texts/de.json >"$folder/de.json"
	cp web/texts/en.json "$folder"
	! node web/texts.mjs "$folder" 2>/dev/null
	local result=$?
	rm -r "$folder"
	return "$result"
}

# Each code of a note has a text.
note_texts() {
	local missing
	missing=$(comm -23 <(sed -n 's/^#define NOTE_.*"\(.*\)"$/\1/p' parser/notes.h | sort) \
		<(sed -n 's/^    "\([A-Z][0-9]\)": .*/\1/p' web/texts/en.json | sort))
	[ -z "$missing" ] || { echo "web/texts/en.json has no text for" "$missing"; return 1; }
}

check 'npm run check in web/' page
check 'no import cycle in web/src' node web/imports.mjs
check 'the texts have the same keys in each language, and none is empty' node web/texts.mjs web/texts
check 'a text that is missing is noticed' notices '/"X5":/d'
check 'a text that is empty is noticed' notices 's/"X5": ".*"/"X5": " "/'
check 'a text that another language lacks is noticed' notices 's/"X5": ".*"/&, "X55": "neu"/'
check 'a word that is not filled in is noticed' notices 's/{passing}/95/'
check 'a choice between one and many that has no end is noticed' notices 's/{days:Tag|Tagen}/{days:Tag}/'
check 'a term that is missing is noticed' notices 's/{"term": "Tage", "text": \(.*\)}/\1/'
check 'each code of parser/notes.h has a text' note_texts
finish
