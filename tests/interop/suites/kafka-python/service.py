"""Takes the place of a module that kafka-python's tests need and its source distribution lacks."""


class ExternalService:
    """A broker that somebody else started and stops."""

    def __init__(self, host, port):
        self.host = host
        self.port = port

    def stop(self):
        pass

    def dump_logs(self):
        pass


class SpawnedService:
    """A broker that the tests would start."""

    def __init__(self, arguments, environment):
        raise RuntimeError(f"there is no Apache Kafka here to start: {arguments}")
