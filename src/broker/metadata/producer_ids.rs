use parking_lot::Mutex;

use crate::model::ProducerId;

/// How many ids are reserved on disk at a time, so that handing one out costs no write (Kafka:
/// `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
pub(crate) const PRODUCER_ID_BLOCK_SIZE: ProducerId = 1000;

/// Hands out producer ids, each once in the life of the data directory (Kafka: `ProducerIdManager`).
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    block: Mutex<Block>,
}

#[derive(Debug, Default)]
struct Block {
    next: ProducerId,
    end: ProducerId,
}

impl ProducerIds {
    /// The next id. `reserve` is asked for the first id of a new block, which it must have made durable.
    pub(crate) fn generate<E>(
        &self,
        reserve: impl FnOnce() -> Result<ProducerId, E>,
    ) -> Result<ProducerId, E> {
        let mut block = self.block.lock();
        if block.next == block.end {
            block.next = reserve()?;
            block.end = block.next + PRODUCER_ID_BLOCK_SIZE;
        }
        block.next += 1;
        Ok(block.next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_block_follow_each_other_and_a_new_block_is_reserved_when_it_is_used_up() {
        let ids = ProducerIds::default();
        let mut reserved = 0;
        for expected in 0..2 * PRODUCER_ID_BLOCK_SIZE {
            let id = ids.generate(|| {
                reserved += 1;
                Ok::<_, ()>((reserved - 1) * PRODUCER_ID_BLOCK_SIZE)
            });
            assert_eq!(id, Ok(expected));
        }
        assert_eq!(reserved, 2);
    }

    #[test]
    fn a_block_that_cannot_be_reserved_hands_out_nothing() {
        let ids = ProducerIds::default();
        assert_eq!(ids.generate(|| Err("disk")), Err("disk"));
        assert_eq!(ids.generate(|| Ok::<_, ()>(5000)), Ok(5000));
    }
}
