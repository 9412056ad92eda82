package io.jsupervise.spec;

/** A question from outside that a service has to answer while it is well. */
public sealed interface Probe {
    /** A question that is asked at a place in the network. */
    sealed interface Remote extends Probe {
        /** Without brackets, also where it is an IPv6 address. */
        String host();

        int port();
    }

    /** A program exits with 0, as whom and where the service runs. */
    record Exec(Command command) implements Probe {
        /** As much of a command line as a reason has room for. */
        private static final int LONGEST = 120;

        @Override
        public String toString() {
            String line = "exec " + String.join(" ", command.argv());
            return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "..";
        }
    }

    /** A connection comes about. */
    record Tcp(String host, int port) implements Remote {
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
    record Http(String host, int port, String target) implements Remote {
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
