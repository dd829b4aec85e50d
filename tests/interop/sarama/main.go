// sarama, the oldest of the clients in Go.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	. "ottla-interop/jobs"
)

var (
	brokers = []string{Bootstrap}
	admin   = Get(sarama.NewClusterAdmin(brokers, config()))
)

func config(changes ...func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Return.Errors = true
	c.Consumer.Group.Session.Timeout = 6 * time.Second
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	c.Consumer.Group.Rebalance.Retry.Backoff = 100 * time.Millisecond
	for _, change := range changes {
		change(c)
	}
	return c
}

func newTopic(partitions int32, configs map[string]*string) string {
	topic := Unique("sarama")
	Must(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}, false))
	return topic
}

func produce(topic string, records []*sarama.ProducerMessage, changes ...func(*sarama.Config)) (offsets []int64) {
	producer := Get(sarama.NewSyncProducer(brokers, config(changes...)))
	defer producer.Close()
	for _, record := range records {
		record.Topic = topic
	}
	Must(producer.SendMessages(records))
	for _, record := range records {
		offsets = append(offsets, record.Offset)
	}
	return offsets
}

func numbers(count int) (records []*sarama.ProducerMessage) {
	for i := range count {
		records = append(records, &sarama.ProducerMessage{Value: sarama.StringEncoder(fmt.Sprint(i))})
	}
	return records
}

func take(messages <-chan *sarama.ConsumerMessage, count int) (records []*sarama.ConsumerMessage) {
	limit := time.After(30 * time.Second)
	for len(records) < count {
		select {
		case message := <-messages:
			records = append(records, message)
		case <-limit:
			panic(fmt.Sprintf("only %d of %d records came", len(records), count))
		}
	}
	return records
}

func read(topic string, count int, offset int64) []*sarama.ConsumerMessage {
	consumer := Get(sarama.NewConsumer(brokers, config()))
	defer consumer.Close()
	partition := Get(consumer.ConsumePartition(topic, 0, offset))
	defer partition.Close()
	return take(partition.Messages(), count)
}

func roundTrip(changes ...func(*sarama.Config)) func() {
	return func() {
		topic := newTopic(1, nil)
		var records []*sarama.ProducerMessage
		for i := range 100 {
			value := fmt.Sprint("value ", i, string(bytes.Repeat([]byte("x"), 100)))
			records = append(records, &sarama.ProducerMessage{Key: sarama.StringEncoder(fmt.Sprint("k", i)), Value: sarama.StringEncoder(value)})
		}
		produce(topic, records, changes...)
		for i, found := range read(topic, 100, sarama.OffsetOldest) {
			Same(records[i].Key, sarama.StringEncoder(found.Key))
			Same(records[i].Value, sarama.StringEncoder(found.Value))
		}
	}
}

func codec(codec sarama.CompressionCodec) func() {
	return roundTrip(func(c *sarama.Config) { c.Producer.Compression = codec })
}

func acks(acks sarama.RequiredAcks) func(*sarama.Config) {
	return func(c *sarama.Config) { c.Producer.RequiredAcks = acks }
}

func createTopics() {
	topic := newTopic(3, nil)
	Same(int32(3), Get(admin.ListTopics())[topic].NumPartitions)
	err := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}, false)
	Check(errors.Is(err, sarama.ErrTopicAlreadyExists), "created again: ", err)
}

func keysHeadersNulls() {
	topic := newTopic(1, nil)
	headers := []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte{}}, {Key: []byte("none")}}
	produce(topic, []*sarama.ProducerMessage{
		{Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder("value"), Headers: headers},
		{Value: sarama.ByteEncoder([]byte{})},
		{Key: sarama.StringEncoder("gone")},
	})
	found := read(topic, 3, sarama.OffsetOldest)
	Same(3, len(found[0].Headers))
	for i, header := range found[0].Headers {
		Same(string(headers[i].Key), string(header.Key))
		Same(headers[i].Value == nil, header.Value == nil)
		Same(string(headers[i].Value), string(header.Value))
	}
	Check(found[1].Key == nil && found[1].Value != nil && len(found[1].Value) == 0, "not an empty value: ", found[1])
	Check(string(found[2].Key) == "gone" && found[2].Value == nil, "not a null value: ", found[2])
}

