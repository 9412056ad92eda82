package io.jsupervise.spec;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One services.yml with all that it includes, read and checked.
 *
 * @param source   the file that was named, absolute
 * @param services in the order of the file; names are unique
 */
public record Configuration(Path source, SupervisorSpec supervisor, List<ServiceSpec> services) {
    public Configuration {
        services = List.copyOf(services);
        Set<ServiceName> names = new HashSet<>();
        for (ServiceSpec service : services) {
            if (!names.add(service.name())) {
                throw new IllegalArgumentException("two services are named \"" + service.name() + "\"");
            }
        }
    }
}
