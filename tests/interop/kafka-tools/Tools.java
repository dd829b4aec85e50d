import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools one after the other in one process, as starting a process for each takes longer
 * than what most of them do. Reads {"tool", "arguments", "stdin"} and writes {"code", "out", "err"}, each a line.
 */
public final class Tools {
    /** What ends a tool's main instead of the process. */
    static final class Ended extends Error {
    }

    static Integer code;
    static final List<Runnable> hooks = new ArrayList<>();

    public static void main(String[] none) throws Exception {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = System.out;
        ObjectMapper json = new ObjectMapper();
        Exit.Procedure end = (status, message) -> {
            if (code == null)
                code = status;
            throw new Ended();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, runnable) -> hooks.add(runnable));
        String line;
        while ((line = requests.readLine()) != null) {
            answers.println(json.writeValueAsString(run(json.readTree(line))));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    static Map<String, Object> run(JsonNode request) throws Exception {
        String[] arguments = new String[request.get("arguments").size()];
        for (int i = 0; i < arguments.length; i++)
            arguments[i] = request.get("arguments").get(i).asText();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(request.get("stdin").asText().getBytes(StandardCharsets.UTF_8)));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        code = null;
        try {
            Class.forName(request.get("tool").asText()).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException error) {
            if (!(error.getCause() instanceof Ended)) {
                error.getCause().printStackTrace();
                code = 1;
            }
        }
        // Some tools send their last records, or tell of them, only when the process ends.
        hooks.forEach(Runnable::run);
        hooks.clear();
        return Map.of("code", code == null ? 0 : code, "out", out.toString(StandardCharsets.UTF_8), "err", err.toString(StandardCharsets.UTF_8));
    }
}
