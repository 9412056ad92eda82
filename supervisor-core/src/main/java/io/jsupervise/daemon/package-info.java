/**
 * The running daemon: one event loop, the actors and their threads, and the start and end of it all. Nothing is decided
 * here; what the core orders is carried out, and what has happened is told to it.
 */
package io.jsupervise.daemon;
