package io.jsupervise.sim;

import io.jsupervise.os.SpawnRequest;
import io.jsupervise.sim.Program.Beats;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * One telling of a {@link KillScenario}: the supervisor is killed at a certain system call, another begins, which may be
 * killed as well; the last one brings the story to its end. Then everything has to be up, and whatever was well before
 * has to run on as it was; and after the end of the supervisor nothing may remain.
 */
final class KilledRun {
    private static final int LINES = 80;
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final Beats BEATS = new Beats(Duration.ofMillis(50), Duration.ofMillis(100), Program.FOREVER);

    /** What follows the kill. */
    enum How {
        /** Another supervisor begins as soon as one can. */
        SOON,
        /** Nobody supervises for a while. */
        LATER,
        /** The power had failed; nothing is left but what is on the disk. */
        POWER_CUT
    }

    /** @param call which system call of that life is never made */
    record Kill(long call, How how) {
        @Override
        public String toString() {
            return how + "@" + call;
        }

        static Kill of(String text) {
            String[] parts = text.split("@", 2);
            return new Kill(Long.parseLong(parts[1]), How.valueOf(parts[0]));
        }
    }

    private final KillScenario scenario;
    private final List<Kill> kills;
    private final Lives lives;
    private final Map<String, Integer> spawned = new HashMap<>();
    private Configuration file;
    private int nextAct;
    private boolean calm;
    private boolean told;

    KilledRun(KillScenario scenario, List<Kill> kills) {
        this.scenario = scenario;
        this.kills = List.copyOf(kills);
        this.file = scenario.configuration();
        this.lives = new Lives(
                scenario.everybody(), () -> file, () -> file, this::program, new SplittableRandom(kills.size()), LINES);
    }

    Lives lives() {
        return lives;
    }

    private Program program(SpawnRequest request) {
        String service = request.environment().get("JSUPERVISE_SERVICE");
        String hook = request.environment().get("JSUPERVISE_HOOK");
        if (calm) {
            boolean ends = hook != null || isOneshot(service);
            return ends
                    ? Program.steady().exits(Duration.ofMillis(5), 0)
                    : Program.steady().beats(BEATS);
        }
        if (hook != null) {
            service += "." + hook;
        }
        return scenario.programs().of(service, spawned.merge(service, 1, Integer::sum));
    }

    private boolean isOneshot(String service) {
        for (ServiceSpec spec : file.services()) {
            if (spec.name().value().equals(service)) {
                return spec.isOneshot();
            }
        }
        return false;
    }

    /** Tells the story; returns how many of the kills came: one whose call is never made does not. */
    int play() {
        try {
            if (!scenario.before().isEmpty()) {
                lives.live(NEVER, life -> act(life, scenario.before()));
                lives.dies();
                lives.unsupervised(Duration.ofMillis(60));
                nextAct = 0;
            }
            int came = 0;
            while (!told) {
                if (!lives.live(came < kills.size() ? kills.get(came).call() : NEVER, this::story)) {
                    after(kills.get(came++));
                } else {
                    lives.dies();
                    lives.unsupervised(Duration.ofMillis(60));
                }
            }
            return came;
        } catch (AssertionError | RuntimeException e) {
            List<String> words = new ArrayList<>();
            kills.forEach(kill -> words.add(kill.toString()));
            throw new AssertionError(
                    scenario.name() + " " + words + ": " + e.getMessage()
                            + "\nto see it again: mvn -q -pl supervisor-core test -Dtest=KillTest -Dsim.kill="
                            + scenario.name() + ":" + String.join(",", words) + "\nhow it came about:\n"
                            + lives.transcript.text(),
                    e);
        }
    }

    private void after(Kill kill) {
        switch (kill.how()) {
            case SOON -> lives.unsupervised(Duration.ofMillis(60));
            case LATER -> lives.unsupervised(Duration.ofSeconds(5));
            case POWER_CUT -> lives.powerCut(kill.call());
        }
    }

    private void story(Life life) {
        act(life, scenario.acts());
        if (life.isOver()) {
            // It was told to end; the next one has everything up again.
            return;
        }
        calm = true;
        // Whatever is on its way arrives; what was stopped or given up stays so.
        life.run(Duration.ofSeconds(8));
        if (life.isOver()) {
            // A ladder that was climbed before has ended it; the next one goes on behind that rung.
            life.end();
            return;
        }
        life.ask(new Ask.Act(Ask.Act.Verb.START, List.of(), true, Duration.ofSeconds(5)));
        life.run(Duration.ofSeconds(3));
        lives.invariants.allIsWell();
        life.terminate();
        life.run(Duration.ofSeconds(60));
        life.end();
        told = true;
    }

    /** A supervisor goes on where the one before was killed. */
    private void act(Life life, List<KillScenario.Act> acts) {
        while (nextAct < acts.size()) {
            KillScenario.Act act = acts.get(nextAct++);
            file = act.file().orElse(file);
            act.what().accept(life);
            life.run(act.after());
        }
        if (life.isOver()) {
            life.end();
        }
    }
}
