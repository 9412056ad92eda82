package io.jsupervise.config;

/** What a variable may be called: anything that execve(2) can carry. */
final class Environment {
    private Environment() {}

    static boolean isName(String name) {
        return !name.isEmpty() && name.indexOf('=') < 0 && name.indexOf('\0') < 0 && name.indexOf(' ') < 0;
    }
}
