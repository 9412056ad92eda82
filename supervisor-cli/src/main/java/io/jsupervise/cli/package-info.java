/**
 * The {@code jsupervise} command: one file per command. {@code run} is the daemon; all others are clients of a running
 * one, or read what a dead one left.
 */
package io.jsupervise.cli;
