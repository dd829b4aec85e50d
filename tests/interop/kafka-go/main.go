// kafka-go, the client in Go with readers and writers.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	. "ottla-interop/jobs"
)

var (
	ctx    = context.Background()
	client = &kafka.Client{Addr: kafka.TCP(Bootstrap), Timeout: 30 * time.Second}
)

func create(topic string, partitions int, configs ...kafka.ConfigEntry) error {
	topics := []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}}
	return Get(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: topics})).Errors[topic]
}

func newTopic(partitions int, configs ...kafka.ConfigEntry) string {
	topic := Unique("kafka-go")
	Must(create(topic, partitions, configs...))
	return topic
}

func produce(topic string, records []kafka.Message, changes ...func(*kafka.Writer)) {
	writer := &kafka.Writer{Addr: client.Addr, Topic: topic, RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond}
	for _, change := range changes {
		change(writer)
	}
	Must(writer.WriteMessages(ctx, records...))
	Must(writer.Close())
}

func numbers(count int) (records []kafka.Message) {
	for i := range count {
		records = append(records, kafka.Message{Value: []byte(fmt.Sprint(i))})
	}
	return records
}

func take(reader *kafka.Reader, count int) (records []kafka.Message) {
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for range count {
		records = append(records, Get(reader.FetchMessage(limited)))
	}
	return records
}

func reader(topic string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{Bootstrap}, Topic: topic, MaxWait: 200 * time.Millisecond})
}

func member(group, topic string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{Bootstrap}, GroupID: group, Topic: topic, StartOffset: kafka.FirstOffset, MaxWait: 200 * time.Millisecond,
		SessionTimeout: 6 * time.Second, HeartbeatInterval: 300 * time.Millisecond,
	})
}

func read(topic string, count int, offset int64) []kafka.Message {
	r := reader(topic)
	defer r.Close()
	Must(r.SetOffset(offset))
	return take(r, count)
}

func roundTrip(changes ...func(*kafka.Writer)) func() {
	return func() {
		topic := newTopic(1)
		var records []kafka.Message
		for i := range 100 {
			value := fmt.Append(nil, "value ", i, string(bytes.Repeat([]byte("x"), 100)))
			records = append(records, kafka.Message{Key: fmt.Append(nil, "k", i), Value: value})
		}
		produce(topic, records, changes...)
		for i, found := range read(topic, 100, kafka.FirstOffset) {
			Same(string(records[i].Key), string(found.Key))
			Same(string(records[i].Value), string(found.Value))
		}
	}
}

func codec(codec kafka.Compression) func() {
	return roundTrip(func(w *kafka.Writer) { w.Compression = codec })
}

func acks(acks kafka.RequiredAcks) func(*kafka.Writer) {
	return func(w *kafka.Writer) { w.RequiredAcks = acks }
}

func createTopics() {
	topic := newTopic(3)
	metadata := Get(client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}}))
	Same(3, len(metadata.Topics[0].Partitions))
	err := create(topic, 3)
	Check(errors.Is(err, kafka.TopicAlreadyExists), "created again: ", err)
}

func keysHeadersNulls() {
	topic := newTopic(1)
	headers := []kafka.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "b", Value: []byte{}}}
	produce(topic, []kafka.Message{{Key: []byte("key"), Value: []byte("value"), Headers: headers}, {Value: []byte{}}, {Key: []byte("gone")}})
	found := read(topic, 3, kafka.FirstOffset)
	Same(3, len(found[0].Headers))
	for i, header := range found[0].Headers {
		Same(headers[i].Key, header.Key)
		Same(string(headers[i].Value), string(header.Value))
	}
	// This reader does not tell an empty value from none.
	Check(len(found[1].Key) == 0 && len(found[1].Value) == 0, "not an empty value: ", found[1])
	Check(string(found[2].Key) == "gone" && len(found[2].Value) == 0, "not a null value: ", found[2])
}

func largeValues() {
	topic := newTopic(1)
	var records []kafka.Message
	for i := range 5 {
		records = append(records, kafka.Message{Value: bytes.Repeat([]byte{byte(i)}, 1_000_000)})
	}
	produce(topic, records)
	for i, found := range read(topic, 5, kafka.FirstOffset) {
		Check(bytes.Equal(records[i].Value, found.Value), "a value changed")
	}
}

