package ottla;

import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each test an empty broker, as a parameter of the type {@link Kafka}. They share one process.
 *
 * <pre>{@code
 * @ExtendWith(KafkaExtension.class)
 * class OrdersTest {
 *     @Test
 *     void orders(Kafka kafka) { … }
 * }
 * }</pre>
 */
public class KafkaExtension implements BeforeEachCallback, ParameterResolver {
    /** Closed by JUnit when all tests are over. */
    private record Shared(Kafka kafka) implements ExtensionContext.Store.CloseableResource {
        @Override
        public void close() throws Exception {
            kafka.close();
        }
    }

    private static Kafka kafka(ExtensionContext context) {
        var store = context.getRoot().getStore(Namespace.create(KafkaExtension.class));
        return store.getOrComputeIfAbsent(Shared.class, key -> {
            try {
                return new Shared(Kafka.start());
            } catch (java.io.IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
        }, Shared.class).kafka();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        kafka(context).reset();
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Kafka.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return kafka(context);
    }
}
