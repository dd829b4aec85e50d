//! Listeners, sockets and connections: one row per setting.

macro_rules! network_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// The addresses to listen on, as NAME://host:port. No host is every interface; port 0 is any free
            /// port.
            "listeners" listeners: Vec<String> = list(&["PLAINTEXT://:9092"]), Any, PerBroker, Acts;
            /// The addresses that clients are told to connect to, where they are not those of `listeners`:
            /// behind a proxy, in a container, with 0.0.0.0 bound.
            "advertised.listeners" advertised_listeners: Option<Vec<String>> = None, Any, ReadOnly, Acts;
            /// How each listener is protected, as NAME:PROTOCOL with PLAINTEXT, SSL, SASL_PLAINTEXT or
            /// SASL_SSL.
            "listener.security.protocol.map" listener_security_protocol_map: String = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT".to_owned(), Any, PerBroker, Acts;
            /// The listener that brokers use between themselves; excludes `security.inter.broker.protocol`.
            "inter.broker.listener.name" inter_broker_listener_name: Option<String> = None, Any, ReadOnly, Accepted;
            /// How the traffic between brokers is protected, where no listener is named for it.
            "security.inter.broker.protocol" security_inter_broker_protocol: SecurityProtocol = SecurityProtocol::Plaintext, Any, ReadOnly, Accepted;
            /// A listener that only the controller uses, so that its requests do not queue behind those of
            /// clients.
            "control.plane.listener.name" control_plane_listener_name: Option<String> = None, Any, ReadOnly, Accepted;
            /// The port of the only listener, as before `listeners` existed; counts only without that.
            "port" port: i32 = 9092, Between(0, 65535), ReadOnly, Acts;
            /// The host of the only listener, as before `listeners` existed; counts only without that.
            "host.name" host_name: String = String::new(), Any, ReadOnly, Acts;
            /// The host that clients are told, as before `advertised.listeners` existed; counts only without
            /// that.
            "advertised.host.name" advertised_host_name: Option<String> = None, Any, ReadOnly, Acts;
            /// The port that clients are told, as before `advertised.listeners` existed; counts only without
            /// that.
            "advertised.port" advertised_port: Option<i32> = None, Between(0, 65535), ReadOnly, Acts;
            /// How many threads per listener read requests and write answers.
            "num.network.threads" num_network_threads: i32 = 3, AtLeast(1), ClusterWide, Acts;
            /// How many threads do what may block: waiting for the disk, scans, deletions.
            "num.io.threads" num_io_threads: i32 = 8, AtLeast(1), ClusterWide, Acts;
            /// How many requests may wait for a thread before no more are read.
            "queued.max.requests" queued_max_requests: i32 = 500, AtLeast(1), ReadOnly, Acts;
            /// How many bytes of requests may be held in memory before no more are read; -1 is no limit.
            "queued.max.request.bytes" queued_max_request_bytes: i64 = -1, AtLeast(-1), ReadOnly, Acts;
            /// How long an answer to a request of this broker may take.
            "request.timeout.ms" request_timeout_ms: i32 = 30_000, Any, ReadOnly, Accepted;
            /// The socket's buffer for what is sent; -1 leaves it to the system.
            "socket.send.buffer.bytes" socket_send_buffer_bytes: i32 = 102_400, AtLeast(-1), ReadOnly, Acts;
            /// The socket's buffer for what is received; -1 leaves it to the system.
            "socket.receive.buffer.bytes" socket_receive_buffer_bytes: i32 = 102_400, AtLeast(-1), ReadOnly, Acts;
            /// The largest request; a client that announces a larger one is disconnected.
            "socket.request.max.bytes" socket_request_max_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Acts;
            /// How many connections the system holds until they are accepted.
            "socket.listen.backlog.size" socket_listen_backlog_size: i32 = 50, AtLeast(1), ReadOnly, Acts;
            /// How long the first attempt to connect to another broker may take.
            "socket.connection.setup.timeout.ms" socket_connection_setup_timeout_ms: i64 = 10_000, Any, ReadOnly, Accepted;
            /// How long an attempt to connect may take at most, after the time grew with every failure.
            "socket.connection.setup.timeout.max.ms" socket_connection_setup_timeout_max_ms: i64 = 30_000, Any, ReadOnly, Accepted;
            /// How many connections one address may have open. 0 only together with
            /// `max.connections.per.ip.overrides`.
            "max.connections.per.ip" max_connections_per_ip: i32 = i32::MAX, AtLeast(0), ClusterWide, Acts;
            /// Other limits for single hosts, as host:limit.
            "max.connections.per.ip.overrides" max_connections_per_ip_overrides: String = String::new(), Any, ClusterWide, Acts;
            /// How many connections the broker has open at most; with a listener's prefix, how many that
            /// listener has.
            "max.connections" max_connections: i32 = i32::MAX, AtLeast(0), ClusterWide, Acts;
            /// How many connections are accepted in a second; with a listener's prefix, how many on that
            /// listener.
            "max.connection.creation.rate" max_connection_creation_rate: i32 = i32::MAX, AtLeast(0), ClusterWide, Acts;
            /// How long a connection may be silent before it is closed; below 0 is for ever.
            "connections.max.idle.ms" connections_max_idle_ms: i64 = 600_000, Any, ReadOnly, Acts;
            /// How long a failed login waits for its answer, so that guessing is slow.
            "connection.failed.authentication.delay.ms" connection_failed_authentication_delay_ms: i32 = 100, AtLeast(0), ReadOnly, Accepted;
            /// How many partitions one answer to DescribeTopicPartitions lists before it continues in another.
            "max.request.partition.size.limit" max_request_partition_size_limit: i32 = 2000, AtLeast(1), ReadOnly, Acts;
        }
    };
}