func timestamps() {
	topic := newTopic(1)
	const start = 1_600_000_000_000
	records := numbers(10)
	for i := range records {
		records[i].Time = time.UnixMilli(start + int64(i)*1000)
	}
	produce(topic, records)
	for i, found := range read(topic, 10, kafka.FirstOffset) {
		Same(start+int64(i)*1000, found.Time.UnixMilli())
	}
	asked := kafka.TimeOffsetOf(0, time.UnixMilli(start+4500))
	offsets := Get(client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {asked}}})).Topics[topic]
	Must(offsets[0].Error)
	// Its map has the time that was asked for, not the record's.
	_, found := offsets[0].Offsets[5]
	Check(found, "found ", offsets[0].Offsets)
	r := reader(topic)
	defer r.Close()
	Must(r.SetOffsetAt(ctx, time.UnixMilli(start+4500)))
	Same("5", string(take(r, 1)[0].Value))
}

func acks0() {
	topic := newTopic(1)
	produce(topic, numbers(10), acks(kafka.RequireNone))
	read(topic, 10, kafka.FirstOffset)
}

func seek() {
	topic := newTopic(1)
	produce(topic, numbers(20))
	r := reader(topic)
	defer r.Close()
	take(r, 20)
	Must(r.SetOffset(7))
	Same(int64(7), take(r, 1)[0].Offset)
}

// watcher is a member of a group that only knows its partitions.
type watcher struct {
	group   *kafka.ConsumerGroup
	stopped sync.WaitGroup
	lock    sync.Mutex
	owned   []int
}

func watch(group, topic string) *watcher {
	w := &watcher{group: Get(kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: group, Brokers: []string{Bootstrap}, Topics: []string{topic}, SessionTimeout: 6 * time.Second, HeartbeatInterval: 300 * time.Millisecond,
	}))}
	w.stopped.Go(func() {
		for {
			generation, err := w.group.Next(ctx)
			if errors.Is(err, kafka.ErrGroupClosed) {
				return
			}
			if err != nil {
				continue
			}
			var owned []int
			for _, assignment := range generation.Assignments[topic] {
				owned = append(owned, assignment.ID)
			}
			w.set(owned)
			generation.Start(func(ctx context.Context) {
				<-ctx.Done()
				w.set(nil)
			})
		}
	})
	return w
}

func (w *watcher) set(owned []int) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.owned = owned
}

func (w *watcher) leave() {
	Must(w.group.Close())
	w.stopped.Wait()
}

// share waits until all partitions are assigned, none of them twice; it returns how many each has.
func share(partitions int, members ...*watcher) (each []int) {
	WaitFor(fmt.Sprint(partitions, " partitions shared by ", len(members), " members"), func() bool {
		each = nil
		var owned []int
		for _, w := range members {
			w.lock.Lock()
			owned = append(owned, w.owned...)
			each = append(each, len(w.owned))
			w.lock.Unlock()
		}
		slices.Sort(owned)
		return len(owned) == partitions && len(slices.Compact(owned)) == partitions && slices.Min(each) > 0
	})
	return each
}

func groups() {
	topic, group := newTopic(4), Unique("group")
	first := watch(group, topic)
	defer first.leave()
	Same([]int{4}, share(4, first))
	second := watch(group, topic)
	Same([]int{2, 2}, share(4, first, second))
	second.leave()
	Same([]int{4}, share(4, first))
}

func committed(group, topic string) kafka.OffsetFetchPartition {
	response := Get(client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {0}}}))
	Must(response.Error)
	Must(response.Topics[topic][0].Error)
	return response.Topics[topic][0]
}

func commitResume() {
	topic, group := newTopic(1), Unique("group")
	produce(topic, numbers(20))
	first := member(group, topic)
	Must(first.CommitMessages(ctx, take(first, 12)...))
	Must(first.Close())
	second := member(group, topic)
	defer second.Close()
	Same(int64(12), take(second, 1)[0].Offset)
	Same(int64(12), committed(group, topic).CommittedOffset)
}