func largeValues() {
	topic := newTopic(1, nil)
	var records []*sarama.ProducerMessage
	for i := range 5 {
		records = append(records, &sarama.ProducerMessage{Value: sarama.ByteEncoder(bytes.Repeat([]byte{byte(i)}, 1_000_000))})
	}
	produce(topic, records)
	for i, found := range read(topic, 5, sarama.OffsetOldest) {
		Check(bytes.Equal(records[i].Value.(sarama.ByteEncoder), found.Value), "a value changed")
	}
}

func timestamps() {
	topic := newTopic(1, nil)
	const start = 1_600_000_000_000
	records := numbers(10)
	for i, record := range records {
		record.Timestamp = time.UnixMilli(start + int64(i)*1000)
	}
	produce(topic, records)
	for i, found := range read(topic, 10, sarama.OffsetOldest) {
		Same(start+int64(i)*1000, found.Timestamp.UnixMilli())
	}
	found := Get(admin.ListOffsets(map[string]map[int32]int64{topic: {0: start + 4500}}, nil))[topic][0]
	Same(sarama.ErrNoError, found.Err)
	Same(int64(5), found.Offset)
	Same(int64(start+5000), found.Timestamp)
	Same("5", string(read(topic, 1, found.Offset)[0].Value))
}

func idempotent() {
	topic := newTopic(1, nil)
	offsets := produce(topic, numbers(1000), func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Producer.Flush.MaxMessages = 50
		c.Net.MaxOpenRequests = 1
	})
	for i, offset := range offsets {
		Same(int64(i), offset)
	}
	for i, found := range read(topic, 1000, sarama.OffsetOldest) {
		Same(fmt.Sprint(i), string(found.Value))
	}
}

func acks0() {
	topic := newTopic(1, nil)
	produce(topic, numbers(10), acks(sarama.NoResponse))
	read(topic, 10, sarama.OffsetOldest)
}

func seek() {
	topic := newTopic(1, nil)
	produce(topic, numbers(20))
	consumer := Get(sarama.NewConsumer(brokers, config()))
	defer consumer.Close()
	partition := Get(consumer.ConsumePartition(topic, 0, sarama.OffsetOldest))
	take(partition.Messages(), 20)
	Must(partition.Close())
	partition = Get(consumer.ConsumePartition(topic, 0, 7))
	defer partition.Close()
	Same(int64(7), take(partition.Messages(), 1)[0].Offset)
}

// member is in a group, and knows its partitions and how often they changed.
type member struct {
	group    sarama.ConsumerGroup
	messages chan *sarama.ConsumerMessage
	stop     context.CancelFunc
	stopped  sync.WaitGroup
	lock     sync.Mutex
	session  sarama.ConsumerGroupSession
	owned    map[int32]bool
	changes  int
}

func join(group, topic string, changes ...func(*sarama.Config)) *member {
	ctx, stop := context.WithCancel(context.Background())
	m := &member{group: Get(sarama.NewConsumerGroup(brokers, group, config(changes...))), messages: make(chan *sarama.ConsumerMessage), stop: stop, owned: map[int32]bool{}}
	m.stopped.Go(func() {
		for ctx.Err() == nil {
			if err := m.group.Consume(ctx, []string{topic}, m); err != nil {
				log.Print("consume: ", err)
			}
		}
	})
	m.stopped.Go(func() {
		for err := range m.group.Errors() {
			log.Print("group: ", err)
		}
	})
	return m
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	return nil
}

func (m *member) change(partition int32, has bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.owned[partition] = has
	m.changes++
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.change(claim.Partition(), true)
	defer m.change(claim.Partition(), false)
	for message := range claim.Messages() {
		select {
		case m.messages <- message:
		case <-session.Context().Done():
		}
	}
	return nil
}

func (m *member) leave() {
	m.stop()
	Must(m.group.Close())
	m.stopped.Wait()
}

func (m *member) commit(topic string, offset int64) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session.MarkOffset(topic, 0, offset, "noted")
	m.session.Commit()
}

func (m *member) assigned() (partitions []int32) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for partition, has := range m.owned {
		if has {
			partitions = append(partitions, partition)
		}
	}
	slices.Sort(partitions)
	return partitions
}

func (m *member) changed() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.changes
}

