package ottla;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Kafka for tests, from the {@code ottla} binary, which is found by the environment's {@code OTTLA}, or on the PATH.
 *
 * <p>Either a running {@code ottla test}, or a fork of one.
 */
public class Kafka implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final String bootstrapServers;
    private final String control;
    private final AutoCloseable end;

    private Kafka(String bootstrapServers, String control, AutoCloseable end) {
        this.bootstrapServers = bootstrapServers;
        this.control = control;
        this.end = end;
    }

    /** What the broker did not do, and why. */
    public static class OttlaException extends RuntimeException {
        public final int status;
        public final String code;

        OttlaException(int status, String code, String message) {
            super(code + ": " + message);
            this.status = status;
            this.code = code;
        }
    }

    /** Starts a broker. It ends when this process does, however that happens. */
    public static Kafka start(String... args) throws IOException {
        String binary = System.getenv().getOrDefault("OTTLA", "ottla");
        List<String> command = new ArrayList<>(List.of(binary, "test", "--until-stdin-ends"));
        command.addAll(Arrays.asList(args));
        Process process;
        try {
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException e) {
            throw new IOException(e.getMessage() + ": set OTTLA to the binary, or have it on the PATH", e);
        }
        String line = process.inputReader().readLine();
        if (line == null || !line.startsWith("ready ")) {
            throw new IOException("ottla test is not ready: " + line);
        }
        Map<String, String> fields = new HashMap<>();
        for (String part : line.split(" ")) {
            String[] pair = part.split("=", 2);
            fields.put(pair[0], pair[pair.length - 1]);
        }
        return new Kafka(fields.get("bootstrap.servers"), fields.get("control"), () -> {
            process.getOutputStream().close();
            process.waitFor();
        });
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** Asks the control endpoint: see the page on testing of ottla's handbook. */
    public JsonNode call(String method, String path, Map<String, ?> fields) {
        try {
            String body = fields == null ? "" : JSON.writeValueAsString(fields);
            HttpRequest request = HttpRequest.newBuilder(URI.create(control + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
            HttpResponse<String> answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
            JsonNode told = JSON.readTree(answer.body());
            if (answer.statusCode() != 200) {
                JsonNode error = told.get("error");
                throw new OttlaException(
                    answer.statusCode(), error.get("code").asText(), error.get("message").asText());
            }
            return told;
        } catch (IOException error) {
            throw new java.io.UncheckedIOException(error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(error);
        }
    }

    /** Lets time pass, with everything that is due by then. */
    public void advance(Duration by) {
        call("POST", "/v1/advance", Map.of("ms", by.toMillis()));
    }

    /** Waits for the broker: {@code waitUntil("records", Map.of("topic", "orders", "count", 3))}. */
    public void waitUntil(String until, Map<String, ?> fields) {
        Map<String, Object> all = new HashMap<>(fields);
        all.put("until", until);
        call("POST", "/v1/wait", all);
    }

    /** A rule for faults. */
    public record Fault(Kafka kafka, long id) {
        /** How many requests it has met. */
        public long hits() {
            for (JsonNode rule : kafka.call("GET", "/v1/faults", null)) {
                if (rule.get("id").asLong() == id) {
                    return rule.get("hits").asLong();
                }
            }
            throw new IllegalStateException("the rule has ended");
        }
    }

    /** Has requests go wrong: {@code fault(Map.of("api", "Produce", "times", 3, "answer", "NOT_LEADER_OR_FOLLOWER"))}. */
    public Fault fault(Map<String, ?> fields) {
        return new Fault(this, call("POST", "/v1/faults", fields).get("id").asLong());
    }

    public void createTopic(String name, int partitions, Map<String, ?> configs) {
        call("POST", "/v1/topics", Map.of("name", name, "partitions", partitions, "configs", configs));
    }

    /** The values of all records of a topic, as text. */
    public List<String> values(String topic) {
        List<String> values = new ArrayList<>();
        call("GET", "/v1/topics/" + encode(topic) + "/records", null)
            .forEach(record -> values.add(record.get("value").asText()));
        return values;
    }

    /** A group by its name, or null. */
    public JsonNode group(String id) {
        for (JsonNode group : call("GET", "/v1/groups", null)) {
            if (group.get("groupId").asText().equals(id)) {
                return group;
            }
        }
        return null;
    }

    /** The requests that have come, of one API. */
    public JsonNode journal(String api) {
        return journal(Map.of("api", api));
    }

    /** The requests that have come and match: {@code journal(Map.of("api", "Produce", "topic", "orders"))}. */
    public JsonNode journal(Map<String, ?> match) {
        var query = new StringJoiner("&");
        match.forEach((key, value) -> query.add(key + "=" + encode(value.toString())));
        return call("GET", "/v1/journal?" + query, null);
    }

    /** Has the broker hang: connections stay, and nobody answers. */
    public void pause() {
        call("POST", "/v1/pause", null);
    }

    /** Has it work again. */
    public void resume() {
        call("POST", "/v1/resume", null);
    }

    /** What happened to a group, and why. */
    public List<String> groupHistory(String group) {
        return texts(call("GET", "/v1/groups/" + encode(group) + "/history", null));
    }

    /** What happened to a transactional id, and why. */
    public List<String> transactionHistory(String id) {
        return texts(call("GET", "/v1/transactions/" + encode(id) + "/history", null));
    }

    private static List<String> texts(JsonNode events) {
        List<String> texts = new ArrayList<>();
        events.forEach(event -> texts.add(event.get("text").asText()));
        return texts;
    }

    /** Has the disk fail: {@code failDisk("sync", "EIO")}, {@code failDisk("write", "ENOSPC")}. */
    public void failDisk(String operation, String error) {
        call("POST", "/v1/disk", Map.of("fail", operation, "with", error));
    }

    /** Has it work again. */
    public void healDisk() {
        call("DELETE", "/v1/disk", null);
    }

    /** Cuts the power of a broker with {@code --volatile-disk}, and starts it again with what was synced. */
    public void losePower() {
        call("POST", "/v1/power-loss", null);
    }

    /** Which broker leads a partition. */
    public int leader(String topic, int partition) {
        for (JsonNode found : call("GET", "/v1/topics", null)) {
            if (found.get("name").asText().equals(topic)) {
                return found.at("/partitions/" + partition + "/leader").asInt();
            }
        }
        throw new IllegalArgumentException("there is no topic " + topic);
    }

    /**
     * Has another of several brokers ({@code --nodes}) be it: {@code move("leader", Map.of("topic", "orders"))}, {@code
     * move("coordinator", Map.of("group", "billing"))}. Which one it is.
     */
    public int move(String what, Map<String, ?> fields) {
        Map<String, Object> all = new HashMap<>(fields);
        all.put("what", what);
        return call("POST", "/v1/move", all).get("to").asInt();
    }

    /** Takes one of several brokers down. */
    public void nodeDown(int node) {
        call("POST", "/v1/nodes/" + node + "/down", null);
    }

    /** Brings it up again. */
    public void nodeUp(int node) {
        call("POST", "/v1/nodes/" + node + "/up", null);
    }

    /**
     * A part of the broker with an address of its own: clients there see topics, groups and ids of their own only, so that
     * tests may run at once and use the same names. The broker has them with the namespace's in front: a.orders.
     */
    public record Namespace(Kafka kafka, String name, String bootstrapServers) implements AutoCloseable {
        /** The broker's name of one of its topics, groups or transactional ids. */
        public String fullName(String own) {
            return name + "." + own;
        }

        /** What the records of one of its topics have as values. */
        public List<String> values(String topic) {
            return kafka.values(fullName(topic));
        }

        /** Ends it, with its topics and groups. */
        @Override
        public void close() {
            kafka.call("DELETE", "/v1/namespaces/" + name, null);
        }
    }

    /** Makes a namespace, or finds it again. */
    public Namespace namespace(String name) {
        JsonNode made = call("POST", "/v1/namespaces", Map.of("name", name));
        return new Namespace(this, name, made.get("bootstrapServers").asText());
    }

    /** Puts records into a topic without a client: {@code produce("orders", Map.of("value", "one", "key", "till-4"))}. */
    @SafeVarargs
    public final void produce(String topic, Map<String, ?>... records) {
        call("POST", "/v1/topics/" + encode(topic) + "/records", Map.of("records", List.of(records)));
    }

    /** Keeps the broker as it is; what to give to {@link #restore}. */
    public long snapshot() {
        return call("POST", "/v1/snapshots", null).get("id").asLong();
    }

    /** Makes the broker again what it was. */
    public void restore(long snapshot) {
        call("POST", "/v1/snapshots/" + snapshot + "/restore", null);
    }

    /** A second broker that goes on from where this one is. It ends when it is closed, or with this one. */
    public Kafka fork() {
        JsonNode fork = call("POST", "/v1/forks", null);
        String path = "/v1/forks/" + fork.get("id").asLong();
        return new Kafka(
            fork.get("bootstrapServers").asText(),
            fork.get("control").asText(),
            () -> call("DELETE", path, null));
    }

    /** Starts from nothing, at the same address. */
    public void reset() {
        call("POST", "/v1/reset", null);
    }

    /** Stops the broker, and starts it again with its data. */
    public void restart() {
        call("POST", "/v1/restart", null);
    }

    @Override
    public void close() throws Exception {
        end.close();
    }

    private static String encode(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
