package io.jsupervise.spec;

import java.nio.file.Path;
import java.util.List;

/**
 * One services.yml with all that it includes, read and checked.
 *
 * @param source   the file that was named, absolute
 * @param services in the order of the file; names are unique
 */
public record Configuration(Path source, SupervisorSpec supervisor, List<ServiceSpec> services) {
    public Configuration {
        services = List.copyOf(services);
        long names = services.stream().map(ServiceSpec::name).distinct().count();
        if (names != services.size()) {
            throw new IllegalArgumentException("service names must be unique");
        }
    }
}
