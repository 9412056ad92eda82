/**
 * Many services together: {@code Supervisor.step} takes an event and gives orders. It holds who may start when, what
 * waits for the journal, who asked for what and still waits for the answer. Pure: no clock, no I/O, no threads; one
 * thread at a time calls it.
 */
package io.jsupervise.supervision;
