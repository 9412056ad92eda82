package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.RestartPolicy;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A service over the defaults of its file. They are written with an eye to most services, and a oneshot among them does not
 * have to take back what cannot mean it: how a service becomes ready, what is done beside it, and that it is restarted
 * whenever it ends. What it says so itself is still an error.
 */
final class Defaults {
    private Defaults() {}

    static Mapping under(Mapping defaults, Mapping own) {
        Mapping all = defaults.overlaid(own);
        if (!says(all, "type", "oneshot")) {
            return all;
        }
        Map<String, Member> fitting = new LinkedHashMap<>(defaults.members());
        fitting.remove("ready");
        fitting.remove("post_start");
        fitting.remove("checks");
        if (says(defaults, "restart", RestartPolicy.ALWAYS.word())) {
            fitting.remove("restart");
        }
        return new Mapping(defaults.place(), fitting).overlaid(own);
    }

    private static boolean says(Mapping map, String key, String word) {
        Member member = map.members().get(key);
        return member != null
                && member.value() instanceof Text text
                && text.text().equals(word);
    }
}
