package io.jsupervise.io;

import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceSpec;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the services file names at present, for the threads that answer clients. Any thread. */
public final class NamedServices {
    private volatile Map<String, ServiceSpec> byName;

    public NamedServices(Configuration configuration) {
        set(configuration);
    }

    /** From now on. */
    public void set(Configuration configuration) {
        Map<String, ServiceSpec> fresh = new LinkedHashMap<>();
        for (ServiceSpec service : configuration.services()) {
            fresh.put(service.name().value(), service);
        }
        byName = fresh;
    }

    /** By name, in the order of the file; does not change any more. */
    public Map<String, ServiceSpec> all() {
        return byName;
    }
}
