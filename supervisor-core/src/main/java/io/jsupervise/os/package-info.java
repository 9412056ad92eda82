/**
 * What the supervisor asks of the operating system: {@link io.jsupervise.os.Os}, a port at the grain of system
 * calls. {@code LinuxOs} answers it with the kernel, the simulator with a model of one; both pass one contract test.
 */
package io.jsupervise.os;
