/**
 * The language of the control socket: what is asked and answered, as HTTP and JSON have it; also what a client needs.
 * Pure.
 */
package io.jsupervise.control;
