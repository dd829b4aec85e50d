import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigResource;

/** Prints each topic that the arguments after the broker's address name, a tab, and its cleanup.policy. */
public final class Policies {
    public static void main(String[] arguments) throws Exception {
        List<ConfigResource> topics = new ArrayList<>();
        for (int i = 1; i < arguments.length; i++)
            topics.add(new ConfigResource(ConfigResource.Type.TOPIC, arguments[i]));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
            admin.describeConfigs(topics).all().get()
                .forEach((topic, config) -> System.out.println(topic.name() + "\t" + config.get("cleanup.policy").value()));
        }
    }
}
