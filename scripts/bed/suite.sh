# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Other releases of Debian than that of this machine, for what fetches kernels of them
# and makes systems of them. To be sourced, with $top set.
#
# Their package lists come from the mirror that apt has for this machine, and are kept
# apart from its own, in out/apt/SUITE/.

# suite_mirror RELEASE-PATTERN: the address that this machine has for such a release.
suite_mirror()
{
	# shellcheck disable=SC2016 # the variables are apt's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' 'Origin: Debian' |
		awk -v p="$1" '$2 ~ p { print $1; exit }'
}

suite_keyring()
{
	local file

	for file in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		[ ! -e "$file" ] || { echo "$file"; return; }
	done
	echo 'E: package debian-archive-keyring is missing' >&2
	return 1
}

# suite_main: the address that it has for the releases themselves.
suite_main()
{
	local main

	main=$(suite_mirror '^[^-]*$')
	if [ -z "$main" ]; then	# a machine that has never asked
		apt-get -q update >/dev/null 2>&1 || :
		main=$(suite_mirror '^[^-]*$')
	fi
	[ -n "$main" ] || { echo 'E: apt has no mirror of Debian'; return 1; } >&2
	echo "$main"
}

# suite_sources SUITE [main]: with its security updates, if both have any; with
# "main", without.
suite_sources()
{
	local main security keyring

	keyring=$(suite_keyring) || return
	main=$(suite_main) || return
	security=$(suite_mirror '-security$')
	echo "deb [signed-by=$keyring] $main $1 main"
	case $1 in
	*-*|sid) security= ;;
	esac
	[ -z "$security" ] || [ "${2:-}" = main ] ||
		echo "deb [signed-by=$keyring] $security $1-security main"
}

# free_mb DIR: what is left on its disk.
free_mb()
{
	df -Pm "$1" | awk 'NR == 2 { print $4 }'
}

# why LOG: the cause of a failure, of all that the log says. A full disk may have kept
# the log from saying it.
why()
{
	{
		grep -m 1 -oE 'No space left on device' "$1" ||
		[ "$(free_mb "${1%/*}")" -gt 0 ] || echo 'No space left on device'
		sed -n 's/^[EW]: Failed to fetch [^ ]*/the mirror does not answer:/p' "$1"
		sed -n '/^\(E\|dpkg\|tar\)/s/^E: //p' "$1" | tail -n 1
		grep -m 1 -E '[^ ]: (fatal )?error: |: \*\*\* ' "$1"
		tail -n 1 "$1"
		echo 'no reason is told'
	} 2>/dev/null | awk 'NF { sub(/:  */, ": "); print; exit }'
}

# give_up WHAT LOG: in one line; all that has been said stays in the log. A download that
# the disk has no room for may be told of as one that does not come.
give_up()
{
	local free

	free=$(free_mb "${2%/*}")
	[ "$free" -lt 300 ] && free="$free MB are free; " || free=
	echo "$1: $(why "$2") (${free}more in ${2#"$top"/})" >&2
	exit 1
}

# step WHAT LOG COMMAND...: WHAT is said if it fails.
step()
{
	local what=$1 log=$2

	shift 2
	# The outer redirection is for the shell, if it cannot make the log.
	{ "$@" >"$log" 2>&1; } 2>/dev/null || give_up "$what" "$log"
}

# own_mounts COMMAND...: what it mounts goes with its mount namespace, however it ends:
# what removes out/ is not to find a /proc there.
own_mounts()
{
	mountpoint -q / || {
		echo 'E: / is no mount point, as in a plain chroot: mounts cannot be' \
			'kept apart; mount --bind its directory on itself before' >&2
		return 1
	}
	unshare --mount --propagation private "$@"
}

# suite_bootstrap SUITE DIR [OPTION...]: a minimal system of it; what debootstrap calls
# minbase. It begins anew; what it has downloaded is in DIR.debs until it has ended well.
suite_bootstrap()
{
	local suite=$1 dir=$2 keyring main

	shift 2
	keyring=$(suite_keyring) && main=$(suite_main) &&
	rm -rf --one-file-system "$dir" &&
	mkdir -p "$dir.debs" &&
	own_mounts debootstrap --variant=minbase --keyring="$keyring" \
		--cache-dir="$dir.debs" "$@" "$suite" "$dir" "$main" &&
	rm -r "$dir.debs"
}

# suite_apt_settings DIR: apt is to reach the mirror in that system in the way that it does
# here, by a proxy or as a snapshot that has expired; most machines have nothing to say.
suite_apt_settings()
{
	apt-config dump | grep -E '^Acquire::(Check-|Retries|https?[: ])' \
		>"$1/etc/apt/apt.conf.d/00-of-the-machine" || :
}

# suite_apt SUITE get|cache ARG...
# shellcheck disable=SC2154 # $top is set by who sources this
suite_apt()
{
	local dir=$top/out/apt/$1 command=$2

	shift 2
	"apt-$command" -q -o Dir::Etc::sourcelist="$dir/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$dir" -o Dir::State::lists="$dir/lists" \
		-o Dir::State::status="$dir/status" -o Dir::Cache="$dir" \
		-o Dir::Cache::pkgcache=pkgcache.bin \
		-o Dir::Cache::archives="$dir/archives" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# no_security: what has been mended is no cause of what fails later (see why). With
# pipefail, as all who source this have it, a command before it fails all the same.
no_security()
{
	sed 's/^[EW]: /without security updates: /'
}

# suite_update SUITE: what is old enough has no security updates any more. What an
# interrupted run has downloaded, and is not the newest any more, goes.
suite_update()
{
	local dir=$top/out/apt/$1

	mkdir -p "$dir/lists/partial" "$dir/archives/partial" &&
	: >"$dir/status" &&
	suite_sources "$1" >"$dir/sources.list" || return
	suite_apt "$1" get update --error-on=any 2>&1 | no_security || {
		suite_sources "$1" main >"$dir/sources.list" &&
		suite_apt "$1" get update --error-on=any
	} && suite_apt "$1" get autoclean
}
