# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of srtrace(8) for bash.

_srtrace()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	case $before in
	--probe | --exclude | --resume | --svg | --dot | --html)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	-p | -q | -f | -m | -w | -c | --every | -r | -z | -N | -t | -l | --gap)
		return ;;
	-i | --vrf)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$word")
		return ;;
	-g | -s | -d | --flows | --mtu | --loop | --record | --aliases)
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
		return ;;
	esac
	case $word in
	-*)	mapfile -t COMPREPLY < <(compgen -W '-g -S --watch --report --report=json
			--report=csv --report=prometheus -c --every --flows --mtu --loop --record --times
			--aliases --probe --exclude --resume
			--svg --dot --html -I -U -T -p -q -f -m -w -z -N --gap
			-4 -i --vrf -t -F -l -s -d -r -n -v -j -h -V --help --version' -- "$word") ;;
	*)	mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") ;;
	esac
}
complete -F _srtrace srtrace
