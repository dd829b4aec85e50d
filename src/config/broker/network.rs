//! Listeners, sockets and connections: one row per setting.

macro_rules! network_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Sockets the server binds; empty host means default interface, 0.0.0.0 means all.
            "listeners" listeners: Vec<String> = list(&["PLAINTEXT://:9092"]), Any, PerBroker, Acts;
            /// Addresses given to clients in metadata; 0.0.0.0 is not allowed.
            "advertised.listeners" advertised_listeners: Option<Vec<String>> = None, Any, PerBroker, Acts;
            /// Maps listener names to security protocols.
            "listener.security.protocol.map" listener_security_protocol_map: String = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT".to_owned(), Any, PerBroker, Acts;
            /// Listener brokers use among themselves; exclusive with security.inter.broker.protocol.
            "inter.broker.listener.name" inter_broker_listener_name: Option<String> = None, Any, ReadOnly, Accepted;
            /// Security protocol between brokers when no listener name is set.
            "security.inter.broker.protocol" security_inter_broker_protocol: SecurityProtocol = SecurityProtocol::Plaintext, Any, ReadOnly, Accepted;
            /// Dedicated listener for controller-to-broker traffic.
            "control.plane.listener.name" control_plane_listener_name: Option<String> = None, Any, ReadOnly, Accepted;
            /// Legacy listener port.
            "port" port: i32 = 9092, Between(0, 65535), ReadOnly, Acts;
            /// Legacy bind host.
            "host.name" host_name: String = String::new(), Any, ReadOnly, Acts;
            /// Legacy advertised host.
            "advertised.host.name" advertised_host_name: Option<String> = None, Any, ReadOnly, Acts;
            /// Legacy advertised port.
            "advertised.port" advertised_port: Option<i32> = None, Between(0, 65535), ReadOnly, Acts;
            /// Threads per listener that read requests and write responses.
            "num.network.threads" num_network_threads: i32 = 3, AtLeast(1), ClusterWide, Acts;
            /// Request handler threads.
            "num.io.threads" num_io_threads: i32 = 8, AtLeast(1), ClusterWide, Acts;
            /// Data-plane request queue length before network threads block.
            "queued.max.requests" queued_max_requests: i32 = 500, AtLeast(1), ReadOnly, Acts;
            /// Memory pool for queued requests; -1 unlimited.
            "queued.max.request.bytes" queued_max_request_bytes: i64 = -1, AtLeast(-1), ReadOnly, Acts;
            /// Timeout of requests this broker sends.
            "request.timeout.ms" request_timeout_ms: i32 = 30_000, Any, ReadOnly, Accepted;
            /// SO_SNDBUF; -1 = OS default.
            "socket.send.buffer.bytes" socket_send_buffer_bytes: i32 = 102_400, AtLeast(-1), ReadOnly, Acts;
            /// SO_RCVBUF; -1 = OS default.
            "socket.receive.buffer.bytes" socket_receive_buffer_bytes: i32 = 102_400, AtLeast(-1), ReadOnly, Acts;
            /// Largest request frame; larger closes the connection.
            "socket.request.max.bytes" socket_request_max_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Acts;
            /// Accept backlog.
            "socket.listen.backlog.size" socket_listen_backlog_size: i32 = 50, AtLeast(1), ReadOnly, Acts;
            /// First connect timeout for outgoing connections.
            "socket.connection.setup.timeout.ms" socket_connection_setup_timeout_ms: i64 = 10_000, Any, ReadOnly, Accepted;
            /// Upper bound of the backed-off connect timeout.
            "socket.connection.setup.timeout.max.ms" socket_connection_setup_timeout_max_ms: i64 = 30_000, Any, ReadOnly, Accepted;
            /// Connections allowed per client IP; 0 allowed if overrides exist.
            "max.connections.per.ip" max_connections_per_ip: i32 = i32::MAX, AtLeast(0), ClusterWide, Acts;
            /// Comma list host:limit overriding max.connections.per.ip.
            "max.connections.per.ip.overrides" max_connections_per_ip_overrides: String = String::new(), Any, ClusterWide, Acts;
            /// Broker-wide connection cap; may carry listener prefix.
            "max.connections" max_connections: i32 = i32::MAX, AtLeast(0), ClusterWide, Acts;
            /// Connection accept rate cap; may carry listener prefix.
            "max.connection.creation.rate" max_connection_creation_rate: i32 = i32::MAX, AtLeast(0), ClusterWide, Acts;
            /// Idle connections are closed after this.
            "connections.max.idle.ms" connections_max_idle_ms: i64 = 600_000, Any, ReadOnly, Acts;
            /// Delay before closing after failed authentication.
            "connection.failed.authentication.delay.ms" connection_failed_authentication_delay_ms: i32 = 100, AtLeast(0), ReadOnly, Accepted;
            /// DescribeTopicPartitions page size cap.
            "max.request.partition.size.limit" max_request_partition_size_limit: i32 = 2000, AtLeast(1), ReadOnly, Acts;
        }
    };
}
