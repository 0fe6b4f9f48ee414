# packages.sh - puts Debian packages on the machine that the tests need: only what is missing, and starting no service.
# Sourced by tests/run.
#
# Mail servers are only fetched, since they exclude each other, and so are programs of which one file is needed: the tests
# unpack them.
# shellcheck shell=bash

build_packages=(build-essential cmake ninja-build pkg-config ca-certificates postgresql
	libglib2.0-dev libgmime-3.0-dev libarchive-dev liblzma-dev libxml2-dev nettle-dev libpng-dev libpsl-dev publicsuffix libjson-c-dev libpq-dev
	libmicrohttpd-dev libcrypt-dev zopfli libseccomp-dev libsystemd-dev libc-ares-dev libcurl4-gnutls-dev libmaxminddb-dev libcmocka-dev)
mail_server_packages=(exim4-base exim4-config exim4-daemon-light postfix dovecot-core dovecot-imapd)
promtool_package=promtool
! grep -q '^VERSION_ID="12"' /etc/os-release || promtool_package=prometheus # which has it in Debian 12
fetched_packages=("${mail_server_packages[@]}" "$promtool_package" fetchmail procmail apparmor)
fetched_folder=build/tests/packages

# packages_of SUITE: what it needs beyond build_packages, one a line.
packages_of() {
	case $1 in
	unit) sanitizer_packages ;;
	corpus) printf '%s\n' python3 python3-pytest python3-psycopg2 && sanitizer_packages ;;
	sql) printf '%s\n' perl libtap-parser-sourcehandler-pgtap-perl "postgresql-$(postgresql_major)-pgtap" ;;
	e2e) printf '%s\n' python3 python3-pytest python3-pytest-xdist python3-psycopg2 python3-jsonschema python3-yaml python3-dkim openssl swaks curl nsd unbound libmaxmind-db-writer-perl && mail_server_libraries ;;
	browser) printf '%s\n' chromium adduser nginx ;;
	fuzz) sanitizer_packages ;;
	bench) printf '%s\n' libxml2-utils python3 python3-venv wrk ;;
	package) printf '%s\n' python3 python3-pytest debootstrap lintian debhelper dh-apparmor dpkg-dev curl ;;
	lint) printf '%s\n' perl clang clang-format clang-tidy cppcheck shellcheck python3 ;;
	esac
}

sanitizer_packages() {
	printf '%s\n' clang llvm "libclang-rt-$(clang_major)-dev"
}

# The version that Debian's metapackage stands for: "Depends: postgresql-15" gives 15.
major_behind() {
	apt-cache depends "$1" | sed -n "s/^ *Depends: $1-\([0-9]*\)\$/\1/p" | head -n 1
}
postgresql_major() {
	major_behind postgresql
}
clang_major() {
	major_behind clang
}

# The libraries that the mail servers load.
mail_server_libraries() {
	apt-cache depends "${mail_server_packages[@]}" | sed -n 's/^ *Depends: \(lib.*\)/\1/p'
}

# fetch_packages: puts them into fetched_folder.
fetch_packages() {
	local package missing=()
	mkdir -p "$fetched_folder"
	for package in "${fetched_packages[@]}"; do
		compgen -G "$fetched_folder/${package}_*.deb" >/dev/null || missing+=("$package")
	done
	if [ ${#missing[@]} -gt 0 ]; then
		echo "tests/run: fetching ${missing[*]}"
		as_root apt-get -q update
		(cd "$fetched_folder" && apt-get -q download "${missing[@]}")
	fi
}

is_installed() {
	# shellcheck disable=SC2016
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Node.js from anywhere will do (Debian's npm conflicts with other Node.js packages).
have_node() {
	command -v npm >/dev/null &&
		node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null
}

# install_for SUITE...: installs what is missing for them.
install_for() {
	local suite package wanted missing=()
	if [ -z "$(postgresql_major)" ]; then
		as_root apt-get -q update # a fresh machine knows no package yet
	fi
	wanted=$(printf '%s\n' "${build_packages[@]}" && for suite; do packages_of "$suite"; done)
	while read -r package; do
		is_installed "$package" || missing+=("$package")
	done < <(sort -u <<<"$wanted")
	have_node || missing+=(nodejs npm)
	if [ ${#missing[@]} -gt 0 ]; then
		echo "tests/run: installing ${missing[*]}"
		as_root apt-get -q update
		as_root env DEBIAN_FRONTEND=noninteractive bash -c "$(declare -f quiet_install); quiet_install \"\$@\"" \
			- "${missing[@]}"
	fi
	if [[ " $* " = *" e2e "* ]]; then
		fetch_packages
	fi
}

# Runs as root. The tests start their own servers, so none of Debian's is started, nor a PostgreSQL cluster made.
quiet_install() {
	set -eu
	policy=/usr/sbin/policy-rc.d
	cluster=/etc/postgresql-common/createcluster.d/ruad-tests.conf
	undo=()
	trap '[ ${#undo[@]} = 0 ] || rm -f "${undo[@]}"' EXIT
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		undo+=("$policy")
	fi
	if [ ! -d /etc/postgresql-common ]; then
		mkdir -p "$(dirname "$cluster")"
		echo 'create_main_cluster = false' >"$cluster"
		undo+=("$cluster")
	fi
	apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
	# Nor are the DNS servers to be started, and take port 53, when the machine is next.
	for package; do
		case $package in
		nsd) systemctl --quiet disable nsd.service || true ;;
		unbound) systemctl --quiet disable unbound.service unbound-resolvconf.service || true ;;
		esac
	done
}
