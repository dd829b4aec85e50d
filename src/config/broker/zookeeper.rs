//! ZooKeeper, and the passwords kept in it: one row per setting.

macro_rules! zookeeper_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// ZooKeeper ensemble with optional chroot.
            "zookeeper.connect" zookeeper_connect: Option<String> = None, Any, ReadOnly, Accepted;
            /// ZK session timeout.
            "zookeeper.session.timeout.ms" zookeeper_session_timeout_ms: i32 = 18_000, Any, ReadOnly, Accepted;
            /// Wait for the ZK connection.
            "zookeeper.connection.timeout.ms" zookeeper_connection_timeout_ms: Option<i32> = None, Any, ReadOnly, Accepted;
            /// Create znodes with secure ACLs.
            "zookeeper.set.acl" zookeeper_set_acl: bool = false, Any, ReadOnly, Accepted;
            /// Pipelined ZK requests.
            "zookeeper.max.in.flight.requests" zookeeper_max_in_flight_requests: i32 = 10, AtLeast(1), ReadOnly, Accepted;
            /// Unused legacy.
            "zookeeper.sync.time.ms" zookeeper_sync_time_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// TLS to ZooKeeper (needs zookeeper.clientCnxnSocket Netty).
            "zookeeper.ssl.client.enable" zookeeper_ssl_client_enable: bool = false, Any, ReadOnly, Accepted;
            /// ZK client socket class.
            "zookeeper.clientCnxnSocket" zookeeper_client_cnxn_socket: Option<String> = None, Any, ReadOnly, Accepted;
            /// ZK TLS key store.
            "zookeeper.ssl.keystore.location" zookeeper_ssl_keystore_location: Option<String> = None, Any, ReadOnly, Accepted;
            /// ZK TLS trust store.
            "zookeeper.ssl.truststore.location" zookeeper_ssl_truststore_location: Option<String> = None, Any, ReadOnly, Accepted;
            /// ZK TLS protocol.
            "zookeeper.ssl.protocol" zookeeper_ssl_protocol: String = "TLSv1.2".to_owned(), Any, ReadOnly, Accepted;
            /// ZK host verification (upper case HTTPS).
            "zookeeper.ssl.endpoint.identification.algorithm" zookeeper_ssl_endpoint_identification_algorithm: String = "HTTPS".to_owned(), Any, ReadOnly, Accepted;
            /// ZK to KRaft migration mode.
            "zookeeper.metadata.migration.enable" zookeeper_metadata_migration_enable: bool = false, Any, ReadOnly, Accepted;
            /// Encrypts passwords put into ZooKeeper; needed for dynamic passwords.
            "password.encoder.secret" password_encoder_secret: Option<Password> = None, Any, ReadOnly, Accepted;
            /// Previous secret during rotation.
            "password.encoder.old.secret" password_encoder_old_secret: Option<Password> = None, Any, ReadOnly, Accepted;
            /// Cipher.
            "password.encoder.cipher.algorithm" password_encoder_cipher_algorithm: String = "AES/CBC/PKCS5Padding".to_owned(), Any, ReadOnly, Accepted;
            /// Key derivation.
            "password.encoder.keyfactory.algorithm" password_encoder_keyfactory_algorithm: Option<String> = None, Any, ReadOnly, Accepted;
            /// Key length.
            "password.encoder.key.length" password_encoder_key_length: i32 = 128, AtLeast(8), ReadOnly, Accepted;
            /// KDF rounds.
            "password.encoder.iterations" password_encoder_iterations: i32 = 4096, AtLeast(1), ReadOnly, Accepted;
        }
    };
}