func listed(group string) bool {
	response := Get(client.ListGroups(ctx, &kafka.ListGroupsRequest{}))
	Must(response.Error)
	return slices.ContainsFunc(response.Groups, func(listed kafka.ListGroupsResponseGroup) bool { return listed.GroupID == group })
}

func describeGroups() {
	topic, group := newTopic(1), Unique("group")
	produce(topic, numbers(10))
	m := member(group, topic)
	defer m.Close()
	Must(m.CommitMessages(ctx, take(m, 10)[:4]...))
	Check(listed(group), "the group is not listed")
	described := Get(client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})).Groups[0]
	Must(described.Error)
	Same("Stable", described.GroupState)
	Same(1, len(described.Members))
	Same([]kafka.GroupMemberTopic{{Topic: topic, Partitions: []int{0}}}, described.Members[0].MemberAssignments.Topics)
	asked := map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}
	end := Get(client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: asked})).Topics[topic][0]
	Must(end.Error)
	Same(int64(6), end.LastOffset-committed(group, topic).CommittedOffset)
}

func deleteGroups() {
	topic, group := newTopic(1), Unique("group")
	produce(topic, numbers(1))
	m := member(group, topic)
	Must(m.CommitMessages(ctx, take(m, 1)...))
	Must(m.Close())
	Must(Get(client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})).Errors[group])
	Check(!listed(group), "the group is still listed")
}

func configs() {
	topic := newTopic(1, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "1234567"})
	described := func(key string) string {
		resources := []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}}
		resource := Get(client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: resources})).Resources[0]
		Must(resource.Error)
		for _, entry := range resource.ConfigEntries {
			if entry.ConfigName == key {
				return entry.ConfigValue
			}
		}
		return ""
	}
	Same("1234567", described("retention.ms"))
	changes := []kafka.IncrementalAlterConfigsRequestConfig{{Name: "segment.bytes", Value: "2097152", ConfigOperation: kafka.ConfigOperationSet}}
	resources := []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: changes}}
	Must(Get(client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: resources})).Resources[0].Error)
	Same("2097152", described("segment.bytes"))
	Same("1234567", described("retention.ms"))
}

func deleteTopics() {
	topic := newTopic(1)
	Must(Get(client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})).Errors[topic])
	WaitFor("the topic is gone", func() bool {
		topics := Get(client.Metadata(ctx, &kafka.MetadataRequest{})).Topics
		return !slices.ContainsFunc(topics, func(listed kafka.Topic) bool { return listed.Name == topic })
	})
}

func lacks(what string) func() {
	return func() { NotApplicable("kafka-go has no " + what) }
}

func main() {
	RunAll([]Job{
		{Name: "create_topics", Run: createTopics},
		{Name: "produce_none", Run: roundTrip()},
		{Name: "produce_gzip", Run: codec(kafka.Gzip)},
		{Name: "produce_snappy", Run: codec(kafka.Snappy)},
		{Name: "produce_lz4", Run: codec(kafka.Lz4)},
		{Name: "produce_zstd", Run: codec(kafka.Zstd)},
		{Name: "keys_headers_nulls", Run: keysHeadersNulls},
		{Name: "large_values", Run: largeValues},
		{Name: "timestamps", Run: timestamps},
		{Name: "idempotent", Run: lacks("idempotent producer")},
		{Name: "acks_0", Run: acks0},
		{Name: "acks_1", Run: roundTrip(acks(kafka.RequireOne))},
		{Name: "acks_all", Run: roundTrip(acks(kafka.RequireAll))},
		{Name: "seek", Run: seek},
		{Name: "groups", Run: groups},
		{Name: "static_members", Run: lacks("static members")},
		{Name: "cooperative", Run: lacks("cooperative assignor")},
		{Name: "groups_848", Run: lacks("consumer protocol")},
		{Name: "commit_resume", Run: commitResume},
		{Name: "describe_groups", Run: describeGroups},
		{Name: "delete_records", Run: lacks("request to delete records")},
		{Name: "delete_groups", Run: deleteGroups},
		{Name: "transactions", Run: lacks("transactional producer")},
		{Name: "configs", Run: configs},
		{Name: "delete_topics", Run: deleteTopics},
	})
}
