# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of srcroute-status(1) for bash.

_srcroute_status()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	case $before in
	--in)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /sys/class/net && echo *)" -- "$word")
		return ;;
	--proto)
		mapfile -t COMPREPLY < <(compgen -W 'icmp tcp udp' -- "$word")
		return ;;
	--outcome)
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 2 /proc/net/srcroute \
			2>/dev/null | sort -u)" -- "$word")
		return ;;
	-w | --wait | --pointer | --ttl | --size | --tos | --mark | --sport | --dport | \
	--icmp-type | --offset | -c | --count | --address)
		return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W '-h --help -V --version -j --json -w --wait
		--live -c --count --outcome --address --explain --in --strict --pointer --ttl --size --df --tos --mark --proto
		--sport --dport --icmp-type --offset' -- "$word")
}
complete -F _srcroute_status srcroute-status
