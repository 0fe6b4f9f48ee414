# summary.sh - what the suites' own runners said at their end, and the sums of it. Sourced by tests/run.
#
# Counts come only from the runners' closing lines: ctest's "N tests failed out of M", pytest's "N passed, ... in Ts",
# prove's "Files=..., Tests=N" and node's "pass N"; tests/fuzz/run closes with pytest's kind of line, and each ratio of
# tests/bench/run is a comparison that came to its end with the right rows. What tests/e2e/test_mta.py tells of its counts is
# repeated, and counts as nothing.
# shellcheck shell=bash

passed=0 failed=0 skipped=0
broken=()
recap=()

# summary_add SUITE LOG STATUS: reads a suite's log.
summary_add() {
	local suite=$1 log=$2 status=$3 counts p f s lines
	lines=$(summary_lines <"$log")
	counts=$(summary_counts <<<"$lines")
	read -r p f s <<<"$counts"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	lines=${lines:-ended without a summary}
	recap+=("$suite: ${lines//$'\n'/$'\n'$suite: }")
	if [ "$((p + f))" = 0 ]; then
		broken+=("$suite: no test ran")
	elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
		broken+=("$suite: ended with status $status")
	fi
}

# The closing lines of every runner in a log, free of colour.
summary_lines() {
	sed 's/\x1b\[[0-9;]*m//g' | grep -E \
		-e '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' \
		-e '^[[:space:]]*[0-9]+ - [^ ]+ \([A-Za-z ]+\)$' -e '^FAILED ' -e '^ERROR ' \
		-e '^[= ]*([0-9]+ (passed|failed|skipped|error|errors|xfailed|xpassed|deselected|warning|warnings)(, )?)+ in [0-9.]+' \
		-e '^Files=[0-9]+, Tests=[0-9]+' -e '^Result: ' \
		-e 'Failed [0-9]+/[0-9]+ subtests' -e '^SKIPPED ' \
		-e '^(#|ℹ) (tests|pass|fail|cancelled|skipped|todo) [0-9]+' \
		-e '^(reading|parser|mails|taking in): ratio ' -e '^(exim|postfix)-[a-z-]+: ' || true
}

# Closing lines in, "passed failed skipped" out.
summary_counts() {
	awk '
	/tests failed out of/ {
		match($0, /[0-9]+ tests failed/); f = substr($0, RSTART) + 0
		match($0, /out of [0-9]+/); n = substr($0, RSTART + 7) + 0
		passed += n - f; failed += f; next
	}
	/\((Skipped|Not Run)\)/ { skipped++; if (/Skipped/) passed--; next }
	/ in [0-9.]+/ && /[0-9]+ (passed|failed|skipped|errors?)/ {
		for (i = 2; i <= NF; i++) {
			if ($i ~ /^passed/) passed += $(i - 1)
			if ($i ~ /^(failed|errors?)/) failed += $(i - 1)
			if ($i ~ /^skipped/) skipped += $(i - 1)
		}
		next
	}
	/^Files=/ { match($0, /Tests=[0-9]+/); tap += substr($0, RSTART + 6) + 0; next }
	/Failed [0-9]+\/[0-9]+ subtests/ { match($0, /Failed [0-9]+/); tapfailed += substr($0, RSTART + 7) + 0; next }
	/^Result: FAIL/ { tapbad = 1; next }
	/^(reading|parser|mails|taking in): ratio / { passed++; next }
	/^(#|ℹ) pass / { passed += $NF; next }
	/^(#|ℹ) (fail|cancelled) / { failed += $NF; next }
	/^(#|ℹ) (skipped|todo) / { skipped += $NF; next }
	END {
		if (tapbad && !tapfailed)
			tapfailed = 1
		print passed + (tap > tapfailed ? tap - tapfailed : 0), failed + tapfailed, skipped + 0
	}'
}

# The recap; fails unless all is well.
summary_print() {
	echo
	echo "======== summary"
	printf '%s\n' "${recap[@]}"
	[ ${#broken[@]} = 0 ] || printf 'FAILED %s\n' "${broken[@]}"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ ${#broken[@]} = 0 ]
}