// share waits until all partitions are assigned, none of them twice; it returns how many each has.
func share(partitions int, members ...*member) (each []int) {
	WaitFor(fmt.Sprint(partitions, " partitions shared by ", len(members), " members"), func() bool {
		each = nil
		var owned []int32
		for _, m := range members {
			mine := m.assigned()
			owned = append(owned, mine...)
			each = append(each, len(mine))
		}
		slices.Sort(owned)
		return len(owned) == partitions && len(slices.Compact(owned)) == partitions && slices.Min(each) > 0
	})
	return each
}

func instance(id string) func(*sarama.Config) {
	return func(c *sarama.Config) { c.Consumer.Group.InstanceId = id }
}

func groups() {
	topic, group := newTopic(4, nil), Unique("group")
	first := join(group, topic)
	defer first.leave()
	Same([]int{4}, share(4, first))
	second := join(group, topic)
	Same([]int{2, 2}, share(4, first, second))
	second.leave()
	Same([]int{4}, share(4, first))
}

func staticMembers() {
	topic, group := newTopic(2, nil), Unique("group")
	first, second := join(group, topic, instance("one")), join(group, topic, instance("two"))
	defer first.leave()
	share(2, first, second)
	before, changes := second.assigned(), first.changed()
	second.leave()
	second = join(group, topic, instance("two"))
	defer second.leave()
	share(2, first, second)
	Same(before, second.assigned())
	Same(changes, first.changed())
}

func cooperative() {
	topic, group := newTopic(4, nil), Unique("group")
	sticky := func(c *sarama.Config) {
		c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyCooperativeSticky()}
	}
	first := join(group, topic, sticky)
	defer first.leave()
	share(4, first)
	second := join(group, topic, sticky)
	defer second.leave()
	Same([]int{2, 2}, share(4, first, second))
}

func commitResume() {
	topic, group := newTopic(1, nil), Unique("group")
	produce(topic, numbers(20))
	first := join(group, topic)
	take(first.messages, 12)
	first.commit(topic, 12)
	first.leave()
	second := join(group, topic)
	defer second.leave()
	Same(int64(12), take(second.messages, 1)[0].Offset)
	committed := Get(admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0}}))
	Same(int64(12), committed.GetBlock(topic, 0).Offset)
}

func listed(group string) bool {
	_, found := Get(admin.ListConsumerGroups())[group]
	return found
}

func describeGroups() {
	topic, group := newTopic(1, nil), Unique("group")
	produce(topic, numbers(10))
	m := join(group, topic)
	defer m.leave()
	take(m.messages, 10)
	m.commit(topic, 4)
	Check(listed(group), "the group is not listed")
	described := Get(admin.DescribeConsumerGroups([]string{group}))[0]
	Same("Stable", described.State)
	Same(1, len(described.Members))
	for _, described := range described.Members {
		Same(map[string][]int32{topic: {0}}, Get(described.GetMemberAssignment()).Topics)
	}
	committed := Get(admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0}})).GetBlock(topic, 0)
	Same("noted", committed.Metadata)
	end := Get(admin.ListOffsets(map[string]map[int32]int64{topic: {0: sarama.OffsetNewest}}, nil))[topic][0].Offset
	Same(int64(6), end-committed.Offset)
}

func deleteRecords() {
	topic := newTopic(1, nil)
	produce(topic, numbers(10))
	Must(admin.DeleteRecords(topic, map[int32]int64{0: 6}))
	Same(int64(6), read(topic, 1, sarama.OffsetOldest)[0].Offset)
}

func deleteGroups() {
	topic, group := newTopic(1, nil), Unique("group")
	produce(topic, numbers(1))
	m := join(group, topic)
	take(m.messages, 1)
	m.commit(topic, 1)
	m.leave()
	Must(admin.DeleteConsumerGroup(group))
	Check(!listed(group), "the group is still listed")
}

func transactional(id string) sarama.SyncProducer {
	return Get(sarama.NewSyncProducer(brokers, config(func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Producer.Transaction.ID = id
		c.Net.MaxOpenRequests = 1
	})))
}

