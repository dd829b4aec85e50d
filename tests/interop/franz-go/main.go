// franz-go, the client in Go that follows the protocol most closely.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	. "ottla-interop/jobs"
)

var (
	ctx   = context.Background()
	admin = kadm.NewClient(client())
)

func client(options ...kgo.Opt) *kgo.Client {
	always := []kgo.Opt{kgo.SeedBrokers(Bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	return Get(kgo.NewClient(append(always, options...)...))
}

func newTopic(partitions int32, configs map[string]*string) string {
	topic := Unique("franz")
	Must(Get(admin.CreateTopic(ctx, partitions, 1, configs, topic)).Err)
	return topic
}

func produce(topic string, records []*kgo.Record, options ...kgo.Opt) []int64 {
	producer := client(options...)
	defer producer.Close()
	for _, record := range records {
		record.Topic = topic
	}
	results := producer.ProduceSync(ctx, records...)
	Must(results.FirstErr())
	var offsets []int64
	for _, record := range records {
		offsets = append(offsets, record.Offset)
	}
	return offsets
}

func numbers(count int) (records []*kgo.Record) {
	for i := range count {
		records = append(records, kgo.StringRecord(fmt.Sprint(i)))
	}
	return records
}

func take(reader *kgo.Client, count int) (records []*kgo.Record) {
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for len(records) < count {
		fetches := reader.PollRecords(limited, count-len(records))
		for _, err := range fetches.Errors() {
			Must(err.Err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func at(topic string, offset kgo.Offset) *kgo.Client {
	return client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: offset}}))
}

func read(topic string, count int, offset int64) []*kgo.Record {
	from := kgo.NewOffset().AtStart()
	if offset > 0 {
		from = kgo.NewOffset().At(offset)
	}
	reader := at(topic, from)
	defer reader.Close()
	return take(reader, count)
}

func roundTrip(options ...kgo.Opt) func() {
	return func() {
		topic := newTopic(1, nil)
		var records []*kgo.Record
		for i := range 100 {
			records = append(records, kgo.KeyStringRecord(fmt.Sprint("k", i), fmt.Sprint("value ", i, string(bytes.Repeat([]byte("x"), 100)))))
		}
		produce(topic, records, options...)
		for i, found := range read(topic, 100, 0) {
			Same(string(records[i].Key), string(found.Key))
			Same(string(records[i].Value), string(found.Value))
		}
	}
}

func codec(codec kgo.CompressionCodec) func() {
	return roundTrip(kgo.ProducerBatchCompression(codec))
}

func createTopics() {
	topic := newTopic(3, nil)
	Same(3, len(Get(admin.ListTopics(ctx))[topic].Partitions))
	_, err := admin.CreateTopic(ctx, 3, 1, nil, topic)
	Check(errors.Is(err, kerr.TopicAlreadyExists), "created again: ", err)
}

func keysHeadersNulls() {
	topic := newTopic(1, nil)
	headers := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "none"}}
	produce(topic, []*kgo.Record{{Key: []byte("key"), Value: []byte("value"), Headers: headers}, {Value: []byte{}}, {Key: []byte("gone")}})
	found := read(topic, 3, 0)
	Same(headers, found[0].Headers)
	Check(found[1].Key == nil && found[1].Value != nil && len(found[1].Value) == 0, "not an empty value: ", found[1])
	Check(string(found[2].Key) == "gone" && found[2].Value == nil, "not a null value: ", found[2])
}

func largeValues() {
	topic := newTopic(1, nil)
	var records []*kgo.Record
	for i := range 5 {
		records = append(records, &kgo.Record{Value: bytes.Repeat([]byte{byte(i)}, 1_000_000)})
	}
	// A batch has at most 1,000,012 bytes by default, its overhead included.
	produce(topic, records, kgo.ProducerBatchMaxBytes(1_048_000))
	for i, found := range read(topic, 5, 0) {
		Check(bytes.Equal(records[i].Value, found.Value), "a value changed")
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
	for i, found := range read(topic, 10, 0) {
		Same(start+int64(i)*1000, found.Timestamp.UnixMilli())
	}
	offsets := Get(admin.ListOffsetsAfterMilli(ctx, start+4500, topic))
	Must(offsets.Error())
	Same(int64(5), offsets[topic][0].Offset)
	Same(int64(start+5000), offsets[topic][0].Timestamp)
	reader := at(topic, kgo.NewOffset().AfterMilli(start+4500))
	defer reader.Close()
	Same("5", string(take(reader, 1)[0].Value))
}

func idempotent() {
	topic := newTopic(1, nil)
	for i, offset := range produce(topic, numbers(1000), kgo.ProducerBatchMaxBytes(1000)) {
		Same(int64(i), offset)
	}
	for i, found := range read(topic, 1000, 0) {
		Same(fmt.Sprint(i), string(found.Value))
	}
}

func acks0() {
	topic := newTopic(1, nil)
	produce(topic, numbers(10), kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	read(topic, 10, 0)
}

func seek() {
	topic := newTopic(1, nil)
	produce(topic, numbers(20))
	reader := at(topic, kgo.NewOffset().AtStart())
	defer reader.Close()
	take(reader, 20)
	reader.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {0: {Epoch: -1, Offset: 7}}})
	Same(int64(7), take(reader, 1)[0].Offset)
}

