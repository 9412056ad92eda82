/**
 * What the supervisor does to files, pipes and sockets: one descriptor plus one codec each. Nothing here decides what
 * becomes of a service. What can block is an {@link io.jsupervise.io.Actor}.
 */
package io.jsupervise.io;
