/**
 * What the supervisor remembers across its own death: one record a service, one of the supervisor itself, as JSON.
 * Pure; {@link io.jsupervise.io.JournalFile} keeps them on the disk.
 */
package io.jsupervise.journal;