// member is in a group, and knows its partitions and how often they changed.
type member struct {
	*kgo.Client
	lock    sync.Mutex
	owned   map[int32]bool
	changes int
}

func join(group, topic string, options ...kgo.Opt) *member {
	m := &member{owned: map[int32]bool{}}
	change := func(has bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
			m.lock.Lock()
			defer m.lock.Unlock()
			for _, partition := range changed[topic] {
				m.owned[partition] = has
				m.changes++
			}
		}
	}
	m.Client = client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(300 * time.Millisecond), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)),
		kgo.Balancers(kgo.RangeBalancer()),
	}, options...)...)
	return m
}

func (m *member) assigned() (partitions []int32) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for partition := range int32(100) {
		if m.owned[partition] {
			partitions = append(partitions, partition)
		}
	}
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
		sum, owned := 0, map[int32]bool{}
		for _, m := range members {
			mine := m.assigned()
			if len(mine) == 0 {
				return false
			}
			for _, partition := range mine {
				owned[partition] = true
			}
			each = append(each, len(mine))
			sum += len(mine)
		}
		return sum == partitions && len(owned) == partitions
	})
	return each
}

func groups() {
	topic, group := newTopic(4, nil), Unique("group")
	first := join(group, topic)
	defer first.Close()
	Same([]int{4}, share(4, first))
	second := join(group, topic)
	Same([]int{2, 2}, share(4, first, second))
	second.Close()
	Same([]int{4}, share(4, first))
}

func staticMembers() {
	staticMembersOf(kgo.Balancers(kgo.RangeBalancer()), false)
	staticMembersOf(kgo.ServerSideBalancer(), true)
}

func staticMembersOf(balancer kgo.GroupOpt, consumerProtocol bool) {
	topic, group := newTopic(2, nil), Unique("group")
	// A member must come back before its session ends.
	named := func(instance string) *member {
		return join(group, topic, balancer, kgo.InstanceID(instance), kgo.SessionTimeout(30*time.Second))
	}
	first, second := named("one"), named("two")
	defer first.Close()
	share(2, first, second)
	before, changes := second.assigned(), first.changed()
	id, _ := second.GroupMetadata()
	second.Close()
	if consumerProtocol {
		// franz-go 1.22.2 says that a static member leaves without saying which, which is refused, here as by Kafka.
		leave := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		leave.Group, leave.MemberID, leave.InstanceID, leave.MemberEpoch = group, id, kmsg.StringPtr("two"), -2
		answer := Get(leave.RequestWith(ctx, first.Client))
		Must(kerr.ErrorForCode(answer.ErrorCode))
	}
	second = named("two")
	defer second.Close()
	share(2, first, second)
	Same(before, second.assigned())
	Same(changes, first.changed())
}

