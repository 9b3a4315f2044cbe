# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of srconform(1) for bash.

_srconform_words()
{
	local plan='--in --out --dut --lab'

	case $1 in
	run)	echo "$plan --profile --select --json --markdown --html --ktap --junit
			--pcapng --all --name --seed --rounds --patience --quiet -j -q" ;;
	lab)	echo '--sysctl --profile --select --json --markdown --html --ktap --junit
			--pcapng --all --seed --rounds --quiet -j -q' ;;
	check)	echo "$plan" ;;
	config)	echo "$plan --style --names" ;;
	list)	echo '--select' ;;
	report)	echo '--markdown --html --ktap --junit' ;;
	esac
}

_srconform()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]:-} words=''

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='run check config list explain diff report matrix lab --help --version'
	else
		case $before in
		--in | --out)
			words=$(cd /sys/class/net && echo *) ;;
		--profile)
			words='rfc linux strict' ;;
		--style)
			words='prose linux freebsd frr all' ;;
		--select | --dut | --lab | --name | --seed | --rounds | --patience | --names | \
		--sysctl)
			return ;;
		esac
		[ "$command" != explain ] || [ -n "$words" ] ||
			words=$(srconform list 2>/dev/null | cut -d ' ' -f 1)
		[ -n "$words" ] || [[ $word != -* ]] || words=$(_srconform_words "$command")
	fi
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -F _srconform srconform
