# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reporting of scripts that run other tests, in KTAP. To be sourced.

ktap_number=0

# ktap_report STATUS WHAT [LOG]: a part's own results go below the line that sums
# them up, and how long the run has taken so far.
ktap_report()
{
	ktap_number=$((ktap_number + 1))
	[ -z "${3:-}" ] || sed 's/^/  /' "$3"
	if [ "$1" -eq 0 ]; then
		echo "ok $ktap_number $2"
	else
		echo "not ok $ktap_number $2"
	fi
	echo "# after $SECONDS s"
}

# ktap_count FILE: the last line of a run. What has not come of it is a failure.
ktap_count()
{
	selftests/judge "$1"
}

# tests_done FILE...: how far guests are, by what they have printed so far.
tests_done()
{
	echo "# $(cat "$@" 2>/dev/null | grep -cE '^ +(not )?ok ') tests done in the guests"
}

# follow PID COMMAND...: which says how far it is, until it has ended.
follow()
{
	local pid=$1

	shift
	while kill -0 "$pid" 2>/dev/null; do
		sleep 5
		"$@"
	done
}
