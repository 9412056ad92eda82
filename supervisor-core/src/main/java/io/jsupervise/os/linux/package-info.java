/**
 * The {@link io.jsupervise.os.Os} of Linux, on x86-64 and 64-bit ARM with glibc. The only home of jnr: one small
 * interface on the C library for nearly everything, jnr-unixsocket for the control socket, jnr-posix for signals to
 * ourselves.
 */
package io.jsupervise.os.linux;
