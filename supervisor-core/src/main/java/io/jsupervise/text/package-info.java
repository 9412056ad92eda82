/** Words and durations as people write and read them. Pure, and used on every floor. */
package io.jsupervise.text;
