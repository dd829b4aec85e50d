package ottla;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each test what it has as a parameter: an empty broker ({@link Kafka}), or a part of one that is its own ({@link
 * Kafka.Namespace}).
 *
 * <pre>{@code
 * @ExtendWith(KafkaExtension.class)
 * class OrdersTest {
 *     @Test
 *     void orders(Kafka kafka) { … }
 * }
 * }</pre>
 *
 * Tests with a whole broker share one process, one after the other. Tests with a namespace share another one, which is
 * never emptied, and may run at once: {@code @Execution(CONCURRENT)}.
 */
public class KafkaExtension implements BeforeEachCallback, ParameterResolver {
    private static final Namespace OWN = Namespace.create(KafkaExtension.class);

    /** Closed by JUnit when all tests are over. */
    private record Shared(Kafka kafka) implements CloseableResource {
        @Override
        public void close() throws Exception {
            kafka.close();
        }
    }

    /** Closed by JUnit when its test is over. */
    private record OwnNamespace(Kafka.Namespace namespace) implements CloseableResource {
        @Override
        public void close() {
            namespace.close();
        }
    }

    private static Kafka broker(ExtensionContext context, String name) {
        return context.getRoot().getStore(OWN).getOrComputeIfAbsent(name, key -> {
            try {
                return new Shared(Kafka.start());
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }, Shared.class).kafka();
    }

    private static Kafka.Namespace namespace(ExtensionContext context) {
        return context.getStore(OWN).getOrComputeIfAbsent("namespace", key -> {
            String name = UUID.randomUUID().toString();
            return new OwnNamespace(broker(context, "of namespaces").namespace(name));
        }, OwnNamespace.class).namespace();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        var parameters = Arrays.asList(context.getRequiredTestMethod().getParameterTypes());
        if (parameters.contains(Kafka.class)) {
            broker(context, "emptied").reset();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        var type = parameter.getParameter().getType();
        return type == Kafka.class || type == Kafka.Namespace.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        boolean isWhole = parameter.getParameter().getType() == Kafka.class;
        return isWhole ? broker(context, "emptied") : namespace(context);
    }
}
