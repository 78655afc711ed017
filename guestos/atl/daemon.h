/* SPDX-License-Identifier: MIT */
/*
 * The console daemon: takes what domains print, so that none of them waits for a reader, keeps the last of it, and hands it
 * to whoever looks on.
 *
 * A client connects to DAEMON_SOCKET, sends one line, the domain's number, and from then on is at that domain's console: what was
 * kept comes first. The end of the stream is the end of the domain.
 */
#ifndef ATL_DAEMON_H
#define ATL_DAEMON_H

#define DAEMON_SOCKET	"/run/atelier.sock"

/* A connection to the daemon, which is started if there is none. Ends with a complaint if that fails. */
int daemon_connect(void);

/* Starts the daemon if there is none. */
void daemon_start(void);

int run_daemon(int argc, char **argv);

#endif
