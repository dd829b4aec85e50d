package ottlatest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What takes minutes with Kafka, or cannot be done. Run by examples/go/run.

func client(t *testing.T, kafka *Kafka, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	options = append(options, kgo.SeedBrokers(kafka.BootstrapServers), kgo.ClientID("till-4"))
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func send(t *testing.T, kafka *Kafka, values ...string) {
	t.Helper()
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"), kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond }))
	for _, value := range values {
		if err := producer.ProduceSync(context.Background(), kgo.StringRecord(value)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAWeekOfRetentionPassesAtOnce(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, map[string]string{"retention.ms": "604800000", "segment.ms": "60000"}))
	send(t, kafka, "old")
	must(t, kafka.Advance(8*24*time.Hour))
	records, err := kafka.Records("orders")
	must(t, err)
	if len(records) != 0 {
		t.Fatalf("still there: %v", records)
	}
}

func TestWrongLeadersAndALostAnswerMakeNoDuplicate(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	wrong, err := kafka.Fault(Fields{"api": "Produce", "times": 3, "answer": "NOT_LEADER_OR_FOLLOWER"})
	must(t, err)
	lost, err := kafka.Fault(Fields{"api": "Produce", "skip": 3, "times": 1, "disconnectAfter": true})
	must(t, err)
	send(t, kafka, "once")
	for _, hits := range []struct {
		of   func() (int, error)
		want int
	}{{wrong, 3}, {lost, 1}} {
		if found, err := hits.of(); err != nil || found != hits.want {
			t.Fatalf("%d of %d requests: %v", found, hits.want, err)
		}
	}
	records, err := kafka.Records("orders")
	must(t, err)
	if len(records) != 1 || records[0].Value != "once" {
		t.Fatalf("not once: %v", records)
	}
}

func TestAGroupIsWaitedFor(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 2, nil))
	send(t, kafka, "one", "two")
	consumer := client(t, kafka, kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for seen := 0; seen < 2; {
		fetched := consumer.PollFetches(context.Background())
		must(t, fetched.Err())
		seen += fetched.NumRecords()
	}
	must(t, kafka.WaitUntil("groupStable", Fields{"group": "billing", "members": 1}))
	err := kafka.WaitUntil("lagZero", Fields{"group": "billing", "limitMs": 0})
	var told *Error
	if !errors.As(err, &told) || told.Status != 408 || !strings.Contains(told.Message, "it has committed nothing") {
		t.Fatalf("not told: %v", err)
	}
	must(t, consumer.CommitUncommittedOffsets(context.Background()))
	must(t, kafka.WaitUntil("lagZero", Fields{"group": "billing"}))
}

func TestResetLeavesNothing(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	must(t, kafka.Reset())
	var told *Error
	if _, err := kafka.Records("orders"); !errors.As(err, &told) || told.Status != 404 {
		t.Fatalf("still there: %v", err)
	}
}

func TestTwoTestsAtOnceDoNotSeeEachOther(t *testing.T) {
	kafka := Start(t)
	for _, name := range []string{"a", "b"} {
		must(t, kafka.CreateTopic(name+".orders", 1, nil))
		servers, err := kafka.Namespace(name)
		must(t, err)
		send(t, &Kafka{BootstrapServers: servers}, "of "+name)
	}
	for _, name := range []string{"a", "b"} {
		records, err := kafka.Records(name + ".orders")
		must(t, err)
		if len(records) != 1 || records[0].Value != "of "+name {
			t.Fatalf("of both: %v", records)
		}
	}
}

func TestAForkGoesItsOwnWay(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	send(t, kafka, "prepared")
	fork, err := kafka.Fork()
	must(t, err)
	send(t, fork, "of the fork")
	for _, found := range []struct {
		kafka *Kafka
		count int
	}{{kafka, 1}, {fork, 2}} {
		records, err := found.kafka.Records("orders")
		must(t, err)
		if len(records) != found.count {
			t.Fatalf("%d records instead of %d", len(records), found.count)
		}
	}
}

func has(t *testing.T, texts []string, part string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, part) {
			return
		}
	}
	t.Fatalf("no %q in %q", part, texts)
}

func values(t *testing.T, kafka *Kafka, topic string) (values []string) {
	t.Helper()
	records, err := kafka.Records(topic)
	must(t, err)
	for _, record := range records {
		values = append(values, record.Value.(string))
	}
	return values
}

func TestATransactionIsFencedAfterAPause(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"), kgo.TransactionalID("till-4"),
		kgo.TransactionTimeout(time.Minute))
	must(t, producer.BeginTransaction())
	must(t, producer.ProduceSync(context.Background(), kgo.StringRecord("late")).FirstErr())
	must(t, kafka.Advance(5*time.Minute))
	if err := producer.EndTransaction(context.Background(), kgo.TryCommit); err == nil {
		t.Fatal("committed what was aborted")
	}
	history, err := kafka.History("transactions", "till-4")
	must(t, err)
	has(t, history, "more than its timeout of 60000 ms")
}

func TestAFailedFsyncLosesNothingThatWasAcknowledged(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, map[string]string{"flush.messages": "1"}))
	send(t, kafka, "acknowledged")
	must(t, kafka.FailDisk("sync", "EIO"))
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"), kgo.RecordRetries(0),
		kgo.DisableIdempotentWrite())
	if err := producer.ProduceSync(context.Background(), kgo.StringRecord("refused")).FirstErr(); err == nil {
		t.Fatal("acknowledged what was not synced")
	}
	must(t, kafka.HealDisk())
	must(t, kafka.Restart())
	if found := values(t, kafka, "orders"); len(found) == 0 || found[0] != "acknowledged" {
		t.Fatalf("lost: %v", found)
	}
}

func TestAPowerLossLosesNothingThatWasFlushed(t *testing.T) {
	kafka := Start(t, "--volatile-disk")
	must(t, kafka.CreateTopic("orders", 1, map[string]string{"flush.messages": "1"}))
	send(t, kafka, "flushed")
	must(t, kafka.LosePower())
	if found := values(t, kafka, "orders"); len(found) != 1 || found[0] != "flushed" {
		t.Fatalf("lost: %v", found)
	}
}
