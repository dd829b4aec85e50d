from ottla_kafka import kafka, kafka_process  # noqa: F401
