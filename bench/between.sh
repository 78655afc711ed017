# SPDX-License-Identifier: MIT
#
# The row of between.py. Domain 0 sends to domain 1 and is done when that has everything; or it sends as much to the wire and
# then receives as much from it, which is what two domains on two machines would do together.
set -e
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
sleep 2				# free memory is scrubbed meanwhile: that is no part of the row

if grep -q way=wire /proc/cmdline; then
	/bench/network between 4000 10.0.2.2 7001 both 4000000
	exit
fi

# Domain 1 boots into its own file system, and our program before it.
(cd / && printf 'bench\nbench/network\n' | cpio -o -H newc 2>/dev/null; cat /boot/initrd) >/tmp/initrd
command='ip addr add 10.0.2.16/24 dev eth0; ip link set eth0 up; /bench/network sink 7001'
atl create sink --mem 64M --vif --initrd /tmp/initrd \
	--cmdline "console=hvc0 quiet atelier.cmd=$(printf %s "$command" | base64 -w0)" >/dev/null
until nc -w 1 10.0.2.16 7001 </dev/null; do sleep 1; done
sleep 2
/bench/network between 4000 10.0.2.16 7001 send 4000000
