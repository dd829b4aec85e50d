from ottla_kafka import kafka, kafka_namespace, kafka_of_namespaces, kafka_process  # noqa: F401
