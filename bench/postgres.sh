# SPDX-License-Identifier: MIT
#
# The rows of postgres.py: PostgreSQL as the disk's Debian has it, its data in memory, and pgbench with one client.
set -e
disk=/dev/vbda1
[ -b $disk ] || disk=/dev/sda1
root=/tmp/root
data=/var/lib/postgresql/15/main
programs=/usr/lib/postgresql/15/bin
sockets=/run/postgresql

mkdir $root
mount -t ext4 -o ro,noatime $disk $root
mount -t proc proc $root/proc
mount -t tmpfs tmpfs $root/tmp
mount -t tmpfs tmpfs $root/run
mount -o bind /dev $root/dev
# All that the server writes is in memory.
mkdir $root/tmp/postgresql
cp -a $root/var/lib/postgresql/. $root/tmp/postgresql
mount -o bind $root/tmp/postgresql $root/var/lib/postgresql
mkdir -p $root$sockets
cp /bench/mark $root/run/mark
chroot $root chown postgres: $sockets

cat >>$root/tmp/postgresql/15/main/postgresql.auto.conf <<CONF
listen_addresses = ''
unix_socket_directories = '$sockets'
jit = off
autovacuum = off
shared_buffers = 32MB
max_connections = 20
dynamic_shared_memory_type = mmap
max_wal_size = 256MB
CONF

as_postgres() {
	chroot $root su postgres -s /bin/sh -c "LC_ALL=C.UTF-8 PGHOST=$sockets $*"
}

as_postgres "$programs/pg_ctl -w -s -D $data -o '-c config_file=/etc/postgresql/15/main/postgresql.conf' -l /tmp/log start" || {
	cat $root/tmp/log
	exit 1
}
as_postgres $programs/pgbench -q -i -s 1 postgres
as_postgres /run/mark pg_tpcb 300 $programs/pgbench -n -t 300 postgres
as_postgres /run/mark pg_select 2000 $programs/pgbench -n -S -t 2000 postgres
as_postgres $programs/pg_ctl -w -s -D $data -m fast stop
