/**
 * What the operator asked for, as values that are valid by construction. Pure: no I/O, no clock, and no other
 * package of the project is imported, so every other package may build on it. Paths are absolute and defaults are
 * filled in: reading and defaulting is the work of {@code config}.
 */
package io.jsupervise.spec;
