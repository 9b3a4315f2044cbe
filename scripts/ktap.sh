# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reporting of scripts that run other tests, in KTAP. To be sourced.

ktap_number=0

# ktap_report STATUS WHAT [LOG]: a part's own results go below the line that sums
# them up.
ktap_report()
{
	ktap_number=$((ktap_number + 1))
	[ -z "${3:-}" ] || sed 's/^/  /' "$3"
	if [ "$1" -eq 0 ]; then
		echo "ok $ktap_number $2"
	else
		echo "not ok $ktap_number $2"
	fi
}

# ktap_count FILE: the last line of a run. Counts the results that have none
# below them; a failure that no part of it accounts for counts too. A skip is a
# failure.
ktap_count()
{
	awk '
	match($0, /^ *(not )?ok /) {
		depth = match($0, /[^ ]/)
		bad = $0 ~ /^ *not ok / || $0 ~ /# SKIP/
		parent = below > depth
		if (!parent || (bad && !bad_below))
			bad ? failed++ : passed++
		bad_below = parent ? bad : bad_below || bad
		below = depth
	}
	END {
		printf "%d passed, %d failed\n", passed, failed
		exit failed || !passed
	}' "$1"
}
