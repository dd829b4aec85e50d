//! ZooKeeper, and the passwords kept in it: one row per setting.

macro_rules! zookeeper_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// The ZooKeeper servers that coordinate the cluster, as host:port with commas between them and a
            /// path at the end.
            "zookeeper.connect" zookeeper_connect: Option<String> = None, Any, ReadOnly, Accepted;
            /// How long ZooKeeper goes without word from the broker before the cluster takes it for dead.
            "zookeeper.session.timeout.ms" zookeeper_session_timeout_ms: i32 = 18_000, Any, ReadOnly, Accepted;
            /// How long to wait for a connection to ZooKeeper; by default as long as a session lasts.
            "zookeeper.connection.timeout.ms" zookeeper_connection_timeout_ms: Option<i32> = None, Any, ReadOnly, Accepted;
            /// Whether what the broker writes to ZooKeeper can be changed only by brokers.
            "zookeeper.set.acl" zookeeper_set_acl: bool = false, Any, ReadOnly, Accepted;
            /// How many requests may be under way to ZooKeeper at once.
            "zookeeper.max.in.flight.requests" zookeeper_max_in_flight_requests: i32 = 10, AtLeast(1), ReadOnly, Accepted;
            /// How far a ZooKeeper follower may be behind; nothing has used it for long.
            "zookeeper.sync.time.ms" zookeeper_sync_time_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// Whether the connection to ZooKeeper uses TLS.
            "zookeeper.ssl.client.enable" zookeeper_ssl_client_enable: bool = false, Any, ReadOnly, Accepted;
            /// The Java class of ZooKeeper connections; ottla has no use for it.
            "zookeeper.clientCnxnSocket" zookeeper_client_cnxn_socket: Option<String> = None, Any, ReadOnly, Accepted;
            /// The file with the broker's key for ZooKeeper.
            "zookeeper.ssl.keystore.location" zookeeper_ssl_keystore_location: Option<String> = None, Any, ReadOnly, Accepted;
            /// The file with the certificates that are trusted of ZooKeeper.
            "zookeeper.ssl.truststore.location" zookeeper_ssl_truststore_location: Option<String> = None, Any, ReadOnly, Accepted;
            /// The version of TLS towards ZooKeeper.
            "zookeeper.ssl.protocol" zookeeper_ssl_protocol: String = "TLSv1.2".to_owned(), Any, ReadOnly, Accepted;
            /// How the name in ZooKeeper's certificate is checked; empty is not at all.
            "zookeeper.ssl.endpoint.identification.algorithm" zookeeper_ssl_endpoint_identification_algorithm: String = "HTTPS".to_owned(), Any, ReadOnly, Accepted;
            /// Whether the cluster is on its way from ZooKeeper to KRaft.
            "zookeeper.metadata.migration.enable" zookeeper_metadata_migration_enable: bool = false, Any, ReadOnly, Accepted;
            /// The secret that encrypts passwords kept in ZooKeeper; without it none can be kept there.
            "password.encoder.secret" password_encoder_secret: Option<Password> = None, Any, ReadOnly, Accepted;
            /// The secret that encrypted them so far, while a new one is introduced.
            "password.encoder.old.secret" password_encoder_old_secret: Option<Password> = None, Any, ReadOnly, Accepted;
            /// The cipher that encrypts passwords kept in ZooKeeper.
            "password.encoder.cipher.algorithm" password_encoder_cipher_algorithm: String = "AES/CBC/PKCS5Padding".to_owned(), Any, ReadOnly, Accepted;
            /// How the encryption key is made of the secret; by default the best that there is.
            "password.encoder.keyfactory.algorithm" password_encoder_keyfactory_algorithm: Option<String> = None, Any, ReadOnly, Accepted;
            /// The length of the encryption key in bits.
            "password.encoder.key.length" password_encoder_key_length: i32 = 128, AtLeast(8), ReadOnly, Accepted;
            /// How many rounds making the encryption key takes.
            "password.encoder.iterations" password_encoder_iterations: i32 = 4096, AtLeast(1), ReadOnly, Accepted;
        }
    };
}
