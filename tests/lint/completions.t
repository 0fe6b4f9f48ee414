#!/bin/bash
# The completions name every command and every option of ruad's help.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"
ruad=$RUAD_BUILD/bin/ruad
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
server/dist/completions "$ruad" "$folder"

# The candidates after the words given, as bash would ask for them.
candidates() {
	bash -c 'compopt() { :; }; . "$1"; shift; COMP_WORDS=(ruad "$@" ""); COMP_CWORD=$(($# + 1)); _ruad; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$folder/ruad.bash" "$@"
}

commands() {
	"$ruad" --help | sed -n '/^$/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

bash_names_every_command() {
	[ "$(commands | wc -l)" -gt 10 ] && diff <(commands | sort) <(candidates | grep -v '^-' | sort)
}

bash_names_every_option() {
	local command option
	for command in $(commands | grep -vx help); do
		for option in $("$ruad" "$command" --help | grep -oE '^ +-.*' | grep -oE -- '^ +(-[a-z],? )?(--[a-z-]+)?' | tr -d ,); do
			candidates "$command" | sed 's/=$//' | grep -qxF -- "$option" || {
				echo "$command: $option"
				return 1
			}
		done
	done
}

zsh_has_the_words_of_bash() {
	diff <(grep -oE "words='.*'" "$folder/ruad.bash" | sed "s/words='//; s/'$//") \
		<(grep -oE 'found=\(.*\)' "$folder/_ruad" | sed 's/found=(//; s/)$//')
}

check 'bash completes every command' bash_names_every_command
check 'bash completes every option of every command' bash_names_every_option
check 'zsh completes the same words' zsh_has_the_words_of_bash
finish
