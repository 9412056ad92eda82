/**
 * The life of one service: its states, what can happen to it and what is to be done about it. Everything that
 * decides a transition is in {@code Lifecycle}; events are facts in the past tense, effects are orders, and neither
 * has behaviour. Pure: no clock, no I/O, no threads, no randomness but that which is seeded from the state.
 */
package io.jsupervise.lifecycle;