func transactions() {
	source, target, group, id := newTopic(1, nil), newTopic(1, nil), Unique("group"), Unique("transaction")
	produce(source, numbers(10))
	m := join(group, source)
	take(m.messages, 10)
	m.leave()
	producer := transactional(id)
	defer producer.Close()
	send := func(value string) error {
		Must(producer.BeginTxn())
		for range 10 {
			if _, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: target, Value: sarama.StringEncoder(value)}); err != nil {
				return err
			}
		}
		offsets := map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 0, Offset: 10}}}
		return producer.AddOffsetsToTxn(offsets, group)
	}
	committed := func() int64 {
		return Get(admin.ListConsumerGroupOffsets(group, map[string][]int32{source: {0}})).GetBlock(source, 0).Offset
	}
	Must(send("aborted"))
	Must(producer.AbortTxn())
	Same(int64(-1), committed())
	Must(send("committed"))
	Must(producer.CommitTxn())
	Same(int64(10), committed())
	// What was aborted is there, in front, and left out.
	for value, level := range map[string]sarama.IsolationLevel{"aborted": sarama.ReadUncommitted, "committed": sarama.ReadCommitted} {
		consumer := Get(sarama.NewConsumer(brokers, config(func(c *sarama.Config) { c.Consumer.IsolationLevel = level })))
		partition := Get(consumer.ConsumePartition(target, 0, sarama.OffsetOldest))
		for _, message := range take(partition.Messages(), 10) {
			Same(value, string(message.Value))
		}
		partition.Close()
		consumer.Close()
	}
	newer := transactional(id)
	defer newer.Close()
	err := send("fenced")
	if err == nil {
		err = producer.CommitTxn()
	}
	Check(err != nil && producer.TxnStatus()&sarama.ProducerTxnFlagFatalError != 0, "the older producer is not fenced: ", err)
}

func configs() {
	retention, segment := "1234567", "2097152"
	topic := newTopic(1, map[string]*string{"retention.ms": &retention})
	described := func(key string) string {
		for _, entry := range Get(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})) {
			if entry.Name == key {
				return entry.Value
			}
		}
		return ""
	}
	Same(retention, described("retention.ms"))
	change := sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &segment}
	Must(admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{"segment.bytes": change}, false))
	Same(segment, described("segment.bytes"))
	Same(retention, described("retention.ms"))
	Must(admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"segment.bytes": &segment}, false))
	Check(described("retention.ms") != retention, "replacing all settings kept one")
}

func deleteTopics() {
	topic := newTopic(1, nil)
	Must(admin.DeleteTopic(topic))
	WaitFor("the topic is gone", func() bool {
		_, found := Get(admin.ListTopics())[topic]
		return !found
	})
}

func main() {
	sarama.Logger = log.New(io.Discard, "", 0)
	RunAll([]Job{
		{Name: "create_topics", Run: createTopics},
		{Name: "produce_none", Run: codec(sarama.CompressionNone)},
		{Name: "produce_gzip", Run: codec(sarama.CompressionGZIP)},
		{Name: "produce_snappy", Run: codec(sarama.CompressionSnappy)},
		{Name: "produce_lz4", Run: codec(sarama.CompressionLZ4)},
		{Name: "produce_zstd", Run: codec(sarama.CompressionZSTD)},
		{Name: "keys_headers_nulls", Run: keysHeadersNulls},
		{Name: "large_values", Run: largeValues},
		{Name: "timestamps", Run: timestamps},
		{Name: "idempotent", Run: idempotent},
		{Name: "acks_0", Run: acks0},
		{Name: "acks_1", Run: roundTrip(acks(sarama.WaitForLocal))},
		{Name: "acks_all", Run: roundTrip(acks(sarama.WaitForAll))},
		{Name: "seek", Run: seek},
		{Name: "groups", Run: groups},
		{Name: "static_members", Run: staticMembers},
		{Name: "cooperative", Run: cooperative},
		{Name: "groups_848", Run: func() { NotApplicable("sarama has no consumer protocol") }},
		{Name: "commit_resume", Run: commitResume},
		{Name: "describe_groups", Run: describeGroups},
		{Name: "delete_records", Run: deleteRecords},
		{Name: "delete_groups", Run: deleteGroups},
		{Name: "transactions", Run: transactions},
		{Name: "configs", Run: configs},
		{Name: "delete_topics", Run: deleteTopics},
	})
}
