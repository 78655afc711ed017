#!/bin/busybox sh
# SPDX-License-Identifier: MIT
#
# What domain 0 does in a measurement of many domains: crowd.py calls this with the name of one and reads what it prints.

fail() {
	echo "bench: $*"
	exit 1
}

# mini NAME MEMORY WORDS: a domain with neighbour.c; vif, vbd and weight are its devices and its share
mini() {
	atl create $1 --mem $2 --kernel /boot/neighbour --cmdline "$3" ${vif:+--vif} ${vbd:+--vbd $vbd} ${weight:+--weight $weight} \
		>/dev/null || fail "$1 cannot be created"
}

# linux NAME MEMORY COMMAND
linux() {
	atl create $1 --mem $2 --kernel /boot/vmlinux --initrd /boot/initrd ${weight:+--weight $weight} \
		--cmdline "console=hvc0 quiet atelier.cmd=$(echo "$3; sleep 9999" | base64 -w 0)" >/dev/null || fail "$1 cannot be created"
}

# What the domain said that it did: NAME UNITS [MICROSECONDS]
did() {
	(sleep 0.1; printf '\035') | atl console $1 2>/dev/null | sed -n "s/.*did \([0-9]*\)\( in \)*\([0-9]*\).*/did $1 \1 \3/p"
}

# wait_until WHEN
wait_until() {
	left=$(($1 - $(worker now)))
	[ $left -le 0 ] || sleep $((left / 1000)).$(printf %03d $((left % 1000)))
}

# list WORD: the domains as JSON, and when this was
list() {
	echo "list $1 $(worker now)"
	atl list --json
	echo
}

# alone LENGTH MODE: a window of so many milliseconds with one domain
alone() {
	from=$(($(worker now) + 100)) to=$((from + $1))
	mini alone 4M "mode=$2 from=$from to=$to"
	wait_until $((to + 10))
	did alone
	atl destroy alone
}

# neighbour MODE VICTIM: a domain beside one that is busy with it
neighbour() {
	case $2 in
	packets) vif=1 ;;
	disk) vbd=x ;;
	esac
	alone 500 $2
	worker time shell_alone 5 /bin/ls -lR /etc /usr/sbin
	from=$(($(worker now) + 300)) to=$((from + 1000))
	mini victim 4M "mode=$2 from=$from to=$to"
	[ $1 = disk ] && hog=y
	case $1 in
	forks) linux hostile 24M "worker work $from $from; b() { b | b & }; b" ;;
	packets) vif=1 mini hostile 4M "mode=$1 from=$from to=$to" ;;
	*) vbd=$hog mini hostile 4M "mode=$1 from=$from to=$to" ;;
	esac
	wait_until $from
	list first
	wait_until $((from + 100))
	worker time shell 5 /bin/ls -lR /etc /usr/sbin
	wait_until $((to - 50))
	list last
	echo "window $from $to"
	wait_until $((to + 10))
	did victim
	[ $1 = forks ] || did hostile
	atl destroy hostile || fail "it cannot be destroyed"
}

# creation OTHERS...: with so many others
creation() {
	there=0
	for others; do
		while [ $there -lt $others ]; do
			mini other$there 1M "mode=busy"
			there=$((there + 1))
		done
		sleep 0.5
		worker time create_mini_$others 5 /usr/sbin/atl create t% --mem 1M --kernel /boot/neighbour --cmdline mode=busy
		for i in 0 1 2 3 4; do atl destroy t$i; done
		worker time create_large_$others 3 /usr/sbin/atl create t% --mem 24M --kernel /boot/neighbour --cmdline mode=busy
		for i in 0 1 2; do atl destroy t$i; done
		worker time create_linux_$others 3 /usr/sbin/atl create t% --mem 24M --initrd /boot/initrd
		sleep 2
		worker time destroy_linux_$others 3 /usr/sbin/atl destroy t%
	done
}

# linuxes COUNT FROM TO, minis COUNT FROM TO: busy ones; every other Linux weighs double
linuxes() {
	for i in $(seq $1); do
		weight=$((256 + 256 * (i % 2))) linux linux$i 26M "worker work $2 $3"
	done
}

minis() {
	for i in $(seq $1); do
		mini mini$i 1M "mode=busy from=$2 to=$3"
	done
}

# many LINUXES MINIS: what one of each does alone, then all together; and how they shared
many() {
	alone 500 busy
	from=$(($(worker now) + 2000)) to=$((from + 500))
	linuxes 1 $from $to
	wait_until $((to + 20))
	did linux1
	atl destroy linux1
	echo together
	from=$(($(worker now) + 500 + 600 * $1 + 10 * $2)) to=$((from + 6000))
	linuxes $1 $from $to
	minis $2 $from $to
	[ $(worker now) -lt $from ] || fail "they were not ready in time"
	wait_until $from
	list first
	wait_until $((to - 1000))
	list last
	echo "window $from $to"
	wait_until $((to + 100))
	for i in $(seq $1); do did linux$i; done
	for i in $(seq $2); do did mini$i; done
}

# rising COUNT...: so many together, of one kind
rising() {
	for count; do
		from=$(($(worker now) + 200 + 5 * count)) to=$((from + 2000))
		minis $count $from $to
		[ $(worker now) -lt $from ] || fail "they were not ready in time"
		wait_until $((to + 50))
		echo "count $count $((to - from))"
		for i in $(seq $count); do
			did mini$i
			atl destroy mini$i
		done
	done
}

"$@"
echo
echo end
