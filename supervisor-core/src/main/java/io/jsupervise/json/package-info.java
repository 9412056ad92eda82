/** Strict reading of JSON into plain values, for the journal and the wire; pure, over jackson's streaming parser. */
package io.jsupervise.json;
