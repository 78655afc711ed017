# SPDX-License-Identifier: MIT
#
# The row of web.py: the disk's Debian has the server; what it serves lies in memory.
set -e
disk=/dev/vbda1
[ -b $disk ] || disk=/dev/sda1
mkdir /debian
mount -o ro,noload $disk /debian
mount -t tmpfs tmpfs /debian/tmp
mount -t devtmpfs devtmpfs /debian/dev
cd /debian/tmp
mkdir www
factor=102
for class in 0 1 2 3; do
	for file in 1 2 3 4 5 6 7 8 9; do
		head -c $((file * factor)) /dev/zero >www/${class}_$file
	done
	factor=$((factor * 10))
done
cat >conf <<-end
	server.document-root = "/tmp/www"
	server.port = 80
	server.errorlog = "/tmp/log"
end

card_cuts() {			# only the bare machine's Linux knows the card
	[ -d /sys/kernel/atelier ] || /bench/network tso eth0 "$1"
}

card_cuts off
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do usleep 100000; done
chroot /debian lighttpd -D -f /tmp/conf &
until wget -qO /dev/null http://10.0.2.15/0_1; do usleep 200000; done
/bench/network web 600 10.0.2.2 7003 wait
card_cuts on
/bench/network web_tso 600 10.0.2.2 7003 wait
kill $!
