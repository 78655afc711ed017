# SPDX-License-Identifier: MIT
#
# The rows of disk.py, on a whole disk: the native driver's, or domain 0's VBD 0.
set -e
device=/dev/vbda
[ -b $device ] || device=/dev/sda

row() {
	echo 3 >/proc/sys/vm/drop_caches
	name=$1
	shift
	/bench/disk "$name" $device "$@"
}

sleep 3		# the hypervisor prepares free frames when nobody runs: that is no part of a row
row seq_read_4k 1000 4096
row seq_write_4k 1000 4096 write
row rand_read_4k 1000 4096 random
row rand_write_4k 1000 4096 write random
row seq_read_64k 300 65536
row seq_write_64k 300 65536 write
row stream_read 500 65536 cached
row stream_write 500 65536 cached write
row sync_write 300 4096 write random sync
