/**
 * From the text of services.yml to specs that are valid by construction, or to a list of everything that is wrong with
 * it. Pure: files are read by whoever calls. The only home of snakeyaml.
 */
package io.jsupervise.config;
