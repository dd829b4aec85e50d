use crate::config::BrokerConfig;

/// The broker settings that the transaction coordinator goes by; each is the Kafka key of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransactionConfig {
    pub(crate) transaction_max_timeout_ms: i32,
    pub(crate) transactional_id_expiration_ms: i32,
}

impl From<&BrokerConfig> for TransactionConfig {
    fn from(config: &BrokerConfig) -> Self {
        TransactionConfig {
            transaction_max_timeout_ms: config.transaction_max_timeout_ms,
            transactional_id_expiration_ms: config.transactional_id_expiration_ms,
        }
    }
}
