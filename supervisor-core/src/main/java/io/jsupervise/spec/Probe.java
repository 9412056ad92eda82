package io.jsupervise.spec;

/** A question from outside that a service has to answer while it is well. */
public sealed interface Probe {
    /** A connection comes about. */
    record Tcp(String host, int port) implements Probe {
        public Tcp {
            checkPlace(host, port);
        }

        @Override
        public String toString() {
            return "tcp " + place(host, port);
        }
    }

    /**
     * GET is answered with a status from 200 to 399.
     *
     * @param target path and query, beginning with a slash
     */
    record Http(String host, int port, String target) implements Probe {
        public Http {
            checkPlace(host, port);
            if (!target.startsWith("/")) {
                throw new IllegalArgumentException("target must begin with a slash: " + target);
            }
            for (int i = 0; i < target.length(); i++) {
                if (target.charAt(i) <= ' ' || target.charAt(i) >= 127) {
                    throw new IllegalArgumentException("target must be plain ASCII without blanks: " + target);
                }
            }
        }

        @Override
        public String toString() {
            return "http://" + place(host, port) + target;
        }
    }

    /** Without brackets, also where it is an IPv6 address. */
    String host();

    int port();

    private static void checkPlace(String host, int port) {
        if (host.isEmpty() || port < 1 || port > 65535) {
            throw new IllegalArgumentException("no place to connect to: " + place(host, port));
        }
    }

    /** As in a URL. */
    static String place(String host, int port) {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
