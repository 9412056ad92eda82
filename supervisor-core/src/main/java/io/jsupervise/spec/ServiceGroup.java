package io.jsupervise.spec;

/**
 * The group that a service belongs to: who is restarted together with whom. The strategies are those of the supervisors
 * of Erlang/OTP (supervisor(3)).
 *
 * @param name     by which its members name it
 * @param strategy of the whole group
 */
public record ServiceGroup(String name, Strategy strategy) {

    /** Who is restarted when a member ends and is restarted for it. */
    public enum Strategy {
        /** Only that one. */
        ONE_FOR_ONE,
        /** All members. */
        ONE_FOR_ALL,
        /** That one, and those that come after it in the services file. */
        REST_FOR_ONE;

        /** As written in services.yml: {@code one_for_all}. */
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    public ServiceGroup {
        if (!ServiceName.isValid(name)) {
            throw new IllegalArgumentException("\"" + name + "\" is no name of a group");
        }
    }
}