func cooperative() {
	topic, group := newTopic(4, nil), Unique("group")
	first := join(group, topic, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	defer first.Close()
	share(4, first)
	second := join(group, topic, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	defer second.Close()
	Same([]int{2, 2}, share(4, first, second))
}

func groups848() {
	topic, group := newTopic(4, nil), Unique("group")
	first := join(group, topic, kgo.ServerSideBalancer())
	defer first.Close()
	Same([]int{4}, share(4, first))
	second := join(group, topic, kgo.ServerSideBalancer())
	Same([]int{2, 2}, share(4, first, second))
	second.Close()
	Same([]int{4}, share(4, first))
}

func commitResume() {
	topic, group := newTopic(1, nil), Unique("group")
	produce(topic, numbers(20))
	first := join(group, topic)
	Must(first.CommitRecords(ctx, take(first.Client, 12)...))
	first.Close()
	second := join(group, topic)
	defer second.Close()
	Same(int64(12), take(second.Client, 1)[0].Offset)
	offset, found := Get(admin.FetchOffsets(ctx, group)).Lookup(topic, 0)
	Check(found, "no offset was committed")
	Same(int64(12), offset.At)
}

func describeGroups() {
	topic, group := newTopic(1, nil), Unique("group")
	records := numbers(10)
	produce(topic, records)
	m := join(group, topic)
	defer m.Close()
	Must(m.CommitRecords(ctx, take(m.Client, 10)[:4]...))
	listed := Get(admin.ListGroups(ctx))
	Same("Stable", listed[group].State)
	Same("consumer", listed[group].ProtocolType)
	lag := Get(admin.Lag(ctx, group))[group]
	Must(lag.Error())
	Same("Stable", lag.State)
	Same(1, len(lag.Members))
	Same(int64(6), lag.Lag[topic][0].Lag)
	Check(lag.Lag[topic][0].Member != nil, "no member has the partition")
}

func deleteRecords() {
	topic := newTopic(1, nil)
	produce(topic, numbers(10))
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, 6, -1)
	deleted := Get(admin.DeleteRecords(ctx, offsets))
	Must(deleted.Error())
	Same(int64(6), deleted[topic][0].LowWatermark)
	Same(int64(6), read(topic, 1, 0)[0].Offset)
}

func deleteGroups() {
	topic, group := newTopic(1, nil), Unique("group")
	produce(topic, numbers(1))
	m := join(group, topic)
	Must(m.CommitRecords(ctx, take(m.Client, 1)...))
	m.Close()
	Must(Get(admin.DeleteGroup(ctx, group)).Err)
	_, listed := Get(admin.ListGroups(ctx))[group]
	Check(!listed, "the group is still listed")
}

func transactions() {
	source, target, group, id := newTopic(1, nil), newTopic(1, nil), Unique("group"), Unique("transaction")
	produce(source, numbers(10))
	session := Get(kgo.NewGroupTransactSession(
		kgo.SeedBrokers(Bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(id),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(source), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	))
	defer session.Close()
	committed := func() int64 {
		offset, found := Get(admin.FetchOffsets(ctx, group)).Lookup(source, 0)
		if !found {
			return -1
		}
		return offset.At
	}
	for _, commit := range []bool{false, true} {
		// A transaction that is aborted has its offsets read again.
		take(session.Client(), 10)
		value := map[bool]string{false: "aborted", true: "committed"}[commit]
		Must(session.Begin())
		for range 10 {
			Must(session.ProduceSync(ctx, &kgo.Record{Topic: target, Value: []byte(value)}).FirstErr())
		}
		Same(commit, Get(session.End(ctx, kgo.TransactionEndTry(commit))))
		Same(map[bool]int64{false: -1, true: 10}[commit], committed())
	}
	// What was aborted is there, in front, and left out.
	for value, level := range map[string]kgo.IsolationLevel{"aborted": kgo.ReadUncommitted(), "committed": kgo.ReadCommitted()} {
		start := map[string]map[int32]kgo.Offset{target: {0: kgo.NewOffset().AtStart()}}
		reader := client(kgo.ConsumePartitions(start), kgo.FetchIsolationLevel(level))
		for _, record := range take(reader, 10) {
			Same(value, string(record.Value))
		}
		reader.Close()
	}
	newer := client(kgo.TransactionalID(id))
	defer newer.Close()
	Must(newer.BeginTransaction())
	Must(newer.ProduceSync(ctx, &kgo.Record{Topic: target, Value: []byte("newer")}).FirstErr())
	Must(newer.EndTransaction(ctx, kgo.TryCommit))
	Must(session.Begin())
	err := session.ProduceSync(ctx, &kgo.Record{Topic: target, Value: []byte("fenced")}).FirstErr()
	fenced := errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
	Check(fenced, "the older producer is not fenced: ", err)
}

func configs() {
	retention, segment := "1234567", "2097152"
	topic := newTopic(1, map[string]*string{"retention.ms": &retention})
	described := func(key string) string {
		resource := Get(Get(admin.DescribeTopicConfigs(ctx, topic)).On(topic, nil))
		Must(resource.Err)
		for _, config := range resource.Configs {
			if config.Key == key {
				return config.MaybeValue()
			}
		}
		return ""
	}
	Same(retention, described("retention.ms"))
	changed := Get(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "segment.bytes", Value: &segment}}, topic))
	Must(Get(changed.On(topic, nil)).Err)
	Same(segment, described("segment.bytes"))
	Same(retention, described("retention.ms"))
}

func deleteTopics() {
	topic := newTopic(1, nil)
	Must(Get(admin.DeleteTopic(ctx, topic)).Err)
	WaitFor("the topic is gone", func() bool { return !Get(admin.ListTopics(ctx)).Has(topic) })
}

func main() {
	RunAll([]Job{
		{Name: "create_topics", Run: createTopics},
		{Name: "produce_none", Run: codec(kgo.NoCompression())},
		{Name: "produce_gzip", Run: codec(kgo.GzipCompression())},
		{Name: "produce_snappy", Run: codec(kgo.SnappyCompression())},
		{Name: "produce_lz4", Run: codec(kgo.Lz4Compression())},
		{Name: "produce_zstd", Run: codec(kgo.ZstdCompression())},
		{Name: "keys_headers_nulls", Run: keysHeadersNulls},
		{Name: "large_values", Run: largeValues},
		{Name: "timestamps", Run: timestamps},
		{Name: "idempotent", Run: idempotent},
		{Name: "acks_0", Run: acks0},
		{Name: "acks_1", Run: roundTrip(kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())},
		{Name: "acks_all", Run: roundTrip(kgo.RequiredAcks(kgo.AllISRAcks()))},
		{Name: "seek", Run: seek},
		{Name: "groups", Run: groups},
		{Name: "static_members", Run: staticMembers},
		{Name: "cooperative", Run: cooperative},
		{Name: "groups_848", Run: groups848},
		{Name: "commit_resume", Run: commitResume},
		{Name: "describe_groups", Run: describeGroups},
		{Name: "delete_records", Run: deleteRecords},
		{Name: "delete_groups", Run: deleteGroups},
		{Name: "transactions", Run: transactions},
		{Name: "configs", Run: configs},
		{Name: "delete_topics", Run: deleteTopics},
	})
}
