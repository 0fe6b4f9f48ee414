#!/bin/bash
# The image (docker/Dockerfile) can be built: no engine is needed to see what it would lack.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

# context FOLDER: copies there what .dockerignore lets through.
context() {
	local pattern
	pattern=$(sed -n 's/^!//p' .dockerignore | paste -sd '|')
	files | grep -E "^($pattern)" | xargs cp -p --parents -t "$1"
}

# The build of the page reads outside of web/, and CMake configures everything.
builds() (
	folder=$(mktemp -d)
	trap 'rm -r "$folder"' EXIT
	sh web/modules.sh && context "$folder" && ln -s "$PWD/web/node_modules" "$folder/web/" || return 1
	cmake -S "$folder" -B "$folder/build" -G Ninja -D BUILD_TESTING=OFF && cmake --build "$folder/build" --target ruad_page
)

# needed FILE: the packages with which the program is built that it names, one a line.
needed() {
	grep -oE '\b(lib[a-z0-9.+-]+|nettle)-dev\b|\bzopfli\b' "$1" | grep -vxF libcmocka-dev | sort -u
}

same_packages() {
	diff <(needed server/quickstart) <(needed docker/Dockerfile) && diff <(needed server/quickstart) <(needed tests/lib/packages.sh) &&
		diff <(needed server/quickstart) <(needed server/dist/debian/control)
}

check 'what .dockerignore lets through is enough' builds
check 'quickstart, the tests, the image and the package build with the same packages' same_packages
finish
