# SPDX-License-Identifier: MIT
#
# The rows of network.py, over the native driver's interface, or domain 0's.
set -e
[ -d /sys/kernel/atelier ] || /bench/network tso eth0 off

up() {
	ip link set eth0 down
	ip link set eth0 mtu "$1"
	ip link set eth0 up
	until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do usleep 100000; done
	usleep 500000
}

ip addr add 10.0.2.15/24 dev eth0
for mtu in 1500 500; do
	up $mtu
	/bench/network send_$mtu 4000 10.0.2.2 7001 send 4000000
	/bench/network receive_$mtu 4000 10.0.2.2 7002 receive 4000000
done
