# SPDX-License-Identifier: MIT
# Completion of atl's words in bash: commands, and where a domain or an extent is meant, those that there are.

_atl_domains() {
	atl list 2>/dev/null | awk 'NR > 1 { print $2 }'
}

_atl_extents() {
	atl disk 2>/dev/null | awk 'NR > 1 { print $1 }' | sort -u
}

_atl_words() {
	case ${COMP_WORDS[1]} in
	console | destroy | mem | pause | sched | shutdown | unpause) ((COMP_CWORD == 2)) && _atl_domains ;;
	create) echo --mem --limit --kernel --initrd --cmdline --vbd --vif --weight --restart --config --paused --console ;;
	disk) ((COMP_CWORD == 2)) && echo list make grow delete copy || _atl_extents ;;
	info) echo --json ;;
	list) echo --ended --json ;;
	net) ((COMP_CWORD == 2)) && echo list add remove || echo accept drop from to proto src dst sport dport rank any wire "$(_atl_domains)" ;;
	vbd | vif) ((COMP_CWORD == 2)) && echo list add remove || { ((COMP_CWORD == 3)) && _atl_domains; } ;;
	help) atl help | awk '$1 == "atl" { print $2 }' ;;
	esac
}

_atl() {
	local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
	--kernel | --initrd | --config) mapfile -t COMPREPLY < <(compgen -f -- "$now") ;;
	--restart) mapfile -t COMPREPLY < <(compgen -W "reboot always never" -- "$now") ;;
	--vbd) mapfile -t COMPREPLY < <(compgen -W "$(_atl_extents)" -- "$now") ;;
	atl) mapfile -t COMPREPLY < <(compgen -W "$(atl help | awk '$1 == "atl" { print $2 }')" -- "$now") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$(_atl_words)" -- "$now") ;;
	esac
}
complete -F _atl atl
