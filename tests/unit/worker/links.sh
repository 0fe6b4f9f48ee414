#!/bin/sh
# links.sh WORKER PROGRAM... - the worker needs no library that reaches a database or a network, and no other
# program needs one that unpacks or parses mail.
set -u
worker=$1
shift
status=0

# needs PROGRAM LIBRARY...: complains about each that PROGRAM itself was linked with.
needs() {
	program=$1
	shift
	needed=$(readelf -d "$program") || exit 2
	for library; do
		case $needed in
		*"[lib$library"[.-]*)
			echo "$program needs lib$library"
			status=1
			;;
		esac
	done
}

needs "$worker" pq microhttpd systemd curl ssl cares
for program; do
	needs "$program" gmime xml2 archive
done
exit $status
