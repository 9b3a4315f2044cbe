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

# ktap_beside NAME COMMAND...: in the background, until `ktap_ended NAME`. What it says is
# left in $logs/NAME. At most $ktap_at_once are at work, if that is set.
declare -A ktap_jobs
# shellcheck disable=SC2154 # $logs is set by who sources this
ktap_beside()
{
	local name=$1

	shift
	while [ "$(jobs -rp | wc -l)" -ge "${ktap_at_once:-100}" ]; do
		wait -n
	done
	"$@" >"$logs/$name" 2>&1 &
	ktap_jobs[$name]=$!
}

# ktap_ended NAME WHAT [COMMAND...]: waits, with a command that says how far it is;
# reports, and returns how it has ended.
ktap_ended()
{
	local name=$1 what=$2 status

	shift 2
	[ $# -eq 0 ] || follow "${ktap_jobs[$name]}" "$@"
	wait "${ktap_jobs[$name]}"
	status=$?
	ktap_report $status "$what" "$logs/$name"
	return $status
}
