/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* guest-io.h - what guest-io, in a guest, and vmm-cost, on its host, have agreed on: the first byte of a connection says what it is for. */
#ifndef FBK_BENCH_GUEST_IO_H
#define FBK_BENCH_GUEST_IO_H

#define FBK_BENCH_PORT 5001
#define FBK_BENCH_ECHO 'e'   /* what comes goes back */
#define FBK_BENCH_SINK 's'   /* STREAM bytes are taken, then one is sent */
#define FBK_BENCH_SOURCE 'f' /* STREAM bytes are sent */
#define FBK_BENCH_STREAM (8u << 20)
#define FBK_BENCH_CHUNK (64u << 10)

#endif
